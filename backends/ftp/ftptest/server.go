// Package ftptest is a small FTP server in the test's own process, with its files in memory,
// for tests of the client and of the store over it. It speaks what an old server speaks, in
// the forms of two of them, and can be told to answer otherwise. It checks no paths and is
// not for anything but tests. Its central type is [Server].
package ftptest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options are what a server is started with.
type Options struct {
	// Lean is a server like vsftpd: LIST alone, times by MDTM, no checksums. Otherwise it is
	// like ProFTPD: MLSD, MLST, MFMT, XSHA256 and HASH.
	Lean bool
	// TLS has AUTH TLS offered. Data connections must then resume the session.
	TLS *tls.Config
	// Implicit has TLS spoken from the first octet.
	Implicit bool
	// Answer may answer a command instead of the server: with whole lines, without the last
	// CRLF. "close" closes the control connection. Called from any goroutine.
	Answer func(verb, arg string) (answer string, answered bool)
	// Listing, if set, is what MLSD and LIST send, whatever there is.
	Listing string
	// Finish, if set, ends every transfer instead of 226.
	Finish string
}

// The one user that may log in.
const (
	User     = "old"
	Password = "s3cret of old"
)

// Server is a running server. All methods may be called from any goroutine.
type Server struct {
	Address string // host:port, of the loopback

	options Options
	tree    tree

	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	commands []string
}

// Start starts a server that ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Address: l.Addr().String(), options: o, conns: map[net.Conn]struct{}{}}
	s.tree.nodes = map[string]*node{"/": {dir: true, mod: time.Unix(0, 0)}}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[conn] = struct{}{}
			s.mu.Unlock()
			sessions.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.Cut()
		sessions.Wait()
	})
	return s
}

// Cut closes all connections, as a server that is killed. New ones may come.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Close()
	}
}

// Commands gives the commands that came, in their order; no passwords.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

// Put makes a file, and the directories above it; a path that ends in "/" is a directory.
func (s *Server) Put(path, content string, mod time.Time) { s.tree.put(path, []byte(content), mod) }

// Get gives the content of a file, and whether it is there.
func (s *Server) Get(path string) (string, bool) { return s.tree.get(path) }

// ModTime gives the time of a file or directory; zero if there is none.
func (s *Server) ModTime(path string) time.Time { return s.tree.modTime(path) }

// session is one control connection.
type session struct {
	s        *Server
	control  net.Conn
	r        *bufio.Reader
	user     string
	loggedIn bool
	dir      string
	from     string // of RNFR
	offset   int    // of REST
	data     net.Listener
	private  bool // PROT P
}

func (s *Server) serve(conn net.Conn) {
	ss := &session{s: s, dir: "/"}
	defer func() {
		_ = conn.Close()
		if ss.data != nil {
			_ = ss.data.Close()
		}
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()
	ss.use(conn)
	if s.options.Implicit {
		ss.use(tls.Server(conn, s.options.TLS))
	}
	greeting := "220 old server"
	if answer, ok := ss.scripted("", ""); ok {
		greeting = answer
	}
	if !ss.answer("", greeting) {
		return
	}
	for {
		line, err := ss.r.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		verb = strings.ToUpper(verb)
		s.note(verb, arg)
		reply, scripted := ss.scripted(verb, arg)
		if !scripted {
			reply = ss.handle(verb, arg)
		}
		if !ss.answer(verb, reply) {
			return
		}
		if verb == "AUTH" && s.options.TLS != nil {
			ss.use(tls.Server(conn, s.options.TLS))
		}
	}
}

func (ss *session) use(conn net.Conn) {
	ss.control, ss.r = conn, bufio.NewReader(conn)
}

func (s *Server) note(verb, arg string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if verb == "PASS" {
		arg = "…"
	}
	s.commands = append(s.commands, strings.TrimSpace(verb+" "+arg))
}

// scripted is the test's own answer to a command; the greeting answers "".
func (ss *session) scripted(verb, arg string) (string, bool) {
	if ss.s.options.Answer == nil {
		return "", false
	}
	return ss.s.options.Answer(verb, arg)
}

// answer writes a reply and tells whether to go on.
func (ss *session) answer(verb, reply string) bool {
	if reply == "close" {
		return false
	}
	_, err := fmt.Fprintf(ss.control, "%s\r\n", reply)
	return err == nil && verb != "QUIT"
}
