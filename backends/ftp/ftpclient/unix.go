package ftpclient

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// clock is what times of a listing are read with.
type clock struct {
	zone *time.Location // of the server
	now  time.Time
}

// maxFields is how many words a line may have before its date: mode, links, owner, group,
// size, and spaces in the names of owner and group.
const maxFields = 32

// field is a word of a line.
type field struct {
	text  string
	start int
	end   int // after it
}

// parseUnix reads a line of "ls -l". Which columns come before the date differs, and owners
// have spaces in their names; so the date is looked for, the size is the number before it,
// and the name is what comes after it and one space.
func (c clock) parseUnix(line []byte) (rawEntry, error) {
	if len(line) == 0 || bytes.HasPrefix(line, []byte("total ")) {
		return rawEntry{}, errNothing
	}
	if !hasMode(line) {
		return rawEntry{}, errForm
	}
	e := rawEntry{Entry: Entry{Size: -1}}
	fields := fieldsOf(line)
	for i := 2; i+1 < len(fields); i++ {
		size, err := strconv.ParseUint(fields[i-1].text, 10, 63)
		t, used := c.date(fields[i:])
		if used == 0 || err != nil && !isDevice(line) {
			continue
		}
		end := fields[i+used-1].end
		if end >= len(line) {
			return rawEntry{}, errForm
		}
		e.Size, e.ModTime, e.name = int64(size), t, line[end+1:]
		return e.ofMode(line[0])
	}
	return rawEntry{}, errForm
}

// hasMode tells whether the line begins with "drwxr-xr-x" or NetWare's "d [RWCEAFMS]".
func hasMode(line []byte) bool {
	if len(line) < 10 || !strings.ContainsRune("-dlbcpsD", rune(line[0])) {
		return false
	}
	return line[1] == '[' || line[1] == ' ' && line[2] == '[' || strings.ContainsRune("r-", rune(line[1])) && strings.ContainsRune("w-", rune(line[2]))
}

// isDevice tells of a line that has "major, minor" where others have a size.
func isDevice(line []byte) bool { return line[0] == 'b' || line[0] == 'c' }

// ofMode gives the entry what the first letter of the mode says.
func (e rawEntry) ofMode(mode byte) (rawEntry, error) {
	switch mode {
	case '-':
	case 'd':
		e.Dir, e.Size = true, -1
	case 'l':
		e.Link, e.name, e.Size = true, linkName(e.name, e.Size), -1
	default:
		return rawEntry{}, errSpecial
	}
	return e.checked()
}

// linkName cuts "name -> target". The size of a link is the length of its target, which
// tells where to cut if there are several arrows.
func linkName(name []byte, size int64) []byte {
	arrow := []byte(" -> ")
	if at := int64(len(name)) - size - int64(len(arrow)); size > 0 && at > 0 && bytes.HasPrefix(name[at:], arrow) {
		return name[:at]
	}
	name, _, _ = bytes.Cut(name, arrow)
	return name
}

func fieldsOf(line []byte) []field {
	var fields []field
	for i := 0; i < len(line) && len(fields) < maxFields; {
		for i < len(line) && line[i] == ' ' {
			i++
		}
		start := i
		for i < len(line) && line[i] != ' ' {
			i++
		}
		if i > start {
			fields = append(fields, field{string(line[start:i]), start, i})
		}
	}
	return fields
}

// date reads "Jan  2 15:04", "Jan  2  2006", "2 Jan 15:04", "2 Jan 2006" or
// "2006-01-02 15:04", and tells how many words it took; 0 for what is none.
func (c clock) date(fields []field) (time.Time, int) {
	if len(fields) >= 2 && len(fields[0].text) == len(time.DateOnly) {
		if t, err := time.ParseInLocation("2006-01-02 15:04", fields[0].text+" "+fields[1].text, c.zone); err == nil {
			return t, 2
		}
	}
	if len(fields) < 3 {
		return time.Time{}, 0
	}
	month, day := fields[0].text, fields[1].text
	if isDigit(month[0]) {
		month, day = day, month
	}
	if len(month) != 3 || len(day) > 2 {
		return time.Time{}, 0
	}
	last := fields[2].text
	if len(last) == 4 && !strings.Contains(last, ":") {
		if t, err := time.ParseInLocation("Jan 2 2006", month+" "+day+" "+last, c.zone); err == nil {
			return t, 3
		}
	} else if t, ok := c.recent(month + " " + day + " " + last); ok {
		return t, 3
	}
	return time.Time{}, 0
}

// recent reads "Jan 2 15:04", which "ls" writes for times that are less than half a year
// old: the last one that there was, with a day for clocks that are ahead.
func (c clock) recent(s string) (time.Time, bool) {
	limit := c.now.Add(24 * time.Hour)
	for back := range 8 { // the 29th of February may be that long ago, in 1904
		year := strconv.Itoa(limit.In(c.zone).Year() - back)
		t, err := time.ParseInLocation("2006 Jan 2 15:04", year+" "+s, c.zone)
		if err == nil && !t.After(limit) {
			return t, true
		}
	}
	return time.Time{}, false
}
