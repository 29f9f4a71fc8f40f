package ftp

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// handshakeTimeout bounds a whole TLS handshake.
const handshakeTimeout = 10 * time.Second

// security is the state of AUTH, PBSZ and PROT.
type security struct {
	binding    *binding  // nil in clear
	conn       *tls.Conn // the control connection; nil in clear
	serverName string    // that the client asked for (SNI)
	sized      bool      // PBSZ came
	private    bool      // PROT P
}

// state is that of the control connection's TLS; nil in clear.
func (s *security) state() *tls.ConnectionState {
	if s.conn == nil {
		return nil
	}
	state := s.conn.ConnectionState()
	return &state
}

// binding ties TLS sessions to one control connection: tickets given out on it and on its
// data connections carry its nonce, and only such tickets are taken on its data
// connections. So a data connection that resumed belongs to the same client (threats D8,
// D18), and a ticket is of no use once the control connection has ended.
//
// The tickets are encrypted with the keys of base, which crypto/tls rotates once a day.
type binding struct {
	base  *tls.Config
	nonce []byte
}

func newBinding(base *tls.Config) *binding {
	return &binding{base: base, nonce: []byte(rand.Text())}
}

// control is the configuration of the control connection, which resumes nothing.
func (b *binding) control() *tls.Config {
	c := b.base.Clone()
	// A client that offers other protocols alone, such as a browser, is refused (ALPACA).
	c.NextProtos = []string{"ftp"}
	c.WrapSession = b.wrap
	c.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, nil }
	return c
}

// data is the configuration of the data connections.
func (b *binding) data() *tls.Config {
	c := b.base.Clone()
	c.NextProtos = []string{"ftp", "ftp-data"}
	// Small records would show the first octets of a page earlier; files are wanted whole.
	c.DynamicRecordSizingDisabled = true
	c.WrapSession = b.wrap
	c.UnwrapSession = b.unwrap
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return withoutTicket(c, hello), nil }
	return c
}

// preSharedKey is the extension with which a client resumes a session (RFC 8446 §4.2.11).
const preSharedKey = 41

// withoutTicket is the configuration of a data connection under TLS 1.3 that resumes
// nothing; nil, which leaves c as it is, for any other. No ticket is sent on it: an uploader
// that never reads leaves it unread, and its system then ends the connection with a reset,
// which is a cut. What such a client could resume, the control connection has given it.
func withoutTicket(c *tls.Config, hello *tls.ClientHelloInfo) *tls.Config {
	modern := c.MaxVersion == 0 || c.MaxVersion >= tls.VersionTLS13
	if !modern || !slices.Contains(hello.SupportedVersions, tls.VersionTLS13) || slices.Contains(hello.Extensions, preSharedKey) {
		return nil
	}
	c = c.Clone()
	c.SessionTicketsDisabled = true
	return c
}

func (b *binding) wrap(cs tls.ConnectionState, state *tls.SessionState) ([]byte, error) {
	if !b.owns(state) {
		state.Extra = append(state.Extra, b.nonce)
	}
	return b.base.EncryptTicket(cs, state)
}

func (b *binding) unwrap(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
	state, err := b.base.DecryptTicket(identity, cs)
	if err != nil || state == nil || !b.owns(state) {
		return nil, err
	}
	return state, nil
}

func (b *binding) owns(state *tls.SessionState) bool {
	return slices.ContainsFunc(state.Extra, func(extra []byte) bool { return bytes.Equal(extra, b.nonce) })
}

// auth begins TLS on the control connection (RFC 4217 §4).
func (s *session) auth(ctx context.Context, mechanism string) (reply, error) {
	switch {
	case s.server.tls == nil:
		return done(502, "TLS is not offered here; log in without it.")
	case s.security.binding != nil:
		return done(503, "This connection is protected already; go on without AUTH.")
	}
	private := false
	switch strings.ToUpper(mechanism) {
	case "TLS", "TLS-C":
	case "SSL", "TLS-P":
		private = true // these names stand for PROT P as well
	default:
		return done(504, "Unknown mechanism; use AUTH TLS.")
	}
	// What came in clear after AUTH may have been put there by someone else (CVE-2011-0411).
	if len(s.queue) > 0 || s.lines.buffered() > 0 {
		s.closing = true
		return done(503, "Nothing may follow AUTH before the TLS handshake; closing.")
	}
	s.put(reply{code: 234, text: "Begin the TLS handshake."})
	if err := s.out.Flush(); err != nil {
		return reply{}, err
	}
	if err := s.secure(ctx); err != nil {
		s.log.Warn("TLS handshake failed", slog.String("remote", s.client.String()), slog.Any("err", err))
		s.hangUp()
		return reply{code: 234, sent: true}, nil
	}
	s.security.private = private
	return reply{code: 234, sent: true}, nil
}

// secure makes the TLS handshake and forgets everything that was said before it, the
// login too (RFC 4217 §4).
func (s *session) secure(ctx context.Context) error {
	b := newBinding(s.server.tls)
	conn := tls.Server(&tlsRecordConn{Conn: s.raw}, b.control())
	if err := s.raw.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	if err := s.raw.SetDeadline(time.Time{}); err != nil {
		return err
	}
	s.logout()
	s.security = security{binding: b, conn: conn, serverName: conn.ConnectionState().ServerName}
	s.speakOn(conn)
	return nil
}

// hangUp ends the session without a word.
func (s *session) hangUp() {
	s.closing, s.hungUp = true, true
	s.closeRaw()
}

func (s *session) pbsz(_ context.Context, size string) (reply, error) {
	if _, err := strconv.ParseUint(size, 10, 32); err != nil {
		return done(501, "PBSZ takes a number; with TLS it is 0.")
	}
	s.security.sized = true
	return done(200, "PBSZ=0")
}

func (s *session) prot(_ context.Context, level string) (reply, error) {
	switch strings.ToUpper(level) {
	case "P":
		s.security.private = true
		return done(200, "Data connections are protected.")
	case "C":
		if s.least().Required {
			return done(534, "Data connections must be protected here; use PROT P.")
		}
		s.security.private = false
		return done(200, "Data connections are in clear.")
	case "S", "E":
		return done(536, "That protection level does not exist with TLS; use PROT P.")
	}
	return done(504, "Unknown protection level; use PROT P or PROT C.")
}

// ccc is refused: what follows a clear control connection cannot be trusted to come from
// the user who logged in.
func (s *session) ccc(context.Context, string) (reply, error) {
	if s.security.binding == nil {
		return done(533, "This connection is in clear already; go on without CCC.")
	}
	return done(534, "The control connection stays protected here; go on without CCC.")
}

// protection is the binding for the next data connection; nil in clear.
func (s *session) protection() (*binding, error) {
	switch {
	case s.security.private:
		return s.security.binding, nil
	case s.least().Required:
		return nil, errNotPrivate
	}
	return nil, nil
}

// protect makes the server's side of the handshake on a data connection, of which least
// is demanded.
func (b *binding) protect(ctx context.Context, raw net.Conn, reuse SessionReuse, least Protection) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	conn := tls.Server(raw, b.data())
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, because(errDataTLS, err)
	}
	state := conn.ConnectionState()
	switch {
	case !least.Met(&state):
		return nil, errWeakTLS
	case reuse == ReuseRequired && !state.DidResume:
		return nil, errUnbound
	}
	return conn, nil
}
