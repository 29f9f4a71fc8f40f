package readahead_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/readahead"
)

// download is a read as a client sees it.
type download struct {
	line *line
	bank *bank
	o    backends.OpenOptions

	first time.Duration // to the first octet
	took  time.Duration
	moved int64
}

// ample is memory that no read uses up.
func ample() *bank { return &bank{limit: 1 << 20} }

// run reads until there is an end, with pauses of the client after some octets, and makes
// sure of every octet and of what must be left behind: nothing.
func (d *download) run(t *testing.T, pool *readahead.Pool, meanwhile func(moved int64)) error {
	start := time.Now()
	r, err := pool.Open(t.Context(), d.line, "k", d.o)
	if err != nil {
		return err
	}
	p := make([]byte, 128*kib)
	for err == nil {
		var n int
		n, err = r.Read(p)
		if d.moved == 0 {
			d.first = time.Since(start)
		}
		if !same(p[:n], d.o.Offset+d.moved) {
			t.Fatalf("wrong octets between %d and %d", d.moved, d.moved+int64(n))
		}
		d.moved += int64(n)
		meanwhile(d.moved)
	}
	d.took = time.Since(start)
	if closed := r.Close(); closed != nil {
		t.Error(closed)
	}
	d.leftNothing(t)
	if err == io.EOF { //nolint:errorlint // that very error
		return nil
	}
	return err
}

func (d *download) leftNothing(t *testing.T) {
	t.Helper()
	if d.line.open != 0 {
		t.Errorf("%d connections are left open", d.line.open)
	}
	if d.bank.held() != 0 || d.bank.wrongs != 0 {
		t.Errorf("%d octets are not returned, %d chunks are returned twice", d.bank.held(), d.bank.wrongs)
	}
}

func none(int64) {}

// whole reads all of the object, which is to succeed.
func whole(t *testing.T, l *line, b *bank, meanwhile func(moved int64)) *download {
	t.Helper()
	d := &download{line: l, bank: b}
	if err := d.run(t, readahead.NewPool(b), meanwhile); err != nil || d.moved != l.size {
		t.Errorf("%d octets of %d, %v", d.moved, l.size, err)
	}
	return d
}

// TestFarStoreIsReadAhead: a client that is faster than a connection of 40 MB/s gets 3.5
// times as much, and the first octet as soon as by one request.
func TestFarStoreIsReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := whole(t, far(256*mib), ample(), none)
		alone := 256 * mib * float64(time.Second) / 40e6
		if speed := alone / float64(d.took); speed < 3.5 {
			t.Errorf("%.2f times as fast as one connection", speed)
		}
		if limit := 55 * time.Millisecond; d.first > limit {
			t.Errorf("the first octet took %v", d.first)
		}
		if d.line.busiest > 6 || d.bank.most > 6*8*16 {
			t.Errorf("%d connections and %d chunks at a time", d.line.busiest, d.bank.most)
		}
		if d.line.sent != 256*mib {
			t.Errorf("%d octets were sent", d.line.sent)
		}
		for i, o := range d.line.asked() {
			if first := i == 0; first != (o == backends.OpenOptions{}) || !first && (o.IfMatch != "v0" || o.Length > 8*mib) {
				t.Errorf("request %d: %+v", i, o)
			}
		}
		if n := len(d.line.asked()); n > 32 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestOneRequestWhereMoreAreOfNoUse: as many requests as without reading ahead, and no
// memory.
func TestOneRequestWhereMoreAreOfNoUse(t *testing.T) {
	slow := func(moved int64) { time.Sleep(128 * kib * time.Second / 20e6) }
	for name, c := range map[string]struct {
		line      *line
		bank      *bank
		meanwhile func(int64)
	}{
		"slow client": {far(64 * mib), ample(), slow},
		"near store":  {&line{size: 64 * mib, latency: time.Millisecond, rate: 40e6}, ample(), none},
		"fast store":  {&line{size: 64 * mib, latency: 10 * time.Millisecond, rate: 400e6}, ample(), none},
		"no memory":   {far(64 * mib), &bank{}, none},
		"no use":      {far(64 * mib), &bank{limit: 15}, none},
		"short file":  {far(23 * mib), ample(), none},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := whole(t, c.line, c.bank, c.meanwhile)
				if n := len(d.line.asked()); n != 1 || c.bank.most > c.bank.limit || c.bank.limit > 100 && c.bank.most > 0 {
					t.Errorf("%d requests, %d chunks", n, c.bank.most)
				}
			})
		})
	}
}

// TestManyReadersAreEnough: what all get together tells that none needs more.
func TestManyReadersAreEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ample()
		pool := readahead.NewPool(b)
		done := make(chan *download)
		for range 8 {
			go func() {
				d := &download{line: far(32 * mib), bank: b}
				if err := d.run(t, pool, none); err != nil {
					t.Error(err)
				}
				done <- d
			}()
		}
		for range 8 {
			if d := <-done; len(d.line.asked()) != 1 {
				t.Errorf("%d requests", len(d.line.asked()))
			}
		}
	})
}

// TestBusyStoreIsNotFar: a store that was quick of late is near, however long it takes to
// answer now, but not for ever.
func TestBusyStoreIsNotFar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, b := far(32*mib), ample()
		pool := readahead.NewPool(b)
		requests := func(latency time.Duration) int {
			before := len(l.asked())
			l.latency = latency
			if err := (&download{line: l, bank: b}).run(t, pool, none); err != nil {
				t.Fatal(err)
			}
			return len(l.asked()) - before
		}
		if n := requests(time.Millisecond) + requests(50*time.Millisecond); n != 2 {
			t.Errorf("%d requests for two downloads from a near store", n)
		}
		for range 20 {
			r, err := pool.Open(t.Context(), l, "k", backends.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
		}
		if n := requests(50 * time.Millisecond); n < 3 {
			t.Errorf("%d requests for a download from a store that has become far", n)
		}
	})
}

// TestReadingAheadEndsWhereItDoesNotPay: where more connections bring no more, it goes on
// by one request, and tries again ever more seldom.
func TestReadingAheadEndsWhereItDoesNotPay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := far(256 * mib)
		l.shared = true
		d := whole(t, l, ample(), none)
		if n := len(l.asked()); n > 25 || l.busiest > 3 {
			t.Errorf("%d requests, %d at a time", n, l.busiest)
		}
		if alone := 256 * mib * time.Second / 40e6; d.took > alone*11/10 {
			t.Errorf("it took %v, and %v by one request", d.took, alone)
		}
	})
}

// TestMemoryThatComesLater: a read that was refused memory asks again soon.
func TestMemoryThatComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, later := &bank{}, false
		whole(t, far(96*mib), b, func(moved int64) {
			switch {
			case moved > 50*mib && b.limit == 0:
				b.limit = 1 << 20
			case moved > 60*mib && !later:
				later = true
				if b.held() == 0 {
					t.Error("nothing is read ahead")
				}
			}
		})
	})
}

// TestStalledClientHoldsLittle: what was read ahead is given up for those who read.
func TestStalledClientHoldsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, stalled := ample(), false
		whole(t, far(96*mib), b, func(moved int64) {
			if stalled || moved < 48*mib {
				return
			}
			stalled = true
			if b.held() < 16*mib {
				t.Errorf("%d octets are held while reading", b.held())
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if b.held() > 8*mib {
				t.Errorf("%d octets are held for a client that does not read", b.held())
			}
		})
	})
}

// undivided is a store whose content is of use to others if it is read to its end.
type undivided struct{ backends.Backend }

func (u undivided) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r, err := u.Backend.Open(ctx, key, o)
	if err == nil {
		r.ReadCloser = entire{r.ReadCloser}
	}
	return r, err
}

type entire struct{ io.ReadCloser }

func (entire) Whole() {}

func TestWhatIsToBeReadWholeIsNotReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 64 * mib
		l := far(size)
		r, err := readahead.NewPool(ample()).Open(t.Context(), undivided{l}, "k", backends.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if n, err := io.Copy(io.Discard, r); n != size || err != nil || len(l.asked()) != 1 {
			t.Errorf("%d octets by %d requests, %v", n, len(l.asked()), err)
		}
	})
}
