package ftp

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// dataConn is a data connection: a watched raw connection, and TLS on it or not.
type dataConn struct {
	raw  *watchedConn
	tls  *tls.Conn // nil in clear
	wire *wire     // below tls; nil in clear
	flow io.ReadWriter
}

func newDataConn(raw *watchedConn) *dataConn { return &dataConn{raw: raw, flow: raw} }

func newProtectedConn(below *wire, protected *tls.Conn) *dataConn {
	return &dataConn{raw: below.watchedConn, tls: protected, wire: below, flow: &tlsFlow{protected, below}}
}

// done gives up the memory of a connection that is not read any more.
func (d *dataConn) done() {
	if d.wire != nil {
		d.wire.giveIn()
	}
}

// finish ends the connection properly: close_notify under TLS, then FIN. It does not wait
// for the client's.
func (d *dataConn) finish() error {
	if d.tls != nil {
		return d.tls.Close()
	}
	return d.raw.Close()
}

// abort ends the connection so that the client cannot take it for the end of a file: by a
// reset, without a close_notify. After finish it does nothing. It may be called from any
// goroutine.
func (d *dataConn) abort() { closeHard(d.raw.Conn) }

// notified tells whether the client ended its side with a close_notify, once reading has
// come to io.EOF. crypto/tls reports a connection that just ended as io.EOF too, but then
// the raw connection has come to its end.
func (d *dataConn) notified() bool { return d.tls != nil && !d.raw.ended }

// leastProgress is how many octets of a write a client must take within the time-out,
// unless it takes all: 17 a second by default, which the poorest link does, and which keeps
// nobody from being cut off who reads just enough to hold a transfer for ever.
const leastProgress = 1 << 10

// watchedConn is a connection whose reads and writes each must make progress in time, and
// which notes its own end.
type watchedConn struct {
	net.Conn
	timeout time.Duration
	ended   bool // Read has returned io.EOF
}

func (w *watchedConn) Read(p []byte) (int, error) {
	if err := w.SetReadDeadline(time.Now().Add(w.timeout)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Read(p)
	if atEnd(err) {
		w.ended = true
	}
	return n, err
}

// Write fails with a time-out only if less than leastProgress was taken in time.
func (w *watchedConn) Write(p []byte) (int, error) {
	written := 0
	for {
		if err := w.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
			return written, err
		}
		n, err := w.Conn.Write(p[written:])
		written += n
		if n < leastProgress || !errors.Is(err, os.ErrDeadlineExceeded) {
			return written, err
		}
	}
}

// closeHard closes with a reset where the connection can (RFC 9293 §3.10.5).
func closeHard(conn net.Conn) {
	if tcp, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = tcp.SetLinger(0) // fails on a connection that is closed already
	}
	_ = conn.Close()
}

// atEnd tells whether err is the end of what is read. A wrapped io.EOF is not: stores and
// networks tell so of a connection that broke.
func atEnd(err error) bool {
	return err == io.EOF //nolint:errorlint // see above
}

// dataError is the kind of an error on a data connection.
func dataError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return because(errStalled, err)
	}
	return because(errDataLost, err)
}
