package guard

import (
	"time"

	"golang.org/x/time/rate"
)

// maxWaiting bounds the logins that wait at one meter, as many as may wait for a hash.
const maxWaiting = 256

// meter bounds wrong guesses: never more than n within any span of time. The guard's mutex
// guards it. The zero meter has to be made of its limit first.
type meter struct {
	limiter  *rate.Limiter
	checking int           // guesses whose outcome is not known
	waiting  int           // logins that wait for one of those
	outcome  chan struct{} // closed at the next; nil if nobody waits
}

// of makes a meter of n guesses in a span where n is not zero, anew when n has changed. A token bucket lets
// pass a whole bucket at once, and then as many as flow in; so that both together are n,
// the bucket has half of them, and the other half, and one, flow in during the span.
func (m *meter) of(n int, span time.Duration) *meter {
	if burst := (n + 1) / 2; n > 0 && (m.limiter == nil || m.limiter.Burst() != burst) {
		m.limiter = rate.NewLimiter(rate.Every(span)*rate.Limit(n-burst+1), burst)
	}
	return m
}

// free tells whether a guess may be checked even if those under way are all wrong.
func (m *meter) free(now time.Time) bool {
	return m.limiter.TokensAt(now) >= float64(m.checking+1)
}

func (m *meter) spend(now time.Time) { m.limiter.ReserveN(now, 1) }

// wait returns what will be closed when the outcome of one of those under way is known.
func (m *meter) wait() (<-chan struct{}, error) {
	if m.outcome == nil {
		m.outcome, m.waiting = make(chan struct{}), 0
	}
	if m.waiting >= maxWaiting {
		return nil, ErrBusy
	}
	m.waiting++
	return m.outcome, nil
}

// leave counts out a guess whose outcome is known.
func (m *meter) leave() {
	m.checking--
	if m.outcome != nil {
		close(m.outcome)
		m.outcome = nil
	}
}

// sampling remembers how long checks of wrong passwords have taken.
type sampling struct {
	took  [16]time.Duration
	count int // of those that were added
	given int
}

// leastCheck is less than computing any hash takes. What is refused sooner, such as an empty
// password, had no hash computed, and who is throttled must not be told apart by it.
const leastCheck = 100 * time.Microsecond

func (s *sampling) add(d time.Duration) {
	if d < leastCheck {
		return
	}
	s.took[s.count%len(s.took)] = d
	s.count++
}

// next is a time that a check has taken lately; 0 if there was none.
func (s *sampling) next() time.Duration {
	if s.count == 0 {
		return 0
	}
	s.given++
	return s.took[s.given%min(s.count, len(s.took))]
}
