package quota_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/quota"
)

// gated is a store whose commits wait.
type gated struct {
	*mem.Store
	gate chan struct{}
}

func (g gated) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := g.Store.Create(ctx, key, o)
	return gatedUpload{u, g.gate}, err
}

type gatedUpload struct {
	backends.Upload
	gate chan struct{}
}

func (u gatedUpload) Commit() (backends.Object, error) {
	obj, err := u.Upload.Commit()
	<-u.gate
	return obj, err
}

// TestCountWaitsForChangesUnderWay: an object that a page may or may not have, because it is
// being written, is counted once that is over, once.
func TestCountWaitsForChangesUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bucket := gated{mem.New(mem.Options{PageSize: 1}), make(chan struct{})}
		l := newLedger(t, bucket, quota.Options{})
		l.Limit("in/", quota.Limit{Bytes: 100})
		b := l.Backend(bucket)
		write(t, bucket.Store, "in/a", 1)
		write(t, bucket.Store, "in/c", 1)
		wantUsed(t, l, 2, 2)
		for _, others := range []int{5, 7} {
			go write(t, b, "in/b", others)
			go write(t, b, "in/d", others)
			synctest.Wait() // both are being committed
			counted := make(chan error)
			go func() { counted <- l.Recount(t.Context(), "in/") }()
			synctest.Wait()
			bucket.gate <- struct{}{}
			bucket.gate <- struct{}{}
			if err := <-counted; err != nil {
				t.Error(err)
			}
			synctest.Wait()
			is := sum(t, bucket, "in/")
			wantUsed(t, l, is.Bytes, is.Files)
		}
	})
}

// TestX10_DirectoriesBetweenTrees: the directories of a store that renames them at once stay
// where their tree is; who renames them anyhow has each of their files counted.
func TestX10_DirectoriesBetweenTrees(t *testing.T) {
	bucket := trees{mem.New(mem.Options{PageSize: 1})}
	l := newLedger(t, bucket, quota.Options{})
	l.Limit("in/", quota.Limit{Bytes: 10})
	l.Limit("in/fixed/deep/", quota.Limit{Bytes: 10})
	b := l.Backend(bucket)
	write(t, b, "in/dir/a", 1)
	write(t, b, "in/dir/b", 1)
	write(t, b, "out/dir/a", 1)
	for _, move := range [][2]string{{"out/new/", "in/dir/"}, {"in/new/", "out/dir/"}, {"in/fixed2/", "in/fixed/"}, {"in/fixed/", "in/dir/"}} {
		if err := b.MoveTree(t.Context(), move[0], move[1]); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v: %v", move, err)
		}
	}
	if err := b.MoveTree(t.Context(), "in/new/", "in/dir/"); err != nil {
		t.Error(err)
	}
	wantUsed(t, l, 2, 2)
}

// slowTrees is a store that renames directories once it is let go.
type slowTrees struct {
	trees
	begun, gate chan struct{}
}

func (s slowTrees) MoveTree(ctx context.Context, dst, src string) error {
	close(s.begun)
	<-s.gate
	return s.trees.MoveTree(ctx, dst, src)
}

// TestCountOfWhatIsBeingTornAway: a count that starts while a directory is being renamed is
// given up, too.
func TestCountOfWhatIsBeingTornAway(t *testing.T) {
	bucket := &unsure{Store: mem.New(mem.Options{PageSize: 1})}
	l := newLedger(t, bucket, quota.Options{})
	l.Limit("in/", quota.Limit{Bytes: 10})
	store := slowTrees{trees{bucket.Store}, make(chan struct{}), make(chan struct{})}
	b := l.Backend(store)
	write(t, b, "in/b/1", 1)
	write(t, b, "in/b/2", 1)
	moved := make(chan error, 1)
	go func() { moved <- b.MoveTree(t.Context(), "in/a/", "in/b/") }()
	<-store.begun
	let := sync.OnceFunc(func() {
		close(store.gate)
		if err := <-moved; err != nil {
			t.Error(err)
		}
	})
	bucket.listed = let // between the first page and the second
	if err := l.Recount(t.Context(), "in/"); err == nil {
		t.Error("it was counted")
	}
	let()
	wantUsed(t, l, 2, 2)
}

// TestCountOfWhatIsTornAway: a count during which a directory is renamed is given up.
func TestCountOfWhatIsTornAway(t *testing.T) {
	bucket := &unsure{Store: mem.New(mem.Options{PageSize: 1})}
	l := newLedger(t, bucket, quota.Options{})
	l.Limit("in/", quota.Limit{Bytes: 10})
	b := l.Backend(trees{bucket.Store})
	write(t, b, "in/b/1", 1)
	write(t, b, "in/b/2", 1)
	to, from := "in/a/", "in/b/"
	bucket.listed = func() {
		if err := b.MoveTree(t.Context(), to, from); err != nil {
			t.Error(err)
		}
		to, from = from, to
	}
	if err := l.Recount(t.Context(), "in/"); err == nil {
		t.Error("it was counted")
	}
	wantUsed(t, l, 2, 2)
}
