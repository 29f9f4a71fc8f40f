package guard

import (
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestLimitsThatChange: new limits hold for addresses that have been counted before, and a
// ban ends when it was meant to, also behind one that is longer.
func TestLimitsThatChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long, short := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		g := New(Limits{AddressPerMinute: 2, BanAfter: 3, BanTime: time.Hour}, slog.New(slog.DiscardHandler))
		guesses := func(from netip.Addr, n int) (checked int) {
			for i := range n {
				a, err := g.Begin(t.Context(), Login{Remote: from, Account: "a", Password: string(rune('a' + i))})
				if err == nil {
					checked++
					a.Fail()
				}
			}
			return checked
		}
		if n := guesses(short, 2); n != 1 {
			t.Errorf("%d of 2 guesses were checked, not 1", n)
		}
		g.SetLimits(Limits{AddressPerMinute: 20, BanAfter: 3, BanTime: time.Hour})
		if n := guesses(long, 4); n != 3 || g.Admit(long) {
			t.Errorf("%d of 4 guesses were checked, not 3; admitted: %v", n, g.Admit(long))
		}
		g.SetLimits(Limits{AddressPerMinute: 20, BanAfter: 1, BanTime: time.Minute})
		if n := guesses(short, 2); n != 1 || g.Admit(short) {
			t.Errorf("%d of 2 guesses were checked, not 1; admitted: %v", n, g.Admit(short))
		}
		time.Sleep(2 * time.Minute)
		if !g.Admit(short) || g.Admit(long) {
			t.Errorf("after the shorter ban: %v and %v", g.Admit(short), g.Admit(long))
		}
		g.SetLimits(Limits{AddressPerMinute: 20, Exempt: []netip.Prefix{netip.PrefixFrom(long, 32)}})
		if !g.Admit(long) {
			t.Error("an exempt address is still banned")
		}
	})
}
