package ftpclient

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// Dial connects, protects the connection as the Config wants it, logs in, and makes ready
// for transfers. A wrong name or password is a [ReplyError] that matches fs.ErrPermission;
// a server that cannot be reached, or that is busy, matches ErrTemporary; a server whose
// certificate is not believed matches neither.
func Dial(ctx context.Context, cfg Config) (*Conn, error) {
	dialer := net.Dialer{Timeout: cfg.timeout()}
	tcp, err := dialer.DialContext(ctx, "tcp", cfg.Address)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, &connError{"dial", err}
	}
	c := &Conn{cfg: cfg, tcp: tcp, now: time.Now, mostListed: maxListing}
	c.use(tcp)
	if err := c.arrive(ctx); err != nil {
		_ = c.Close() // the error says more
		return nil, err
	}
	return c, nil
}

// ErrUnjudged means that the server has let the user in and not judged the password.
var ErrUnjudged = errors.New("the FTP server lets the user in with any password")

// Login tells whether the server takes the name and password: nil, a [ReplyError] that
// matches fs.ErrPermission, ErrUnjudged, or one of the other errors of [Dial]. Nothing stays
// open.
func Login(ctx context.Context, cfg Config) error {
	c, err := Dial(ctx, cfg)
	if err != nil {
		return err
	}
	_ = c.Close() // the answer is known
	if !c.judged {
		return ErrUnjudged
	}
	return nil
}

// use makes conn the control connection. What was read ahead from another one is dropped:
// what came in clear must not count as having come through TLS (RFC 4217 §15).
func (c *Conn) use(conn net.Conn) {
	c.control = conn
	c.r = bufio.NewReaderSize(conn, maxReplyLine)
}

// arrive is all that comes between the connection and the first transfer.
func (c *Conn) arrive(ctx context.Context) error {
	if c.cfg.TLS == Implicit {
		if err := c.secure(ctx); err != nil {
			return err
		}
	}
	if err := c.greet(ctx); err != nil {
		return err
	}
	if c.cfg.TLS == Explicit {
		if r, err := c.command(ctx, "AUTH", "TLS"); err != nil {
			return err
		} else if r.code != 234 {
			return r.failed("AUTH", "TLS")
		}
		if err := c.secure(ctx); err != nil {
			return err
		}
	}
	if err := c.logIn(ctx); err != nil {
		return err
	}
	if c.cfg.TLS != None {
		if _, err := c.expect2xx(ctx, "PBSZ", "0"); err != nil {
			return err
		}
		if _, err := c.expect2xx(ctx, "PROT", "P"); err != nil {
			return err
		}
	}
	if err := c.learn(ctx); err != nil {
		return err
	}
	_, err := c.expect2xx(ctx, "TYPE", "I")
	return err
}

// greet waits for 220; 120 says that it takes a while.
func (c *Conn) greet(ctx context.Context) error {
	defer c.begin(ctx)()
	const op = "greeting"
	r, err := c.receive(ctx, op, c.cfg.timeout())
	if err == nil && r.code == 120 {
		r, err = c.receive(ctx, op, c.cfg.timeout())
	}
	if err == nil && !r.positive() {
		err = r.failed(op)
	}
	return err
}

// secure does the TLS handshake on the control connection. Data connections resume its
// session, which servers demand as the proof that they come from the same client; so the
// cache belongs to this Conn alone.
func (c *Conn) secure(ctx context.Context) error {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.cfg.TLSConfig != nil {
		cfg = c.cfg.TLSConfig.Clone()
	}
	if cfg.ServerName == "" {
		host, _, err := net.SplitHostPort(c.cfg.Address)
		if err != nil {
			return c.fail(ctx, "TLS", err)
		}
		cfg.ServerName = host
	}
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	defer c.begin(ctx)()
	if err := c.step(ctx, c.cfg.timeout()); err != nil {
		return c.fail(ctx, "TLS", err)
	}
	conn := tls.Client(c.tcp, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		return c.fail(ctx, "TLS", withCertificate(err))
	}
	c.dataTLS = cfg
	c.use(conn)
	return nil
}

func (c *Conn) logIn(ctx context.Context) error {
	r, err := c.command(ctx, "USER", c.cfg.User)
	if err != nil {
		return err
	}
	if r.code == 331 {
		return c.pass(ctx)
	}
	if !r.positive() {
		return r.failed("USER")
	}
	return nil
}

// pass sends the password. There are servers that send it back, which no error shows.
func (c *Conn) pass(ctx context.Context) error {
	r, err := c.command(ctx, "PASS", c.cfg.Password)
	switch {
	case errors.Is(err, ErrProtocol):
		return &connError{"PASS", ErrProtocol} // without what came in place of a reply
	case err != nil:
		return err
	case r.positive():
		c.judged = r.code == 230 // 202 is that no password was needed
		return nil
	}
	if password, err := c.encode(c.cfg.Password); err != nil || r.tells(password) {
		r.lines = nil
	}
	return r.failed("PASS")
}

// learn asks what the server can, and has names in the right charset. A server that does
// not know FEAT is tried out later.
func (c *Conn) learn(ctx context.Context) error {
	r, err := c.command(ctx, "FEAT")
	if err != nil {
		return err
	}
	if r.positive() {
		c.features = parseFeatures(r.lines)
	}
	if !r.positive() && r.code/100 != 5 {
		return r.failed("FEAT")
	}
	if c.features.UTF8 {
		on := "ON"
		if c.cfg.Charset != nil {
			on = "OFF"
		}
		if err := c.tell(ctx, "UTF8", on); err != nil {
			return err
		}
	}
	if c.features.lacksFacts() {
		return c.tell(ctx, "MLST", "type;size;modify;")
	}
	return nil
}

// tell sends an option that the server may refuse.
func (c *Conn) tell(ctx context.Context, words ...string) error {
	_, err := c.expect2xx(ctx, "OPTS", words...)
	var refused *ReplyError
	if errors.As(err, &refused) && refused.Code/100 == 5 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("option: %w", err)
	}
	return nil
}
