package audit

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"causeway/gateway/ftp"
)

// xferLines writes wu-ftpd's xferlog(5), which knows transfers and, since ProFTPD, files that
// were deleted. Of all else, also of what was refused, there is no line.
type xferLines struct{}

func (xferLines) login(ftp.LoginEvent, string) []byte { return nil }

func (xferLines) command(e ftp.CommandEvent) []byte {
	x := xfer{path: e.Path.String(), kind: 'b', way: 'd', end: 'c'}
	switch t := e.Transfer; {
	case t != nil:
		x.of(e.Path, t)
	case e.Verb != "DELE" || e.Code >= 400:
		return nil
	}
	access := 'r'
	if e.User == "anonymous" {
		access = 'a'
	}
	return fmt.Appendf(nil, "%s %d %s %d %s %c _ %c %c %s ftp 0 * %c\n",
		e.Began.Add(e.Took).Local().Format(time.ANSIC), x.seconds, e.Remote, x.bytes, word(x.path), x.kind, x.way, access, word(e.User), x.end)
}

// expired has no line: its format names a client and a path of theirs.
func (xferLines) expired(Expired) []byte { return nil }

// xfer is what a line has of what was done.
type xfer struct {
	seconds int64
	bytes   int64
	path    string
	kind    rune // transfer type: ASCII or binary
	way     rune // direction: incoming, outgoing or deleted
	end     rune // complete or incomplete
}

func (x *xfer) of(p ftp.Path, t *ftp.TransferEvent) {
	// wu-ftpd has no transfer take less than a second, for those who divide by it.
	x.seconds = max(1, int64(math.Round(t.Took.Seconds())))
	x.bytes, x.way, x.end = t.Bytes, 'o', 'i'
	if t.Name != "" {
		x.path = path.Join(p.Parent().String(), t.Name)
	}
	if t.ASCII {
		x.kind = 'a'
	}
	if t.Upload {
		x.way = 'i'
	}
	if t.Done == "stored" || t.Done == "sent" {
		x.end = 'c'
	}
}

// word is s as one field: white space and what does not print is an underscore, as it is
// with wu-ftpd.
func word(s string) string {
	return cmp.Or(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsSpace(r) || hidden(r) {
			return '_'
		}
		return r
	}, s), "_")
}
