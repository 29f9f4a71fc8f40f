package ftpclient

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// parseMLSD reads a line of MLSD.
func parseMLSD(line []byte) (rawEntry, error) {
	e, kind, err := parseFacts(line)
	switch {
	case err != nil:
		return rawEntry{}, err
	case kind == "cdir":
		return rawEntry{}, errItself
	case kind == "pdir":
		return rawEntry{}, errNothing
	}
	return e.typed(kind)
}

// parseMLST reads the line of MLST about one file or directory, which may be the one that
// the client is in.
func parseMLST(line []byte) (rawEntry, error) {
	e, kind, err := parseFacts(line)
	switch {
	case err != nil:
		return rawEntry{}, err
	case kind == "cdir" || kind == "pdir":
		kind = "dir"
	}
	return e.typed(kind)
}

// parseFacts reads "fact=value;fact=value; name" (RFC 3659 §7.2), and gives the type fact
// beside the entry.
func parseFacts(line []byte) (rawEntry, string, error) {
	facts, name, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return rawEntry{}, "", errForm
	}
	e := rawEntry{Entry: Entry{Size: -1}, name: name}
	kind := ""
	for fact := range strings.SplitSeq(string(facts), ";") {
		label, value, ok := strings.Cut(fact, "=")
		if !ok && fact != "" {
			return rawEntry{}, "", errForm
		}
		switch strings.ToLower(label) {
		case "type":
			kind = strings.ToLower(value)
		case "size":
			n, err := strconv.ParseUint(value, 10, 63)
			if err != nil {
				return rawEntry{}, "", errForm
			}
			e.Size = int64(n)
		case "modify":
			t, err := parseStamp(value)
			if err != nil {
				return rawEntry{}, "", errForm
			}
			e.ModTime, e.Precise = t, true
		case "unix.mode":
			e.linkMode = strings.TrimLeft(value, "0") == "777"
		}
	}
	return e, kind, nil
}

// typed gives the entry what the type fact says (RFC 3659 §7.5.1). Links have no type of
// their own there: servers write OS.unix=slink:/where or OS.unix=symlink.
func (e rawEntry) typed(kind string) (rawEntry, error) {
	switch {
	case kind == "dir":
		e.Dir, e.Size = true, -1
	case kind == "file":
	case strings.HasPrefix(kind, "os.unix=slink") || strings.HasPrefix(kind, "os.unix=symlink"):
		e.Link, e.Size = true, -1
	case kind == "":
		return rawEntry{}, errForm
	default:
		return rawEntry{}, errSpecial
	}
	return e, nil
}

// parseStamp reads a time-val, "YYYYMMDDHHMMSS[.sss]" in UTC (RFC 3659 §2.3). Fractions
// are dropped: few servers have them, and none the same everywhere.
func parseStamp(s string) (time.Time, error) {
	s, _, _ = strings.Cut(s, ".")
	return time.Parse(stampLayout, s)
}

const stampLayout = "20060102150405"
