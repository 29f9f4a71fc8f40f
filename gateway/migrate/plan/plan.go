// Package plan reads the configuration of another FTP server and writes one for Causeway
// that says the same as far as it can, to start from. It carries over no accounts and no
// files, changes nothing, and asks nobody; what it cannot carry over it lists, directive by
// directive.
//
// Its central type is [Plan].
package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"
)

// The servers that [Read] knows.
const (
	Vsftpd   = "vsftpd"
	ProFTPD  = "proftpd"
	PureFTPd = "pure-ftpd"
)

// Servers are the names of all of them.
func Servers() []string { return []string{Vsftpd, ProFTPD, PureFTPd} }

// ServerOf tells a server by the name of its configuration, or "".
func ServerOf(name string) string {
	for _, part := range []string{path.Base(name), path.Base(path.Dir(name))} {
		switch part = strings.ToLower(part); {
		case strings.Contains(part, "vsftpd"):
			return Vsftpd
		case strings.Contains(part, "proftpd"):
			return ProFTPD
		case strings.Contains(part, "pure-ftpd"), strings.Contains(part, "pureftpd"):
			return PureFTPd
		}
	}
	return ""
}

// Plan is what a configuration comes to.
type Plan struct {
	Server string // one of [Servers]
	From   string // what was read, as an absolute path
	Notes  []Note // in the order of the files

	settings
}

// Note is a directive, or something about it, that is not carried over.
type Note struct {
	File string // as an absolute path
	Line int    // from 1; 0 for what is a whole file, or the n-th argument of a command line
	Name string // of the directive, with its value where that says which
	Text string // why, or what to do
}

// String is the note in a line, with its place first.
func (n Note) String() string {
	if n.Line == 0 {
		return fmt.Sprintf("%s: %s: %s", n.File, n.Name, n.Text)
	}
	return fmt.Sprintf("%s:%d: %s: %s", n.File, n.Line, n.Name, n.Text)
}

// directive is a setting as the old server's files have it.
type directive struct {
	file string // a path of [fs.FS]
	line int
	name string // as written
	args []string
}

// value is what follows the name.
func (d directive) value() string { return strings.Join(d.args, " ") }

// arg is an argument, counted from 0, or "".
func (d directive) arg(i int) string {
	if i >= len(d.args) {
		return ""
	}
	return d.args[i]
}

// maxFile bounds a file of the old server, and maxFiles how many one includes.
const (
	maxFile  = 4 << 20
	maxFiles = 1000
)

var (
	errLarge  = errors.New("is larger than 4 MiB: that is no configuration")
	errMany   = errors.New("more than 1000 files are included")
	errServer = errors.New("no such server")
)

// Read reads the configuration of a server, one of [Servers]: a file, or the directory of
// Pure-FTPd on Debian. fsys is the old server's file system from its root on, where includes
// are looked up, and name a path in it without a leading slash. The error is about files
// that cannot be read, never about what stands in them.
func Read(fsys fs.FS, server, name string) (*Plan, error) {
	p := &Plan{Server: server, From: "/" + name}
	var err error
	switch server {
	case Vsftpd:
		err = readVsftpd(fsys, name, p)
	case ProFTPD:
		err = readProFTPD(fsys, name, p)
	case PureFTPd:
		err = readPureFTPd(fsys, name, p)
	default:
		err = fmt.Errorf("%q: %w", server, errServer)
	}
	if err != nil {
		return nil, err
	}
	p.settle()
	return p, nil
}

// note lists something about a directive.
func (p *Plan) note(d directive, format string, args ...any) {
	name := d.name
	if !secretive(name) {
		name += " " + d.value()
	}
	n := Note{File: "/" + d.file, Line: d.line, Name: strings.TrimSpace(brief(name)), Text: fmt.Sprintf(format, args...)}
	if !slices.Contains(p.Notes, n) {
		p.Notes = append(p.Notes, n)
	}
}

// secretive tells whether a directive may have a password in it.
func secretive(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"sql", "ldap", "radius", "redis", "memcache", "sftp", "userpassword", "tlspresharedkey", "tlspassphrase", "setenv"},
		func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// maxBrief is as much of a value as tells which it is.
const maxBrief = 60

// brief is a text of the old server for people.
func brief(value string) string {
	value = oneLine(value)
	if runes := []rune(value); len(runes) > maxBrief {
		return string(runes[:maxBrief]) + "…"
	}
	return value
}

// oneLine is a text without what ends a line, in YAML too, or steers a terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, strings.ToValidUTF8(text, "?"))
}

// fate is what becomes of a directive that has no place in a configuration of ours.
type fate struct {
	same string // values with blanks between them, with which all is as it is here; "*" is each
	why  string // "" for what others use, or nobody can notice
}

// apply lists the directive unless nothing changes without it.
func (f fate) apply(p *Plan, d directive) {
	if f.why == "" || f.same == "*" || slices.Contains(strings.Fields(strings.ToLower(f.same)), strings.ToLower(d.value())) {
		return
	}
	p.note(d, "%s", f.why)
}

// readFile reads a file of the old server.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("/%s %w", name, errLarge)
	}
	return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), nil
}

// lines are the lines of a text with their numbers, without what ends them.
func lines(text []byte) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		n := 0
		for line := range strings.Lines(string(text)) {
			if n++; !yield(n, strings.TrimRight(line, "\r\n")) {
				return
			}
		}
	}
}

// local is an absolute path of the old server as a path of [fs.FS].
func local(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}
