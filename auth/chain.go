package auth

import (
	"context"
	"errors"
	"fmt"
)

// candidate is the account of an attempt's name, or what stands for it if there is none.
type candidate struct {
	known   bool
	right   bool   // the password has been judged, and is right
	digest  digest // that it is checked against if not
	user    *User  // for what it takes to be let in beside it
	err     error  // nobody is let in
	account func() (*Account, error)
}

// identify asks who has the name, in the order of ranks. The first that has it decides,
// and one that cannot tell may have it: its error ends the search.
func (u *Users) identify(ctx context.Context, t *table, a Attempt) (candidate, error) {
	own, known := t.find(a.Name)
	for _, link := range u.links {
		if known && link.Rank >= own.user.Rank || isAnonymous(a.Name) {
			break
		}
		found, err := link.Find(ctx, a)
		switch {
		case errors.Is(err, ErrUnknown):
		case errors.Is(err, ErrLogin):
			return t.nobody(a.Name), nil
		case err != nil:
			return candidate{}, fmt.Errorf("ask for an account: %w", err)
		default:
			return t.candidate(link, a.Name, *found)
		}
	}
	if !known {
		return t.nobody(a.Name), nil
	}
	return candidate{
		known:   true,
		digest:  own.digest,
		user:    own.user,
		account: func() (*Account, error) { return &own.user.Account, nil },
	}, nil
}

// nobody is who has a name that no account has.
func (t *table) nobody(name string) candidate {
	decoy := t.accounts[t.decoy(name)]
	return candidate{digest: decoy.digest, user: new(User)}
}

// errProvider is an answer that a provider must not give.
var errProvider = errors.New("the provider's answer has a name that no account may have")

// candidate is the account that a link has found for a name.
func (t *table) candidate(link Link, name string, found Found) (candidate, error) {
	if found.Name == "" {
		found.Name = name
	}
	if canonical, ok := Canonical(found.Name); !ok || canonical != found.Name || isAnonymous(found.Name) {
		return candidate{}, errProvider
	}
	c := t.nobody(found.Name)
	c.known, c.right = true, found.Right
	c.user = &User{Disabled: found.Disabled, Expires: found.Expires, Networks: found.Networks}
	c.account = func() (*Account, error) { return link.account(&found, c.user) }
	if i, taken := t.byName[found.Name]; taken && t.accounts[i].user.Rank <= link.Rank {
		c.err = ErrTaken // by who is asked before, which its other spelling must not get around
	}
	if !found.Right {
		d, err := t.decoder.digest(found.Hash)
		if err != nil {
			c.err = err // whatever the password is
			return c, nil
		}
		c.digest = d
	}
	return c, nil
}

// account makes the account of what was found, with what it takes to stay let in.
func (l Link) account(found *Found, user *User) (*Account, error) {
	account, err := l.Account(found)
	if err != nil {
		return nil, err
	}
	made := *account
	made.Name, made.found = found.Name, user
	return &made, nil
}
