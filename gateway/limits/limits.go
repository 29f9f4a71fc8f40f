// Package limits counts what accounts use at a time, against what each of them and all
// together may: sessions, transfers, octets and commands a second. It knows neither how
// accounts are configured nor what is transferred; what a file or a directory may hold is
// not its concern.
//
// Its central type is [Registry].
package limits

import (
	"context"
	"sync"

	"golang.org/x/time/rate"

	"causeway/gateway/ftp"
)

// Account is what an account may use, all its sessions together. A field that is 0 sets no
// bound.
type Account struct {
	Sessions     int   // at once
	Transfers    int   // uploads and downloads at once
	UploadRate   int64 // octets a second
	DownloadRate int64 // octets a second
	CommandRate  int   // commands a second; as many may come at once
}

// Total is what all accounts together may use. A field that is 0 sets no bound.
type Total struct {
	Transfers    int   // uploads and downloads at once
	UploadRate   int64 // octets a second
	DownloadRate int64 // octets a second
}

// Registry knows who uses what. Its methods may be called from any goroutine.
type Registry struct {
	total    Total
	up, down *rate.Limiter

	mu        sync.Mutex
	transfers int
	accounts  map[string]*account // with a session
}

// account is one that has a session. The registry's mutex guards its numbers.
type account struct {
	limits              Account // as of the last login
	sessions, transfers int
	up, down, commands  *rate.Limiter
}

// New makes a registry in which nothing is used.
func New(total Total) *Registry {
	return &Registry{
		total:    total,
		up:       rate.NewLimiter(octetRate(total.UploadRate)),
		down:     rate.NewLimiter(octetRate(total.DownloadRate)),
		accounts: make(map[string]*account),
	}
}

// Enter counts a session of the account in; [ftp.ErrSessions] if it would be one too many.
// The limits hold from now on for all sessions that the account has.
func (r *Registry) Enter(name string, limits Account) (*Session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.accounts[name]
	if a == nil {
		a = &account{
			up:       rate.NewLimiter(octetRate(limits.UploadRate)),
			down:     rate.NewLimiter(octetRate(limits.DownloadRate)),
			commands: rate.NewLimiter(commandRate(limits.CommandRate)),
		}
	}
	if limits.Sessions > 0 && a.sessions >= limits.Sessions {
		return nil, ftp.ErrSessions
	}
	a.become(limits)
	a.sessions++
	r.accounts[name] = a
	return &Session{registry: r, name: name, account: a}, nil
}

// become takes over limits that may have changed.
func (a *account) become(limits Account) {
	if a.limits == limits {
		return
	}
	a.limits = limits
	adjust(a.up)(octetRate(limits.UploadRate))
	adjust(a.down)(octetRate(limits.DownloadRate))
	adjust(a.commands)(commandRate(limits.CommandRate))
}

func adjust(l *rate.Limiter) func(rate.Limit, int) {
	return func(limit rate.Limit, burst int) {
		l.SetLimit(limit)
		l.SetBurst(burst)
	}
}

// leastBurst is how many octets may pass at once however low the rate is: what a slow
// transfer moves in one piece.
const leastBurst = 8 << 10

// octetRate lets a tenth of a second's octets pass at once.
func octetRate(perSecond int64) (rate.Limit, int) {
	if perSecond == 0 {
		return rate.Inf, leastBurst
	}
	return rate.Limit(perSecond), int(max(perSecond/10, leastBurst))
}

func commandRate(perSecond int) (rate.Limit, int) {
	if perSecond == 0 {
		return rate.Inf, 1
	}
	return rate.Limit(perSecond), perSecond
}

// Session is one session of an account. It implements [ftp.Allowance].
type Session struct {
	registry *Registry
	name     string
	account  *account
}

// Command is [ftp.Allowance.Command].
func (s *Session) Command(ctx context.Context) error { return s.account.commands.Wait(ctx) }

// Transfer is [ftp.Allowance.Transfer].
func (s *Session) Transfer() (release func(), err error) {
	r, a := s.registry, s.account
	r.mu.Lock()
	defer r.mu.Unlock()
	if over(a.transfers, a.limits.Transfers) || over(r.transfers, r.total.Transfers) {
		return nil, ftp.ErrTransfers
	}
	r.transfers++
	a.transfers++
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.transfers--
		a.transfers--
	}), nil
}

// over tells whether one more is too many.
func over(used, most int) bool { return most > 0 && used >= most }

// Receive is [ftp.Allowance.Receive].
func (s *Session) Receive(ctx context.Context, octets int) error {
	return wait(ctx, octets, s.account.up, s.registry.up)
}

// Send is [ftp.Allowance.Send].
func (s *Session) Send(ctx context.Context, octets int) error {
	return wait(ctx, octets, s.account.down, s.registry.down)
}

// wait passes octets through limiters, one after the other, in pieces that any of them lets
// pass at once.
func wait(ctx context.Context, octets int, limiters ...*rate.Limiter) error {
	for _, l := range limiters {
		if l.Limit() == rate.Inf {
			continue
		}
		for left := octets; left > 0; {
			n := min(left, leastBurst)
			if err := l.WaitN(ctx, n); err != nil {
				return err
			}
			left -= n
		}
	}
	return nil
}

// Leave is [ftp.Allowance.Leave]. What is counted of an account without sessions begins anew.
func (s *Session) Leave() {
	r := s.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.account.sessions--; s.account.sessions == 0 {
		delete(r.accounts, s.name)
	}
}
