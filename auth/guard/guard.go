// Package guard makes guessing passwords hopeless. It judges each login before its password
// is looked at, and learns how it has ended. It checks no password, knows no protocol and
// keeps nothing on disk: what it remembers is bounded and gone with the process.
//
// Guesses are counted by address (an IPv4 address or an IPv6 /64) and by account. An account
// that has logged in from an address is known there, and guesses of others do not count for
// it: who guesses elsewhere, or at other accounts behind the same NAT, cannot lock it out.
//
// Its central type is [Guard].
package guard

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"causeway/auth"
)

// ErrBusy is a login that was not judged, because too many wait for others to be judged.
var ErrBusy = errors.New("too many logins at once")

// Limits are what a guesser has. A limit that is zero is none.
type Limits struct {
	AddressPerMinute int           // wrong guesses from an address
	AccountPerHour   int           // wrong guesses at an account from where it is not known
	BanAfter         int           // failed logins from an address within an hour that have it banned
	BanTime          time.Duration // for how long
	// Exempt networks are never throttled, delayed or banned.
	Exempt []netip.Prefix
}

// Guard remembers failed logins. Its methods may be called from any goroutine.
type Guard struct {
	limits atomic.Pointer[Limits]
	log    *slog.Logger
	seed   maphash.Seed // secret: nobody can choose what shares a place in accounts

	mu sync.Mutex // guards what follows; nothing under it waits: see unlock
	memory
	took  sampling
	stats Stats
	news  []news
}

// Stats is what has happened since the start.
type Stats struct {
	Throttled uint64 // logins that were refused without a look at their password
	Bans      uint64 // of addresses
	Refused   uint64 // connections from addresses that were banned
	Banned    int    // addresses that are now
}

// Stats may be asked for at any time.
func (g *Guard) Stats() Stats {
	g.mu.Lock()
	defer g.unlock()
	g.banned(netip.Prefix{}, time.Now()) // ends those that are over
	g.stats.Banned = g.bans.Len()
	return g.stats
}

// news is a line for the log.
type news struct {
	text  string
	attrs []slog.Attr
}

// tell has a line logged once the mutex is free.
func (g *Guard) tell(text string, attrs ...slog.Attr) { g.news = append(g.news, news{text, attrs}) }

// unlock frees the mutex, and then logs what happened under it: a log that is slow to take a
// line must not keep all logins waiting.
func (g *Guard) unlock() {
	lines := g.news
	g.news = nil
	g.mu.Unlock()
	for _, line := range lines {
		g.log.LogAttrs(context.Background(), slog.LevelWarn, line.text, line.attrs...)
	}
}

// New returns a guard that remembers nothing yet. Bans and their ends are logged to log.
func New(l Limits, log *slog.Logger) *Guard {
	g := &Guard{log: log, seed: maphash.MakeSeed(), memory: newMemory()}
	g.SetLimits(l)
	return g
}

// SetLimits changes what guessers have from now on. Bans stay as long as they were meant.
func (g *Guard) SetLimits(l Limits) { g.limits.Store(&l) }

// Admit tells whether a connection from an address is worth taking: not from one that is
// banned, unless an account is known there, which a ban must not lock out.
func (g *Guard) Admit(remote netip.Addr) bool {
	if g.exempt(remote) {
		return true
	}
	g.mu.Lock()
	defer g.unlock()
	now, home := time.Now(), homeOf(remote)
	b := g.banned(home, now)
	if b == nil || g.inhabited(home, now) {
		return true
	}
	b.refused++
	g.stats.Refused++
	return false
}

// Login is what a client says of itself.
type Login struct {
	Remote   netip.Addr
	Account  string // as it was sent, whether there is such an account or not
	Password string // kept nowhere
}

// Begin judges a login whose password is to be checked if the error is nil; then one of the
// attempt's methods must be called with the outcome. A [*ThrottledError] is a login that must
// be answered like a wrong password; [ErrBusy] and the context's error are no judgement.
//
// As many logins are checked at a time as could all be wrong without passing a limit; more
// wait for the outcome of those. So right passwords cost nothing, however many come at once.
func (g *Guard) Begin(ctx context.Context, l Login) (*Attempt, error) {
	if g.exempt(l.Remote) {
		return &Attempt{}, nil
	}
	a := &Attempt{
		guard: g,
		pair:  pair{homeOf(l.Remote), maphash.String(g.seed, auth.Plain(l.Account))},
		guess: uint32(maphash.String(g.seed, l.Password)), // 32 bits of it tell no password
	}
	for {
		wait, err := g.enter(a)
		if err == nil && wait == nil {
			return a, nil
		}
		var throttled *ThrottledError
		if errors.As(err, &throttled) {
			return nil, pause(ctx, throttled)
		}
		if err != nil {
			return nil, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pause takes the time that checking a wrong password would have taken.
func pause(ctx context.Context, t *ThrottledError) error {
	timer := time.NewTimer(t.took)
	defer timer.Stop()
	select {
	case <-timer.C:
		return t
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *Guard) exempt(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(g.limits.Load().Exempt, func(p netip.Prefix) bool { return p.Contains(a) })
}

// homeOf is what counts as one address: an IPv4 address or an IPv6 /64, the least that a
// single customer is given.
func homeOf(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	home, _ := a.Prefix(bits) // the zero Addr has the zero Prefix
	return home
}
