package cache_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/cache"
)

// forest is a store that renames directories, by one object at a time.
type forest struct{ *spy }

func (f forest) MoveTree(ctx context.Context, dst, src string) error {
	defer f.note("movetree " + src + " " + dst)()
	page, err := f.Store.List(ctx, backends.Query{Prefix: src})
	for _, o := range page.Objects {
		_, moveErr := f.Store.Move(ctx, dst+o.Key[len(src):], o.Key, backends.CopyOptions{})
		err = errors.Join(err, moveErr)
	}
	return err
}

// TestS31_MoveTreeForgetsBothDirectories: all that was known of them, and of the way to
// them, is asked for again; what is beside them is not.
func TestS31_MoveTreeForgetsBothDirectories(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	c := cache.New(cache.Options{TTL: time.Hour}).Backend(forest{b.spy})
	b.cache = c
	b.behind("from/a", "from/sub/b", "beside")
	b.list("from/")
	b.list("from/sub/")
	b.equal(b.stat("to/a"), absent)
	b.equal(b.stat("to/sub/b"), absent)
	b.equal(b.list("to/"), "")
	b.equal(b.list(""), "beside:6 from/")
	b.equal(b.stat("beside"), "6")
	b.spy.taken()
	if err := c.MoveTree(b.ctx, "to/", "from/"); err != nil {
		t.Fatal(err)
	}
	b.equal(b.stat("beside"), "6")
	b.spy.want(t, "movetree from/ to/")
	b.equal(b.stat("from/a"), absent)
	b.equal(b.stat("from/sub/b"), absent)
	b.equal(b.peek("from/sub/"), "unknown")
	b.equal(b.list("from/"), "")
	b.equal(b.stat("to/a"), "6")
	b.equal(b.complete("to/sub/b"), "6")
	b.equal(b.list("to/"), "to/a:6 to/sub/")
	b.equal(b.list(""), "beside:6 to/")
}

func TestMoveTreeWhereTheStoreCannot(t *testing.T) {
	b := newBench(t, mem.Options{}, cache.Options{})
	if err := b.cache.MoveTree(b.ctx, "to/", "from/"); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// TestAnswerOvertakenByMoveTreeIsNotKept: not even that of a key far below.
func TestAnswerOvertakenByMoveTreeIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, mem.Options{}, cache.Options{})
		c := cache.New(cache.Options{TTL: time.Hour}).Backend(forest{b.spy})
		b.cache = c
		b.behind("from/sub/a")
		g := &gate{call: "stat from/sub/a", when: "after", open: make(chan struct{})}
		b.spy.hold = g.hold
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.equal(b.stat("from/sub/a"), "6")
		}()
		synctest.Wait()
		if err := c.MoveTree(b.ctx, "to/", "from/"); err != nil {
			t.Error(err)
		}
		close(g.open)
		<-done
		b.equal(b.stat("from/sub/a"), absent)
	})
}
