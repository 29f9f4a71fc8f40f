package gateway

import (
	"context"
	"errors"
	"fmt"

	"causeway/auth"
	"causeway/auth/learn"
	"causeway/auth/usersfile"
	"causeway/configs"
)

// newLearner makes the provider that is the i-th source of accounts: an old server, and the
// users file that its accounts go to.
func (a *accounts) newLearner(i int) (auth.Provider, error) {
	l := a.cfg.Accounts[i].Learn
	try, err := loginAt(a.cfg, fmt.Sprintf("accounts[%d].learn", i), l)
	if err != nil {
		return nil, err
	}
	into, user := a.cfg.IntoOf(l), a.userBy(l.Template)
	return learn.New(learn.Config{
		Try: try,
		User: func(name string) (*auth.User, error) {
			if !configs.CanBeName(name) {
				return nil, fmt.Errorf("%w: %w", auth.ErrLogin, auth.ErrName)
			}
			return user(&auth.Found{Name: name})
		},
		Known: func(name string) (string, bool) { return a.users.Like(name) },
		Add: func(ctx context.Context, name, hash string) error {
			return a.add(ctx, into, usersfile.Entry{Name: name, Hash: hash, Template: l.Template})
		},
		Until:   l.Until.End(),
		Timeout: l.Timeout,
		Guesses: l.Guesses,
		Log:     a.log,
		Count:   func(r learn.Result) { a.measured.Load().learnt(r) },
	}), nil
}

// add makes a user in a users file, who may log in when it returns. If there is one whose
// name it may be taken for, who has come to the file since it was looked at, it is that one
// who may, and the error matches auth.ErrTaken.
func (a *accounts) add(ctx context.Context, source int, e usersfile.Entry) error {
	a.adding.Lock()
	defer a.adding.Unlock()
	content, err := editAccounts(ctx, a.cfg, source, func(text []byte) ([]byte, error) { return usersfile.Add(text, e) }, func(f *configs.UsersFile) error {
		return alone(f, e.Name)
	})
	if errors.Is(err, usersfile.ErrTaken) {
		err = auth.ErrTaken
		var unread error
		if content, unread = readAccounts(ctx, a.cfg, source); unread != nil {
			err = errors.Join(err, unread)
		}
	}
	if content != nil {
		a.adopt(source, content)
	}
	return err
}

// alone tells whether a name is like no other in a file.
func alone(f *configs.UsersFile, name string) error {
	for _, u := range f.Users {
		if u.Name != name && auth.Plain(u.Name) == auth.Plain(name) {
			return usersfile.ErrTaken
		}
	}
	return nil
}

// adopt takes over a users file of which it is known what is in it. The next look reads it
// all the same: it may have been changed again by then.
func (a *accounts) adopt(source int, content *configs.UsersFile) {
	a.reading.Lock()
	defer a.reading.Unlock()
	for _, f := range a.files {
		if f.source == source {
			f.content, f.version = content, ""
		}
	}
	a.replace()
}
