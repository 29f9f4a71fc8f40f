package ftptest

import (
	"crypto/sha256"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

const stamp = "20060102150405"

// handle does a command and gives its final reply.
func (ss *session) handle(verb, arg string) string {
	switch verb {
	case "USER":
		ss.user = arg
		return "331 Password"
	case "PASS":
		if ss.loggedIn = ss.user == User && arg == Password; !ss.loggedIn {
			return "530 Login incorrect."
		}
		return "230 Welcome"
	case "AUTH":
		if ss.s.options.TLS == nil {
			return "504 No TLS"
		}
		return "234 Go on"
	case "QUIT":
		return "221 Bye"
	}
	if !ss.loggedIn {
		return "530 Please login with USER and PASS."
	}
	switch verb {
	case "FEAT":
		return ss.features()
	case "TYPE", "NOOP", "OPTS", "PBSZ":
		return "200 OK"
	case "PROT":
		ss.private = arg == "P"
		return "200 OK"
	case "EPSV", "PASV", "MLSD", "LIST", "RETR", "STOR":
		return ss.handleData(verb, ss.absolute(arg))
	}
	if ss.s.options.Lean && strings.HasPrefix(verb, "M") && verb != "MDTM" && verb != "MKD" || ss.s.options.Lean && verb == "HASH" {
		return "500 Unknown command."
	}
	return ss.handleFile(verb, arg)
}

func (ss *session) features() string {
	if ss.s.options.Lean {
		return "211-Features:\r\n EPSV\r\n MDTM\r\n PASV\r\n REST STREAM\r\n SIZE\r\n TVFS\r\n UTF8\r\n211 End"
	}
	return "211-Features:\r\n MLST modify*;size*;type*;\r\n MFMT\r\n MDTM\r\n REST STREAM\r\n SIZE\r\n UTF8\r\n HASH SHA-256*\r\n XSHA256\r\n211 End"
}

// absolute is the path of an argument.
func (ss *session) absolute(arg string) string {
	if path.IsAbs(arg) {
		return path.Clean(arg)
	}
	return path.Join(ss.dir, arg)
}

// handleFile does what needs no data connection.
func (ss *session) handleFile(verb, arg string) string {
	p := ss.absolute(arg)
	t := &ss.s.tree
	switch verb {
	case "CWD":
		if n, ok := t.node(p); !ok || !n.dir {
			return "550 Failed to change directory."
		}
		ss.dir = p
		return "250 Directory successfully changed."
	case "SIZE", "HASH", "XSHA256", "MLST":
		return ss.describe(verb, p)
	case "MDTM", "MFMT":
		return ss.time(verb, arg, p)
	case "MKD":
		return done(t.mkdir(p), `257 "`+strings.ReplaceAll(p, `"`, `""`)+`" created`)
	case "RMD":
		return done(t.rmdir(p), "250 Done")
	case "DELE":
		return done(t.remove(p), "250 Done")
	case "RNFR":
		ss.from = p
		_, ok := t.node(p)
		return done(ok, "350 Ready for RNTO.")
	case "RNTO":
		return done(ss.from != "" && t.rename(ss.from, p), "250 Done")
	case "REST":
		offset, err := strconv.Atoi(arg)
		ss.offset = offset
		return done(err == nil, "350 Restart position accepted.")
	}
	return "500 Unknown command."
}

// done is the reply to a command that was done or not.
func done(success bool, reply string) string {
	return map[bool]string{true: reply, false: "550 Failed."}[success]
}

// describe tells about a file.
func (ss *session) describe(verb, p string) string {
	n, ok := ss.s.tree.node(p)
	if !ok || n.dir && verb != "MLST" {
		return "550 Could not tell."
	}
	switch verb {
	case "SIZE":
		return fmt.Sprintf("213 %d", len(n.content))
	case "MLST":
		return fmt.Sprintf("250-Start of list\r\n %s %s\r\n250 End of list", n.facts(), p)
	case "XSHA256":
		return fmt.Sprintf("250 %x", sha256.Sum256(n.content))
	}
	return fmt.Sprintf("213 SHA-256 0-%d %x %s", len(n.content), sha256.Sum256(n.content), p)
}

// time tells a file's time, or sets it.
func (ss *session) time(verb, arg, p string) string {
	word, rest, _ := strings.Cut(arg, " ")
	if mod, err := time.Parse(stamp, word); err == nil && rest != "" {
		return done(ss.s.tree.setTime(ss.absolute(rest), mod), "213 OK")
	}
	n, ok := ss.s.tree.node(p)
	return done(verb == "MDTM" && ok && !n.dir, "213 "+n.mod.UTC().Format(stamp))
}
