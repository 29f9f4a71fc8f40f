package learn

import (
	"sync"
	"time"
)

// allowance bounds how many logins are refused within a minute. Those that run when it is
// used up may still be, so that right passwords never wait for others.
type allowance struct {
	perMinute float64

	mu     sync.Mutex
	unused float64
	at     time.Time // when it was
}

func newAllowance(perMinute int) *allowance {
	return &allowance{perMinute: float64(perMinute), unused: float64(perMinute)}
}

// left tells whether a login may be refused.
func (a *allowance) left(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refill(now) >= 1
}

// spend says that a login was refused.
func (a *allowance) spend(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unused = a.refill(now) - 1
}

// refill adds what time has given back since it was last called.
func (a *allowance) refill(now time.Time) float64 {
	if passed := now.Sub(a.at); !a.at.IsZero() && passed > 0 {
		a.unused = min(a.perMinute, a.unused+a.perMinute*passed.Minutes())
	}
	a.at = now
	return a.unused
}
