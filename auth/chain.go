package auth

import (
	"context"
	"errors"
	"fmt"
)

// candidate is the account of an attempt's name, or what stands for it if there is none.
type candidate struct {
	known  bool
	right  bool   // the password has been judged, and is right
	digest digest // that it is checked against if not
	user   *User
	err    error // why nobody is let in; of one that is known, with the right password
}

// unfit is why the attempt's client is not let in, if the password is right.
func (c candidate) unfit(a Attempt) error {
	if c.err != nil {
		return c.err
	}
	return a.Unfit(c.user)
}

// identify asks who has the name, in the order of ranks. The first that has it decides,
// and one that cannot tell may have it: its error ends the search.
func (u *Users) identify(ctx context.Context, t *table, a Attempt) (candidate, error) {
	own, known := t.find(a.Name)
	for i, link := range u.links {
		if known && link.Rank >= own.user.Rank || isAnonymous(a.Name) {
			break
		}
		found, err := link.Find(ctx, a)
		switch {
		case errors.Is(err, ErrUnknown):
		case errors.Is(err, ErrLogin):
			c := t.nobody(a.Name)
			c.err = err // for the log
			return c, nil
		case errors.Is(err, ErrLearnt):
			return u.table.Load().candidate(a.Name), nil
		case err != nil:
			return candidate{}, fmt.Errorf("ask for an account: %w", err)
		default:
			return u.candidate(ctx, t, i, a, *found)
		}
	}
	return t.candidate(a.Name), nil
}

// vouched is the candidate for an attempt without a password.
func (u *Users) vouched(ctx context.Context, t *table, a Attempt) (candidate, error) {
	own, known := t.find(a.Name)
	for i, link := range u.links {
		if v, ok := link.Provider.(Voucher); !ok || !v.Vouches() || known && link.Rank >= own.user.Rank {
			break
		}
		found, err := link.Find(ctx, a)
		switch {
		case errors.Is(err, ErrUnknown):
		case err != nil:
			return candidate{}, err
		case !found.Right:
			return candidate{}, ErrLogin
		default:
			return u.candidate(ctx, t, i, a, *found)
		}
	}
	return candidate{}, ErrNeeded
}

// candidate is the user of a name, or nobody.
func (t *table) candidate(name string) candidate {
	own, known := t.find(name)
	if !known {
		return t.nobody(name)
	}
	return candidate{known: true, digest: own.digest, user: own.user}
}

// nobody is who has a name that no account has.
func (t *table) nobody(name string) candidate {
	decoy := t.accounts[t.decoy(name)]
	return candidate{digest: decoy.digest, user: new(User)}
}

// errProvider is an answer that a provider must not give.
var errProvider = errors.New("the provider's answer has a name that no account may have")

// candidate is the account that the i-th link has found for an attempt. Why nobody may use
// it is told beside what its password is checked against, for who has the right one.
func (u *Users) candidate(ctx context.Context, t *table, i int, a Attempt, found Found) (candidate, error) {
	asked := a.Name
	if found.Name == "" {
		found.Name = asked
	}
	if canonical, ok := Canonical(found.Name); !ok || canonical != found.Name || isAnonymous(found.Name) {
		return candidate{}, errProvider
	}
	c := t.nobody(found.Name)
	c.known, c.right = true, found.Right
	if !found.Right {
		d, err := t.decoder.digest(found.Hash)
		if err != nil {
			c.known, c.err = false, refused(err)
			return c, nil
		}
		c.digest = d
	}
	if found.Name != asked {
		a.Name = found.Name
		taken, err := u.taken(ctx, t, i, a)
		if err != nil {
			return candidate{}, err
		}
		if taken {
			c.err = refused(ErrTaken)
			return c, nil
		}
	}
	c.user, c.err = u.links[i].user(&found)
	return c, nil
}

// taken tells whether somebody who is asked before the i-th link has a name, whose other
// spelling must not get around that.
func (u *Users) taken(ctx context.Context, t *table, i int, a Attempt) (bool, error) {
	if own, ok := t.byName[a.Name]; ok && t.accounts[own].user.Rank <= u.links[i].Rank {
		return true, nil
	}
	for _, link := range u.links[:i] {
		switch _, err := link.Find(ctx, a); {
		case errors.Is(err, ErrUnknown):
		case err == nil, errors.Is(err, ErrLogin), errors.Is(err, ErrLearnt):
			return true, nil
		default:
			return false, fmt.Errorf("ask for an account by its other name: %w", err)
		}
	}
	return false, nil
}

// user makes the account of what was found.
func (l Link) user(found *Found) (*User, error) {
	user, err := l.User(found)
	if err != nil {
		return new(User), err
	}
	made := *user
	made.Name, made.found = found.Name, &made
	made.Disabled, made.Expires = found.Disabled, found.Expires
	if len(found.Networks) > 0 {
		made.Networks = found.Networks
	}
	return &made, nil
}

// refused is an ErrLogin with a reason for the log.
func refused(reason error) error { return fmt.Errorf("%w: %w", ErrLogin, reason) }
