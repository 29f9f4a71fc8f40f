package quota_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/gateway/quota"
)

// proof is a test, or one try of a property.
type proof interface {
	rapid.TB
	Cleanup(f func())
	Context() context.Context
}

// newLedger is a ledger that counts by itself until the test has ended.
func newLedger(t proof, store backends.Backend, o quota.Options) *quota.Ledger {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	l := quota.NewLedger(store, o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return l
}

// sum is what a tree holds, by listing.
func sum(t proof, store backends.Backend, prefix string) quota.Amount {
	t.Helper()
	var all quota.Amount
	q := backends.Query{Prefix: prefix}
	for first := true; first || q.Token != ""; first = false {
		page, err := store.List(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Objects {
			if o.Key[len(o.Key)-1] != '/' {
				all.Bytes, all.Files = all.Bytes+o.Size, all.Files+1
			}
		}
		q.Token = page.Next
	}
	for p, err := range backends.ParkedUploads(context.Background(), store, backends.ParkedQuery{Prefix: prefix}) {
		if err != nil {
			t.Fatal(err)
		}
		if p.Size > 0 {
			all.Bytes, all.Files = all.Bytes+p.Size, all.Files+1
		}
	}
	return all
}

// used is what the ledger says of a tree.
func used(t proof, l *quota.Ledger, prefix string) quota.Amount {
	t.Helper()
	all, err := l.Usage(context.Background(), prefix, prefix)
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	return all[0].Used
}

// wide is a limit that nothing reaches, so that everything is counted.
var wide = quota.Limit{Bytes: math.MaxInt64, Files: math.MaxInt64}

// TestConformance: with a quota a store is what it is without one, and at the end of every
// case the ledger has what the store has.
func TestConformance(t *testing.T) {
	var l *quota.Ledger // of the case that is running
	leftovers := func(uploads func() []string) func(context.Context, backends.Backend) ([]string, error) {
		return func(_ context.Context, b backends.Backend) ([]string, error) {
			left := uploads()
			if want, got := sum(t, b, ""), used(t, l, ""); got != want {
				left = append(left, fmt.Sprintf("the ledger has %v, the store %v", got, want))
			}
			if held, claims := l.Held(""); held != (quota.Amount{}) || claims != 0 {
				left = append(left, fmt.Sprintf("%v are held, %d claims", held, claims))
			}
			return left, nil
		}
	}
	decorate := func(t *testing.T, b backends.Backend) backends.Backend {
		l = newLedger(t, b, quota.Options{})
		l.Limit("", wide)
		return l.Backend(b)
	}
	var store *mem.Store
	backendtest.Run(t, func(t *testing.T) backends.Backend {
		store = mem.New(mem.Options{})
		return decorate(t, trees{store})
	}, backendtest.Features{
		Leftovers:    leftovers(func() []string { return store.Uploads() }),
		CutsAnywhere: true, ObjectCuts: true, MovesTrees: true,
	})
}

// trees renames directories, one object after another.
type trees struct{ *mem.Store }

func (s trees) MoveTree(ctx context.Context, dst, src string) error {
	fail := func(kind error) error { return &backends.Error{Op: "move", Key: src, Kind: kind} }
	if strings.HasPrefix(dst, src) {
		return fail(fs.ErrInvalid)
	}
	from, err := s.List(ctx, backends.Query{Prefix: src})
	if err != nil {
		return err
	}
	to, err := s.List(ctx, backends.Query{Prefix: dst})
	switch {
	case err != nil:
		return err
	case len(from.Objects) == 0:
		return fail(fs.ErrNotExist)
	case len(to.Objects) > 0:
		return fail(fs.ErrExist)
	}
	for _, o := range from.Objects {
		if _, err := s.Move(ctx, dst+strings.TrimPrefix(o.Key, src), o.Key, backends.CopyOptions{}); err != nil {
			return err
		}
	}
	return nil
}
