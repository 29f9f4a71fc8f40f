package ftp

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// maxFailures is how many logins of a connection may fail (RFC 2577 §5).
	maxFailures = 3
	// failureDelay is the pause before the answer to a first failure; it doubles from
	// one to the next.
	failureDelay = time.Second
)

// login is who the client says it is, and who it has proven to be.
type login struct {
	name     string // argument of USER
	named    bool   // USER came and PASS not yet
	vouched  bool   // USER was enough
	host     string // argument of HOST
	utf8     bool   // OPTS UTF8 ON came: names are UTF-8 whatever the account's charset
	account  *Account
	failures int
}

// logout forgets the user and all that came after USER, as if the connection were new.
// Failures are not forgotten.
func (s *session) logout() {
	s.params.useRoute(nil)
	s.params = newParameters()
	s.allowance().Leave()
	s.idle = s.server.config.Limits.IdleTimeout
	if s.login.account != nil {
		s.loginBy = time.Now().Add(s.server.config.Limits.LoginTimeout)
	}
	s.login = login{failures: s.login.failures}
}

// user answers alike for all names, known or not (RFC 2577 §7), but for those that the
// client's certificate is for (RFC 4217 §12).
func (s *session) user(ctx context.Context, name string) (reply, error) {
	host, utf8 := s.login.host, s.login.utf8
	s.logout()
	s.login.host, s.login.utf8, s.login.name, s.login.named = host, utf8, name, true
	if s.vouch(ctx) {
		return done(232, "Logged in by certificate.")
	}
	if anonymous(name) {
		return done(331, "Any password will do; an e-mail address is customary.")
	}
	return done(331, "Password required.")
}

// vouch logs in who needs no password.
func (s *session) vouch(ctx context.Context) bool {
	state := s.security.state()
	if s.server.config.Vouch == nil || state == nil || len(state.PeerCertificates) == 0 {
		return false
	}
	account, err := s.ask(ctx, s.server.config.Vouch, "")
	if err != nil {
		s.log.Info("the certificate is not enough to log in", slog.String("user", s.login.name), slog.Any("err", err))
		return false
	}
	s.login.named, s.login.vouched = false, true
	s.logIn(account)
	s.observeLogin(232, nil)
	return true
}

// anonymous tells whether name is one of those that RFC 1635 gives to guests.
func anonymous(name string) bool {
	return strings.EqualFold(name, "anonymous") || strings.EqualFold(name, "ftp")
}

func (s *session) pass(ctx context.Context, password string) (reply, error) {
	if s.login.vouched {
		return done(202, "No password is needed; the certificate was enough.")
	}
	s.login.named = false
	began := time.Now()
	// Replies to what came before do not wait as well, which would show how long it takes to
	// judge. An error comes again after it.
	_ = s.out.Flush()
	account, err := s.ask(ctx, s.server.config.Login, password)
	r := s.answerLogin(ctx, account, err, began)
	s.observeLogin(r.code, err)
	return r, nil
}

// answerLogin lets in who may come in. The password came at began.
func (s *session) answerLogin(ctx context.Context, account *Account, err error, began time.Time) reply {
	switch {
	case err == nil:
		s.logIn(account)
		return reply{code: 230, text: "Logged in."}
	case errors.Is(err, ErrLogin):
		return s.failLogin(ctx, err, began)
	case errors.Is(err, ErrSessions):
		s.log.Warn("login refused", slog.String("user", s.login.name), slog.Any("err", err))
		return reply{code: 421, text: "Too many sessions of this account; end one and connect again."}
	}
	s.log.Error("login could not be judged", slog.String("user", s.login.name), slog.Any("err", err))
	return reply{code: 421, text: "Logging in is not possible now; try again later."}
}

// logIn makes the session that of an account.
func (s *session) logIn(account *Account) {
	s.login.account = account
	s.login.failures = 0
	s.log.Info("logged in", slog.String("user", account.Name))
}

// ask has the gateway judge the client. A name that cannot be one never reaches it.
func (s *session) ask(ctx context.Context, judge func(context.Context, Credentials) (*Account, error), password string) (*Account, error) {
	if s.login.name == "" || !utf8.ValidString(s.login.name) || strings.ContainsFunc(s.login.name, unicode.IsControl) {
		return nil, ErrLogin
	}
	ctx, cancel := context.WithDeadline(ctx, s.loginBy)
	defer cancel()
	host := s.login.host
	if host == "" {
		host = s.security.serverName
	}
	return judge(ctx, Credentials{
		User:     s.login.name,
		Password: password,
		Remote:   s.client,
		Host:     host,
		TLS:      s.security.state(),
		Log:      s.log,
	})
}

// failLogin answers a wrong password, later each time, and the last one with goodbye. The
// pause begins when the password came: how long it took to judge, which depends on who was
// asked for the name, does not show within it.
func (s *session) failLogin(ctx context.Context, err error, began time.Time) reply {
	s.log.Warn("login failed", slog.String("user", s.login.name), slog.String("remote", s.client.String()))
	s.login.failures++
	pause := failureDelay << (s.login.failures - 1)
	var refused *RefusedError
	if errors.As(err, &refused) {
		pause = max(pause, refused.Delay)
	}
	s.server.sleep(ctx, min(time.Until(began.Add(pause)), time.Until(s.loginBy)))
	if s.login.failures >= maxFailures {
		return reply{code: 421, text: "Login incorrect; too many failures; connect again."}
	}
	return reply{code: 530, text: "Login incorrect; check the name and the password."}
}

// userName is who has logged in, or who the client says it is.
func (s *session) userName() string {
	if s.login.account != nil {
		return s.login.account.Name
	}
	return s.login.name
}

func (s *session) acct(context.Context, string) (reply, error) {
	return done(202, "No account is needed.")
}

func (s *session) exit(context.Context, string) (reply, error) {
	s.closing = true
	return done(221, "Goodbye.")
}

// host names the virtual host to log in at (RFC 7151). Any name is taken: whether there
// is such a host is for the login to say.
func (s *session) host(_ context.Context, name string) (reply, error) {
	literal, bracketed := strings.CutPrefix(name, "[")
	literal, closed := strings.CutSuffix(literal, "]")
	addr, err := netip.ParseAddr(literal)
	switch {
	case bracketed != closed, err != nil && !hostname(name), err == nil && addr.Is6() != bracketed:
		return done(501, "HOST takes a host name, an IPv4 address or an [IPv6 address], without a port.")
	case err == nil && addr.Unmap() != s.local.Addr().WithZone(""):
		return done(504, "That is not the address of this connection; name the host, or the address connected to.")
	case s.security.serverName != "" && !strings.EqualFold(name, s.security.serverName):
		return done(504, "HOST differs from the server name of the TLS handshake; send that name.")
	}
	s.login.host = strings.ToLower(name)
	return done(220, "Host accepted.")
}

// hostname tells whether s has the form of a domain name: letters, digits, hyphens, dots.
func hostname(s string) bool {
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notLDH) {
			return false
		}
	}
	return len(s) <= 255
}

func notLDH(r rune) bool {
	return r != '-' && (r > 0x7f || !isAlphanumeric(byte(r)))
}
