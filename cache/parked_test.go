package cache_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/cache"
)

// park leaves an upload of key parked.
func park(t failer, ctx context.Context, b backends.Backend, key, content string) {
	t.Helper()
	u, err := b.Create(ctx, key, backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Park(); err != nil {
		t.Fatal(err)
	}
}

// uploads are all that b tells of q.
func uploads(t failer, ctx context.Context, b backends.Backend, q backends.ParkedQuery) []backends.Parked {
	t.Helper()
	var all []backends.Parked
	for p, err := range backends.ParkedUploads(ctx, b, q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b backends.Parked) int { return strings.Compare(a.Key+a.ID, b.Key+b.ID) })
	return all
}

func parkedOf(t failer, ctx context.Context, b backends.Backend, q backends.ParkedQuery) string {
	t.Helper()
	var names []string
	for _, p := range uploads(t, ctx, b, q) {
		names = append(names, fmt.Sprintf("%s:%d", p.Key, p.Size))
	}
	return strings.Join(names, " ")
}

func (b *bench) parked(prefix string) string {
	b.Helper()
	return parkedOf(b, b.ctx, b.cache, backends.ParkedQuery{Prefix: prefix})
}

// resume goes on with the one upload that is parked of key.
func (b *bench) resume(key string) backends.Upload {
	b.Helper()
	all := uploads(b, b.ctx, b.spy.Store, backends.ParkedQuery{Prefix: key})
	u, err := b.cache.Create(b.ctx, key, backends.CreateOptions{Resume: all[0].ID, At: all[0].Size})
	if err != nil {
		b.Fatal(err)
	}
	return u
}

func TestParkedIsAskedOnceForAll(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	park(b, b.ctx, b.spy.Store, "d/a", "12")
	park(b, b.ctx, b.spy.Store, "e", "1")
	b.equal(b.parked("d/"), "d/a:2")
	b.equal(b.parked(""), "d/a:2 e:1")
	b.equal(parkedOf(b, b.ctx, b.cache, backends.ParkedQuery{Direct: true}), "e:1")
	b.equal(b.parked("none"), "")
	b.now = b.now.Add(29 * time.Second)
	park(b, b.ctx, b.spy.Store, "behind", "1")
	b.equal(b.parked("behind"), "")
	b.spy.want(t, "parked ")
	b.now = b.now.Add(time.Second)
	b.equal(b.parked("behind"), "behind:1")
	b.spy.want(t, "parked ")
}

// TestS23_WhatIsParkedIsSeenAtOnce: what went through the cache is seen through it, and
// asked for only where the store alone can tell.
func TestS23_WhatIsParkedIsSeenAtOnce(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	park(b, b.ctx, b.spy.Store, "d/a", "12")
	park(b, b.ctx, b.spy.Store, "e", "1")
	b.parked("")
	b.spy.taken()

	park(b, b.ctx, b.cache, "d/b", "123")
	b.equal(b.parked("e"), "e:1")
	b.spy.want(t, "park d/b")
	b.equal(b.parked("d/"), "d/a:2 d/b:3")
	b.equal(b.parked("d/"), "d/a:2 d/b:3")
	b.spy.want(t, "parked ")

	u := b.resume("d/b")
	b.equal(b.parked("d/"), "d/a:2")
	b.spy.want(t, "resume d/b")
	if size, err := u.Park(); size != 3 || err != nil {
		t.Fatal(size, err)
	}
	b.equal(b.parked("d/"), "d/a:2 d/b:3")
	b.spy.want(t, "park d/b", "parked ")

	for _, p := range uploads(b, b.ctx, b.cache, backends.ParkedQuery{Prefix: "d/"}) {
		if err := b.cache.Discard(b.ctx, p); err != nil {
			t.Error(err)
		}
	}
	b.equal(b.parked("d/"), "")
	b.spy.want(t, "discard d/a", "discard d/b")

	b.resume("e").Commit()
	b.equal(b.parked(""), "")
	b.equal(b.stat("e"), "1")
	b.spy.want(t, "resume e", "commit e")
}

// TestCommitPutsItsParkedUploadsInDoubt: a store may end them with it.
func TestCommitPutsItsParkedUploadsInDoubt(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	park(b, b.ctx, b.spy.Store, "a", "12")
	b.parked("")
	put(b, b.ctx, b.cache, "b", "")
	b.equal(b.parked(""), "a:2")
	b.spy.want(t, "parked ", "commit b")
	put(b, b.ctx, b.cache, "a", "")
	b.equal(b.parked(""), "a:2")
	b.spy.want(t, "commit a", "parked ")
	u, err := b.cache.Create(b.ctx, "c", backends.CreateOptions{IfMatch: "none"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); !errors.Is(err, backends.ErrChanged) {
		t.Error(err)
	}
	b.parked("")
	b.spy.want(t, "commit c", "parked ")
}

func TestFreshAsksAndCorrects(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	park(b, b.ctx, b.spy.Store, "d/old", "12")
	park(b, b.ctx, b.spy.Store, "e", "1")
	b.parked("")
	gone := uploads(b, b.ctx, b.spy.Store, backends.ParkedQuery{Prefix: "d/"})[0]
	b.spy.Store.Discard(b.ctx, gone)
	park(b, b.ctx, b.spy.Store, "d/new", "123")
	park(b, b.ctx, b.spy.Store, "f", "1")
	park(b, b.ctx, b.cache, "d/own", "1")
	b.equal(b.parked("e"), "e:1")
	b.spy.want(t, "parked ", "park d/own")
	b.equal(parkedOf(b, b.ctx, b.cache, backends.ParkedQuery{Prefix: "d/", Fresh: true}), "d/new:3 d/own:1")
	b.equal(b.parked(""), "d/new:3 d/own:1 e:1")
	b.spy.want(t, "parked d/")
	b.equal(parkedOf(b, b.ctx, b.cache, backends.ParkedQuery{Fresh: true}), "d/new:3 d/own:1 e:1 f:1")
	b.equal(b.parked("f"), "f:1")
	b.spy.want(t, "parked ")
}

// TestResumeOfWhatIsGoneCorrects: who has lost against another process looks again.
func TestResumeOfWhatIsGoneCorrects(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	park(b, b.ctx, b.spy.Store, "a", "12")
	b.parked("")
	gone := uploads(b, b.ctx, b.spy.Store, backends.ParkedQuery{})[0]
	b.spy.Store.Discard(b.ctx, gone)
	if _, err := b.cache.Create(b.ctx, "a", backends.CreateOptions{Resume: gone.ID, At: 2}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	b.equal(b.parked("a"), "")
	b.spy.want(t, "parked ", "resume a", "parked ")
}

// TestMoreThanAPageIsAskedFor: what does not fit on a page is not remembered, and each
// query goes to the store.
func TestMoreThanAPageIsAskedFor(t *testing.T) {
	b := newBench(t, mem.Options{PageSize: 2}, cache.Options{})
	for _, key := range []string{"d/a", "d/b", "d/c", "e"} {
		park(b, b.ctx, b.spy.Store, key, "1")
	}
	b.equal(b.parked("d/"), "d/a:1 d/b:1 d/c:1")
	b.equal(b.parked("e"), "e:1")
	b.spy.want(t, "parked ", "parked d/", "parked d/", "parked e")
	b.now = b.now.Add(time.Minute)
	b.equal(b.parked("none"), "")
	b.spy.want(t, "parked ", "parked none")
}

// TestManyParkedUploadsDoNotCrowdOutTheRest: more than a quarter of the memory is not for
// them.
func TestManyParkedUploadsDoNotCrowdOutTheRest(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{Bytes: 1 << 14})
	b.behind("a")
	b.stat("a")
	for i := range 50 {
		park(b, b.ctx, b.spy.Store, fmt.Sprintf("d/%d", i), "1")
	}
	b.spy.taken()
	b.equal(b.parked("d/7"), "d/7:1")
	b.equal(b.parked("d/8"), "d/8:1")
	b.equal(b.stat("a"), "6")
	b.spy.want(t, "parked ", "parked d/8")
}

// TestParkingLeavesWhatIsKnownOfObjects: the object is not touched by it.
func TestParkingLeavesWhatIsKnownOfObjects(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	b.behind("a")
	b.equal(b.stat("a"), "6")
	b.equal(b.stat("b"), absent)
	b.spy.taken()
	for _, key := range []string{"a", "b"} {
		park(b, b.ctx, b.cache, key, "12")
		if _, err := b.resume(key).Park(); err != nil {
			t.Fatal(err)
		}
		b.cache.Discard(b.ctx, uploads(b, b.ctx, b.spy.Store, backends.ParkedQuery{Prefix: key})[0])
	}
	b.spy.taken()
	b.equal(b.stat("a"), "6")
	b.equal(b.stat("b"), absent)
	b.spy.want(t)
}

func TestS16_AlternateKeyIsRemembered(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	b.behind("d/a", "d/a-1")
	b.equal(b.stat("d/a-2"), absent)
	b.equal(b.list("d/"), "d/a-1:6 d/a:6")
	n := 0
	u, err := b.cache.Create(b.ctx, "d/a", backends.CreateOptions{IfAbsent: true, Alternate: func() string {
		n++
		return fmt.Sprint("d/a-", n)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if obj, err := u.Commit(); err != nil || obj.Key != "d/a-2" {
		t.Fatal(obj, err)
	}
	b.spy.taken()
	b.equal(b.stat("d/a-2"), "0")
	b.spy.want(t)
	b.equal(b.stat("d/a"), "6")
	b.equal(b.list("d/"), "d/a-1:6 d/a-2:0 d/a:6")
}

func TestParkedMissesShareOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{}, cache.Options{})
		park(b, b.ctx, b.spy.Store, "a", "1")
		open := make(chan struct{})
		b.spy.hold = func(string, string) { <-open }
		var wait sync.WaitGroup
		for _, prefix := range []string{"", "a", "a", ""} {
			wait.Go(func() { b.equal(b.parked(prefix), "a:1") })
		}
		ctx, cancel := context.WithCancel(t.Context())
		wait.Go(func() {
			if _, err := b.cache.Parked(ctx, backends.ParkedQuery{}); !errors.Is(err, backends.ErrUnavailable) || !errors.Is(err, context.Canceled) {
				t.Errorf("the caller who left: %v", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(open)
		wait.Wait()
		b.spy.want(t, "parked ")
	})
}

func TestTimeToLiveOfNoneAsksForWhatIsParked(t *testing.T) {
	spy := newSpy(mem.Options{})
	c := cache.New(cache.Options{}).Backend(spy)
	for range 2 {
		park(t, t.Context(), c, "a", "1")
	}
	if got := parkedOf(t, t.Context(), c, backends.ParkedQuery{Prefix: "a"}); got != "a:1 a:1" {
		t.Errorf("got %q", got)
	}
	if err := c.Discard(t.Context(), uploads(t, t.Context(), spy.Store, backends.ParkedQuery{})[0]); err != nil {
		t.Error(err)
	}
	if got := parkedOf(t, t.Context(), c, backends.ParkedQuery{Prefix: "a"}); got != "a:1" {
		t.Errorf("got %q", got)
	}
	spy.want(t, "park a", "park a", "parked a", "discard a", "parked a")
}
