// Package ftpc is a lean FTP client to measure servers with: it costs as little CPU as a
// client in Go can, so that the machine is the server's, and what it says comes back as it
// was said. It knows EPSV, STOR, RETR, listings and explicit TLS, and is no client for
// anything else. Its central type is [Client].
package ftpc

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"causeway/e2e/bench/pattern"
)

// Options is how a client connects. Content is required for Store and for a checked
// Retrieve; all else may be left out.
type Options struct {
	Content *pattern.Pattern
	TLS     *tls.Config   // explicit TLS on both connections; nil for none
	Local   string        // address that connections come from, "127.0.3.1"; "" for any
	Timeout time.Duration // without an octet, or an answer; 0 for a minute
}

// Client is one session. One goroutine uses it at a time.
type Client struct {
	o       Options
	ctx     context.Context
	control net.Conn
	in      *bufio.Reader
	buf     []byte // of data connections, made when first needed
	stop    func() bool
}

// bufferSize is what data is read and written by. It is as large as is of use.
const bufferSize = 256 << 10

// ReplyError is a reply that was not the one to be expected.
type ReplyError struct {
	Line  string // the command, without a password
	Reply string
}

func (e *ReplyError) Error() string { return fmt.Sprintf("%s: %s", e.Line, e.Reply) }

// Dial connects, reads the greeting and, with TLS, protects both connections. ctx bounds the
// client's whole life: once it has ended, every call fails. The caller must Close.
func Dial(ctx context.Context, address string, o Options) (*Client, error) {
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	c := &Client{o: o, ctx: ctx}
	conn, err := c.dial(address)
	if err != nil {
		return nil, err
	}
	c.control, c.in = conn, bufio.NewReaderSize(conn, 1<<10)
	c.stop = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	_, err = c.reply("connect", 220)
	if err == nil && o.TLS != nil {
		err = c.protect()
	}
	if err != nil {
		_ = c.Close() // the error to tell is err
		return nil, err
	}
	return c, nil
}

func (c *Client) dial(address string) (net.Conn, error) {
	d := net.Dialer{Timeout: c.o.Timeout}
	if c.o.Local != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(c.o.Local)}
	}
	return d.DialContext(c.ctx, "tcp", address)
}

// protect is AUTH TLS, PBSZ and PROT P (RFC 4217).
func (c *Client) protect() error {
	if _, err := c.Command(234, "AUTH TLS"); err != nil {
		return err
	}
	conn := tls.Client(c.control, c.o.TLS)
	if err := conn.HandshakeContext(c.ctx); err != nil {
		return fmt.Errorf("AUTH TLS: %w", err)
	}
	c.control = conn
	c.in.Reset(conn)
	if _, err := c.Command(200, "PBSZ 0"); err != nil {
		return err
	}
	_, err := c.Command(200, "PROT P")
	return err
}

// Login is USER and PASS, and TYPE I: what is moved has no lines.
func (c *Client) Login(user, password string) error {
	if _, err := c.Command(331, "USER "+user); err != nil {
		return err
	}
	if err := c.send("PASS " + password); err != nil {
		return err
	}
	if _, err := c.reply("PASS", 230); err != nil {
		return err
	}
	_, err := c.Command(200, "TYPE I")
	return err
}

// Command sends a line and returns the reply's last line, which must have the code.
func (c *Client) Command(code int, line string) (string, error) {
	if err := c.send(line); err != nil {
		return "", fmt.Errorf("%s: %w", line, err)
	}
	return c.reply(line, code)
}

func (c *Client) send(line string) error {
	if err := c.alive(c.control); err != nil {
		return err
	}
	_, err := c.control.Write(append([]byte(line), "\r\n"...))
	return err
}

// alive moves the deadline, unless ctx has ended.
func (c *Client) alive(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(c.o.Timeout)); err != nil {
		return err
	}
	return context.Cause(c.ctx) // after it: the end of ctx moves the deadline as well
}

// reply reads one reply, of any number of lines.
func (c *Client) reply(line string, code int) (string, error) {
	if err := c.alive(c.control); err != nil {
		return "", fmt.Errorf("%s: %w", line, err)
	}
	for {
		text, err := c.in.ReadString('\n')
		if err != nil {
			return "", fmt.Errorf("%s: %w", line, err)
		}
		text = strings.TrimRight(text, "\r\n")
		if len(text) < 4 || text[3] != ' ' || strings.Trim(text[:3], "0123456789") != "" {
			continue // of a reply of several lines
		}
		if text[:3] != strconv.Itoa(code) {
			return text, &ReplyError{line, text}
		}
		return text, nil
	}
}

// Cipher is the cipher suite of the control connection, "" without TLS.
func (c *Client) Cipher() string {
	if conn, ok := c.control.(*tls.Conn); ok {
		return tls.CipherSuiteName(conn.ConnectionState().CipherSuite)
	}
	return ""
}

// Quit says QUIT, waits for the answer and closes.
func (c *Client) Quit() error {
	_, err := c.Command(221, "QUIT")
	return errors.Join(err, c.Close())
}

// Close hangs up.
func (c *Client) Close() error {
	if c.stop != nil {
		c.stop()
	}
	return c.control.Close()
}
