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

const (
	kib = 1 << 10
	mib = 1 << 20
)

func small() Options { return Options{PartSize: 100 * kib, MaxPartSize: mib, MaxParts: 10000} }

// send uploads p in pieces.
func send(ctx context.Context, f *fake, b *Budget, o Options, p []byte) (backends.Object, error) {
	u := New(ctx, f, b, o)
	defer u.Abort()
	for len(p) > 0 {
		n, err := u.Write(p[:min(len(p), 33*kib)])
		if err != nil {
			return backends.Object{}, err
		}
		p = p[n:]
	}
	return u.Commit()
}

func TestS18_SizesAboutParts(t *testing.T) {
	for _, c := range []struct {
		size  int
		calls string
	}{
		{0, "put"}, {1, "put"}, {100*kib - 1, "put"}, {100 * kib, "put"},
		{100*kib + 1, "start complete"}, {200 * kib, "start complete"}, {200*kib + 1, "start complete"}, {mib, "start complete"},
	} {
		f, b := &fake{}, NewBudget(4*mib, nil)
		obj, err := send(t.Context(), f, b, small(), pattern(c.size))
		if err != nil || obj.Size != int64(c.size) || !bytes.Equal(f.object, pattern(c.size)) {
			t.Errorf("%d octets: %+v, %v", c.size, obj, err)
		}
		if f.asked() != c.calls {
			t.Errorf("%d octets: asked for %q, want %q", c.size, f.asked(), c.calls)
		}
		if n := (c.size + 100*kib - 1) / (100 * kib); len(f.parts) > 0 && len(f.parts) != n {
			t.Errorf("%d octets: %d parts, want %d", c.size, len(f.parts), n)
		}
		wantReturned(t, b)
	}
}

// TestBytes: whatever the sizes of parts, writes, budget and spool, the bytes are those
// that were written, and everything is given back.
func TestBytes(t *testing.T) {
	spool := newSpool(t, 8*mib)
	rapid.Check(t, func(r *rapid.T) {
		o := Options{
			PartSize:    rapid.Int64Range(1, 300*kib).Draw(r, "part size"),
			MaxPartSize: mib, MaxParts: rapid.IntRange(1, 200).Draw(r, "parts"), MD5: rapid.Bool().Draw(r, "md5"),
			InFlight: rapid.IntRange(0, 5).Draw(r, "in flight"), Size: rapid.Int64Range(0, 10*mib).Draw(r, "hint"),
		}
		b := NewBudget(rapid.Int64Range(256*kib, 2*mib).Draw(r, "budget"), rapid.SampledFrom([]*Spool{nil, spool}).Draw(r, "spool"))
		f := &fake{}
		u := New(t.Context(), f, b, o)
		p := pattern(rapid.IntRange(0, 600*kib).Draw(r, "size"))
		for at := 0; at < len(p); {
			n := min(rapid.IntRange(1, 150*kib).Draw(r, "write"), len(p)-at)
			piece := bytes.Clone(p[at : at+n])
			if _, err := u.Write(piece); err != nil {
				if !errors.Is(err, backends.ErrQuota) || fits(b, o, len(p)) {
					r.Fatal(err)
				}
				u.Abort()
				wantReturned(t, b)
				return
			}
			clear(piece) // Write never keeps it
			at += n
		}
		if _, err := u.Commit(); err != nil {
			r.Fatal(err)
		}
		if !bytes.Equal(f.object, p) {
			r.Fatal("the object is not what was written")
		}
		wantReturned(t, b)
	})
}

// fits computes how much o's parts hold.
func fits(b *Budget, o Options, size int) bool {
	s, offset := newSizes(b, o), int64(0)
	for n := range o.MaxParts {
		offset += s.of(n+1, offset)
	}
	return int64(size) <= offset
}

func TestS18_QuotaBeyondMaxParts(t *testing.T) {
	o := Options{PartSize: 64 * kib, MaxPartSize: 64 * kib, MaxParts: 5}
	f, b := &fake{}, NewBudget(mib, nil)
	if _, err := send(t.Context(), f, b, o, pattern(5*64*kib)); err != nil {
		t.Errorf("the largest upload: %v", err)
	}
	f = &fake{}
	if _, err := send(t.Context(), f, b, o, pattern(5*64*kib+1)); !errors.Is(err, backends.ErrQuota) {
		t.Errorf("one octet more: %v", err)
	}
	if calls := f.asked(); calls != "start abort" && calls != "start abort abort" { // parts were in flight, or not
		t.Errorf("asked for %q", f.asked())
	}
	wantReturned(t, b)
}

// TestPartsInFlight: several parts are sent side by side, no more than InFlight.
func TestPartsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{onPart: func(context.Context, int) error { time.Sleep(time.Second); return nil }}
		o := small()
		o.InFlight = 3
		if _, err := send(t.Context(), f, NewBudget(8*mib, nil), o, pattern(mib)); err != nil {
			t.Fatal(err)
		}
		if f.width != 3 {
			t.Errorf("%d parts in flight, want 3", f.width)
		}
	})
}

// TestFewerInFlightWhenCrowded: with little memory left an upload sends one part at a time.
func TestFewerInFlightWhenCrowded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(2*mib, nil)
		other := &account{want: b.memory.capacity / 4 * 3}
		if !b.memory.try(other, other.want) {
			t.Fatal("no memory")
		}
		b.memory.seal(other)
		f := &fake{onPart: func(context.Context, int) error { time.Sleep(time.Second); return nil }}
		if _, err := send(t.Context(), f, b, small(), pattern(mib)); err != nil {
			t.Fatal(err)
		}
		if f.width != 1 {
			t.Errorf("%d parts in flight, want 1", f.width)
		}
		b.memory.close(other)
		wantReturned(t, b)
	})
}

// TestPartRepeated: a part is tried again while the store is unavailable, for some seconds
// or three times, whichever is longer; less often if each try takes long; once after any
// other error.
func TestPartRepeated(t *testing.T) {
	p := pattern(250 * kib)
	for _, c := range []struct {
		name        string
		kind        error
		failures    int
		each        time.Duration // that a failure takes
		least, most int           // tries
		want        error
	}{
		{"passes", backends.ErrUnavailable, 2, 0, 3, 3, nil},
		{"passes after seconds", backends.ErrUnavailable, 4, time.Second, 5, 5, nil},
		{"stays", backends.ErrUnavailable, 1000, 0, 6, 30, backends.ErrUnavailable},
		{"slow", backends.ErrUnavailable, 1000, 10 * time.Second, 3, 3, backends.ErrUnavailable},
		{"silent", backends.ErrUnavailable, 1000, 30 * time.Second, 2, 2, backends.ErrUnavailable},
		{"other", fs.ErrPermission, 1000, 0, 1, 1, fs.ErrPermission},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				f := &fake{onPart: func(_ context.Context, n int) error {
					if n != 1 {
						return nil
					}
					if tries++; tries > c.failures {
						return nil
					}
					time.Sleep(c.each)
					return &backends.Error{Op: "write", Kind: c.kind}
				}}
				b := NewBudget(2*mib, nil)
				_, err := send(t.Context(), f, b, small(), p)
				if !errors.Is(err, c.want) || tries < c.least || tries > c.most {
					t.Errorf("%d tries, want %d to %d: %v", tries, c.least, c.most, err)
				}
				if err == nil && !bytes.Equal(f.object, p) {
					t.Error("the object is not what was sent")
				}
				wantReturned(t, b)
			})
		})
	}
}

// TestS10_FailedPartPoisons: after a part has failed nothing becomes visible.
func TestS10_FailedPartPoisons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := &backends.Error{Op: "write", Kind: fs.ErrPermission}
		f, b := &fake{onPart: func(context.Context, int) error {
			time.Sleep(time.Second) // so that Write, which never waits, is through
			return refused
		}}, NewBudget(4*mib, nil)
		u := New(t.Context(), f, b, small())
		if _, err := u.Write(pattern(101 * kib)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if _, err := u.Write([]byte("x")); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Write: %v", err)
		}
		if _, err := u.Commit(); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Commit: %v", err)
		}
		if err := u.Abort(); err != nil || f.object != nil {
			t.Errorf("Abort: %v", err)
		}
		if f.asked() != "start abort abort" { // the part may have arrived in spite of its answer
			t.Errorf("asked for %q", f.asked())
		}
		wantReturned(t, b)
	})
}

// TestErrors: the first error of each method ends the upload with everything undone.
func TestErrors(t *testing.T) {
	refused := &backends.Error{Op: "commit", Kind: fs.ErrExist}
	refuse := func(context.Context, int) error { return refused }
	for _, c := range []struct {
		f     *fake
		size  int
		calls string
	}{
		{&fake{onPut: refuse}, 10, "put"},
		{&fake{onStart: refuse}, 300 * kib, "start abort"},
		{&fake{onComplete: refuse}, 300 * kib, "start complete abort"},
	} {
		b := NewBudget(4*mib, nil)
		if _, err := send(t.Context(), c.f, b, small(), pattern(c.size)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", c.calls, err)
		}
		if c.f.asked() != c.calls {
			t.Errorf("asked for %q, want %q", c.f.asked(), c.calls)
		}
		wantReturned(t, b)
	}
}

// TestCommitErrorKeepsItsKind: a failed abort after a failed commit does not hide why.
func TestCommitErrorKeepsItsKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{
			onComplete: func(context.Context, int) error { return &backends.Error{Op: "commit", Kind: backends.ErrChanged} },
			onAbort:    func(context.Context, int) error { return &backends.Error{Op: "abort", Kind: backends.ErrUnavailable} },
		}
		_, err := send(t.Context(), f, NewBudget(4*mib, nil), small(), pattern(300*kib))
		if !errors.Is(err, backends.ErrChanged) || errors.Is(err, backends.ErrUnavailable) {
			t.Error(err)
		}
		if f.asked() != "start complete abort abort abort" {
			t.Errorf("asked for %q", f.asked())
		}
	})
}

// TestS17_AbortWithPartsInFlight: parts are cancelled and waited for, then the store's
// upload is ended, twice since a part may have arrived late, whatever became of ctx.
func TestS17_AbortWithPartsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f, b := &fake{}, NewBudget(4*mib, nil)
		f.onPart = func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return &backends.Error{Op: "write", Kind: backends.ErrUnavailable, Err: ctx.Err()}
		}
		f.onAbort = func(ctx context.Context, _ int) error {
			if f.busy > 0 {
				t.Error("abort with parts in flight")
			}
			return ctx.Err()
		}
		u := New(ctx, f, b, small())
		if _, err := u.Write(pattern(250 * kib)); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := u.Abort(); err != nil {
			t.Error(err)
		}
		if err := u.Abort(); err != nil {
			t.Error(err)
		}
		if f.asked() != "start abort abort" {
			t.Errorf("asked for %q", f.asked())
		}
		wantReturned(t, b)
	})
}

// TestS17_AbortIsRepeated: an abort that fails is tried again, for a limited time.
func TestS17_AbortIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tries := &fake{}, 0
		f.onAbort = func(context.Context, int) error {
			if tries++; tries == 1 {
				return &backends.Error{Op: "abort", Kind: backends.ErrUnavailable}
			}
			return nil
		}
		u := New(t.Context(), f, NewBudget(4*mib, nil), small())
		u.Write(pattern(101 * kib))
		if err := u.Abort(); err != nil || tries < 2 {
			t.Errorf("%d tries: %v", tries, err)
		}

		f.onAbort = func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }
		u = New(t.Context(), f, NewBudget(4*mib, nil), small())
		u.Write(pattern(101 * kib))
		start := time.Now()
		if err := u.Abort(); err == nil || time.Since(start) != abortTime {
			t.Errorf("hanging abort: %v after %v", err, time.Since(start))
		}
	})
}

func TestAbortBeforeAnything(t *testing.T) {
	f, b := &fake{}, NewBudget(mib, nil)
	u := New(t.Context(), f, b, small())
	u.Write(pattern(50 * kib))
	if memory, _ := b.Used(); memory != chunkSize {
		t.Errorf("%d octets for 50 KiB", memory)
	}
	if err := u.Abort(); err != nil || f.asked() != "" {
		t.Errorf("%v, asked for %q", err, f.asked())
	}
	if _, err := u.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after Abort: %v", err)
	}
	if _, err := u.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Commit after Abort: %v", err)
	}
	wantReturned(t, b)
}

func TestAbortAfterCommit(t *testing.T) {
	f := &fake{}
	u := New(t.Context(), f, NewBudget(4*mib, nil), small())
	u.Write(pattern(300 * kib))
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := u.Abort(); err != nil || f.asked() != "start complete" {
		t.Errorf("%v, asked for %q", err, f.asked())
	}
	if _, err := u.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("second Commit: %v", err)
	}
}

// TestCancelEndsWaits: cancelling ctx ends a Write that waits for memory, with a kind.
func TestCancelEndsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(256*kib, nil)
		other := &account{want: b.memory.capacity}
		b.memory.try(other, other.want)
		why := errors.New("client has gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(why) })
		u := New(ctx, &fake{}, b, small())
		if _, err := u.Write([]byte("x")); !errors.Is(err, backends.ErrUnavailable) || !errors.Is(err, why) {
			t.Errorf("Write: %v", err)
		}
		if _, err := u.Commit(); !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("Commit: %v", err)
		}
		b.memory.close(other)
		wantReturned(t, b)
	})
}
