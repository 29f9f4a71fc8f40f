package readahead_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/readahead"
)

// TestS20_ReplacedWhileReadAhead: while the first request goes on it brings the version
// that it found; once it was given up the read ends, and what came is of one version.
func TestS20_ReplacedWhileReadAhead(t *testing.T) {
	for _, c := range []struct {
		at   int64
		want error
	}{{3 * mib, nil}, {48 * mib, backends.ErrChanged}} {
		synctest.Test(t, func(t *testing.T) {
			d := &download{line: far(96 * mib), bank: ample()}
			replaced := false
			err := d.run(t, readahead.NewPool(d.bank), func(moved int64) {
				if !replaced && moved > c.at {
					replaced = true
					d.line.replace()
				}
			})
			if !errors.Is(err, c.want) || c.want == nil && d.moved != d.line.size {
				t.Errorf("replaced at %d: %v after %d octets", c.at, err, d.moved)
			}
		})
	}
}

// TestS21_StoreThatGoesAwayEndsReadingAhead: within the patience of one read.
func TestS21_StoreThatGoesAwayEndsReadingAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := far(96 * mib)
		l.trouble = func(o backends.OpenOptions) (int64, error) {
			if o.Offset > 48*mib {
				return -1, errStore
			}
			return 0, nil
		}
		d := &download{line: l, bank: ample()}
		start := time.Now()
		err := d.run(t, readahead.NewPool(d.bank), none)
		if !errors.Is(err, backends.ErrUnavailable) || !errors.Is(err, errStore) || errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if d.moved < 48*mib || time.Since(start) > 40*time.Second {
			t.Errorf("%d octets, after %v", d.moved, time.Since(start))
		}
	})
}

// TestS21_WrongEndOfARangeIsNoEnd: a store that has more to say in a range.
func TestS21_WrongEndOfARangeIsNoEnd(t *testing.T) {
	for _, chunks := range []int{1 << 20, 8 * 16} { // with ranges that follow, and without
		synctest.Test(t, func(t *testing.T) {
			l := far(64 * mib)
			l.talkative = true
			d := &download{line: l, bank: &bank{limit: chunks}}
			if err := d.run(t, readahead.NewPool(d.bank), none); !errors.Is(err, backends.ErrUnavailable) || d.moved < 8*mib || d.moved > 24*mib {
				t.Errorf("%d octets, %v", d.moved, err)
			}
		})
	}
}

// TestS21_FailedRangeEndsReadingAhead: the store may be asked for too much. Nothing is
// missing.
func TestS21_FailedRangeEndsReadingAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, failed, again := far(192*mib), int64(0), int64(0)
		l.trouble = func(o backends.OpenOptions) (int64, error) {
			switch {
			case failed == 0 && o.Offset > 30*mib:
				failed = o.Offset
				return -1, errStore
			case again == 0 && o.Offset > failed && o.Length == 0:
				again = o.Offset
			}
			return 0, nil
		}
		whole(t, l, ample(), none)
		if failed == 0 || again == 0 || again > failed+6*8*mib {
			t.Errorf("failed at %d, one request for the rest at %d", failed, again)
		}
	})
}

// TestFailedRangeHoldsLittle: no memory for what will not come.
func TestFailedRangeHoldsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, b, paused := far(64*mib), ample(), false
		l.trouble = func(o backends.OpenOptions) (int64, error) {
			if o.Length > 0 {
				return 64 * kib, errStore
			}
			return 0, nil
		}
		d := &download{line: l, bank: b, o: backends.OpenOptions{Offset: mib}}
		err := d.run(t, readahead.NewPool(b), func(moved int64) {
			if !paused && moved > 8*mib {
				paused = true
				time.Sleep(5 * time.Second)
				if b.most < 16*16 || b.held() > 2*64*kib {
					t.Errorf("%d chunks were lent, %d octets are held", b.most, b.held())
				}
			}
		})
		if err != nil || d.moved != 63*mib {
			t.Errorf("%d octets, %v", d.moved, err)
		}
	})
}

// TestCancelEndsWhatIsReadAhead: what has come already is of no interest then.
func TestCancelEndsWhatIsReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		b := ample()
		r, err := readahead.NewPool(b).Open(ctx, far(64*mib), "k", backends.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		p := make([]byte, 64*kib)
		for moved := 0; moved < 20*mib; {
			n, err := r.Read(p)
			if err != nil {
				t.Fatal(err)
			}
			moved += n
		}
		time.Sleep(time.Second)
		cancel()
		synctest.Wait()
		if n, err := r.Read(p); n > 0 || !errors.Is(err, context.Canceled) || b.held() == 0 {
			t.Errorf("%d octets, %v", n, err)
		}
	})
}
