package learn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/auth"
)

// canary is the password of all, and cheap a hash of it that takes no time.
const (
	canary = "secret"
	cheap  = "$1$salt$ez2vlPGdaLYkJam5pWs/Y1"
)

// old is an old server with one password for all whom it knows, and the users that are made
// of them.
type old struct {
	*Learner
	users *auth.Users

	mu       sync.Mutex
	known    []string
	down     error         // it cannot tell
	broken   error         // no user can be made
	cheap    bool          // users get a hash that takes no time
	takes    time.Duration // of each login
	tried    []string
	atOnce   int
	most     int
	added    []auth.User
	counted  []Result
	log      *bytes.Buffer
	notified chan struct{} // of a login that has begun, where a test waits for it
}

// start makes an old server that knows the names.
func start(t *testing.T, c Config, known ...string) *old {
	t.Helper()
	o := &old{known: known, log: new(bytes.Buffer), notified: make(chan struct{}, 100)}
	c.Try, c.User, c.Add, c.Known, c.Count = o.try, o.user, o.add, func(name string) (string, bool) { return o.users.Like(name) }, o.count
	c.Log = slog.New(slog.NewTextHandler(o.log, nil))
	if c.Until.IsZero() {
		c.Until = time.Now().Add(time.Hour)
	}
	o.Learner = New(c)
	o.replace()
	return o
}

// replace has the learnt users, and one with the name "disabled", asked before the old server.
func (o *old) replace() {
	closed := auth.User{Account: auth.Account{Name: "disabled"}, Hash: cheap, Disabled: true}
	users := append([]auth.User{closed}, o.added...)
	var err error
	if o.users == nil {
		link := auth.Link{Provider: o.Learner, Rank: 1, User: func(f *auth.Found) (*auth.User, error) { return o.user(f.Name) }}
		o.users, err = auth.New(users, nil, auth.Hashes{}, link)
	} else {
		err = o.users.Replace(users, nil)
	}
	if err != nil {
		panic(err)
	}
}

func (o *old) try(ctx context.Context, name, password string) error {
	o.mu.Lock()
	o.tried = append(o.tried, name)
	o.atOnce++
	o.most = max(o.most, o.atOnce)
	known, down, takes := slices.Contains(o.known, strings.ToLower(name)), o.down, o.takes
	o.mu.Unlock()
	o.notified <- struct{}{}
	defer func() {
		o.mu.Lock()
		o.atOnce--
		o.mu.Unlock()
	}()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case down != nil:
		return down
	case !known || password != canary:
		return fmt.Errorf("%w: 530", auth.ErrLogin)
	}
	return nil
}

// user is for clients of one network, and not called as a place is.
func (o *old) user(name string) (*auth.User, error) {
	if strings.Contains(name, "/") {
		return nil, fmt.Errorf("%w: %w", auth.ErrLogin, auth.ErrName)
	}
	return &auth.User{Account: auth.Account{Name: name}, Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, nil
}

func (o *old) add(ctx context.Context, name, hash string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := errors.Join(o.broken, ctx.Err()); err != nil {
		return err
	}
	if o.cheap {
		hash = cheap
	}
	o.added = append(o.added, auth.User{Account: auth.Account{Name: name}, Hash: hash})
	o.replace()
	return nil
}

func (o *old) count(r Result) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counted = append(o.counted, r)
}

// enter logs in, and returns the account's name.
func (o *old) enter(ctx context.Context, name, password string) (string, error) {
	account, err := o.users.Login(ctx, auth.Attempt{Name: name, Password: password, Remote: netip.MustParseAddr("192.0.2.1")})
	if err != nil {
		return "", err
	}
	return account.Name, nil
}

// TestLearnsOnce: who can log in there is a user from then on, with that password, and the
// old server is not asked any more, whatever the password is.
func TestLearnsOnce(t *testing.T) {
	o := start(t, Config{}, "cam1")
	for _, password := range []string{canary, canary, "wrong " + canary} {
		name, err := o.enter(t.Context(), "cam1", password)
		if password == canary && (err != nil || name != "cam1") || password != canary && !errors.Is(err, auth.ErrLogin) {
			t.Errorf("%q: %q, %v", password, name, err)
		}
	}
	if len(o.tried) != 1 || len(o.added) != 1 || !strings.HasPrefix(o.added[0].Hash, "$argon2id$") {
		t.Errorf("tried %q, added %v", o.tried, o.added)
	}
	if !slices.Equal(o.counted, []Result{Learnt}) || strings.Contains(o.log.String(), canary) || !strings.Contains(o.log.String(), "user=cam1") {
		t.Errorf("counted %v, log\n%s", o.counted, o.log)
	}
}

// TestNobodyIsLearntWhoIsRefused, and each refusal is an ErrLogin.
func TestNobodyIsLearntWhoIsRefused(t *testing.T) {
	o := start(t, Config{}, "cam1")
	for _, attempt := range [][2]string{{"cam1", "wrong"}, {"nobody", canary}} {
		if _, err := o.enter(t.Context(), attempt[0], attempt[1]); !errors.Is(err, auth.ErrLogin) {
			t.Errorf("%s: %v", attempt[0], err)
		}
	}
	if !slices.Equal(o.tried, []string{"cam1", "nobody"}) || len(o.added) > 0 || !slices.Equal(o.counted, []Result{Refused, Refused}) {
		t.Errorf("tried %q, added %v, counted %v", o.tried, o.added, o.counted)
	}
}

// TestWhoIsNotAskedFor: the old server hears nothing of names that are nobody's, of accounts
// that are closed here, or of passwords that cannot be sent.
func TestWhoIsNotAskedFor(t *testing.T) {
	o := start(t, Config{}, "cam1", "disabled", "anonymous", "ftp", "a/b", "cam1\nx")
	here := netip.MustParseAddr("192.0.2.1")
	for _, a := range []auth.Attempt{
		{Name: "anonymous", Password: canary, Remote: here}, {Name: "FTP", Password: canary, Remote: here},
		{Name: "ftp ", Password: canary, Remote: here}, {Name: "ａnonymous", Password: canary, Remote: here},
		{Name: "a/b", Password: canary, Remote: here}, {Name: "cam1\nx", Password: canary, Remote: here}, {Name: "", Password: canary, Remote: here},
		{Name: "cam1", Password: "", Remote: here}, {Name: "cam1", Password: canary + "\r\nDELE x", Remote: here}, {Name: "cam1", Password: "\x00", Remote: here},
		{Name: "cam1", Password: strings.Repeat("x", 513), Remote: here},
		{Name: "disabled", Password: canary, Remote: here}, {Name: "DISABLED", Password: canary, Remote: here}, {Name: "disabled ", Password: canary, Remote: here},
		{Name: "cam1", Password: canary, Remote: netip.MustParseAddr("198.51.100.1")},
		{Name: "cam1", Password: canary, Remote: here, Fit: func(*auth.Account) error { return errors.New("unprotected") }},
	} {
		if account, err := o.users.Login(t.Context(), a); !errors.Is(err, auth.ErrLogin) {
			t.Errorf("%q: %v, %v", a.Name, account, err)
		}
	}
	if len(o.tried) > 0 || len(o.counted) > 0 {
		t.Errorf("tried %q, counted %v", o.tried, o.counted)
	}
}

// TestOldServerThatCannotTell lets nobody in, and is asked again the next time.
func TestOldServerThatCannotTell(t *testing.T) {
	o := start(t, Config{}, "cam1")
	o.down = errors.New("421 too many users")
	if _, err := o.enter(t.Context(), "cam1", canary); !errors.Is(err, o.down) || errors.Is(err, auth.ErrLogin) {
		t.Errorf("down: %v", err)
	}
	o.down = nil
	if _, err := o.enter(t.Context(), "cam1", canary); err != nil || !slices.Equal(o.counted, []Result{Unavailable, Learnt}) {
		t.Errorf("up again: %v, counted %v", err, o.counted)
	}
}

// TestUserThatCannotBeMade: the client is let in, and the old server is asked the next time.
func TestUserThatCannotBeMade(t *testing.T) {
	o := start(t, Config{}, "cam1")
	o.broken = errors.New("no space left on device")
	for range 2 {
		if name, err := o.enter(t.Context(), "cam1", canary); err != nil || name != "cam1" {
			t.Errorf("%q, %v", name, err)
		}
	}
	if _, err := o.enter(t.Context(), "cam1", "wrong"); !errors.Is(err, auth.ErrLogin) {
		t.Errorf("wrong: %v", err)
	}
	if len(o.tried) != 3 || strings.Contains(o.log.String(), canary) || !strings.Contains(o.log.String(), "no space left") {
		t.Errorf("tried %q, log\n%s", o.tried, o.log)
	}
	o.broken = nil
	if _, err := o.enter(t.Context(), "cam1", canary); err != nil || len(o.added) != 1 {
		t.Errorf("mended: %v, added %v", err, o.added)
	}
}

// TestUserThatIsThereMeanwhile decides, not the old server.
func TestUserThatIsThereMeanwhile(t *testing.T) {
	o := start(t, Config{}, "cam1")
	o.config.Add = func(ctx context.Context, name, hash string) error {
		if err := o.add(ctx, name, "$1$salt$N14KlRTvDefsX42kgyUz7."); err != nil {
			return err
		}
		return fmt.Errorf("edit: %w", auth.ErrTaken)
	}
	if _, err := o.enter(t.Context(), "cam1", canary); !errors.Is(err, auth.ErrLogin) {
		t.Errorf("with the password of the old server: %v", err)
	}
	if _, err := o.enter(t.Context(), "CAM1", canary); !errors.Is(err, auth.ErrTaken) || len(o.tried) != 1 {
		t.Errorf("with another spelling: %v, tried %q", err, o.tried)
	}
}

// TestUntil: the log says once that it is over.
func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := start(t, Config{}, "cam1", "cam2")
		if _, err := o.enter(t.Context(), "cam1", canary); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		for range 2 {
			if _, err := o.enter(t.Context(), "cam2", canary); !errors.Is(err, auth.ErrLogin) {
				t.Errorf("after the date: %v", err)
			}
		}
		if _, err := o.enter(t.Context(), "cam1", canary); err != nil {
			t.Errorf("who was learnt: %v", err)
		}
		if err := o.Check(t.Context()); !errors.Is(err, ErrOver) {
			t.Error(err)
		}
		if n := strings.Count(o.log.String(), "its date has passed"); n != 1 || len(o.tried) != 1 {
			t.Errorf("told %d times, tried %q", n, o.tried)
		}
	})
}

// TestCheckAsksForNobody, and finds out whether the old server lets in anybody.
func TestCheckAsksForNobody(t *testing.T) {
	o := start(t, Config{})
	if err := o.Check(t.Context()); err != nil {
		t.Error(err)
	}
	o.down = errors.New("refused")
	if err := o.Check(t.Context()); !errors.Is(err, o.down) {
		t.Error(err)
	}
	o.config.Try = func(context.Context, string, string) error { return nil }
	if err := o.Check(t.Context()); !errors.Is(err, errOpen) {
		t.Error(err)
	}
	if len(o.counted) > 0 || len(o.added) > 0 {
		t.Errorf("counted %v, added %v", o.counted, o.added)
	}
}
