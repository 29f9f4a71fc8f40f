package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"causeway/auth/guard"
	"causeway/configs"
	"causeway/gateway/ftp"
)

// newGuard makes what stands between guessers and the accounts.
func newGuard(c configs.Guard, log *slog.Logger) *guard.Guard {
	return guard.New(guardLimits(c), log)
}

func guardLimits(c configs.Guard) guard.Limits {
	return guard.Limits{
		AddressPerMinute: c.AddressGuessesPerMinute,
		AccountPerHour:   c.AccountGuessesPerHour,
		BanAfter:         c.BanAfter,
		BanTime:          c.BanTime,
		Exempt:           c.Exempt,
	}
}

// triedWith is what is tried: a password that an account refuses over one connection may be
// right over another, which demands no minute's patience of who turns on TLS.
func triedWith(c ftp.Credentials) string {
	if c.TLS == nil {
		return c.Password
	}
	return fmt.Sprintf("%s\x00%x %x", c.Password, c.TLS.Version, c.TLS.CipherSuite)
}

// guardedLogin is [Gateway.Login] for who is not guessing. One that is throttled gets the
// error of a wrong password, after the time that one takes. It is the engine's
// [ftp.Config.Login].
func (g *Gateway) guardedLogin(ctx context.Context, c ftp.Credentials) (*ftp.Account, error) {
	attempt, err := g.guard.Begin(ctx, guard.Login{Remote: c.Remote, Account: c.User, Password: triedWith(c)})
	var throttled *guard.ThrottledError
	switch {
	case errors.As(err, &throttled):
		c.Log.Info("login throttled", slog.String("user", c.User), slog.String("remote", c.Remote.String()), slog.String("why", throttled.Why))
		return nil, &ftp.RefusedError{Delay: throttled.Delay}
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ftp.ErrUnavailable, err)
	}
	defer attempt.Cancel()
	account, err := g.Login(ctx, c)
	switch {
	case errors.Is(err, ftp.ErrLogin):
		return nil, &ftp.RefusedError{Delay: attempt.Fail()}
	case err == nil && account.Name != anonymousName:
		// Who comes as anybody has proven nothing.
		attempt.Succeed()
	}
	return account, err
}
