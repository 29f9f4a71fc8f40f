package quota_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/quota"
)

// unsure is a store that does not answer to the next change, having made it or not.
type unsure struct {
	*mem.Store
	next   atomic.Int32 // how: sure, notDone or doneInSilence
	listed func()       // called when a page is made and not yet told; may be nil
}

const (
	sure = iota
	notDone
	doneInSilence
)

var errSilent = &backends.Error{Op: "test", Kind: backends.ErrUnavailable}

// change makes a change, or does not, and answers or does not.
func change[T any](s *unsure, do func() (T, error)) (T, error) {
	var none T
	how := s.next.Swap(sure)
	if how == notDone {
		return none, errSilent
	}
	result, err := do()
	if how == doneInSilence {
		return none, errSilent
	}
	return result, err
}

func nothing(do func() error) func() (struct{}, error) {
	return func() (struct{}, error) { return struct{}{}, do() }
}

func (s *unsure) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	page, err := s.Store.List(ctx, q)
	if s.listed != nil && q.Fresh {
		s.listed()
	}
	return page, err
}

func (s *unsure) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	_, err := change(s, nothing(func() error { return s.Store.Delete(ctx, key, o) }))
	return err
}

func (s *unsure) Discard(ctx context.Context, p backends.Parked) error {
	_, err := change(s, nothing(func() error { return s.Store.Discard(ctx, p) }))
	return err
}

func (s *unsure) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	return change(s, func() (backends.Object, error) { return s.Store.Copy(ctx, dst, src, o) })
}

func (s *unsure) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	return change(s, func() (backends.Object, error) { return s.Store.Move(ctx, dst, src, o) })
}

func (s *unsure) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := s.Store.Create(ctx, key, o)
	if err != nil {
		return nil, err
	}
	return &unsureUpload{u, s}, nil
}

type unsureUpload struct {
	backends.Upload
	store *unsure
}

func (u *unsureUpload) Commit() (backends.Object, error) {
	return change(u.store, u.Upload.Commit)
}

func (u *unsureUpload) Park() (int64, error) { return change(u.store, u.Upload.Park) }

// world is a bucket with quotas, nested and side by side, and uploads to it on their way.
type world struct {
	t      *rapid.T
	ctx    context.Context
	store  *unsure
	ledger *quota.Ledger
	b      quota.Backend
	open   []backends.Upload
}

var limits = map[string]quota.Limit{"a/": {Bytes: 60, Files: 5}, "a/in/": {Bytes: 30}, "b/": {Files: 3}}

var modelKeys = []string{"a/1", "a/2", "a/in/1", "a/in/2", "b/1", "b/2", "c/1"}

// newWorld is a world that has been counted once.
func newWorld(t *rapid.T) *world {
	w := &world{t: t, ctx: t.Context(), store: &unsure{Store: mem.New(mem.Options{PageSize: 2, PartSize: 8})}}
	w.ledger = newLedger(t, w.store, quota.Options{})
	for prefix, limit := range limits {
		w.ledger.Limit(prefix, limit)
	}
	w.b = w.ledger.Backend(w.store)
	w.wantExact(t)
	return w
}

func key(t *rapid.T) string { return rapid.SampledFrom(modelKeys).Draw(t, "key") }

// begin begins an upload with some octets.
func (w *world) begin(t *rapid.T) {
	k := key(t)
	var o backends.CreateOptions
	switch kind := rapid.IntRange(0, 4).Draw(t, "kind"); kind {
	case 1:
		o.IfAbsent = true
	case 2:
		if obj, err := w.b.Stat(w.ctx, k, backends.StatOptions{}); err == nil {
			o.At, o.IfMatch = obj.Size/2, obj.ETag
		}
	case 3:
		for p := range backends.ParkedUploads(w.ctx, w.b, backends.ParkedQuery{Prefix: k}) {
			o.Resume, o.At = p.ID, p.Size
		}
	case 4:
		n := 0
		o.IfAbsent, o.Alternate = true, func() string { n++; return fmt.Sprint(k, "-", n) }
	}
	o.Size = rapid.Int64Range(0, 20).Draw(t, "announced")
	u, err := w.b.Create(w.ctx, k, o)
	if err != nil {
		return
	}
	w.open = append(w.open, u)
	w.write(t, u)
}

func (w *world) write(t *rapid.T, u backends.Upload) {
	_, _ = u.Write([]byte(strings.Repeat("x", rapid.IntRange(0, 25).Draw(t, "octets"))))
}

// end ends one of the uploads on their way.
func (w *world) end(t *rapid.T) {
	if len(w.open) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.open)-1).Draw(t, "upload")
	u := w.open[i]
	w.open = append(w.open[:i], w.open[i+1:]...)
	w.write(t, u)
	switch rapid.IntRange(0, 3).Draw(t, "end") {
	case 0:
		_ = u.Abort()
	case 1:
		_, _ = u.Park()
	default:
		if _, err := u.Commit(); errors.Is(err, backends.ErrUnavailable) && rapid.Bool().Draw(t, "park") {
			_, _ = u.Park()
		}
	}
	_ = u.Abort()
}

// step does something to the bucket.
func (w *world) step(t *rapid.T) {
	switch rapid.IntRange(0, 7).Draw(t, "step") {
	case 0, 1:
		w.begin(t)
	case 2, 3:
		w.end(t)
	case 4:
		_ = w.b.Delete(w.ctx, key(t), backends.DeleteOptions{})
	case 5:
		_, _, _ = backends.Move(w.ctx, w.b, key(t), key(t), backends.CopyOptions{IfAbsent: rapid.Bool().Draw(t, "absent")})
	case 6:
		from := key(t)
		if _, err := backends.Copy(w.ctx, w.b, key(t), from, backends.CopyOptions{}); err == nil {
			_ = w.b.Delete(w.ctx, from, backends.DeleteOptions{}) // as a rename does
		}
	case 7:
		for p := range backends.ParkedUploads(w.ctx, w.b, backends.ParkedQuery{Prefix: key(t)}) {
			_ = w.b.Discard(w.ctx, p)
			_ = w.b.Discard(w.ctx, p) // another session has had the same thought
		}
	}
}

// has is what the ledger has of a tree beside what it holds.
func (w *world) has(prefix string) quota.Amount {
	held, _ := w.ledger.Held(prefix)
	now := used(w.t, w.ledger, prefix)
	return quota.Amount{Bytes: now.Bytes - held.Bytes, Files: now.Files - held.Files}
}

// wantExact checks that the ledger has what the store has.
func (w *world) wantExact(t *rapid.T) {
	for prefix := range limits {
		if has, there := w.has(prefix), sum(w.t, w.store, prefix); has != there {
			t.Fatalf("%q: the ledger has %v, the store %v", prefix, has, there)
		}
	}
}

// wantWithin checks that no tree has more in it than it may.
func (w *world) wantWithin(t *rapid.T) {
	for prefix, limit := range limits {
		objects := sum(w.t, w.store, prefix)
		for p := range backends.ParkedUploads(w.ctx, w.store, backends.ParkedQuery{Prefix: prefix}) {
			objects = quota.Amount{Bytes: objects.Bytes - p.Size, Files: objects.Files - 1}
		}
		if limit.Bytes > 0 && objects.Bytes > limit.Bytes || limit.Files > 0 && objects.Files > limit.Files {
			t.Fatalf("%q holds %v of %v", prefix, objects, limit)
		}
	}
}

// close ends all uploads that are on their way; nothing is held then.
func (w *world) close(t *rapid.T) {
	for _, u := range w.open {
		_ = u.Abort()
	}
	for prefix := range limits {
		if held, claims := w.ledger.Held(prefix); held != (quota.Amount{}) || claims != 0 {
			t.Errorf("%v are held, %d claims", held, claims)
		}
	}
}

// TestX10_LedgerIsTheStore: whatever is done, in whatever order, also between the pages of a
// count, the ledger has what the store has, and no tree more than it may.
func TestX10_LedgerIsTheStore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			if prefix := rapid.SampledFrom([]string{"", "", "a/", "b/"}).Draw(t, "count"); prefix != "" {
				w.store.listed = func() { w.step(t) }
				if err := w.ledger.Recount(w.ctx, prefix); err != nil {
					t.Fatal(err)
				}
				w.store.listed = nil
			}
			w.step(t)
			w.wantExact(t)
			w.wantWithin(t)
		}
		w.close(t)
	})
}

// TestX10_DoubtCountsTheWorse: where the store does not answer, the ledger has no less than
// the store, and what the store has once that was counted.
func TestX10_DoubtCountsTheWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			w.store.next.Store(rapid.SampledFrom([]int32{sure, sure, notDone, doneInSilence}).Draw(t, "answer"))
			w.step(t)
			w.store.next.Store(sure)
			w.wantWithin(t)
			for prefix := range limits {
				if has, there := w.has(prefix), sum(t, w.store, prefix); has.Bytes < there.Bytes || has.Files < there.Files {
					t.Fatalf("%q: the ledger has %v, less than the store, %v", prefix, has, there)
				}
			}
		}
		for prefix := range limits {
			if err := w.ledger.Recount(w.ctx, prefix); err != nil {
				t.Fatal(err)
			}
		}
		w.wantExact(t)
		w.close(t)
	})
}

// TestX10_CountAmongWriters: a count that goes on while many write finds what is there when
// all is done.
func TestX10_CountAmongWriters(t *testing.T) {
	store := mem.New(mem.Options{PageSize: 3})
	l := newLedger(t, store, quota.Options{})
	l.Limit("", wide)
	b := l.Backend(store)
	used(t, l, "")
	for round := range 50 {
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(round), uint64(n)))
				for range 10 {
					write(t, b, fmt.Sprint(rng.IntN(40)), rng.IntN(100))
					_ = b.Delete(t.Context(), fmt.Sprint(rng.IntN(40)), backends.DeleteOptions{})
				}
			})
		}
		all.Go(func() {
			if err := l.Recount(t.Context(), ""); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		if got, want := used(t, l, ""), sum(t, store, ""); got != want {
			t.Fatalf("round %d: the ledger has %v, the store %v", round, got, want)
		}
	}
}

// write writes an object of so many octets.
func write(t *testing.T, b backends.Backend, key string, octets int) {
	t.Helper()
	if err := store(t.Context(), b, key, octets); err != nil {
		t.Error(err)
	}
}

func store(ctx context.Context, b backends.Backend, key string, octets int) error {
	u, err := b.Create(ctx, key, backends.CreateOptions{})
	if err != nil {
		return err
	}
	defer u.Abort()
	if _, err := u.Write(make([]byte, octets)); err != nil {
		return err
	}
	_, err = u.Commit()
	return err
}
