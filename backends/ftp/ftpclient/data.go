package ftpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// data is a data connection and the reply that is still to come for it.
type data struct {
	c      *Conn
	ctx    context.Context // bounds the transfer
	verb   string
	words  []string
	tcp    *watched
	conn   net.Conn // tcp, or TLS over it
	cancel func() bool
	done   bool // the final reply was read, or never will be
}

// watched notes that its other side has closed. crypto/tls gives io.EOF both after a
// close_notify and where TCP ended between two records, and only the first is the end of
// a file.
type watched struct {
	*net.TCPConn
	ended bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.TCPConn.Read(p)
	if errors.Is(err, io.EOF) {
		w.ended = true
	}
	return n, err
}

// transfer opens a data connection, says the command, and gives the connection once the
// server has agreed. offset is for REST. The context bounds the whole transfer.
func (c *Conn) transfer(ctx context.Context, offset int64, verb string, words ...string) (*data, error) {
	tcp, err := c.openData(ctx)
	if err != nil {
		return nil, err
	}
	d := &data{c: c, ctx: ctx, verb: verb, words: words, tcp: &watched{TCPConn: tcp}}
	d.conn = d.tcp
	d.cancel = context.AfterFunc(ctx, func() { expire(tcp) })
	if err := d.start(offset); err != nil {
		d.drop()
		return nil, err
	}
	return d, nil
}

// start says the command and does the handshake of TLS.
func (d *data) start(offset int64) error {
	if offset > 0 {
		word := strconv.FormatInt(offset, 10)
		if r, err := d.c.command(d.ctx, "REST", word); err != nil {
			return err
		} else if !r.intermediate() {
			return r.failed("REST", word)
		}
	}
	r, err := d.c.command(d.ctx, d.verb, d.words...)
	if err != nil {
		return err
	}
	if !r.preliminary() {
		if r.positive() || r.intermediate() {
			return d.c.fail(d.ctx, d.verb, ErrProtocol)
		}
		return r.failed(d.verb, d.words...)
	}
	if d.c.dataTLS == nil {
		return nil
	}
	conn := tls.Client(d.tcp, d.c.dataTLS)
	if err := d.step(); err != nil {
		return d.c.fail(d.ctx, "TLS", err)
	}
	if err := conn.HandshakeContext(d.ctx); err != nil {
		d.drop()
		if r, replyErr := d.finalReply(); replyErr == nil && !r.positive() {
			return r.failed(d.verb, d.words...) // such as: the session must be resumed
		}
		return d.c.fail(d.ctx, "TLS", err)
	}
	d.conn = conn
	return nil
}

// step gives the data connection its time for one read or write.
func (d *data) step() error {
	if err := d.tcp.SetDeadline(time.Now().Add(d.c.cfg.timeout())); err != nil {
		return err
	}
	return d.ctx.Err()
}

// Read gives io.EOF where the data ended, which says nothing about the file yet.
func (d *data) Read(p []byte) (int, error) {
	if err := d.step(); err != nil {
		return 0, d.failed(err)
	}
	n, err := d.conn.Read(p)
	if errors.Is(err, io.EOF) {
		if d.c.dataTLS != nil && d.tcp.ended {
			return n, d.failed(io.ErrUnexpectedEOF)
		}
		return n, io.EOF
	}
	if err != nil {
		err = d.failed(err)
	}
	return n, err
}

func (d *data) Write(p []byte) (int, error) {
	if err := d.step(); err != nil {
		return 0, d.failed(err)
	}
	n, err := d.conn.Write(p)
	if err != nil {
		err = d.failed(err)
	}
	return n, err
}

// failed ends a transfer whose data connection did, and says why: the server's own reason
// if it gives one.
func (d *data) failed(err error) error {
	d.drop()
	if d.ctx.Err() != nil {
		return d.c.fail(d.ctx, d.verb, err)
	}
	r, replyErr := d.finalReply()
	switch {
	case replyErr != nil:
		return replyErr
	case !r.positive():
		return r.failed(d.verb, d.words...)
	}
	return &connError{d.verb, err}
}

// finish closes the data connection, as the end of what was sent or after all was read, and
// gives the final reply.
func (d *data) finish() (reply, error) {
	err := d.step()
	if conn, ok := d.conn.(*tls.Conn); ok && err == nil {
		if err = conn.CloseWrite(); err == nil {
			d.drain(conn)
		}
	}
	if err == nil {
		err = d.tcp.Close()
	}
	if err != nil {
		return reply{}, d.failed(err)
	}
	d.drop()
	return d.finalReply()
}

// drain reads what the server still has to say below the data, until it closes: tickets of
// TLS 1.3 and its own close_notify. A connection that is closed with something unread is
// reset, and the server loses what it has not read yet.
func (d *data) drain(conn *tls.Conn) {
	if err := errors.Join(d.tcp.CloseWrite(), d.tcp.SetReadDeadline(time.Now().Add(min(closeWait, d.c.cfg.timeout())))); err != nil {
		return // the final reply tells
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(conn, maxFarewell)) // the same
}

// maxFarewell is more octets than a server has to say on a connection for an upload.
const maxFarewell = 64 << 10

// finalReply reads the reply that ends the transfer, once.
func (d *data) finalReply() (reply, error) { return d.replyWithin(d.c.cfg.timeout()) }

func (d *data) replyWithin(wait time.Duration) (reply, error) {
	if d.done {
		return reply{}, &connError{d.verb, net.ErrClosed}
	}
	d.done = true
	defer d.c.begin(d.ctx)()
	r, err := d.c.receive(d.ctx, d.verb, wait)
	if err == nil && (r.preliminary() || r.intermediate()) {
		err = d.c.fail(d.ctx, d.verb, ErrProtocol)
	}
	return r, err
}

// abandon ends a transfer that nobody wants any more: the data connection is reset, so that
// what was sent does not look whole, and the reply is read so that the Conn stays usable.
func (d *data) abandon() {
	if d.done {
		d.drop()
		return
	}
	_ = d.tcp.SetLinger(0) // without it the server sees an end, as it does in any case of a process that dies
	d.drop()
	_, _ = d.replyWithin(min(closeWait, d.c.cfg.timeout())) // Pure-FTPd with TLS says nothing more; a failure makes the Conn unusable
}

// drop closes the data connection without a word.
func (d *data) drop() {
	d.cancel()
	_ = d.tcp.Close() // it may be closed already
}

// openData opens a data connection: by EPSV (RFC 2428), and by PASV with servers that do
// not know it or whose firewall does not.
func (c *Conn) openData(ctx context.Context) (*net.TCPConn, error) {
	if !c.noEPSV {
		tcp, err := c.passive(ctx, "EPSV", 229, parseEPSV)
		var refused *ReplyError
		if err == nil || c.broken || errors.As(err, &refused) && refused.Code/100 != 5 {
			return tcp, err
		}
	}
	tcp, err := c.passive(ctx, "PASV", 227, parsePASV)
	if err == nil {
		c.noEPSV = true
	}
	return tcp, err
}

// passive asks for a port and connects to it, at the address of the control connection
// whatever address is announced: old servers announce one behind their NAT, and hostile
// ones somebody else's.
func (c *Conn) passive(ctx context.Context, verb string, code int, parse func(string) (int, bool)) (*net.TCPConn, error) {
	r, err := c.command(ctx, verb)
	if err != nil {
		return nil, err
	}
	if r.code != code {
		if !r.positive() {
			return nil, r.failed(verb)
		}
		return nil, c.fail(ctx, verb, ErrProtocol)
	}
	port, ok := parse(r.text())
	if !ok {
		return nil, c.fail(ctx, verb, ErrProtocol)
	}
	host, _, err := net.SplitHostPort(c.tcp.RemoteAddr().String())
	if err != nil {
		return nil, c.fail(ctx, verb, err)
	}
	dialer := net.Dialer{Timeout: c.cfg.timeout()}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, &connError{verb, err}
	}
	return conn.(*net.TCPConn), nil
}

// parseEPSV reads the port of "Entering Extended Passive Mode (|||port|)"; the delimiter is
// any character.
func parseEPSV(text string) (int, bool) {
	_, text, _ = strings.Cut(text, "(")
	text, _, ok := strings.Cut(text, ")")
	if !ok || len(text) < 5 || text[1] != text[0] || text[2] != text[0] || text[len(text)-1] != text[0] {
		return 0, false
	}
	return portOf(text[3 : len(text)-1])
}

// parsePASV reads the port of "Entering Passive Mode (h1,h2,h3,h4,p1,p2)"; brackets are
// often missing (RFC 1123 §4.1.2.6).
func parsePASV(text string) (int, bool) {
	notNumbers := func(r rune) bool { return r != ',' && (r < '0' || '9' < r) }
	for run := range strings.FieldsFuncSeq(text, notNumbers) {
		if n := strings.Split(run, ","); len(n) == 6 {
			high, err1 := strconv.ParseUint(n[4], 10, 8)
			low, err2 := strconv.ParseUint(n[5], 10, 8)
			return int(high)<<8 | int(low), err1 == nil && err2 == nil && high|low != 0
		}
	}
	return 0, false
}

func portOf(s string) (int, bool) {
	port, err := strconv.ParseUint(s, 10, 16)
	return int(port), err == nil && port != 0
}
