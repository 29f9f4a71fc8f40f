package ftp

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"time"
)

// welcome is the reply to a connection and to REIN.
func welcome() reply { return reply{code: 220, text: "FTP service ready."} }

// rein starts the session over (RFC 959 §4.1.1). TLS that AUTH began ends with it, after
// the reply (RFC 4217 §13); where the listener has begun it, only what followed is
// forgotten.
func (s *session) rein(context.Context, string) (reply, error) {
	if s.security.binding == nil || s.implicit {
		s.logout()
		s.security.sized, s.security.private = false, false
		return welcome(), nil
	}
	// What came protected must not be taken for what comes in clear.
	if len(s.queue) > 0 || s.lines.buffered() > 0 {
		s.closing = true
		return done(503, "Nothing may follow REIN before TLS has ended; closing.")
	}
	s.put(welcome())
	if err := s.unprotect(); err != nil {
		s.log.Warn("TLS did not end", slog.String("remote", s.client.String()), slog.Any("err", err))
		s.hangUp()
	}
	return reply{code: 220, sent: true}, nil
}

// unprotect ends TLS on both sides and goes on in clear with a session that knows nothing.
func (s *session) unprotect() error {
	if err := s.out.Flush(); err != nil {
		return err
	}
	if err := s.raw.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	if err := s.security.conn.CloseWrite(); err != nil {
		return err
	}
	if _, err := s.security.conn.Read(make([]byte, 1)); !atEnd(err) {
		return because(errStillTLS, err)
	}
	if err := s.raw.SetDeadline(time.Time{}); err != nil {
		return err
	}
	s.logout()
	s.security = security{}
	s.speakOn(s.raw)
	return nil
}

// tlsRecordHeader is the length in octets of the header of a TLS record. Its last two
// octets are the length of the payload (RFC 8446 §5.1, as in all versions before).
const tlsRecordHeader = 5

// tlsRecordConn is what lies below the TLS of a control connection. No Read goes past the
// end of a TLS record, so crypto/tls, which takes all that it gets, holds nothing of what
// follows a close_notify.
type tlsRecordConn struct {
	net.Conn
	header  [tlsRecordHeader]byte
	got     int // octets of the header
	payload int // octets of the payload to come, once the header is complete
}

func (c *tlsRecordConn) Read(p []byte) (int, error) {
	if c.got < tlsRecordHeader {
		n, err := c.Conn.Read(p[:min(len(p), tlsRecordHeader-c.got)])
		c.got += copy(c.header[c.got:], p[:n])
		c.payload = int(binary.BigEndian.Uint16(c.header[3:]))
		c.next()
		return n, err
	}
	n, err := c.Conn.Read(p[:min(len(p), c.payload)])
	c.payload -= n
	c.next()
	return n, err
}

// next begins another record when one is at its end.
func (c *tlsRecordConn) next() {
	if c.got == tlsRecordHeader && c.payload == 0 {
		c.got = 0
	}
}
