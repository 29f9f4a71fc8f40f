package guard

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	stranger = netip.MustParseAddr("198.51.100.7")
	nat      = netip.MustParseAddr("203.0.113.1")
)

// defaults are those of the configuration.
var defaults = Limits{AddressPerMinute: 10, AccountPerHour: 60, BanAfter: 100, BanTime: time.Hour}

// outcome of a login.
type outcome string

const (
	in        outcome = "in"
	wrong     outcome = "wrong" // its password was checked
	throttled outcome = "throttled"
)

// door is a guard before accounts whose password is "right".
type door struct {
	*Guard
	t       *testing.T
	log     *strings.Builder
	hashing time.Duration
	mu      sync.Mutex
	checked []time.Time // when wrong passwords were
	delay   time.Duration
}

func newDoor(t *testing.T, l Limits) *door {
	t.Helper()
	log := &strings.Builder{}
	g := New(l, slog.New(slog.NewTextHandler(log, nil)))
	return &door{Guard: g, t: t, log: log, hashing: 30 * time.Millisecond}
}

// login has a password checked, unless the guard says no.
func (d *door) login(from netip.Addr, account, password string) outcome {
	d.t.Helper()
	a, err := d.Begin(d.t.Context(), Login{from, account, password})
	var refused *ThrottledError
	if errors.As(err, &refused) {
		d.note(refused.Delay)
		return throttled
	}
	if err != nil {
		d.t.Error(err)
		return ""
	}
	defer a.Cancel()
	began := time.Now()
	time.Sleep(d.hashing)
	if password == "right" {
		a.Succeed()
		return in
	}
	d.note(a.Fail(), began)
	return wrong
}

func (d *door) note(delay time.Duration, checked ...time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delay = delay
	d.checked = append(d.checked, checked...)
}

// guess guesses at accounts in turn, with a new password each time, and tells how many
// passwords were checked.
func (d *door) guess(from netip.Addr, times int, every time.Duration, accounts ...string) int {
	d.t.Helper()
	before := len(d.checked)
	for i := range times {
		if got := d.login(from, accounts[i%len(accounts)], fmt.Sprint("guess", len(d.checked), "-", i, from)); got == in {
			d.t.Error("a guess got in")
		}
		time.Sleep(every)
	}
	return len(d.checked) - before
}

// most is the largest number of passwords checked within any span.
func (d *door) most(span time.Duration) int {
	most := 0
	for i, first := range d.checked {
		n := 0
		for _, at := range d.checked[i:] {
			if at.Sub(first) < span {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func virtual(t *testing.T, l Limits, test func(t *testing.T, d *door)) {
	synctest.Test(t, func(t *testing.T) { test(t, newDoor(t, l)) })
}
