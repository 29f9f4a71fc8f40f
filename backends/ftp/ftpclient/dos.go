package ftpclient

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// dosName is the column of the name in the listings of IIS with years of two digits.
const dosName = 39

// parseDOS reads a line of IIS's MS-DOS form:
//
//	02-14-24  03:04PM       <DIR>          directory
//	02-14-2024  15:04                 1234 a file
func (c clock) parseDOS(line []byte) (rawEntry, error) {
	if len(bytes.TrimSpace(line)) == 0 {
		return rawEntry{}, errNothing
	}
	fields := fieldsOf(line)
	if len(fields) < 4 || fields[0].start != 0 {
		return rawEntry{}, errForm
	}
	t, ok := c.dosTime(fields[0].text, fields[1].text)
	if !ok {
		return rawEntry{}, errForm
	}
	e := rawEntry{Entry: Entry{Size: -1, ModTime: t}}
	kind := fields[2]
	if strings.HasPrefix(kind.text, "<") {
		e.Dir = strings.EqualFold(kind.text, "<DIR>")
		e.Link = !e.Dir // <SYMLINKD>, <JUNCTION>
		e.name = dosTail(line, kind.end, dosName+len(fields[0].text)-len("02-14-24"))
		return e.checked()
	}
	size, err := strconv.ParseUint(kind.text, 10, 63)
	if err != nil {
		return rawEntry{}, errForm
	}
	e.Size, e.name = int64(size), line[kind.end+1:]
	return e.checked()
}

// dosTail is the name after <DIR>: what begins at the column, or what comes after the spaces.
func dosTail(line []byte, end, column int) []byte {
	tail := bytes.TrimLeft(line[end:], " ")
	if end <= column && column < len(line) && len(bytes.TrimLeft(line[end:column], " ")) == 0 {
		tail = line[column:]
	}
	return tail
}

// dosTime reads a date and a time of day in the zone of the server.
func (c clock) dosTime(date, clock string) (time.Time, bool) {
	for _, day := range []string{"01-02-06", "01-02-2006", "2006-01-02", "02-01-06", "02-01-2006"} {
		for _, hour := range []string{"03:04PM", "15:04"} {
			if t, err := time.ParseInLocation(day+" "+hour, date+" "+strings.ToUpper(clock), c.zone); err == nil {
				return t, true
			}
		}
	}
	return time.Time{}, false
}
