package ftp

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/backends/ftp/ftpclient"
)

// fake is a small FTP server over a directory, with faults to order.
type fake struct {
	t    testing.TB
	dir  string
	addr string

	// Before the first connection.
	noMLST bool          // LIST, SIZE and MDTM only
	zone   time.Duration // of LIST, ahead of UTC
	noREST bool
	entry  func(i int) string // lines of MLSD in place of those of the directory, until ""

	mu    sync.Mutex
	plan  func(verb, arg string) string // a reply in place of the command's; "drop" ends the connection
	cut   int64                         // RETR ends after so many octets, once; 0 is never
	open  map[net.Conn]struct{}
	verbs []string // all commands, without arguments
}

func newFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{t: t, dir: t.TempDir(), open: map[net.Conn]struct{}{}}
	f.listen("127.0.0.1:0")
	return f
}

func (f *fake) listen(addr string) {
	f.t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.addr = ln.Addr().String()
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.open[c] = struct{}{}
			f.mu.Unlock()
			sessions.Go(func() { f.serve(c) })
		}
	})
	f.t.Cleanup(func() {
		ln.Close()
		f.dropAll()
		sessions.Wait()
	})
}

// dropAll ends all control connections without a word.
func (f *fake) dropAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.open {
		c.Close()
	}
}

// planned sets what happens to commands.
func (f *fake) planned(plan func(verb, arg string) string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = plan
}

// once answers the first such command, and no other.
func (f *fake) once(verb, reply string) {
	done := false
	f.planned(func(v, _ string) string {
		if v != verb || done {
			return ""
		}
		done = true
		return reply
	})
}

// count is how often a command came.
func (f *fake) count(verb string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range f.verbs {
		if v == verb {
			n++
		}
	}
	return n
}

// session is a control connection.
type session struct {
	*fake
	c      net.Conn
	cwd    string
	data   net.Listener
	rest   int64
	rename string
}

func (f *fake) serve(c net.Conn) {
	s := &session{fake: f, c: c, cwd: "/"}
	defer func() {
		c.Close()
		if s.data != nil {
			s.data.Close()
		}
		f.mu.Lock()
		delete(f.open, c)
		f.mu.Unlock()
	}()
	reply := "220 fake"
	for lines := bufio.NewScanner(c); ; {
		if reply == "drop" {
			return
		}
		if _, err := fmt.Fprintf(c, "%s\r\n", reply); err != nil || strings.HasPrefix(reply, "221") || !lines.Scan() {
			return
		}
		verb, arg, _ := strings.Cut(lines.Text(), " ")
		f.mu.Lock()
		f.verbs = append(f.verbs, verb)
		reply = ""
		if f.plan != nil {
			reply = f.plan(verb, arg)
		}
		f.mu.Unlock()
		if reply == "" {
			reply = s.answer(verb, arg)
		}
	}
}

// file is where a path is.
func (s *session) file(arg string) string {
	if !strings.HasPrefix(arg, "/") {
		arg = path.Join(s.cwd, arg)
	}
	return filepath.Join(s.dir, filepath.FromSlash(path.Clean("/"+arg)))
}

func (s *session) answer(verb, arg string) string {
	var stamp string
	if verb == "MFMT" {
		stamp, arg, _ = strings.Cut(arg, " ")
	}
	name := s.file(arg)
	info, err := os.Stat(name)
	switch verb {
	case "USER":
		return "331 who else"
	case "PASS":
		if arg != "secret" {
			return "530 wrong"
		}
		return "230 in"
	case "FEAT":
		return s.features()
	case "TYPE", "OPTS", "NOOP":
		return "200 fine"
	case "QUIT":
		return "221 bye"
	case "EPSV":
		return s.listenData()
	case "REST":
		if s.noREST {
			return "502 no"
		}
		fmt.Sscan(arg, &s.rest)
		return "350 from there"
	case "RNFR":
		if err != nil {
			return "550 no"
		}
		s.rename = name
		return "350 to"
	case "MFMT":
		at, parseErr := time.Parse("20060102150405", stamp)
		return outcome("213", errors.Join(parseErr, os.Chtimes(name, at, at)))
	case "RNTO":
		return outcome("250", os.Rename(s.rename, name))
	case "MKD":
		return outcome("257", os.Mkdir(name, 0o777))
	case "STOR":
		return s.stor(name)
	case "LIST", "MLSD":
		return s.list(verb)
	}
	if err != nil {
		return "550 not there"
	}
	return s.onFile(verb, arg, name, info)
}

func outcome(code string, err error) string {
	if err != nil {
		return "550 failed"
	}
	return code + " done"
}

// onFile answers what is asked of something that is there.
func (s *session) onFile(verb, arg, name string, info os.FileInfo) string {
	const stamp = "20060102150405"
	switch verb {
	case "CWD":
		if !info.IsDir() {
			return "550 no directory"
		}
		s.cwd = path.Clean("/" + arg)
		return "250 there"
	case "MLST":
		if s.noMLST {
			return "500 what?"
		}
		return "250-about\r\n " + facts1(info) + " " + arg + "\r\n250 that is it"
	case "DELE":
		if info.IsDir() {
			return "550 a directory"
		}
		return outcome("250", os.Remove(name))
	case "RMD":
		if !info.IsDir() {
			return "550 no directory"
		}
		return outcome("250", os.Remove(name))
	}
	if info.IsDir() {
		return "550 a directory"
	}
	switch verb {
	case "SIZE":
		return fmt.Sprint("213 ", info.Size())
	case "MDTM":
		return "213 " + info.ModTime().UTC().Format(stamp)
	case "RETR":
		return s.retr(name)
	case "XCRC":
		return "250 1234ABCD"
	}
	return "500 what?"
}

func (s *session) features() string {
	lines := []string{"211-features", " SIZE", " MDTM", " UTF8", " MFMT", " XCRC"}
	if !s.noMLST {
		lines = append(lines, " MLST type*;size*;modify*;")
	}
	if !s.noREST {
		lines = append(lines, " REST STREAM")
	}
	return strings.Join(append(lines, "211 that is all"), "\r\n")
}

// facts1 are those of a file.
func facts1(info os.FileInfo) string {
	kind := "file"
	if info.IsDir() {
		kind = "dir"
	}
	if info.Mode()&os.ModeSymlink != 0 {
		kind = "OS.unix=slink"
	}
	return fmt.Sprintf("type=%s;size=%d;modify=%s;", kind, info.Size(), info.ModTime().UTC().Format("20060102150405"))
}

// store over the fake, with a pool of connections.
func (f *fake) store(t testing.TB, change func(*Config)) *Store {
	t.Helper()
	cfg := Config{
		Server:      ftpclient.Config{Address: f.addr, User: "u", Password: "secret", Timeout: 5 * time.Second},
		Connections: 8, Dir: t.TempDir(),
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
