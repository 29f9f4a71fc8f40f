package multipart

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"causeway/backends"
)

var errDown = &backends.Error{Op: "write", Kind: backends.ErrUnavailable}

// begin starts an upload of 100 KiB parts and writes size octets.
func begin(t *testing.T, ctx context.Context, f *fake, b *Budget, o Options, size int) *Upload {
	t.Helper()
	u := New(ctx, f, b, o)
	if n, err := u.Write(pattern(size)); err != nil {
		t.Fatalf("octet %d: %v", n, err)
	}
	return u
}

// wantParked parks u and wants the first size octets of pattern kept.
func wantParked(t *testing.T, u *Upload, f *fake, size int) {
	t.Helper()
	n, err := u.Park()
	if err != nil || n != int64(size) || !bytes.Equal(f.parked, pattern(size)) {
		t.Errorf("parked %d octets, %d are there, want %d: %v", n, len(f.parked), size, err)
	}
	wantReturned(t, u.budget)
}

// TestS13_ParkKeepsWhatArrived: parts that are stored, parts under way, and the part that
// is being filled, also when the upload's context has ended.
func TestS13_ParkKeepsWhatArrived(t *testing.T) {
	for _, c := range []struct {
		size  int
		calls string
	}{
		{1, "keep 0+1"}, {100 * kib, "keep 0+102400"}, {100*kib + 1, "start keep 1+1"}, {350 * kib, "start keep 3+51200"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{onPart: func(context.Context, int) error { time.Sleep(time.Second); return nil }}
			ctx, cancel := context.WithCancel(t.Context())
			u := begin(t, ctx, f, NewBudget(4*mib, nil), small(), c.size)
			cancel()
			wantParked(t, u, f, c.size)
			if f.asked() != c.calls {
				t.Errorf("%d octets: asked for %q, want %q", c.size, f.asked(), c.calls)
			}
			if err := u.Abort(); err != nil || f.asked() != c.calls {
				t.Errorf("abort after park: %v, asked for %q", err, f.asked())
			}
			if _, err := u.Park(); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("second park: %v", err)
			}
		})
	}
}

// TestS13_ParkAfterAFailedPart keeps what is before it, though later parts are stored.
func TestS13_ParkAfterAFailedPart(t *testing.T) {
	for n, want := range map[int]string{1: "start abort abort", 2: "start keep 1+0", 3: "start keep 2+0"} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{onPart: func(_ context.Context, part int) error {
				if part == n {
					time.Sleep(time.Second)
					return &backends.Error{Op: "write", Kind: fs.ErrPermission}
				}
				return nil
			}}
			u := begin(t, t.Context(), f, NewBudget(4*mib, nil), small(), 350*kib)
			wantParked(t, u, f, (n-1)*100*kib)
			if f.asked() != want {
				t.Errorf("part %d failed: asked for %q, want %q", n, f.asked(), want)
			}
		})
	}
}

// TestS13_ParkAfterAFailedStart: the part that could not be sent is the tail.
func TestS13_ParkAfterAFailedStart(t *testing.T) {
	f := &fake{onStart: func(context.Context, int) error { return errDown }}
	u := New(t.Context(), f, NewBudget(4*mib, nil), small())
	if n, err := u.Write(pattern(150 * kib)); n != 100*kib || !errors.Is(err, backends.ErrUnavailable) {
		t.Fatalf("wrote %d: %v", n, err)
	}
	wantParked(t, u, f, 100*kib)
}

// TestS13_ParkIsBounded: a part that hangs costs itself and not what is stored, a store
// that hangs ends Park after 30 s, and memory of the part being filled is not kept from
// others meanwhile.
func TestS13_ParkIsBounded(t *testing.T) {
	hang := func(ctx context.Context, _ int) error { <-ctx.Done(); return errDown }
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		f.onPart = func(ctx context.Context, n int) error {
			if n == 2 {
				return hang(ctx, n)
			}
			return nil
		}
		b := NewBudget(mib, nil)
		u := begin(t, t.Context(), f, b, small(), 250*kib)
		start := time.Now()
		time.AfterFunc(time.Second, func() {
			b.memory.mu.Lock()
			defer b.memory.mu.Unlock()
			if b.memory.growing != 0 {
				t.Errorf("%d octets are growing", b.memory.growing)
			}
		})
		wantParked(t, u, f, 100*kib)
		if took := time.Since(start); took != landTime {
			t.Errorf("took %v", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := &fake{onPart: hang, onKeep: hang, onAbort: hang}
		u := begin(t, t.Context(), f, NewBudget(4*mib, nil), small(), 250*kib)
		start := time.Now()
		if _, err := u.Park(); !errors.Is(err, backends.ErrUnavailable) || time.Since(start) > parkTime {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		wantReturned(t, u.budget)
	})
}

// TestParkThatFails: what is stored is left alone, but where nothing can be parked.
func TestParkThatFails(t *testing.T) {
	for _, c := range []struct {
		kind  error
		size  int
		calls string
	}{
		{backends.ErrUnavailable, 150 * kib, "start keep 1+51200"},
		{backends.ErrChanged, 150 * kib, "start keep 1+51200"},
		{errors.ErrUnsupported, 150 * kib, "start keep 1+51200 abort"},
		{errors.ErrUnsupported, 10, "keep 0+10 abort"}, // Keep may have begun something
	} {
		f := &fake{onKeep: func(context.Context, int) error { return &backends.Error{Op: "park", Kind: c.kind} }}
		u := begin(t, t.Context(), f, NewBudget(4*mib, nil), small(), c.size)
		if n, err := u.Park(); n != 0 || !errors.Is(err, c.kind) {
			t.Errorf("%v: parked %d, %v", c.kind, n, err)
		}
		u.Abort()
		if f.asked() != c.calls {
			t.Errorf("%v: asked for %q, want %q", c.kind, f.asked(), c.calls)
		}
		wantReturned(t, u.budget)
	}
}

// TestParkOfNothing: no octets, and none but those of an object that is appended to, are
// not worth a request.
func TestParkOfNothing(t *testing.T) {
	made := func(context.Context) error { return nil }
	for _, c := range []struct {
		o     func(*Options)
		size  int
		calls string
	}{
		{func(*Options) {}, 0, ""},
		{func(o *Options) { o.Least = 10 }, 10, ""},
		{func(o *Options) { o.Least = 10 }, 11, "keep 0+11"},
		{func(o *Options) { o.Least, o.Head = mib, Head{Parts: 1, Size: mib, Make: made} }, 0, "abort"},
		{func(o *Options) { o.Head.Held = true }, 0, "abort"},
	} {
		f, o := &fake{}, small()
		c.o(&o)
		u := begin(t, t.Context(), f, NewBudget(4*mib, nil), o, c.size)
		want := int64(c.size)
		if want <= o.Least {
			want = 0
		}
		if n, err := u.Park(); n != want || err != nil {
			t.Errorf("parked %d, %v", n, err)
		}
		if f.asked() != c.calls {
			t.Errorf("asked for %q, want %q", f.asked(), c.calls)
		}
		wantReturned(t, u.budget)
	}
}

// TestS10_CommitThatIsUnavailable may be parked: nobody has to send again what is stored. Any
// other error leaves nothing, and so does a single small request, which may have made the
// object.
func TestS10_CommitThatIsUnavailable(t *testing.T) {
	for _, c := range []struct {
		kind   error
		size   int
		parked int64
		perr   error
		calls  string
	}{
		{backends.ErrUnavailable, 250 * kib, 250 * kib, nil, "start complete keep 3+0"},
		{backends.ErrUnavailable, 10 * kib, 0, nil, "put"},
		{backends.ErrChanged, 250 * kib, 0, fs.ErrClosed, "start complete abort"},
	} {
		fails := func(context.Context, int) error { return &backends.Error{Op: "commit", Kind: c.kind} }
		f := &fake{onComplete: fails, onPut: fails}
		u := begin(t, t.Context(), f, NewBudget(4*mib, nil), small(), c.size)
		if _, err := u.Commit(); !errors.Is(err, c.kind) {
			t.Error(err)
		}
		if n, err := u.Park(); n != c.parked || !errors.Is(err, c.perr) || f.asked() != c.calls {
			t.Errorf("%v: parked %d, %v; asked for %q, want %q", c.kind, n, err, f.asked(), c.calls)
		}
		wantReturned(t, u.budget)
	}
}

// TestS13_ParkIsAlwaysAPrefix: whichever parts fail, and however long they take, what is
// kept is a prefix of what was written, and all of it if nothing has failed.
func TestS13_ParkIsAlwaysAPrefix(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		fails := rapid.SliceOfN(rapid.Bool(), 8, 8).Draw(r, "fails")
		takes := rapid.SliceOfN(rapid.IntRange(0, 20), 8, 8).Draw(r, "takes")
		size := rapid.IntRange(0, 800*kib).Draw(r, "size")
		synctest.Test(t, func(t *testing.T) {
			f := &fake{onPart: func(ctx context.Context, n int) error {
				rest(ctx, time.Duration(takes[n-1])*time.Second)
				if fails[n-1] || ctx.Err() != nil {
					return &backends.Error{Op: "write", Kind: fs.ErrPermission}
				}
				return nil
			}}
			u := New(t.Context(), f, NewBudget(4*mib, nil), small())
			wrote, err := u.Write(pattern(size))
			n, perr := u.Park()
			if perr != nil || n != int64(len(f.parked)) || n > int64(wrote) || !bytes.Equal(f.parked, pattern(size)[:n]) {
				t.Fatalf("parked %d, %d are there: %v", n, len(f.parked), perr)
			}
			if kept := int(n); err == nil && !u.unsure && kept != wrote {
				t.Fatalf("parked %d of %d though nothing has failed", kept, wrote)
			}
			wantReturned(t, u.budget)
		})
	})
}
