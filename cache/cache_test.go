package cache_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/cache"
)

func kindOf(err error) string {
	for _, kind := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, errors.ErrUnsupported,
		backends.ErrChanged, backends.ErrRange, backends.ErrUnavailable} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return err.Error()
}

const absent = "file does not exist"

func TestStatIsAskedOnce(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	b.behind("a")
	b.equal(b.stat("a"), "6")
	b.equal(b.complete("a"), "6")
	b.equal(b.stat("none"), absent)
	b.equal(b.complete("none"), absent)
	b.spy.want(t, "stat a", "stat none")
}

func TestListingFillsWhatIsAskedNext(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	b.behind("d/a", "d/b", "d/sub/x")
	b.equal(b.list("d/"), "d/a:6 d/b:6 d/sub/")
	b.spy.want(t, "list d/")
	b.equal(b.list("d/"), "d/a:6 d/b:6 d/sub/")
	b.equal(b.complete("d/a"), "6")
	b.equal(b.stat("d/none"), absent)
	b.equal(b.peek("d/"), "true")
	b.equal(b.peek("d/sub/"), "true")
	b.equal(b.peek("d/none/"), "false")
	b.equal(b.peek("d/a/"), "false")
	b.equal(b.peek("d/sub/x/"), "unknown")
	b.equal(b.stat("d/"), absent) // the marker would be on the page
	b.spy.want(t)
}

func TestListingInPagesTellsWhatIsMissing(t *testing.T) {
	b := newBench(t, mem.Options{PageSize: 2}, cache.Options{})
	b.behind("d/a", "d/b", "d/c/x", "d/e", "d/f")
	b.list("d/")
	b.equal(b.stat("d/aa"), absent) // before the last entry of the first page
	b.equal(b.peek("d/a0/"), "false")
	b.equal(b.peek("d/c/"), "unknown")
	b.spy.want(t, "list d/")
	for range backends.Entries(b.ctx, b.cache, "d/") {
	}
	b.equal(b.peek("d/c/"), "true")
	b.equal(b.peek("d/z/"), "false")
	b.equal(b.stat("d/z"), absent)
	b.spy.want(t, "list d/", "list d/")
}

func TestS24_PartialEntriesAnswerSizeOnly(t *testing.T) {
	b := newBench(t, mem.Options{Partial: true}, cache.Options{})
	b.behind("d/a")
	b.list("d/")
	b.equal(b.stat("d/a"), "6")
	b.spy.want(t, "list d/")
	b.equal(b.complete("d/a"), "6")
	b.equal(b.complete("d/a"), "6")
	b.spy.want(t, "stat d/a")
}

func TestEmptyListingMeansNoDirectory(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	b.behind("d/a")
	for range 2 {
		for prefix, want := range map[string]bool{"d/": true, "none/": false} {
			if got, err := backends.HasPrefix(b.ctx, b.cache, prefix); got != want || err != nil {
				t.Errorf("HasPrefix(%q) = %t, %v", prefix, got, err)
			}
		}
	}
	if got := len(b.spy.taken()); got != 2 {
		t.Errorf("%d requests, want 2", got)
	}
}

func TestS23_OwnWritesAreSeenAtOnce(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	b.behind("d/a", "d/sub/x")
	see := func(list, a, n, sub, fresh string) {
		t.Helper()
		b.equal(b.list("d/"), list)
		b.equal(b.stat("d/a"), a)
		b.equal(b.stat("d/n"), n)
		b.equal(listOf(b.ctx, b.cache, backends.Query{Prefix: "d/sub/", Limit: 1}), sub)
		b.equal(b.list("d/fresh/"), fresh)
	}
	see("d/a:6 d/sub/", "6", absent, "d/sub/x:6", "")
	put(t, b.ctx, b.cache, "d/n", "123")
	see("d/a:6 d/n:3 d/sub/", "6", "3", "d/sub/x:6", "")
	put(t, b.ctx, b.cache, "d/a", "1")
	see("d/a:1 d/n:3 d/sub/", "1", "3", "d/sub/x:6", "")
	put(t, b.ctx, b.cache, "d/fresh/deep/x", "1")
	see("d/a:1 d/fresh/ d/n:3 d/sub/", "1", "3", "d/sub/x:6", "d/fresh/deep/")
	if err := b.cache.Delete(b.ctx, "d/sub/x", backends.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	see("d/a:1 d/fresh/ d/n:3", "1", "3", "", "d/fresh/deep/")
	if _, _, err := backends.Move(b.ctx, b.cache, "d/n", "d/a", backends.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	see("d/fresh/ d/n:1", absent, "1", "", "d/fresh/deep/")
	if _, err := backends.Copy(b.ctx, b.cache, "d/sub/y", "d/n", backends.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	see("d/fresh/ d/n:1 d/sub/", absent, "1", "d/sub/y:1", "d/fresh/deep/")
}

func TestWriteKeepsListingsAboveThatShowTheWay(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	b.behind("in/a", "in/b")
	b.list("")
	b.spy.taken()
	put(t, b.ctx, b.cache, "in/c", "1")
	b.equal(b.list(""), "in/")
	b.equal(b.stat("in/c"), "1")
	b.equal(b.peek("in/"), "true")
	b.spy.want(t, "commit in/c")
}

func TestS23_ForeignWritesAreSeenAfterTheTTL(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{TTL: 5 * time.Second})
	b.stat("d/a")
	b.list("d/")
	b.behind("d/a")
	b.now = b.now.Add(5*time.Second - 1)
	b.equal(b.stat("d/a"), absent)
	b.equal(b.list("d/"), "")
	b.equal(b.peek("d/"), "false")
	b.now = b.now.Add(1)
	b.equal(b.stat("d/a"), "6")
	b.equal(b.peek("d/"), "unknown")
	b.equal(b.list("d/"), "d/a:6")
}

func TestTTLCountsFromTheQuestion(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{TTL: 5 * time.Second})
	b.spy.hold = func(_, when string) {
		if when == "after" {
			b.now = b.now.Add(5 * time.Second) // the answer travels long
		}
	}
	b.stat("a")
	b.stat("a")
	b.spy.want(t, "stat a", "stat a")
}

func TestZeroTTLTurnsTheCacheOff(t *testing.T) {
	spy := newSpy(mem.Options{})
	c := cache.New(cache.Options{}).Backend(spy)
	for range 2 {
		c.Stat(t.Context(), "a", backends.StatOptions{})
		c.List(t.Context(), backends.Query{})
	}
	if _, known := c.PeekPrefix(""); known {
		t.Error("a prefix is known")
	}
	spy.want(t, "stat a", "list ", "stat a", "list ")
}

func TestOpenCorrectsTheMemory(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	b.behind("a", "b", "c")
	for _, key := range []string{"a", "b", "c"} {
		b.stat(key)
	}
	old, err := b.cache.Stat(b.ctx, "c", backends.StatOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.spy.Store.Delete(b.ctx, "a", backends.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	put(t, b.ctx, b.spy.Store, "b", "1")
	put(t, b.ctx, b.spy.Store, "c", "12")
	if _, err := b.cache.Open(b.ctx, "a", backends.OpenOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	r, err := b.cache.Open(b.ctx, "b", backends.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	if _, err := b.cache.Open(b.ctx, "c", backends.OpenOptions{IfMatch: old.ETag}); !errors.Is(err, backends.ErrChanged) {
		t.Error(err)
	}
	b.equal(b.stat("a"), absent)
	b.equal(b.stat("b"), "1")
	b.equal(b.stat("c"), "2")
}

// failing is a store that refuses.
type failing struct {
	backends.Backend
	err   error
	calls int
}

func (f *failing) Stat(context.Context, string, backends.StatOptions) (backends.Object, error) {
	f.calls++
	return backends.Object{}, f.err
}

func (f *failing) List(context.Context, backends.Query) (backends.Page, error) {
	f.calls++
	return backends.Page{}, f.err
}

func TestFailuresAreNotKept(t *testing.T) {
	for _, err := range []error{
		fs.ErrPermission, backends.ErrUnavailable, backends.ErrBusy,
		&backends.Error{Op: "stat", Kind: fs.ErrNotExist, Err: fs.ErrPermission},
	} {
		next := &failing{err: err}
		c := cache.New(cache.Options{TTL: time.Hour}).Backend(next)
		for range 2 {
			if _, got := c.Stat(t.Context(), "a", backends.StatOptions{}); !errors.Is(got, err) {
				t.Errorf("stat: %v, want %v", got, err)
			}
			if _, got := c.List(t.Context(), backends.Query{}); !errors.Is(got, err) {
				t.Errorf("list: %v, want %v", got, err)
			}
		}
		if next.calls != 4 {
			t.Errorf("%v: %d requests, want 4", err, next.calls)
		}
	}
}

// verbs hides the optional interfaces of a store.
type verbs struct{ backends.Backend }

// Create begins uploads that cannot be parked.
func (v verbs) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if o.Resume != "" {
		return nil, &backends.Error{Op: "create", Key: key, Kind: errors.ErrUnsupported}
	}
	u, err := v.Backend.Create(ctx, key, o)
	return unparkable{u}, err
}

type unparkable struct{ backends.Upload }

func (u unparkable) Park() (int64, error) {
	return 0, errors.Join(&backends.Error{Op: "park", Kind: errors.ErrUnsupported}, u.Abort())
}

func TestComposedCopyAndMoveGoThroughTheCache(t *testing.T) {
	c := cache.New(cache.Options{TTL: time.Hour}).Backend(verbs{mem.New(mem.Options{})})
	put(t, t.Context(), c, "a", "123")
	statOf(t.Context(), c, "b", backends.StatOptions{})
	if _, err := c.Copy(t.Context(), "b", "a", backends.CopyOptions{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if _, _, err := backends.Move(t.Context(), c, "b", "a", backends.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	if a, b := statOf(t.Context(), c, "a", backends.StatOptions{}), statOf(t.Context(), c, "b", backends.StatOptions{}); a != absent || b != "3" {
		t.Errorf("a: %s, b: %s", a, b)
	}
	if _, err := c.Space(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

func TestS51_EntriesAndBytesAreBounded(t *testing.T) {
	const entries, bytes = 50, 20_000
	c := cache.New(cache.Options{TTL: time.Hour, Entries: entries, Bytes: bytes})
	stores := []*cache.Backend{c.Backend(mem.New(mem.Options{})), c.Backend(mem.New(mem.Options{}))}
	for i := range 300 {
		b := stores[i%2]
		put(t, t.Context(), b, fmt.Sprintf("%s/%d", strings.Repeat("d", i), i), "1")
		listOf(t.Context(), b, backends.Query{Delimiter: true})
		if n, used := c.Usage(); n > entries || used > bytes || used < 0 {
			t.Fatalf("after %d writes: %d entries, %d bytes", i, n, used)
		}
	}
}

func TestHugeDirectoryDoesNotCrowdOutTheOthers(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{Bytes: 100_000})
	b.behind("small/a")
	for i := range 1000 {
		b.behind(fmt.Sprintf("huge/%d", i))
	}
	b.list("small/")
	b.list("huge/")
	b.spy.taken()
	b.equal(b.list("small/"), "small/a:6")
	b.equal(b.stat("small/a"), "6")
	b.equal(b.peek("huge/"), "true")
	b.spy.want(t)
}

// TestStatsCountWhatMemoryAnswers and what it does not.
func TestStatsCountWhatMemoryAnswers(t *testing.T) {
	c := cache.New(cache.Options{TTL: time.Hour})
	store := mem.New(mem.Options{})
	b := c.Backend(store)
	put(t, t.Context(), store, "d/a", "behind")
	for range 3 {
		statOf(t.Context(), b, "x", backends.StatOptions{})
		listOf(t.Context(), b, backends.Query{Prefix: "d/", Delimiter: true})
		statOf(t.Context(), b, "d/a", backends.StatOptions{})
		statOf(t.Context(), b, "d/none", backends.StatOptions{})
	}
	got := c.Stats()
	if got.Hits != 10 || got.Misses != 2 || got.Entries == 0 || got.Bytes == 0 {
		t.Errorf("got %+v", got)
	}
}
