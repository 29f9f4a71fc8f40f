package ftpclient

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Conn is a control connection on which a user is logged in. One goroutine at a time uses
// it, and while a listing, a [Download] or an [Upload] is open, nothing else may be called
// but their methods. A context that ends while the server is waited for makes the Conn
// unusable. Paths are absolute; one with CR, LF or NUL is refused with fs.ErrInvalid.
type Conn struct {
	cfg      Config
	tcp      net.Conn // below TLS
	control  net.Conn // tcp, or TLS over it
	r        *bufio.Reader
	dataTLS  *tls.Config // of the data connections; nil in clear
	features Features
	broken   bool
	judged   bool // the server has taken the password
	leftOut  LeftOut
	now      func() time.Time

	mostListed int // octets of a listing

	// What the server turned out not to be able to do, though it may have said otherwise.
	noEPSV, noMLSD, noMLST, noSIZE, noMDTM, noDashA bool
	dashA                                           bool      // LIST -a works
	listsItself                                     bool      // listings have "."
	hash                                            Algorithm // selected for HASH
	times                                           []timeVerb
}

// closeWait limits the wait for words on which nothing depends: farewells, and replies to
// what was broken off.
const closeWait = 2 * time.Second

// Features is what the server says that it can.
func (c *Conn) Features() Features { return c.features }

// Usable tells whether the next call may work: the connection did not fail, and nothing is
// left unread on it.
func (c *Conn) Usable() bool { return !c.broken }

// Noop keeps the connection alive.
func (c *Conn) Noop(ctx context.Context) error {
	_, err := c.expect2xx(ctx, "NOOP")
	return err
}

// Close says QUIT if the connection is still good, waits a short while for the answer, and
// closes. Open transfers end.
func (c *Conn) Close() error {
	if c.broken {
		return nil
	}
	c.broken = true
	err := c.tcp.SetDeadline(time.Now().Add(min(closeWait, c.cfg.timeout())))
	if err == nil {
		_, err = c.control.Write([]byte("QUIT\r\n"))
	}
	if err == nil {
		_, err = readReply(c.r)
	}
	return errors.Join(err, c.tcp.Close())
}

// fail gives the connection up and tells why.
func (c *Conn) fail(ctx context.Context, op string, err error) error {
	if !c.broken {
		c.broken = true
		_ = c.tcp.Close() // the error that led here says more
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, io.EOF):
		err = errHungUp
	}
	return &connError{op, err}
}

// begin makes the end of the context end what is being waited for on the control
// connection. The caller calls the function that it returns when it waits no more.
func (c *Conn) begin(ctx context.Context) func() bool {
	return context.AfterFunc(ctx, func() { expire(c.tcp) })
}

// expire ends what a connection waits for.
func expire(conn net.Conn) {
	_ = conn.SetDeadline(time.Unix(1, 0)) // an error means that it is closed
}

// step gives the control connection its time for one step.
func (c *Conn) step(ctx context.Context, wait time.Duration) error {
	if err := c.tcp.SetDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	return ctx.Err() // a context that ends after this moves the deadline again
}

// send writes a command. The argument, if any, is a path, and goes in the server's charset.
func (c *Conn) send(ctx context.Context, verb, arg string) error {
	if c.broken {
		return &connError{verb, net.ErrClosed}
	}
	if c.r.Buffered() > 0 { // it would be taken for the answer to this command, and so on
		return c.fail(ctx, verb, fmt.Errorf("%w: a reply that nothing asked for", ErrProtocol))
	}
	line := []byte(verb)
	if arg != "" {
		octets, err := c.encode(arg)
		if err != nil {
			return fmt.Errorf("%s: %w", verb, err)
		}
		line = append(append(line, ' '), octets...)
	}
	if err := c.step(ctx, c.cfg.timeout()); err != nil {
		return c.fail(ctx, verb, err)
	}
	if _, err := c.control.Write(append(line, "\r\n"...)); err != nil {
		return c.fail(ctx, verb, err)
	}
	return nil
}

// receive reads the next reply.
func (c *Conn) receive(ctx context.Context, verb string, wait time.Duration) (reply, error) {
	if c.broken {
		return reply{}, &connError{verb, net.ErrClosed}
	}
	if err := c.step(ctx, wait); err != nil {
		return reply{}, c.fail(ctx, verb, err)
	}
	r, err := readReply(c.r)
	if err != nil {
		return reply{}, c.fail(ctx, verb, err)
	}
	if r.code == 421 { // the server closes (RFC 959 §5.4)
		_ = c.fail(ctx, verb, net.ErrClosed) // the reply says more
	}
	return r, nil
}

// command sends a command and reads its reply, whatever it is. Words are joined by one space.
func (c *Conn) command(ctx context.Context, verb string, words ...string) (reply, error) {
	defer c.begin(ctx)()
	if err := c.send(ctx, verb, strings.Join(words, " ")); err != nil {
		return reply{}, err
	}
	return c.receive(ctx, verb, c.cfg.timeout())
}

// expect2xx is command, with an error for all replies but 2xx.
func (c *Conn) expect2xx(ctx context.Context, verb string, words ...string) (reply, error) {
	r, err := c.command(ctx, verb, words...)
	if err == nil && !r.positive() {
		err = r.failed(verb, words...)
	}
	return r, err
}

// failed makes an error of a reply.
func (r reply) failed(verb string, words ...string) *ReplyError {
	return &ReplyError{Command: strings.Join(append([]string{verb}, words...), " "), Code: r.code, Text: r.text()}
}
