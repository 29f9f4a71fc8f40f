package guard

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestA3_GuessesOfAnAddress: never more than ten within a minute, however many accounts and
// sessions, and no fewer than half of them, which is what an honest site with a few typing
// errors has.
func TestA3_GuessesOfAnAddress(t *testing.T) {
	l := defaults
	l.BanAfter = 0
	virtual(t, l, func(t *testing.T, d *door) {
		var accounts []string
		for i := range 100 {
			accounts = append(accounts, fmt.Sprint("account", i))
		}
		n := d.guess(stranger, 20*60*4, 250*time.Millisecond, accounts...)
		if most := d.most(time.Minute); most > 10 || n < 100 {
			t.Errorf("%d guesses within a minute, %d in all", most, n)
		}
	})
}

// TestA3_AllAtOnce: parallel sessions have no more guesses than one.
func TestA3_AllAtOnce(t *testing.T) {
	virtual(t, defaults, func(t *testing.T, d *door) {
		var wg sync.WaitGroup
		for i := range 90 {
			wg.Go(func() { d.login(stranger, "victim", fmt.Sprint("guess", i)) })
		}
		wg.Wait()
		if n := len(d.checked); n < 1 || n > 10 {
			t.Errorf("%d guesses at once", n)
		}
	})
}

// TestA3_MetersHoldTheirLimit takes from meters whatever they give.
func TestA3_MetersHoldTheirLimit(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 10, 60} {
		now := time.Unix(1e9, 0)
		m := (&meter{}).of(n, time.Hour)
		var taken []time.Time
		for range 5 * 3600 {
			for m.free(now) {
				m.spend(now)
				taken = append(taken, now)
			}
			now = now.Add(time.Second)
		}
		d := door{checked: taken}
		if most := d.most(time.Hour); most > n || len(taken) < 5*n/2 {
			t.Errorf("%d an hour: %d within an hour, %d in five", n, most, len(taken))
		}
	}
}

func TestA3_DelaysGrow(t *testing.T) {
	virtual(t, Limits{}, func(t *testing.T, d *door) {
		for i, want := range []time.Duration{0, 1, 2, 4, 8, 16, 16} {
			d.login(nat, "a", fmt.Sprint("guess", i))
			if d.delay != want*time.Second {
				t.Errorf("failure %d: %v", i+1, d.delay)
			}
		}
		if d.login(nat, "b", "guess"); d.delay != 0 {
			t.Errorf("another account behind the same address waits %v", d.delay)
		}
		if d.login(stranger, "a", "guess"); d.delay != 0 {
			t.Errorf("the account waits %v elsewhere", d.delay)
		}
		began := time.Now()
		if got := d.login(nat, "a", "right"); got != in || time.Since(began) != d.hashing {
			t.Errorf("the right password: %s after %v", got, time.Since(began))
		}
		if d.login(nat, "a", "guess"); d.delay != 0 {
			t.Errorf("after a success: %v", d.delay)
		}
	})
}

// TestA3_GuesserIsBanned: once, for an hour, with all of its /64, and nobody else.
func TestA3_GuesserIsBanned(t *testing.T) {
	virtual(t, defaults, func(t *testing.T, d *door) {
		first, second := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff")
		d.guess(first, 99, time.Second, "a", "b")
		if !d.Admit(second) {
			t.Error("banned after 99 failures")
		}
		d.guess(second, 5, time.Second, "a")
		for range 3 {
			if d.Admit(first) || d.Admit(second) {
				t.Error("admitted after 100 failures")
			}
		}
		if !d.Admit(netip.MustParseAddr("2001:db8:0:1::1")) || !d.Admit(stranger) {
			t.Error("others are banned")
		}
		if got := d.login(first, "c", "right"); got != throttled {
			t.Errorf("on a connection from before the ban: %s", got)
		}
		if log := d.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "level=WARN") ||
			!strings.Contains(log, "remote=2001:db8::/64 failures=100") {
			t.Errorf("log: %s", log)
		}
		time.Sleep(time.Hour)
		if !d.Admit(first) || d.login(first, "c", "right") != in {
			t.Error("banned for more than an hour")
		}
		if log := d.log.String(); strings.Count(log, "\n") != 2 || !strings.Contains(log, `msg="ban ended" remote=2001:db8::/64 failures=100 refused=6`) {
			t.Errorf("log: %s", log)
		}
	})
}

// TestA3_OldFailuresAreForgotten: who mistypes now and then is not banned in the end.
func TestA3_OldFailuresAreForgotten(t *testing.T) {
	virtual(t, defaults, func(t *testing.T, d *door) {
		for range 3 {
			d.guess(nat, 99, time.Second, "a", "b")
			if !d.Admit(nat) {
				t.Errorf("banned: %s", d.log)
			}
			time.Sleep(time.Hour)
		}
	})
}

// TestA4_ThrottledAtTheAccount spends what the address has, or the answers to what comes next
// would tell that nothing was checked.
// TestA4_ManyAddressesOneAccount: the account has sixty guesses an hour, from wherever, and
// its owner gets in from where it has been before, and from elsewhere sooner or later.
// TestA5_SameNAT: who guesses behind the owner's own address has the address banned for
// himself alone. Whose account is known there goes on.
// TestA5_GuessesAtAKnownAccount are bounded too, and cost others nothing.
// TestA5_OldPasswordIsNoGuess: a device that sends the same wrong password all day locks
// nobody out, and is let in within a minute of being put right.
// TestA3_ChangedPasswordIsTaken: what was wrong is not taken to be wrong for long.
func TestA3_ChangedPasswordIsTaken(t *testing.T) {
	virtual(t, defaults, func(t *testing.T, d *door) {
		d.login(nat, "a", "new")
		a, err := d.Begin(t.Context(), Login{nat, "a", "new"})
		if a != nil || err == nil {
			t.Error("checked again at once")
		}
		time.Sleep(repeatedFor)
		a, err = d.Begin(t.Context(), Login{nat, "a", "new"})
		if err != nil {
			t.Fatal(err)
		}
		a.Succeed()
	})
}

// TestRightPasswordsCostNothing: a fleet behind one address comes back all at once.
func TestRightPasswordsCostNothing(t *testing.T) {
	virtual(t, defaults, func(t *testing.T, d *door) {
		var wg sync.WaitGroup
		for i := range 250 {
			wg.Go(func() {
				if got := d.login(nat, fmt.Sprint("device", i%50), "right"); got != in {
					t.Errorf("device %d: %s", i, got)
				}
			})
		}
		wg.Wait()
		for range 10_000 {
			if got := d.login(nat, "device1", "right"); got != in {
				t.Fatal(got)
			}
		}
	})
}

// TestA1_ThrottledTakesAsLong as a wrong password.
func TestA1_ThrottledTakesAsLong(t *testing.T) {
	virtual(t, Limits{AddressPerMinute: 1}, func(t *testing.T, d *door) {
		d.login(nat, "a", "guess")
		began := time.Now()
		if got := d.login(nat, "a", "another"); got != throttled || time.Since(began) != d.hashing {
			t.Errorf("%s after %v", got, time.Since(began))
		}
	})
}

func TestWaitingIsBounded(t *testing.T) {
	virtual(t, Limits{AddressPerMinute: 1}, func(t *testing.T, d *door) {
		first, err := d.Begin(t.Context(), Login{nat, "a", "x"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range maxWaiting {
			wg.Go(func() {
				if _, err := d.Begin(ctx, Login{nat, "a", "x"}); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if _, err := d.Begin(t.Context(), Login{nat, "a", "x"}); !errors.Is(err, ErrBusy) {
			t.Errorf("one more: %v", err)
		}
		cancel()
		wg.Wait()
		first.Cancel()
		first.Cancel()
		if got := d.login(nat, "a", "right"); got != in {
			t.Errorf("after that: %s", got)
		}
	})
}

func TestExempt(t *testing.T) {
	l := defaults
	l.Exempt = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	virtual(t, l, func(t *testing.T, d *door) {
		mapped := netip.AddrFrom16(nat.As16())
		if n := d.guess(mapped, 500, 0, "a"); n != 500 || d.delay != 0 || !d.Admit(nat) {
			t.Errorf("%d of 500 are checked; the delay is %v", n, d.delay)
		}
	})
}

func TestNoLimits(t *testing.T) {
	virtual(t, Limits{}, func(t *testing.T, d *door) {
		if n := d.guess(nat, 500, 0, "a"); n != 500 || !d.Admit(nat) {
			t.Errorf("%d of 500 are checked", n)
		}
	})
}

// TestA4_NamesAreOne: the spellings of a name share its allowance.
// TestA4_MemoryIsBounded floods it with addresses and names; who is known stays known.
