package multipart

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
)

// after is the options of an upload that goes on after the first 3 parts of 100 KiB each,
// which f has.
func after(f *fake) Options {
	f.parts = map[int][]byte{}
	for n := 1; n <= 3; n++ {
		f.parts[n] = pattern(300 * kib)[(n-1)*100*kib : n*100*kib]
	}
	o := small()
	o.Head = Head{Parts: 3, Size: 300 * kib}
	return o
}

// TestS13_HeadThatIsStored: parts go on after those that are there, and an upload without
// an octet more is complete as it is.
func TestS13_HeadThatIsStored(t *testing.T) {
	for _, c := range []struct {
		size  int
		calls string
	}{{0, "complete"}, {1, "complete"}, {250 * kib, "complete"}} {
		f, b := &fake{}, NewBudget(4*mib, nil)
		p := pattern(300*kib + c.size)
		obj, err := send(t.Context(), f, b, after(f), p[300*kib:])
		if err != nil || obj.Size != int64(len(p)) || !bytes.Equal(f.object, p) || f.asked() != c.calls {
			t.Errorf("%d octets: %+v, %v, asked for %q", c.size, obj, err, f.asked())
		}
		wantReturned(t, b)
	}
}

// TestS13_HeadIsParkedAgain with what has come since, and aborted if that is asked for.
func TestS13_HeadIsParkedAgain(t *testing.T) {
	for _, size := range []int{0, 1, 150 * kib} {
		f := &fake{}
		u := New(t.Context(), f, NewBudget(4*mib, nil), after(f))
		p := pattern(300*kib + size)
		if _, err := u.Write(p[300*kib:]); err != nil {
			t.Fatal(err)
		}
		wantParked(t, u, f, len(p))
	}
	f := &fake{}
	u := New(t.Context(), f, NewBudget(4*mib, nil), after(f))
	if err := u.Abort(); err != nil || f.asked() != "abort" {
		t.Errorf("%v, asked for %q", err, f.asked())
	}
}

// TestS14_HeadIsMadeBeside what is received, also while memory is short; Commit and Park
// wait for it.
func TestS14_HeadIsMadeBeside(t *testing.T) {
	for _, commit := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f, b := &fake{}, NewBudget(2*mib, nil)
			crowd := &account{want: b.memory.capacity / 4 * 3}
			if !b.memory.try(crowd, crowd.want) {
				t.Fatal("no memory")
			}
			b.memory.seal(crowd)
			o := after(f)
			made := false
			o.Head.Make = func(ctx context.Context) error {
				made = rest(ctx, 10*time.Second)
				return nil
			}
			p := pattern(550 * kib)
			u := New(t.Context(), f, b, o)
			start := time.Now()
			if _, err := u.Write(p[300*kib:]); err != nil || time.Since(start) != 0 {
				t.Errorf("write: %v, after %v", err, time.Since(start))
			}
			b.memory.close(crowd)
			if !commit {
				wantParked(t, u, f, len(p))
			} else if obj, err := u.Commit(); err != nil || obj.Size != int64(len(p)) || !bytes.Equal(f.object, p) {
				t.Errorf("commit: %+v, %v", obj, err)
			}
			if !made {
				t.Error("nobody has waited for the head")
			}
			wantReturned(t, b)
		})
	}
}

// TestS14_HeadThatFails ends the upload: nothing becomes visible, and there is nothing that
// could be kept.
func TestS14_HeadThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		changed := &backends.Error{Op: "copy", Kind: backends.ErrChanged}
		f := &fake{}
		o := after(f)
		o.Head.Make = func(context.Context) error { return changed }
		u := New(t.Context(), f, NewBudget(4*mib, nil), o)
		synctest.Wait()
		if _, err := u.Write([]byte("x")); !errors.Is(err, backends.ErrChanged) {
			t.Errorf("write: %v", err)
		}
		if n, err := u.Park(); n != 0 || err != nil || f.asked() != "abort abort" {
			t.Errorf("parked %d, %v, asked for %q", n, err, f.asked())
		}
		u = New(t.Context(), f, NewBudget(4*mib, nil), o)
		if _, err := u.Commit(); !errors.Is(err, backends.ErrChanged) || f.object != nil {
			t.Errorf("commit: %v", err)
		}
	})
}

// TestS17_AbortEndsTheHead: a copy under way is cancelled and waited for.
func TestS17_AbortEndsTheHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		o := after(f)
		ended := false
		o.Head.Make = func(ctx context.Context) error {
			<-ctx.Done()
			ended = true
			return errDown
		}
		ctx, cancel := context.WithCancel(t.Context())
		u := New(ctx, f, NewBudget(4*mib, nil), o)
		cancel()
		synctest.Wait()
		if ended {
			t.Error("the end of the upload's context has ended the copy")
		}
		if err := u.Abort(); err != nil || !ended {
			t.Errorf("%v, copy ended: %v", err, ended)
		}
	})
}

// TestS13_HeldIsGivenUp: also where no part was sent; and a commit that fails keeps it.
func TestS13_HeldIsGivenUp(t *testing.T) {
	o := small()
	o.Head.Held = true
	for _, c := range []struct {
		put   error
		park  bool
		calls string
	}{{&backends.Error{Op: "commit", Kind: backends.ErrChanged}, false, "put abort"}, {errDown, true, "put keep 0+10"}, {errDown, false, "put abort"}} {
		f := &fake{onPut: func(context.Context, int) error { return c.put }}
		u := begin(t, t.Context(), f, NewBudget(4*mib, nil), o, 10)
		_, err := u.Commit()
		if c.park {
			if n, perr := u.Park(); n != 10 || perr != nil {
				t.Errorf("parked %d octets: %v", n, perr)
			}
		}
		if aerr := u.Abort(); !errors.Is(err, c.put) || aerr != nil || f.asked() != c.calls {
			t.Errorf("%v, %v, asked for %q, want %q", err, aerr, f.asked(), c.calls)
		}
		wantReturned(t, u.budget)
	}
}
