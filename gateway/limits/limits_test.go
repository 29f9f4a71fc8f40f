package limits_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/gateway/ftp"
	"causeway/gateway/limits"
)

var _ ftp.Allowance = (*limits.Session)(nil)

func enter(t *testing.T, r *limits.Registry, name string, l limits.Account) *limits.Session {
	t.Helper()
	s, err := r.Enter(name, l)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

func TestSessionsOfAnAccount(t *testing.T) {
	r, two := limits.New(limits.Total{}), limits.Account{Sessions: 2}
	first := enter(t, r, "a", two)
	enter(t, r, "a", two)
	if _, err := r.Enter("a", two); !errors.Is(err, ftp.ErrSessions) {
		t.Errorf("a third: %v", err)
	}
	enter(t, r, "b", two)
	first.Leave()
	enter(t, r, "a", two)
	if _, err := r.Enter("a", two); !errors.Is(err, ftp.ErrSessions) {
		t.Errorf("a third again: %v", err)
	}
	enter(t, r, "a", limits.Account{Sessions: 3})
}

func TestTransfersOfAnAccountAndOfAll(t *testing.T) {
	r, two := limits.New(limits.Total{Transfers: 3}), limits.Account{Transfers: 2}
	a, a2, b := enter(t, r, "a", two), enter(t, r, "a", two), enter(t, r, "b", two)
	take := func(s *limits.Session) func() {
		t.Helper()
		release, err := s.Transfer()
		if err != nil {
			t.Fatal(err)
		}
		return release
	}
	refused := func(s *limits.Session) {
		t.Helper()
		if _, err := s.Transfer(); !errors.Is(err, ftp.ErrTransfers) {
			t.Errorf("got %v", err)
		}
	}
	release := take(a)
	take(a2)
	refused(a)
	releaseB := take(b)
	release()
	release() // once more takes nothing from the others
	take(b)
	refused(b)
	refused(a)
	releaseB()
	take(a)
}

// passed is how long octets take, in the bubble's time.
func passed(t *testing.T, move func(context.Context, int) error, octets, piece int) time.Duration {
	t.Helper()
	began := time.Now()
	for range octets / piece {
		if err := move(t.Context(), piece); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(began)
}

// within checks that the time is that of the rate, less what may pass at once.
func within(t *testing.T, got, want time.Duration) {
	t.Helper()
	if got > want || got < want-want/10-time.Second/10 {
		t.Errorf("took %v, want %v", got, want)
	}
}

func TestRatesOfAnAccountAreSharedByItsSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l := limits.New(limits.Total{}), limits.Account{UploadRate: 1 << 20, DownloadRate: 2 << 20}
		a, a2, b := enter(t, r, "a", l), enter(t, r, "a", l), enter(t, r, "b", limits.Account{})
		within(t, passed(t, a.Receive, 10<<20, 128<<10), 10*time.Second)
		within(t, passed(t, a.Send, 10<<20, 8<<10), 5*time.Second)
		if d := passed(t, b.Receive, 1<<30, 128<<10); d != 0 {
			t.Errorf("an account without a limit waited for %v", d)
		}
		time.Sleep(time.Minute) // what is not used is not saved up
		began := time.Now()
		var both sync.WaitGroup
		for _, s := range []*limits.Session{a, a2} {
			both.Go(func() { passed(t, s.Receive, 5<<20, 64<<10) })
		}
		both.Wait()
		within(t, time.Since(began), 10*time.Second)
	})
}

func TestRateOfAllAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := limits.New(limits.Total{UploadRate: 1 << 20, DownloadRate: 1 << 20})
		began := time.Now()
		var all sync.WaitGroup
		for _, name := range []string{"a", "b", "c", "d"} {
			s := enter(t, r, name, limits.Account{})
			all.Go(func() { passed(t, s.Receive, 2<<20, 64<<10) })
			all.Go(func() { passed(t, s.Send, 1<<20, 64<<10) })
		}
		all.Wait()
		within(t, time.Since(began), 8*time.Second)
	})
}

func TestWaitsEndWithTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := enter(t, limits.New(limits.Total{}), "a", limits.Account{UploadRate: 1 << 10})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		for {
			if err := s.Receive(ctx, 8<<10); err != nil {
				break
			}
		}
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("waited for %v", d)
		}
	})
}

func TestCommandsOfAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l := limits.New(limits.Total{}), limits.Account{CommandRate: 20}
		a, a2 := enter(t, r, "a", l), enter(t, r, "a", l)
		began := time.Now()
		for range 20 {
			if err := a.Command(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("a second's worth waited for %v", d)
		}
		for range 100 {
			if err := errors.Join(a.Command(t.Context()), a2.Command(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
		within(t, time.Since(began), 10*time.Second)
	})
}

// TestLimitsThatHaveChanged hold for the sessions that there are, from the next login on.
func TestLimitsThatHaveChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := limits.New(limits.Total{})
		s := enter(t, r, "a", limits.Account{})
		if d := passed(t, s.Receive, 8<<20, 64<<10); d != 0 {
			t.Errorf("without a limit: %v", d)
		}
		enter(t, r, "a", limits.Account{UploadRate: 1 << 20})
		within(t, passed(t, s.Receive, 8<<20, 64<<10), 8*time.Second)
		enter(t, r, "a", limits.Account{UploadRate: 4 << 20})
		within(t, passed(t, s.Receive, 8<<20, 64<<10), 2*time.Second)
	})
}
