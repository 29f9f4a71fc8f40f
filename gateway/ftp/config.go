package ftp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Config is what a [Server] is made of. Fields marked required have no default.
type Config struct {
	// Login judges a user name and password; required. It returns [ErrLogin] for a wrong
	// pair, ErrSessions for a right one that may not come in beside those that are there,
	// ErrUnavailable when it cannot tell now. It takes as long for an unknown user
	// as for a wrong password.
	Login func(ctx context.Context, c Credentials) (*Account, error)

	// Vouch judges at USER a client whose certificate was verified, where TLS.ClientCAs asks
	// for one; nil lets nobody in that way. It returns the account if no password is needed,
	// and an error if one is, or might be: PASS then tells the client more. It must take as
	// long for all names that the certificate is not for.
	Vouch func(ctx context.Context, c Credentials) (*Account, error)

	// Admit tells whether a connection from client is served; nil serves all. Who is not
	// admitted hears 421, before any TLS. It must not block: the listener waits for it.
	Admit func(client netip.Addr) bool

	// TLS holds the certificates and the oldest version accepted; nil offers no TLS. The
	// server works on clones: it sets NextProtos, tickets and the binding of sessions.
	TLS *tls.Config
	// TLSRequired refuses USER in clear, and data connections in clear.
	TLSRequired bool
	// SessionReuse says whether a TLS data connection must resume the session of its own
	// control connection.
	SessionReuse SessionReuse

	Passive Passive
	Limits  Limits

	// Grace is how long to watch the control connection for its end between the end of an
	// upload's data and its commit; nil for none. It is asked again when that time is over,
	// and if it says more by then, that much is waited in all. took is how long the data took.
	Grace func(control, data net.Conn, took time.Duration) time.Duration

	// Network is where data connections come from; nil for the system's.
	Network Network

	Log *slog.Logger // required

	Observer Observer // nil for none
}

// Credentials are what a client says of itself.
type Credentials struct {
	User     string // valid UTF-8 without control characters
	Password string
	Remote   netip.Addr
	Host     string               // argument of HOST (RFC 7151), or the server name of TLS, or ""
	TLS      *tls.ConnectionState // of the control connection; nil in clear
	Log      *slog.Logger         // the session's, with its id
}

// ErrLogin is a login that is refused: unknown user and wrong password alike.
var ErrLogin = errors.New("login incorrect")

// RefusedError is an [ErrLogin] whose answer is put off by Delay, or by what the session's
// own failures cost, whichever is longer, but not beyond Limits.LoginTimeout.
type RefusedError struct{ Delay time.Duration }

func (*RefusedError) Error() string { return ErrLogin.Error() }

// Unwrap returns the kind.
func (*RefusedError) Unwrap() error { return ErrLogin }

// Account is a user who has logged in.
type Account struct {
	Name    string
	FS      FS
	Charset Charset // nil for UTF-8
	Manners Manners
	// Revoked tells why the account may not be used any more, for the log; nil as long as it
	// may. It is asked before each command but during a transfer, and must be quick. A nil
	// function revokes nothing.
	Revoked func() error

	Allowance Allowance // nil for no bounds
}

// SessionReuse is a policy on TLS data connections.
type SessionReuse int

// The policies. Offered is the default: many client libraries cannot resume.
const (
	ReuseOffered  SessionReuse = iota
	ReuseRequired              // 522 for a data connection that did not resume this control connection's session
)

// Passive says where the server listens for data connections.
type Passive struct {
	MinPort, MaxPort uint16 // both 0: ports of the system's choice
	// Announce is the address in the reply to PASV for a client that has reached local;
	// nil announces local itself. Only an IPv4 address can be announced.
	Announce func(local, client netip.Addr) netip.Addr
}

// Limits bound what clients can make the server hold. Zero fields take the default.
type Limits struct {
	Sessions           int           // at once; 10,000
	SessionsPerAddress int           // at once from one IPv4 address or IPv6 /64; 100
	IdleTimeout        time.Duration // between commands; 5 min
	LoginTimeout       time.Duration // from connecting to being logged in; 30 s
	TransferTimeout    time.Duration // without progress on a data connection, 1 KiB where the client reads; 60 s
	HashPerHour        int64         // octets read for checksums of one account that no store keeps; 256 GiB
}

// ListenOptions describe one listener.
type ListenOptions struct {
	ImplicitTLS bool // TLS from the first octet (port 990)
}

// check refuses a Config that no server can be made of.
func (c *Config) check() error {
	switch {
	case c.Login == nil:
		return errors.New("ftp: Config.Login is required")
	case c.Log == nil:
		return errors.New("ftp: Config.Log is required")
	case c.TLS == nil && c.TLSRequired:
		return errors.New("ftp: Config.TLSRequired needs Config.TLS")
	case c.TLS != nil && c.TLS.GetConfigForClient != nil:
		return errors.New("ftp: Config.TLS.GetConfigForClient would undo the binding of sessions; use GetCertificate")
	case c.Passive.MinPort > c.Passive.MaxPort, c.Passive.MinPort == 0 && c.Passive.MaxPort != 0:
		return errors.New("ftp: Config.Passive: MinPort must be from 1 to MaxPort, or both 0")
	}
	return nil
}

// withDefaults fills the fields that are zero.
func (l Limits) withDefaults() Limits {
	return Limits{
		Sessions:           cmp.Or(l.Sessions, 10_000),
		SessionsPerAddress: cmp.Or(l.SessionsPerAddress, 100),
		IdleTimeout:        cmp.Or(l.IdleTimeout, 5*time.Minute),
		LoginTimeout:       cmp.Or(l.LoginTimeout, 30*time.Second),
		TransferTimeout:    cmp.Or(l.TransferTimeout, time.Minute),
		HashPerHour:        cmp.Or(l.HashPerHour, 256<<30),
	}
}
