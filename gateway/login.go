package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"causeway/auth"
	"causeway/configs"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// Login judges a user name and password, and gives who may come in a view of their own
// over the stores that all share.
func (g *Gateway) Login(ctx context.Context, c ftp.Credentials) (*ftp.Account, error) {
	account, err := g.accounts.Load().users.Login(ctx, attemptOf(c))
	switch {
	case errors.Is(err, auth.ErrLogin):
		tellWhy(c, err)
		return nil, ftp.ErrLogin
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ftp.ErrUnavailable, err)
	}
	return g.open(ctx, c, account)
}

// vouch is Login for who has a certificate and has not sent a password yet. It is the
// engine's [ftp.Config.Vouch].
func (g *Gateway) vouch(ctx context.Context, c ftp.Credentials) (*ftp.Account, error) {
	account, err := g.accounts.Load().users.Vouch(ctx, attemptOf(c))
	if err != nil {
		return nil, err
	}
	return g.open(ctx, c, account)
}

func attemptOf(c ftp.Credentials) auth.Attempt {
	a := auth.Attempt{
		Name:     c.User,
		Password: c.Password,
		Remote:   c.Remote,
		TLS:      c.TLS != nil,
		Host:     c.Host,
		Fit:      func(account *auth.Account) error { return protected(account, c.TLS) },
	}
	if c.TLS != nil {
		a.Certificates = c.TLS.PeerCertificates
	}
	return a
}

// open gives an account its view.
func (g *Gateway) open(ctx context.Context, c ftp.Credentials, account *auth.Account) (*ftp.Account, error) {
	mounts, err := g.mounts(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("%w: mounts of %q: %w", ftp.ErrUnavailable, account.Name, err)
	}
	view, err := vfs.New(mounts, g.names, c.Log.With("user", account.Name))
	if err != nil {
		return nil, fmt.Errorf("mounts of %q: %w", account.Name, err)
	}
	allowance, err := g.limits.Enter(account.Name, allowanceOf(account.Limits))
	if err != nil {
		return nil, err
	}
	return &ftp.Account{
		Name:      account.Name,
		FS:        view,
		Charset:   charsetOf(account.Charset),
		Manners:   mannersOf(account.Device),
		Allowance: allowance,
		Revoked:   func() error { return g.accounts.Load().users.Admits(account, c.Remote) },
	}, nil
}

// tellWhy logs why nobody, or not this client, is let in whatever the password is; the
// client is not told.
func tellWhy(c ftp.Credentials, err error) {
	var value *configs.ValueError
	known := errors.As(err, &value)
	for _, reason := range []error{auth.ErrDisabled, auth.ErrExpired, auth.ErrNetwork, auth.ErrHash, auth.ErrTaken, auth.ErrCertificate, errWeak, errNoTemplate} {
		known = known || errors.Is(err, reason)
	}
	if known {
		c.Log.Warn("login refused whatever the password is", slog.String("user", c.User), slog.Any("err", err))
	}
}

// newUser makes an account of what is configured of it.
func newUser(u configs.User) auth.User {
	grants := make([]auth.Grant, len(u.Mounts))
	for i, m := range u.Mounts {
		grants[i] = auth.Grant{
			Path: m.Path, Store: m.Store, Prefix: m.Prefix, Rights: rightsOf(m.Rights), Hide: m.Hide, Deny: m.Deny, Uploads: uploadsOf(u, m),
			Quota:     auth.Quota{Bytes: int64(m.Quota.Bytes), Files: int64(m.Quota.Files)},
			Retention: auth.Retention{Days: m.Retention.Days, To: m.Retention.To, DryRun: m.Retention.DryRun},
			Behind:    behindOf(m.Behind, m.MirrorWrites),
		}
	}
	return auth.User{
		Account:  auth.Account{Name: u.Name, Grants: grants, Charset: u.Charset, Device: deviceOf(u.Device), Identities: identitiesOf(u), Limits: limitsOf(u.Limits)},
		Hash:     u.Password.Reveal(),
		Disabled: u.Disabled,
		Expires:  u.Expires.End(),
		Networks: u.Networks,
	}
}

// hashesOf says which weak hashes are allowed.
func hashesOf(p configs.PasswordHashes) auth.Hashes {
	return auth.Hashes{DES: p.Allows(configs.DESCrypt)}
}

// uploadsOf is how uploads to one of a user's mounts are judged and stored.
func uploadsOf(u configs.User, m configs.Mount) auth.Uploads {
	j := u.Judgement(m)
	return auth.Uploads{
		Incomplete:  string(j.Incomplete),
		CloseNotify: string(j.CloseNotify),
		ALLO:        string(j.ALLO),
		Overwrite:   string(u.OverwriteOf(m)),
		Concurrent:  string(cmp.Or(m.Concurrent, configs.LastWins)),
		RenameMax:   cmp.Or(m.RenameMax, configs.DefaultRenameMax),
	}
}

// anonymousName is an account that everybody may have; no other is called so.
const anonymousName = "anonymous"

// newAnonymous is nil where anonymous logins are not enabled.
func newAnonymous(a configs.Anonymous) *auth.Account {
	if !a.Enabled() {
		return nil
	}
	account := &auth.Account{Name: anonymousName, Limits: limitsOf(a.Limits)}
	for _, m := range a.Mounts {
		account.Grants = append(account.Grants, auth.Grant{Path: m.Path, Store: m.Store, Prefix: m.Prefix, Rights: auth.List | auth.Read, Hide: m.Hide, Behind: behindOf(m.Behind, false)})
	}
	return account
}

// rightsOf is the set of a list of rights.
func rightsOf(list []configs.Right) auth.Right {
	bits := map[configs.Right]auth.Right{
		configs.List:      auth.List,
		configs.Read:      auth.Read,
		configs.Write:     auth.Write,
		configs.Overwrite: auth.Overwrite,
		configs.Delete:    auth.Delete,
		configs.Rename:    auth.Rename,
		configs.Mkdir:     auth.Mkdir,
	}
	var set auth.Right
	for _, r := range list {
		set |= bits[r]
	}
	return set
}
