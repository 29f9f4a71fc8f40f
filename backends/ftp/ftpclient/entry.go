package ftpclient

import (
	"errors"
	"time"
)

// Entry is a file or directory of the server.
type Entry struct {
	Name    string // without its directory
	Dir     bool
	Link    bool      // a symbolic link; what it leads to is for Stat to tell
	Size    int64     // octets; -1 if unknown, as it is for directories and links
	ModTime time.Time // zero if unknown
	Precise bool      // ModTime is to the second and in UTC: from MDTM or MLST. Else it is LIST's, to the minute or the day
}

// LeftOut counts the lines of a listing that no [Entry] could be made of. They are not what
// a directory needs not to show: ".", ".." and the total.
type LeftOut struct {
	Undecodable int    // names that are not of the charset
	Unsafe      int    // names with "/", NUL, CR or LF
	Unparsed    int    // lines of an unknown form
	Special     int    // devices, sockets, pipes: there is nothing to fetch
	Example     string // one of the lines, quoted for a log, up to 200 octets
}

// Lost is the number of files that there may be and that the listing does not show.
func (l LeftOut) Lost() int { return l.Undecodable + l.Unsafe + l.Unparsed }

// rawEntry is an Entry whose name is still as the server wrote it.
type rawEntry struct {
	Entry
	name     []byte
	linkMode bool // the mode is 0777, as that of every link
}

// What a parser says of a line that is no entry.
var (
	errNothing = errors.New("nothing to list")          // an empty line, the total, ".."
	errItself  = errors.New("the directory itself")     // "."
	errForm    = errors.New("line of an unknown form")  // of this parser
	errSpecial = errors.New("neither file, dir, link")  // a device, a socket, a pipe
	errUnsafe  = errors.New("name that leads anywhere") // with "/", NUL, CR or LF

	errUndecodable = errors.New("name that is not of the charset")
)

// checked refuses what is no name.
func (e rawEntry) checked() (rawEntry, error) {
	switch name := string(e.name); {
	case name == ".":
		return rawEntry{}, errItself
	case name == "..":
		return rawEntry{}, errNothing
	case !safeName(e.name):
		return rawEntry{}, errUnsafe
	}
	return e, nil
}
