package journal

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
)

// park leaves a parked upload of k in store and returns it.
func park(t *testing.T, store *fake) backends.Parked {
	t.Helper()
	e, err := New(store).Begin(t.Context(), "k", Record{Native: "n"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Park(t.Context(), 10, nil); err != nil {
		t.Fatal(err)
	}
	return only(t, New(store)).Parked
}

// TestS13_Take: the upload is the taker's, with its tail, and the one before knows.
func TestS13_Take(t *testing.T) {
	store := &fake{}
	before, err := New(store).Begin(t.Context(), "k", Record{Native: "n"})
	if err != nil {
		t.Fatal(err)
	}
	j := New(store)
	e, err := j.TakeTail(t.Context(), only(t, j).Parked, Record{Native: "n", Before: "b"}, section("tail"))
	if err != nil {
		t.Fatal(err)
	}
	for entry, want := range map[*Entry]bool{before: false, e: true} {
		if owned, err := entry.Owned(t.Context()); owned != want || err != nil {
			t.Errorf("owned: %v, %v", owned, err)
		}
	}
	u := only(t, j)
	if !u.Live || u.Size != -1 {
		t.Errorf("%+v", u)
	}
	e.Leave()
	r, tail, _, err := New(store).Load(t.Context(), u.ID)
	if err != nil || r.Before != "b" {
		t.Fatalf("%+v, %v", r, err)
	}
	if p, err := io.ReadAll(tail); string(p) != "tail" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
}

// TestS13_TakeOnce: of any number of gateways, and of sessions of one, at most one takes an
// upload, and if none does it is as it was.
func TestS13_TakeOnce(t *testing.T) {
	for _, processes := range []int{1, 4} {
		for range 50 {
			store := &fake{}
			p := park(t, store)
			journals := make([]*Journal, processes)
			for i := range journals {
				journals[i] = New(store)
			}
			var wg sync.WaitGroup
			var taken atomic.Int32
			for i := range 8 {
				wg.Go(func() {
					_, err := journals[i%processes].Take(t.Context(), p, Record{Native: "n"})
					switch {
					case err == nil:
						taken.Add(1)
					case !errors.Is(err, backends.ErrBusy) && !errors.Is(err, fs.ErrNotExist):
						t.Error(err)
					}
				})
			}
			wg.Wait()
			want := "k:10"
			if taken.Load() == 1 {
				want = "k:open"
			}
			if got := store.states(t); taken.Load() > 1 || got != want || processes == 1 && taken.Load() != 1 {
				t.Fatalf("taken %d times, left %q", taken.Load(), got)
			}
		}
	}
}

// TestTakeOfWhatIsGone: taken, ended, or never there.
func TestTakeOfWhatIsGone(t *testing.T) {
	store := &fake{}
	p := park(t, store)
	first, err := New(store).Take(t.Context(), p, Record{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		j := New(store)
		if _, err := j.Take(t.Context(), p, Record{}); !errors.Is(err, fs.ErrNotExist) || len(j.live) != 0 {
			t.Errorf("%v, %v", err, j.live)
		}
		if owned, _ := first.Owned(t.Context()); owned {
			if err := first.End(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	if len(store.objects) != 0 {
		t.Errorf("left: %v", store.states(t))
	}
	if _, err := New(store).Take(t.Context(), backends.Parked{ID: p.ID, Key: "other"}, Record{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestTakeAfterADeadTaker: a gateway that died while it took an upload is in nobody's way
// after a minute, whichever of the two records is taken; before, it may be alive.
func TestTakeAfterADeadTaker(t *testing.T) {
	for _, first := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			store := &fake{}
			p := park(t, store)
			dead := context.Canceled
			saved := false
			store.before = func(op, _ string) error {
				if op == "save" && !saved {
					saved = true
					return nil
				}
				return dead
			}
			if _, err := New(store).Take(t.Context(), p, Record{}); !errors.Is(err, dead) {
				t.Fatal(err)
			}
			store.before = nil
			page, err := New(store).List(t.Context(), backends.ParkedQuery{})
			if err != nil || len(page.Uploads) != 2 {
				t.Fatalf("%+v, %v", page, err)
			}
			for _, u := range page.Uploads {
				if (u.ID == p.ID) == first {
					p = u.Parked
				}
			}
			if _, err := New(store).Take(t.Context(), p, Record{}); !errors.Is(err, backends.ErrBusy) || len(store.objects) != 2 {
				t.Errorf("at once: %v", err)
			}
			time.Sleep(staleAfter)
			if _, err := New(store).Take(t.Context(), p, Record{}); err != nil || store.states(t) != "k:open" {
				t.Errorf("later: %v, %q", err, store.states(t))
			}
		})
	}
}

// TestTakeThatFails leaves the upload as it was.
func TestTakeThatFails(t *testing.T) {
	for _, fails := range []string{"save", "list"} {
		store := &fake{}
		p := park(t, store)
		store.before = func(op, _ string) error {
			if op == fails {
				return &backends.Error{Op: op, Kind: backends.ErrUnavailable}
			}
			return nil
		}
		j := New(store)
		if _, err := j.Take(t.Context(), p, Record{}); !errors.Is(err, backends.ErrUnavailable) || len(j.live) != 0 {
			t.Errorf("%s: %v, %v", fails, err, j.live)
		}
		if got := store.states(t); got != "k:10" {
			t.Errorf("%s: left %q", fails, got)
		}
	}
}

// TestLeaveTwice does not give up what has been taken again since.
func TestLeaveTwice(t *testing.T) {
	store := &fake{}
	j := New(store)
	e, err := j.Begin(t.Context(), "k", Record{})
	if err != nil {
		t.Fatal(err)
	}
	e.Leave()
	if _, err := j.Take(t.Context(), only(t, j).Parked, Record{}); err != nil {
		t.Fatal(err)
	}
	e.Leave()
	if u := only(t, j); !u.Live {
		t.Errorf("%+v", u)
	}
}

// TestDraft is of no request until it is parked, and then of one record.
func TestDraft(t *testing.T) {
	store := &fake{before: func(op, _ string) error { return errors.New(op) }}
	e := New(store).Draft("k", Record{IfMatch: "e"})
	store.before = nil
	if err := e.Park(t.Context(), 4, section("tail")); err != nil || store.states(t) != "k:4" {
		t.Errorf("%v, %q", err, store.states(t))
	}
}

// TestS13_S17_TakeWhoseDeleteWasNotAnswered: the upload still has a record, since what it
// stored would else be lost and paid for.
func TestS13_S17_TakeWhoseDeleteWasNotAnswered(t *testing.T) {
	store := &fake{}
	p := park(t, store)
	ctx, cancel := context.WithCancel(t.Context())
	store.before = func(op, key string) error {
		if op != "delete" || key != p.ID {
			return nil
		}
		store.before = nil
		if err := store.Delete(ctx, key, backends.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		cancel() // the client has gone before the answer
		return ctx.Err()
	}
	j := New(store)
	if _, err := j.TakeTail(ctx, p, Record{Native: "n"}, section("tail")); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := store.states(t); got != "k:open" || len(j.live) != 0 {
		t.Fatalf("left %q, live %v", got, j.live)
	}
}
