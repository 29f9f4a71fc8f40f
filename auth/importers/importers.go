// Package importers reads the accounts of other FTP servers from their own files, with the
// passwords' hashes as they are. It decides nothing about what accounts may do here, and
// writes nothing.
//
// Its central type is [Result].
package importers

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"causeway/auth"
)

// File is a file of the old server.
type File struct {
	Path string
	Text []byte
}

// Account is an account as the old server has it.
type Account struct {
	Origin
	Name     string
	Hash     string // one that [auth.New] takes
	Home     string // directory there; "" is unknown
	Disabled bool
	Expires  time.Time      // the last day, at 0:00 UTC; zero is never
	Networks []netip.Prefix // none is all
}

// Origin is a place in a file.
type Origin struct {
	File string
	Line int
}

// Note is something that could not be taken over, with the reason. It holds no secrets.
type Note struct {
	Origin
	Name string // of the account; "" if it has none that can be told
	Text string
	Lost bool // the account as a whole, not something of it
}

// String is the note in a line, with its place first.
func (n Note) String() string {
	if n.Name == "" {
		return fmt.Sprintf("%s:%d: %s", n.File, n.Line, n.Text)
	}
	return fmt.Sprintf("%s:%d: %s: %s", n.File, n.Line, n.Name, n.Text)
}

// Result is all that was found, in the order of the files.
type Result struct {
	Accounts []Account
	Notes    []Note
}

// Options are what a reader has to know beside the files.
type Options struct {
	// Check tells whether a hash can be taken, as [auth.Hashes.Checker] does.
	Check func(hash string) error
	// Hash makes hashes of passwords that the old server keeps in clear.
	Hash func(password string) (string, error)
}

// Servers are the kinds of server that [Read] knows.
func Servers() []string {
	return []string{"vsftpd", "proftpd", "pureftpd", "htpasswd", "passwd+shadow", "filezilla"}
}

// Read reads the files of a server, one of [Servers]. Each line that it cannot take makes a
// [Note]; nothing else goes wrong.
func Read(server string, files []File, o Options) Result {
	r := &reader{Options: o, names: map[string]Origin{}}
	switch server {
	case "vsftpd":
		r.vsftpd(files)
	case "proftpd", "passwd+shadow":
		r.unix(files)
	case "filezilla":
		for _, f := range files {
			r.filezilla(f)
		}
	default:
		for _, f := range files {
			for at, line := range lines(f) {
				if server == "pureftpd" {
					r.pureftpd(at, line)
				} else {
					r.htpasswd(at, line)
				}
			}
		}
	}
	slices.SortStableFunc(r.Notes, func(a, b Note) int {
		if a.File != b.File {
			return 0
		}
		return a.Line - b.Line
	})
	return r.Result
}

// reader collects a result.
type reader struct {
	Options
	Result
	names map[string]Origin
}

// take adds an account unless something about it cannot be, and tells whether it has.
func (r *reader) take(a Account) bool {
	name, ok := auth.Canonical(a.Name)
	if !ok || strings.TrimSpace(name) != name {
		r.lose(a.Origin, "", "the name cannot be one: it is empty, too long, not UTF-8, or has control or invisible characters, or spaces at its ends")
		return false
	}
	if first, taken := r.names[name]; taken {
		r.lose(a.Origin, a.Name, fmt.Sprintf("is in %s:%d too, which was taken", first.File, first.Line))
		return false
	}
	hash, reason := r.judge(a.Hash)
	if reason != "" {
		r.lose(a.Origin, a.Name, reason)
		return false
	}
	r.names[name] = a.Origin
	a.Name, a.Hash = name, hash
	r.Accounts = append(r.Accounts, a)
	return true
}

// A hash of crypt(3)'s oldest kind, which has no prefix, is as long, of these digits.
const (
	desLength = 13
	crypt64   = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// judge is a hash as it is written here, or why it cannot be taken.
func (r *reader) judge(hash string) (taken, reason string) {
	hash = canonical(hash)
	switch {
	case hash == "":
		return "", "has no password"
	case strings.HasPrefix(hash, "!"), strings.HasPrefix(hash, "*"):
		return "", "is locked"
	case hash == "x":
		return "", "the password is in the shadow file, which has no such account"
	case !strings.HasPrefix(hash, "$") && !strings.HasPrefix(hash, "{") && len(hash) != desLength, r.Check(hash) != nil:
		if len(hash) == desLength && strings.Trim(hash, crypt64) == "" {
			return "", "has a des-crypt hash: all that begin with the same eight characters log in; give the account another password, or write password_hashes: {allow: [des-crypt]} into the configuration"
		}
		return "", "the password's hash is of a kind that is not known, damaged, or too dear to check"
	}
	return hash, ""
}

// canonical writes LDAP's schemes as users files have them.
func canonical(hash string) string {
	scheme, rest, ok := strings.Cut(hash, "}")
	if !ok || !strings.HasPrefix(scheme, "{") {
		return hash
	}
	if scheme = strings.ToUpper(scheme); scheme == "{CRYPT}" {
		return rest
	}
	return scheme + "}" + rest
}

// lose notes an account that is not taken.
func (r *reader) lose(at Origin, name, text string) {
	r.Notes = append(r.Notes, Note{Origin: at, Name: name, Text: text, Lost: true})
}

// note notes something of an account, or of a file, that is not carried over.
func (r *reader) note(at Origin, name, text string) {
	r.Notes = append(r.Notes, Note{Origin: at, Name: name, Text: text})
}

// lines are the lines of a file that say something.
func lines(f File) func(yield func(Origin, string) bool) {
	return func(yield func(Origin, string) bool) {
		n := 0
		for line := range strings.Lines(string(bytes.TrimPrefix(f.Text, []byte("\xef\xbb\xbf")))) {
			n++
			line = strings.TrimRight(line, "\r\n")
			if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if !yield(Origin{f.Path, n}, line) {
				return
			}
		}
	}
}

// networks reads addresses and networks; the rest are names of hosts and the like.
func networks(texts []string) (known []netip.Prefix, rest []string) {
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			known = append(known, netip.PrefixFrom(addr, addr.BitLen()))
		} else if p, err := netip.ParsePrefix(text); err == nil && !p.Addr().Is4In6() {
			known = append(known, p.Masked())
		} else {
			rest = append(rest, text)
		}
	}
	return known, rest
}
