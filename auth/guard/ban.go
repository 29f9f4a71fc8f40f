package guard

import (
	"log/slog"
	"net/netip"
	"time"
)

// ban is that of one address.
type ban struct {
	until    time.Time
	failures int // that led to it
	refused  int // connections since
}

// count counts a failed login against its address, and bans it when that was one too many.
// What fails during a ban prolongs nothing.
func (g *Guard) count(home netip.Prefix, now time.Time) {
	if g.limits.Load().BanAfter == 0 || g.banned(home, now) != nil {
		return
	}
	a := g.address(home)
	if now.Sub(a.since) > failedFor {
		a.failures, a.since = 0, now
	}
	a.failures++
	if a.failures < g.limits.Load().BanAfter {
		return
	}
	b := &ban{until: now.Add(g.limits.Load().BanTime), failures: a.failures}
	g.tell("address banned", slog.String("remote", nameOf(home)), slog.Int("failures", b.failures), slog.Time("until", b.until))
	a.failures = 0
	g.stats.Bans++
	g.bans.Add(home, b)
}

// banned is the ban of an address, or nil. It is where bans end, so that no timer has to be
// owned: in the log a ban ends with the first client that comes after it.
func (g *Guard) banned(home netip.Prefix, now time.Time) *ban {
	for {
		first, b, ok := g.bans.GetOldest() // it ends first, unless the length has been changed since
		if !ok || now.Before(b.until) {
			break
		}
		g.end(first, b)
	}
	b, ok := g.bans.Peek(home)
	if ok && !now.Before(b.until) {
		g.end(home, b)
		return nil
	}
	return b
}

func (g *Guard) end(home netip.Prefix, b *ban) {
	g.bans.Remove(home)
	g.tell("ban ended", slog.String("remote", nameOf(home)), slog.Int("failures", b.failures), slog.Int("refused", b.refused))
}

// nameOf is an address as logs show it: a network only where it counts as one.
func nameOf(home netip.Prefix) string {
	if home.IsSingleIP() {
		return home.Addr().String()
	}
	return home.String()
}
