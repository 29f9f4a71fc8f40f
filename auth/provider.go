package auth

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Provider knows accounts that are kept elsewhere: in a directory, a database, behind a
// service. Its methods may be called from any goroutine.
type Provider interface {
	// Find tells what there is of the attempt's name, which is canonical. ErrUnknown if the
	// provider has no such account, so that the next one is asked; ErrLogin if it has and
	// the password is wrong. Any other error means that it cannot tell now: nobody is let in
	// then, whatever providers follow. A provider that judges passwords itself takes as long
	// for an unknown name as for a wrong password, as far as that lies with it.
	Find(ctx context.Context, a Attempt) (*Found, error)
}

// ErrUnknown: a provider has no account of this name.
var ErrUnknown = errors.New("no such account")

// Found is an account as a provider tells it. What it may use is said by a template of the
// configuration.
type Found struct {
	Name     string // canonical
	Hash     string // the password is still to be checked against it; "" if the provider has judged it
	Template string // of the configuration; "" is the provider's own choice
	// Values take the place of {marks} in the template beside {user}, such as home and group.
	Values map[string]string

	Disabled bool
	Expires  time.Time      // zero is never
	Networks []netip.Prefix // none is all
}
