package guard

import "time"

// ThrottledError is a login that is refused without a look at its password. The client must
// not be able to tell it from a wrong one.
type ThrottledError struct {
	Why   string        // for the log
	Delay time.Duration // by which the answer is put off, as after [Attempt.Fail]

	took time.Duration // for Begin
}

func (e *ThrottledError) Error() string { return "login throttled: " + e.Why }

// Why a login is throttled.
const (
	whyAddress  = "too many wrong guesses from the address"
	whyAccount  = "too many wrong guesses at the account"
	whyBoth     = "too many wrong guesses at the account from where it is known"
	whyBanned   = "the address is banned"
	whyRepeated = "the password that was wrong a moment ago"
)

// repeatedFor is how long a password that was wrong is taken to be wrong still. Devices with
// an old password send it again and again: it is no guess, and neither spends an allowance nor
// leads to a ban. What an operator corrects works after that time.
const repeatedFor = time.Minute

// Attempt is a login whose password is being checked. Exactly the first call of one of its
// methods counts, so that deferring Cancel is right. They may be called from one goroutine.
type Attempt struct {
	guard  *Guard // nil if nothing is to be learned, or it has been
	pair   pair
	guess  uint32
	bounds []bound
	began  time.Time
}

// bound is a meter that an attempt must pass.
type bound struct {
	*meter
	why string
}

// enter admits an attempt, or says what it has to wait for.
func (g *Guard) enter(a *Attempt) (wait <-chan struct{}, err error) {
	g.mu.Lock()
	defer g.unlock()
	now := time.Now()
	if p, ok := g.failed(a.pair, now); ok && p.guess == a.guess && now.Sub(p.checked) < repeatedFor {
		g.stats.Throttled++
		return nil, &ThrottledError{whyRepeated, p.fail(now), g.took.next()}
	}
	bounds, banned := g.bounds(a.pair, now)
	if banned {
		return nil, g.throttle(a, whyBanned, now)
	}
	for i, b := range bounds {
		switch {
		case b.free(now):
		case b.checking > 0:
			return b.wait()
		default:
			if !g.failing(a.pair, now).refused.is(a.guess) {
				for _, passed := range bounds[:i] {
					passed.spend(now) // as if it had been checked: or the next answers would tell
				}
			}
			return nil, g.throttle(a, b.why, now)
		}
	}
	for _, b := range bounds {
		b.checking++
	}
	a.bounds, a.began = bounds, now
	return nil, nil
}

// bounds are the meters that bound guesses of a pair. banned tells that nothing may be guessed.
func (g *Guard) bounds(p pair, now time.Time) (bounds []bound, banned bool) {
	l := g.limits.Load()
	k, known := g.knows(p, now)
	if !known && g.banned(p.home, now) != nil {
		return nil, true
	}
	add := func(n int, m *meter, why string) {
		if n > 0 {
			bounds = append(bounds, bound{m, why})
		}
	}
	if known {
		add(l.AddressPerMinute, k.minute.of(l.AddressPerMinute, time.Minute), whyBoth)
		add(l.AccountPerHour, k.hour.of(l.AccountPerHour, time.Hour), whyBoth)
		return bounds, false
	}
	add(l.AddressPerMinute, g.address(p.home).guesses.of(l.AddressPerMinute, time.Minute), whyAddress)
	add(l.AccountPerHour, g.account(p.account).of(l.AccountPerHour, time.Hour), whyAccount)
	return bounds, false
}

// throttle refuses an attempt, which counts as a failure all the same, unless it is the last
// one of its pair again: devices with an old password, many at one address, must not ban it.
func (g *Guard) throttle(a *Attempt, why string, now time.Time) error {
	p := g.failing(a.pair, now)
	if again := p.refused.is(a.guess) || !p.checked.IsZero() && p.guess == a.guess; !again {
		g.count(a.pair.home, now)
	}
	p.refused = some(a.guess)
	g.stats.Throttled++
	return &ThrottledError{why, p.fail(now), g.took.next()}
}

// Fail says that the password was wrong, and returns by how long the answer is to be put off.
// The delay is the session's to wait: the right password never waits.
func (a *Attempt) Fail() time.Duration {
	g := a.guard
	if g == nil {
		return 0
	}
	g.mu.Lock()
	defer g.unlock()
	now := time.Now()
	p := g.failing(a.pair, now)
	again := !p.checked.IsZero() && p.guess == a.guess
	a.leave(func(m *meter) {
		if !again {
			m.spend(now)
		}
	})
	if !again {
		g.count(a.pair.home, now)
	}
	p.guess, p.checked = a.guess, now
	g.took.add(now.Sub(a.began))
	return p.fail(now)
}

// Succeed says that the password was right: from now on the account is known at the address.
// What the address has failed at other accounts stays counted.
func (a *Attempt) Succeed() {
	g := a.guard
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.unlock()
	a.leave(func(*meter) {})
	g.learn(a.pair, time.Now())
}

// Cancel says that nothing was found out.
func (a *Attempt) Cancel() {
	g := a.guard
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.unlock()
	a.leave(func(*meter) {})
}

// leave ends the attempt and lets those go on that wait for it. The guard's mutex is held.
func (a *Attempt) leave(settle func(*meter)) {
	for _, b := range a.bounds {
		settle(b.meter)
		b.leave()
	}
	a.guard = nil
}
