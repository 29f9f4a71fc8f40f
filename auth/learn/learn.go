// Package learn takes over the accounts of a server that was there before: who has no account
// here and can log in there gets one, with the password that was right. From then on that
// server is not asked for the name. It knows neither FTP nor users files: the gateway gives
// it a function for each.
//
// Its central type is [Learner].
package learn

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"causeway/auth"
)

// Config is how accounts are learnt. What has no default is required. The functions may be
// called from any goroutine.
type Config struct {
	// Try logs in at the old server and out again. The error matches [auth.ErrLogin] if that
	// refuses the name or the password; any other means that it cannot be told now. No error
	// has the password in its text.
	Try func(ctx context.Context, name, password string) error
	// User is what the account of a name would be, without a password. Whom it would not let
	// in is not asked for. The error matches [auth.ErrLogin] if no account can have the name.
	User func(name string) (*auth.User, error)
	// Known is the name of a user that this one may be taken for, as [auth.Users.Like] has it.
	Known func(name string) (string, bool)
	// Add makes a user with a hash. The error matches [auth.ErrTaken] if there is one by now
	// that this one may be taken for. In either case Known tells of the user when it returns.
	Add func(ctx context.Context, name, hash string) error

	Until   time.Time     // from then on the old server is not asked
	Timeout time.Duration // of one login at the old server; 10 s if 0
	Guesses int           // that the old server may have to refuse within a minute; 30 if 0
	Log     *slog.Logger
	Count   func(Result) // told of each login that came here for the old server
}

// Defaults of a Config. Who guesses from one address gets 10 guesses a minute by the guard's
// default, and so does not use up what all have.
const (
	defaultTimeout = 10 * time.Second
	defaultGuesses = 30
)

// atOnce is how many logins the old server is asked for at a time. Pure-FTPd of Debian takes
// 8 connections from an address, and its files are read as well.
const atOnce = 4

// Result is what has become of a login.
type Result string

// The results.
const (
	Learnt      Result = "learnt"
	Refused     Result = "refused"     // by the old server
	Throttled   Result = "throttled"   // not asked: too many were refused lately
	Unavailable Result = "unavailable" // the old server could not be asked, or could not tell
	Unwritten   Result = "unwritten"   // right, and the account could not be made
)

// Results are all of them.
func Results() []Result { return []Result{Learnt, Refused, Throttled, Unavailable, Unwritten} }

// ErrThrottled means that the old server has refused so many logins lately that it is not asked.
var ErrThrottled = errors.New("the old server has refused too many logins within the last minute")

// ErrOver means that the date has passed until which the old server is asked.
var ErrOver = errors.New("its date has passed")

// ErrEarly is beside [auth.ErrLogin] for a name that the old server refuses before it has the
// password. It may list who may log in, or it wants TLS.
var ErrEarly = errors.New("refused before the password was asked for")

// errOpen is an old server that judges no passwords.
var errOpen = errors.New("the old server lets in a made-up name with a made-up password: whoever came would get an account")

// Learner asks the old server. It may be used from any goroutine, and implements
// [auth.Provider] and [auth.Checker].
type Learner struct {
	config  Config
	turns   chan struct{} // holds a value for each login at the old server
	guesses *allowance
	over    sync.Once

	mu    sync.Mutex
	calls map[string]*call // that run, by the plain form of their names
}

// New makes a learner. It asks nothing yet.
func New(c Config) *Learner {
	return &Learner{
		config:  c,
		turns:   make(chan struct{}, atOnce),
		guesses: newAllowance(cmp.Or(c.Guesses, defaultGuesses)),
		calls:   map[string]*call{},
	}
}

// Find tries a login at the old server. It is [auth.Provider.Find]: the error matches
// [auth.ErrLearnt] if there is a user of the name afterwards. Of one name it asks for one
// login at a time, and once for those that come meanwhile with the same password.
func (l *Learner) Find(ctx context.Context, a auth.Attempt) (*auth.Found, error) {
	if l.ended() || !sendable(a.Password) {
		return nil, auth.ErrUnknown
	}
	user, err := l.config.User(a.Name)
	if err != nil {
		return nil, err
	}
	if err := a.Unfit(user); err != nil {
		return nil, err
	}
	key := auth.Plain(a.Name)
	if key == "anonymous" || key == "ftp" { // which the old server may trim or fold to, and let in
		return nil, auth.ErrUnknown
	}
	for {
		c, first := l.join(key, a)
		if first {
			found, err := l.find(ctx, a)
			l.end(key, c, found, err)
			return found, err
		}
		select {
		case <-c.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if c.answers(a) {
			return c.found, c.err
		}
	}
}

// sendable tells whether PASS can carry a password.
func sendable(password string) bool {
	return password != "" && !strings.ContainsAny(password, "\r\n\x00")
}

// ended tells whether the date has passed. The log says so once.
func (l *Learner) ended() bool {
	if time.Now().Before(l.config.Until) {
		return false
	}
	l.over.Do(func() {
		l.config.Log.Info("the old server is not asked for accounts any more; its date has passed", slog.Time("until", l.config.Until))
	})
	return true
}

// find is Find for the one login of its name that is judged now.
func (l *Learner) find(ctx context.Context, a auth.Attempt) (*auth.Found, error) {
	switch known, ok := l.config.Known(a.Name); {
	case ok && known == a.Name: // it has come since the users were looked at
		return nil, auth.ErrLearnt
	case ok: // the old server may take both for one, which is disabled here perhaps
		return nil, fmt.Errorf("%w: %w", auth.ErrLogin, auth.ErrTaken)
	}
	switch err := l.ask(ctx, a); {
	case errors.Is(err, ErrThrottled):
		l.config.Count(Throttled)
		return nil, err
	case errors.Is(err, auth.ErrLogin):
		l.config.Count(Refused)
		l.config.Log.Info("the old server refuses a login", slog.String("user", a.Name), slog.Any("err", err))
		return nil, auth.ErrLogin
	case err != nil:
		l.config.Count(Unavailable)
		return nil, fmt.Errorf("old server: %w", err)
	}
	return l.add(ctx, a)
}

// ask tries the login when its turn comes.
func (l *Learner) ask(ctx context.Context, a auth.Attempt) error {
	select {
	case l.turns <- struct{}{}:
		defer func() { <-l.turns }()
	case <-ctx.Done():
		return fmt.Errorf("wait for a turn: %w", ctx.Err())
	}
	if !l.guesses.left(time.Now()) {
		return ErrThrottled
	}
	err := l.try(ctx, a.Name, a.Password)
	if errors.Is(err, auth.ErrLogin) {
		l.guesses.spend(time.Now())
	}
	return err
}

func (l *Learner) try(ctx context.Context, name, password string) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(l.config.Timeout, defaultTimeout))
	defer cancel()
	return l.config.Try(ctx, name, password)
}

// add makes the account of a password that is right. If that fails the client is let in all
// the same, and the old server is asked again the next time. A client that is gone meanwhile
// changes nothing: its password is proven.
func (l *Learner) add(ctx context.Context, a auth.Attempt) (*auth.Found, error) {
	hash, err := auth.Hash(a.Password)
	if err == nil {
		err = l.config.Add(context.WithoutCancel(ctx), a.Name, hash)
	}
	switch {
	case errors.Is(err, auth.ErrTaken):
		return nil, auth.ErrLearnt
	case err != nil:
		l.config.Count(Unwritten)
		l.config.Log.Error("an account that was learnt could not be written; the old server is asked again the next time",
			slog.String("user", a.Name), slog.Any("err", err))
		return &auth.Found{Right: true}, nil
	}
	l.config.Count(Learnt)
	l.config.Log.Info("an account was learnt from the old server", slog.String("user", a.Name))
	return nil, auth.ErrLearnt
}

// Check is [auth.Checker.Check]: it tries a name and a password that nobody has, which the
// old server must refuse. The error matches [ErrOver] once the date has passed, and ErrEarly
// where that may be right.
func (l *Learner) Check(ctx context.Context) error {
	if l.ended() {
		return ErrOver
	}
	switch err := l.try(ctx, "causeway-"+strings.ToLower(rand.Text()[:8]), rand.Text()); {
	case err == nil:
		return errOpen
	case errors.Is(err, auth.ErrLogin) && !errors.Is(err, ErrEarly):
		return nil
	default:
		return err
	}
}
