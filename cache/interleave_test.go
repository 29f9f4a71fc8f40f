package cache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/cache"
)

// gate holds one request at a point until it is opened.
type gate struct {
	call, when string
	used       atomic.Bool // only the first request is held
	open       chan struct{}
}

func (g *gate) hold(call, when string) {
	if call == g.call && when == g.when && g.used.CompareAndSwap(false, true) {
		<-g.open
	}
}

// TestS23_AnswerOvertakenByAWriteIsNotKept runs a write beside a request in every order:
// the request's answer is held before or after the store made it, the write before or
// after the store did it.
func TestS23_AnswerOvertakenByAWriteIsNotKept(t *testing.T) {
	asks := map[string]func(*bench){
		"stat d/a": func(b *bench) { b.complete("d/a") },
		"list d/":  func(b *bench) { b.list("d/") },
		"list ":    func(b *bench) { listOf(b.ctx, b.cache, backends.Query{}) },
		"parked ":  func(b *bench) { b.parked("d/a") },
	}
	writes := map[string]func(*bench){
		"commit d/a": func(b *bench) { put(b, b.ctx, b.cache, "d/a", "new") },
		"delete d/a": func(b *bench) { b.cache.Delete(b.ctx, "d/a", backends.DeleteOptions{}) },
		"move d/a e": func(b *bench) { b.cache.Move(b.ctx, "e", "d/a", backends.CopyOptions{}) },
		"move d/b d/a": func(b *bench) {
			b.cache.Move(b.ctx, "d/a", "d/b", backends.CopyOptions{})
		},
		"park d/a":    func(b *bench) { park(b, b.ctx, b.cache, "d/a", "and more") },
		"resume d/a":  func(b *bench) { b.resume("d/a") },
		"discard d/a": func(b *bench) { b.cache.Discard(b.ctx, uploads(b, b.ctx, b.spy.Store, parkedAsA)[0]) },
	}
	for ask := range asks {
		for write := range writes {
			for _, when := range []string{"before", "after"} {
				t.Run(when+" "+ask+" "+write, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						overtake(t, &gate{call: ask, when: when}, asks[ask], writes[write])
					})
				})
				t.Run(when+" "+write+" "+ask, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						overtake(t, &gate{call: write, when: when}, writes[write], asks[ask])
					})
				})
			}
		}
	}
}

var parkedAsA = backends.ParkedQuery{Prefix: "d/a"}

// overtake lets quick run while slow is held by g, then compares cache and store.
func overtake(t *testing.T, g *gate, slow, quick func(*bench)) {
	b := newBench(t, mem.Options{}, cache.Options{TTL: time.Hour})
	b.behind("d/a", "d/b")
	park(b, b.ctx, b.spy.Store, "d/a", "some")
	g.open = make(chan struct{})
	b.spy.hold = g.hold
	done := make(chan struct{})
	go func() {
		defer close(done)
		slow(b)
	}()
	synctest.Wait()
	quick(b)
	close(g.open)
	<-done
	same(t, b.ctx, b.cache, b.spy.Store)
}

// same compares what the cache says with what the store holds.
func same(t failer, ctx context.Context, c backends.Backend, store backends.Backend) {
	t.Helper()
	for _, key := range []string{"d/a", "d/b", "e"} {
		for _, o := range []backends.StatOptions{{}, {Complete: true}} {
			if got, want := statOf(ctx, c, key, o), statOf(ctx, store, key, o); got != want {
				t.Fatal("stat", key, "is", got, "want", want)
			}
		}
	}
	for _, q := range []backends.Query{{}, {Delimiter: true}, {Prefix: "d/", Delimiter: true}, {Prefix: "d/", Limit: 1}} {
		if got, want := listOf(ctx, c, q), listOf(ctx, store, q); got != want {
			t.Fatal("list", q, "is", got, "want", want)
		}
	}
	for _, q := range []backends.ParkedQuery{parkedAsA, {}} {
		if got, want := parkedOf(t, ctx, c, q), parkedOf(t, ctx, store, q); got != want {
			t.Fatal("parked", q, "is", got, "want", want)
		}
	}
	if exists, known := backends.PeekPrefix(c, "d/"); known && exists != (listOf(ctx, store, backends.Query{Prefix: "d/"}) != "") {
		t.Fatal("the prefix d/ is taken for", exists)
	}
}

// heldLook begins to ask for what is parked, and is held when the store has answered.
func (b *bench) heldLook(q backends.ParkedQuery) (finish func()) {
	g := &gate{call: "parked " + q.Prefix, when: "after", open: make(chan struct{})}
	b.spy.hold = g.hold
	done := make(chan struct{})
	go func() {
		defer close(done)
		uploads(b, b.ctx, b.cache, q)
	}()
	synctest.Wait()
	return func() {
		close(g.open)
		<-done
	}
}

// TestS23_NobodyJoinsAnOvertakenRequest: who asks after a change gets an answer from after it.
func TestS23_NobodyJoinsAnOvertakenRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{}, cache.Options{})
		finish := b.heldLook(backends.ParkedQuery{})
		park(b, b.ctx, b.cache, "a", "12")
		b.equal(b.parked("a"), "a:2")
		finish()
		b.equal(b.parked("a"), "a:2")

		finish = b.heldLook(backends.ParkedQuery{Prefix: "b", Fresh: true})
		park(b, b.ctx, b.cache, "b", "123")
		finish()
		b.equal(b.parked("b"), "b:3")
	})
}

// TestChangesWithoutEndAreNotKept: what is in doubt has a limit, also while the store is
// being asked.
func TestChangesWithoutEndAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{PageSize: 10_000}, cache.Options{})
		many := func() {
			for i := range 1100 {
				park(b, b.ctx, b.cache, fmt.Sprint("d/", i), "")
				b.cache.Discard(b.ctx, backends.Parked{Key: fmt.Sprint("d/", i), ID: "none"})
				b.cache.Create(b.ctx, fmt.Sprint("d/", i), backends.CreateOptions{Resume: "none"})
			}
			b.spy.taken()
		}
		b.parked("")
		many()
		b.equal(b.parked("e"), "")
		b.spy.want(t, "parked ")
		b.now = b.now.Add(time.Hour)
		finish := b.heldLook(backends.ParkedQuery{})
		many()
		finish()
		b.equal(b.parked("e"), "")
		b.spy.want(t, "parked ")
	})
}

// TestAnswersAreNotChangedUnderTheirReaders is for the race detector.
func TestAnswersAreNotChangedUnderTheirReaders(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	for i := range 50 {
		park(b, b.ctx, b.spy.Store, fmt.Sprint("d/", i), "1")
	}
	all := uploads(b, b.ctx, b.cache, backends.ParkedQuery{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range all {
				b.parked("d/4")
			}
		})
	}
	for _, p := range all {
		if err := b.cache.Discard(b.ctx, p); err != nil {
			t.Error(err)
		}
	}
	wait.Wait()
	b.equal(b.parked(""), "")
}

// TestOlderAnswerDoesNotReplaceANewerOne, which another process has parked something for.
func TestOlderAnswerDoesNotReplaceANewerOne(t *testing.T) {
	for _, q := range []backends.ParkedQuery{{Fresh: true}, {Prefix: "a", Fresh: true}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, mem.Options{}, cache.Options{})
			finish := b.heldLook(q)
			b.now = b.now.Add(time.Second)
			park(b, b.ctx, b.spy.Store, "a", "12")
			b.equal(b.parked(""), "a:2")
			finish()
			b.equal(b.parked(""), "a:2")
		})
	}
}

// TestConcurrentWritesLeaveNothingUncertain lets two commits of one key overlap so that
// the one that the store did first ends last.
func TestConcurrentWritesLeaveNothingUncertain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{call: "commit d/a", when: "after"}
		first := func(b *bench) { put(b, b.ctx, b.cache, "d/a", "first") }
		second := func(b *bench) { put(b, b.ctx, b.cache, "d/a", "the second") }
		overtake(t, g, first, second)
	})
}

func TestMissesShareOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{}, cache.Options{})
		b.behind("d/a")
		open := make(chan struct{})
		b.spy.hold = func(string, string) { <-open }
		var wait sync.WaitGroup
		for range 10 {
			wait.Go(func() { b.equal(b.stat("d/a"), "6") })
			wait.Go(func() { b.equal(b.list("d/"), "d/a:6") })
		}
		synctest.Wait()
		close(open)
		wait.Wait()
		if got := len(b.spy.taken()); got != 2 {
			t.Errorf("%d requests, want 2", got)
		}
	})
}

func TestCallerThatLeavesDoesNotEndTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{}, cache.Options{})
		b.behind("a")
		open := make(chan struct{})
		b.spy.hold = func(string, string) { <-open }
		ctx, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() {
			if _, err := b.cache.Stat(ctx, "a", backends.StatOptions{}); !errors.Is(err, backends.ErrUnavailable) || !errors.Is(err, context.Canceled) {
				t.Errorf("the caller who left: %v", err)
			}
		})
		synctest.Wait()
		wait.Go(func() { b.equal(b.stat("a"), "6") })
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(open)
		wait.Wait()
		b.spy.want(t, "stat a")
	})
}

func TestRequestOfManyCallersHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(cache.Options{TTL: time.Hour}).Backend(deaf{})
		if _, err := c.Stat(t.Context(), "a", backends.StatOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// deaf is a store that never answers.
type deaf struct{ backends.Backend }

func (deaf) Stat(ctx context.Context, key string, _ backends.StatOptions) (backends.Object, error) {
	<-ctx.Done()
	return backends.Object{}, &backends.Error{Op: "stat", Key: key, Kind: backends.ErrUnavailable, Err: ctx.Err()}
}
