package ftp

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serveTCP starts a server on the loopback interface.
func serveTCP(t testing.TB, c Config, o ListenOptions) (*Server, string) {
	t.Helper()
	s, err := NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln, o) }()
	t.Cleanup(func() {
		if err := s.Shutdown(t.Context()); err == nil && s.Sessions() != 0 {
			t.Error("sessions left")
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s, ln.Addr().String()
}

// client is a client over TCP that fails the test where a reply is not the one wanted.
type client struct {
	t    testing.TB
	raw  net.Conn
	conn net.Conn
	r    *bufio.Reader
}

func dialClient(t testing.TB, addr string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, raw: conn, conn: conn, r: bufio.NewReader(conn)}
	t.Cleanup(func() { conn.Close() })
	c.expect("220")
	return c
}

// login logs in as u.
func (c *client) login() *client {
	c.t.Helper()
	c.do("USER u", "331")
	c.do("PASS p", "230")
	c.do("TYPE I", "200")
	return c
}

// startTLS upgrades the control connection.
func (c *client) startTLS(config *tls.Config) {
	c.t.Helper()
	c.do("AUTH TLS", "234")
	conn := tls.Client(c.raw, config)
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.r = conn, bufio.NewReader(conn)
}

// private logs in over TLS with protected data connections.
func (c *client) private(config *tls.Config) *client {
	c.t.Helper()
	c.startTLS(config)
	c.login()
	c.do("PBSZ 0", "200")
	c.do("PROT P", "200")
	return c
}

func (c *client) send(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		c.t.Fatal(err)
	}
}

// do sends a command and wants a reply that begins with want. It returns the last line.
func (c *client) do(line, want string) string {
	c.t.Helper()
	c.send(line)
	return c.expect(want)
}

func (c *client) expect(want string) string {
	c.t.Helper()
	if err := c.raw.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		c.t.Fatal(err)
	}
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("want %s: %v", want, err)
		}
		if !regexp.MustCompile(`^\d{3} `).MatchString(line) {
			continue
		}
		if !strings.HasPrefix(line, want) {
			c.t.Fatalf("got %q, want %s", line, want)
		}
		return strings.TrimSpace(line)
	}
}

// closed wants the end of the control connection.
func (c *client) closed() {
	c.t.Helper()
	if b, err := io.ReadAll(c.r); len(b) > 0 {
		c.t.Fatalf("got %q and %v, want the end", b, err)
	}
}

// passive reserves a port and returns its address.
func (c *client) passive() string {
	c.t.Helper()
	reply := c.do("EPSV", "229")
	port := regexp.MustCompile(`\d+`).FindAllString(reply, -1)[1]
	host := c.raw.RemoteAddr().(*net.TCPAddr).IP.String()
	return net.JoinHostPort(host, port)
}

// data connects to a passive port.
func (c *client) data() net.Conn {
	c.t.Helper()
	return dialFromAddr(c.t, "127.0.0.1", c.passive())
}

func dialFromAddr(t testing.TB, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// portArgument is the argument of PORT for an address.
func portArgument(addr net.Addr) string {
	a := netip.MustParseAddrPort(addr.String())
	return strings.ReplaceAll(a.Addr().String(), ".", ",") + "," +
		strconv.Itoa(int(a.Port()>>8)) + "," + strconv.Itoa(int(a.Port()&255))
}

func wantContent(t *testing.T, f *fakeFS, name, want string) {
	t.Helper()
	if got, ok := f.content(name); !ok || got != want {
		t.Errorf("%s holds %q, want %q", name, got, want)
	}
}

func wantParked(t *testing.T, f *fakeFS, name, want string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if got, ok := f.parked[mustPath(name)]; string(got) != want || ok != (want != "") {
		t.Errorf("of %s %q is parked, want %q", name, got, want)
	}
}

func wantAbsent(t *testing.T, f *fakeFS, name string) {
	t.Helper()
	if got, ok := f.content(name); ok {
		t.Errorf("%s holds %q, want none", name, got)
	}
}
