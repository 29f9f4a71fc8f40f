package gateway

import (
	"crypto/tls"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"
)

// client is the least FTP client: passive only, binary only.
type client struct {
	t    *testing.T
	conn net.Conn
	text *textproto.Conn
	tls  *tls.Config // of data connections; nil for clear
}

// timeout ends a test that hangs; nothing that works waits for it.
const timeout = time.Minute

func dial(t *testing.T, address string, secure *tls.Config) *client {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, timeout)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		t.Fatal(err)
	}
	if secure != nil {
		conn = tls.Client(conn, secure)
	}
	c := &client{t: t, conn: conn, text: textproto.NewConn(conn), tls: secure}
	t.Cleanup(func() { c.text.Close() })
	c.expect(220)
	return c
}

// clientTLS trusts whatever certificate comes and resumes sessions.
func clientTLS() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(8)}
}

func (c *client) expect(code int) string {
	c.t.Helper()
	got, text, err := c.text.ReadResponse(code)
	if err != nil {
		c.t.Fatalf("want %d, got %d %s: %v", code, got, text, err)
	}
	return text
}

func (c *client) do(code int, line string) string {
	c.t.Helper()
	if err := c.text.PrintfLine("%s", line); err != nil {
		c.t.Fatal(err)
	}
	return c.expect(code)
}

// upgrade is AUTH TLS.
func (c *client) upgrade(secure *tls.Config) {
	c.t.Helper()
	c.do(234, "AUTH TLS")
	c.tls = secure
	conn := tls.Client(c.conn, secure)
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.text = conn, textproto.NewConn(conn)
}

func (c *client) login(user, password string) {
	c.t.Helper()
	if c.tls != nil {
		c.do(200, "PBSZ 0")
		c.do(200, "PROT P")
	}
	c.do(331, "USER "+user)
	c.do(230, "PASS "+password)
	c.do(200, "TYPE I")
}

// data opens a data connection, sends the command, and begins TLS if there is any.
func (c *client) data(command string) net.Conn {
	c.t.Helper()
	reply := c.do(229, "EPSV")
	port, err := strconv.Atoi(reply[strings.Index(reply, "(|||")+4 : strings.LastIndex(reply, "|)")])
	if err != nil {
		c.t.Fatal(err)
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), timeout)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		c.t.Fatal(err)
	}
	c.do(150, command)
	if c.tls == nil {
		return conn
	}
	secured := tls.Client(conn, c.tls)
	if err := secured.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	return secured
}

func (c *client) upload(path, content string) {
	c.t.Helper()
	c.send("STOR "+path, content)
}

// send is an upload by any command.
func (c *client) send(command, content string) {
	c.t.Helper()
	conn := c.data(command)
	if _, err := io.WriteString(conn, content); err != nil {
		c.t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.expect(226)
}

func (c *client) download(command string) string {
	c.t.Helper()
	conn := c.data(command)
	defer conn.Close()
	content, err := io.ReadAll(conn)
	if err != nil {
		c.t.Fatal(err)
	}
	c.expect(226)
	return string(content)
}
