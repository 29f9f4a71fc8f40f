//go:build e2e

package e2e

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// session is a control connection spoken by hand, for what real clients do only
// when they break. It fails its test on anything unexpected and shows the
// transcript so far.
type session struct {
	t    testing.TB
	conn net.Conn     // what is spoken on: TLS after secure
	raw  *net.TCPConn // below it
	in   *bufio.Reader
	tls  *tls.Config                 // of data connections under PROT P; nil in clear
	via  func(address string) string // the way to data connections; nil is the direct one
	said strings.Builder
}

// reply is one whole reply.
type reply struct {
	code  string
	lines []string
}

func (r reply) String() string { return strings.Join(r.lines, "\n") }

// connect dials the listener and reads the greeting.
func connect(t testing.TB, address string) *session {
	t.Helper()
	s := dial(t, address)
	s.want("220")
	return s
}

// connectTLS dials an implicit TLS listener and reads the greeting.
func connectTLS(t testing.TB, address string, config *tls.Config) *session {
	t.Helper()
	s := dial(t, address)
	s.handshake(config)
	s.want("220")
	return s
}

func dial(t testing.TB, address string) *session {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(5 * patience)) // for all that the session does
	return &session{t: t, conn: conn, raw: conn.(*net.TCPConn), in: bufio.NewReader(conn)}
}

// secure is AUTH TLS, the handshake, PBSZ and PROT P.
func (s *session) secure(config *tls.Config) {
	s.t.Helper()
	s.do("AUTH TLS", "234")
	s.handshake(config)
	s.do("PBSZ 0", "200")
	s.do("PROT P", "200")
}

func (s *session) handshake(config *tls.Config) {
	s.t.Helper()
	conn := tls.Client(s.raw, config)
	if err := conn.Handshake(); err != nil {
		s.fatalf("handshake: %v", err)
	}
	s.conn, s.in, s.tls = conn, bufio.NewReader(conn), config
}

// login logs in as the name with the shared password and chooses TYPE I.
func (s *session) login(name string) {
	s.t.Helper()
	s.do("USER "+name, "331")
	s.do("PASS "+password, "230")
	s.do("TYPE I", "200")
}

// send writes the commands in one segment and reads nothing.
func (s *session) send(commands ...string) {
	s.t.Helper()
	for _, command := range commands {
		fmt.Fprintf(&s.said, "C: %q\n", command)
	}
	if _, err := io.WriteString(s.conn, strings.Join(commands, "\r\n")+"\r\n"); err != nil {
		s.fatalf("send: %v", err)
	}
}

// do sends a command and wants one of the codes.
func (s *session) do(command string, codes ...string) reply {
	s.t.Helper()
	s.send(command)
	return s.want(codes...)
}

// want reads a reply and fails unless it has one of the codes; a code may end
// early, "4" is any 4xx.
func (s *session) want(codes ...string) reply {
	s.t.Helper()
	r := s.read()
	if !slices.ContainsFunc(codes, func(code string) bool { return strings.HasPrefix(r.code, code) }) {
		s.fatalf("reply %s, want %v", r.code, codes)
	}
	return r
}

func (s *session) read() reply {
	s.t.Helper()
	var r reply
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			s.fatalf("read: %v", err)
		}
		line = strings.TrimRight(line, "\r\n")
		fmt.Fprintf(&s.said, "S: %s\n", line)
		s.keepsSecrets(line)
		r.lines = append(r.lines, line)
		if r.code == "" {
			r.code = line[:min(3, len(line))]
		}
		if strings.HasPrefix(line, r.code+" ") {
			return r
		}
	}
}

// keepsSecrets fails on what a client must never hear: bucket, endpoint, key.
func (s *session) keepsSecrets(text string) {
	s.t.Helper()
	for _, secret := range []string{canary, shared.dir, "amazonaws", "http://", "127.0.0.1:", "RequestID", "goroutine"} {
		if strings.Contains(text, secret) {
			s.fatalf("a reply tells %q", secret)
		}
	}
}

func (s *session) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), s.said.String())
}

// passive opens a data connection with EPSV, without TLS yet.
func (s *session) passive() *net.TCPConn {
	s.t.Helper()
	r := s.do("EPSV", "229")
	_, after, _ := strings.Cut(r.lines[0], "(|||")
	port, _, _ := strings.Cut(after, "|")
	host, _, _ := net.SplitHostPort(s.raw.RemoteAddr().String())
	address := net.JoinHostPort(host, port)
	if s.via != nil {
		address = s.via(address)
	}
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		s.fatalf("data connection: %v", err)
	}
	s.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn.(*net.TCPConn)
}

// active announces a listener with PORT; the returned function accepts.
func (s *session) active() (port string, accept func() net.Conn) {
	s.t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		s.fatalf("%v", err)
	}
	s.t.Cleanup(func() { l.Close() })
	n := l.Addr().(*net.TCPAddr).Port
	return "PORT 127,0,0,1," + strconv.Itoa(n>>8) + "," + strconv.Itoa(n&255), func() net.Conn {
		s.t.Helper()
		_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
		conn, err := l.Accept()
		if err != nil {
			s.fatalf("active data connection: %v", err)
		}
		s.t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(patience))
		return conn
	}
}

// transfer sends the command, reads the 150, and secures the data connection
// under PROT P.
func (s *session) transfer(command string) net.Conn {
	s.t.Helper()
	conn, _ := s.begin(command)
	return conn
}

// begin is transfer for a command that may be refused with one of the codes; then there is
// no data connection.
func (s *session) begin(command string, refusals ...string) (net.Conn, reply) {
	s.t.Helper()
	conn := s.passive()
	r := s.do(command, append([]string{"150", "125"}, refusals...)...)
	switch {
	case r.code[0] != '1':
		_ = conn.Close()
		return nil, r
	case s.tls == nil:
		return conn, r
	}
	secured := tls.Client(conn, s.tls)
	if err := secured.Handshake(); err != nil {
		s.fatalf("data handshake: %v", err)
	}
	return secured, r
}

// store uploads data and wants 226.
func (s *session) store(command string, data []byte) {
	s.t.Helper()
	conn := s.transfer(command)
	s.write(conn, data)
	if err := conn.Close(); err != nil {
		s.fatalf("close of data: %v", err)
	}
	s.want("226")
}

func (s *session) write(conn net.Conn, data []byte) {
	s.t.Helper()
	if _, err := conn.Write(data); err != nil {
		s.fatalf("data: %v", err)
	}
}

// fetch reads a whole transfer and wants 226.
func (s *session) fetch(command string) []byte {
	s.t.Helper()
	conn := s.transfer(command)
	data, err := io.ReadAll(conn)
	if err != nil {
		s.fatalf("data: %v", err)
	}
	_ = conn.Close() // read to its end
	s.want("226")
	return data
}

// names is fetch for listings of names.
func (s *session) names(command string) []string {
	s.t.Helper()
	return splitLines(string(s.fetch(command)))
}

// onEachStore runs the test once per store, each with an account on a prefix of
// its own, all on one gateway.
func onEachStore(t *testing.T, s setup, test func(t *testing.T, g *gateway, b *namedBucket, user, prefix string)) {
	t.Helper()
	prefix := random(4) + "/"
	onEach(t, s, shared.buckets, prefix, func(t *testing.T, g *gateway, b *namedBucket, user string) { test(t, g, b, user, prefix) })
}

// onEachFreshBucket is onEachStore with whole buckets that hold nothing yet and that nobody
// else uses, for tests that look for what was left anywhere.
func onEachFreshBucket(t *testing.T, s setup, test func(t *testing.T, g *gateway, b *namedBucket, user string)) {
	t.Helper()
	buckets, err := newBuckets(t.Context(), shared.servers, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	onEach(t, s, buckets, "", test)
}

func onEach(t *testing.T, s setup, buckets []*namedBucket, prefix string, test func(t *testing.T, g *gateway, b *namedBucket, user string)) {
	t.Helper()
	for _, b := range buckets {
		s.accounts = append(s.accounts, account{name: b.kind, store: b, prefix: prefix})
	}
	g := start(t, s)
	for _, b := range buckets {
		t.Run(b.kind, func(t *testing.T) { test(t, g, b, b.kind) })
	}
}

// holds checks an object's content in the store itself.
func (b *namedBucket) holds(t testing.TB, key string, want []byte) {
	t.Helper()
	got, err := b.read(t.Context(), key)
	if err == nil {
		err = same(got, want)
	}
	if err != nil {
		t.Fatalf("%s does not hold %q: %v", b.kind, key, err)
	}
}

// lacks checks that there is no such object in the store itself.
func (b *namedBucket) lacks(t testing.TB, key string) {
	t.Helper()
	if data, err := b.read(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s has %q: %d octets, %v", b.kind, key, len(data), err)
	}
}
