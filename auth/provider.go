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

// Voucher is a Provider that knows accounts by what the client has proven already.
type Voucher interface {
	Provider
	// Vouches tells whether Find may be asked without a password. It is then quick, and
	// tells nobody else of the attempt.
	Vouches() bool
}

// Checker is a Provider that can tell whether it would answer, without a login.
type Checker interface {
	Provider
	// Check asks for nobody, or connects at least where nothing else can be asked. Its error
	// holds no secret.
	Check(ctx context.Context) error
}

// What a provider answers beside ErrLogin.
var (
	// ErrNeeded: without a password it cannot be told whether the client may log in.
	ErrNeeded = errors.New("a password is needed")
	// ErrUnknown: there is no account of this name.
	ErrUnknown = errors.New("no such account")
	// ErrLearnt: the provider has seen to it that [Users.Replace] has brought the account, or
	// one that it must not be mistaken for. The users decide.
	ErrLearnt = errors.New("the account is among the users by now")
)

// Found is an account as a provider tells it. What it may use is said by a template of the
// configuration.
type Found struct {
	Name     string // canonical; "" is the name that was asked for
	Right    bool   // the provider has judged the password, and it is right
	Hash     string // that the password is to be checked against if not Right
	Template string // of the configuration; "" is the provider's own choice
	// Values take the place of {marks} in the template beside {user}, such as home and group.
	Values map[string]string

	Disabled bool
	Expires  time.Time      // zero is never
	Networks []netip.Prefix // none is all
}

// Link is a provider and its place among the others and the users: who has the lower rank
// is asked first, and users before a provider of the same rank.
type Link struct {
	Provider
	Rank int
	// User makes an account of what was found: what it may use, and the networks that it is
	// for if none were found. Name, hash, end and the rest are taken from what was found. An
	// error that matches ErrLogin means that nobody may use it; any other, that it cannot be
	// told now. It must be quick.
	User func(*Found) (*User, error)
}
