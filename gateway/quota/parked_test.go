package quota_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/synctest"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/quota"
)

// slowParks is a store that answers to a change of what is parked only once it is let go.
type slowParks struct {
	*mem.Store
	gate chan struct{}
}

func (s slowParks) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := s.Store.Create(ctx, key, o)
	if o.Resume != "" {
		<-s.gate
	}
	if err != nil {
		return nil, err
	}
	return slowPark{u, s.gate}, nil
}

func (s slowParks) Discard(ctx context.Context, p backends.Parked) error {
	err := s.Store.Discard(ctx, p)
	<-s.gate
	return err
}

type slowPark struct {
	backends.Upload
	gate chan struct{}
}

func (u slowPark) Park() (int64, error) {
	n, err := u.Upload.Park()
	<-u.gate
	return n, err
}

// begun begins an upload, from the beginning or with a parked one, and writes some octets.
func begun(t *testing.T, b backends.Backend, key string, o backends.CreateOptions, octets int) backends.Upload {
	t.Helper()
	u, err := b.Create(t.Context(), key, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(make([]byte, octets)); err != nil {
		t.Fatal(err)
	}
	return u
}

// parkedOf is the one parked upload of a key.
func parkedOf(t *testing.T, b backends.Backend, key string) backends.Parked {
	t.Helper()
	var found []backends.Parked
	for p, err := range backends.ParkedUploads(t.Context(), b, backends.ParkedQuery{Prefix: key}) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, p)
	}
	if len(found) != 1 {
		t.Fatalf("%v are parked", found)
	}
	return found[0]
}

// parks parks so many octets for a key.
func parks(t *testing.T, b backends.Backend, key string, octets int) {
	t.Helper()
	if n, err := begun(t, b, key, backends.CreateOptions{}, octets).Park(); err != nil || n != int64(octets) {
		t.Errorf("%d octets are kept, %v", n, err)
	}
}

// TestCountDuringParks: a count that falls into a change of what is parked, which the store
// has made and not yet answered, neither misses it nor takes it twice.
func TestCountDuringParks(t *testing.T) {
	for _, c := range []struct {
		name          string
		change        func(t *testing.T, b quota.Backend, p backends.Parked)
		octets, files int64 // that are used then
	}{
		{"park", func(t *testing.T, b quota.Backend, _ backends.Parked) { parks(t, b, "in/b", 8) }, 12, 2},
		{"discard", func(t *testing.T, b quota.Backend, p backends.Parked) {
			if err := b.Discard(t.Context(), p); err != nil {
				t.Error(err)
			}
		}, 0, 0},
		{"resume", func(t *testing.T, b quota.Backend, p backends.Parked) {
			begun(t, b, p.Key, backends.CreateOptions{Resume: p.ID, At: p.Size}, 1)
		}, 5, 1},
		{"resume in vain", func(t *testing.T, b quota.Backend, p backends.Parked) {
			_, err := b.Create(t.Context(), p.Key, backends.CreateOptions{Resume: "another"})
			if !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		}, 4, 1},
		{"resume without room", func(t *testing.T, b quota.Backend, p backends.Parked) {
			_, err := b.Create(t.Context(), p.Key, backends.CreateOptions{Resume: p.ID, At: p.Size, Size: 1000})
			wantFull(t, err)
		}, 4, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bucket := slowParks{mem.New(mem.Options{}), make(chan struct{})}
				parks(t, bucket.Store, "in/a", 4)
				l := newLedger(t, bucket, quota.Options{})
				l.Limit("in/", quota.Limit{Bytes: 100})
				wantUsed(t, l, 4, 1)
				p := parkedOf(t, bucket, "in/a")
				countDuring(t, l, bucket.gate, func() { c.change(t, l.Backend(bucket), p) })
				wantUsed(t, l, c.octets, c.files)
				parks(t, bucket.Store, "in/others", 3)
				if err := l.Recount(t.Context(), "in/"); err != nil {
					t.Error(err)
				}
				wantUsed(t, l, c.octets+3, c.files+1)
			})
		})
	}
}

// countDuring counts while a change waits at the gate, which then opens.
func countDuring(t *testing.T, l *quota.Ledger, gate chan struct{}, change func()) {
	t.Helper()
	changed, counted := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(changed)
		change()
	}()
	synctest.Wait()
	go func() { counted <- l.Recount(t.Context(), "in/") }()
	synctest.Wait() // what is parked was listed
	close(gate)
	<-changed
	if err := <-counted; err != nil {
		t.Error(err)
	}
}

// TestX10_ResumedUploadIsKept: what had been parked before is kept when the upload that goes
// on with it is cut off, also if that does not fit beside what it would replace.
func TestX10_ResumedUploadIsKept(t *testing.T) {
	l, b, _ := limited(t, quota.Limit{Bytes: 10})
	write(t, b, "in/a", 6)
	parks(t, b, "in/a", 4)
	p := parkedOf(t, b, "in/a")
	u := begun(t, b, "in/a", backends.CreateOptions{Resume: p.ID, At: p.Size}, 5)
	if n, err := u.Park(); n != 9 || err != nil {
		t.Errorf("%d octets are kept, %v", n, err)
	}
	wantUsed(t, l, 15, 2)
	wantFull(t, store(t.Context(), b, "in/b", 1))
	p = parkedOf(t, b, "in/a")
	u = begun(t, b, "in/a", backends.CreateOptions{Resume: p.ID, At: p.Size}, 1)
	if _, err := u.Commit(); err != nil {
		t.Error(err)
	}
	wantUsed(t, l, 10, 1)
}

// blindParks is a store whose credentials may not list what is parked.
type blindParks struct{ *mem.Store }

func (blindParks) Parked(context.Context, backends.ParkedQuery) (backends.ParkedPage, error) {
	return backends.ParkedPage{}, &backends.Error{Op: "park", Kind: fs.ErrPermission}
}

// TestX10_ReplacingWithoutListingParks: who replaces a file pays the difference, also with
// credentials that may not list what is parked, and no more than that.
func TestX10_ReplacingWithoutListingParks(t *testing.T) {
	l, _, bucket := limited(t, quota.Limit{Bytes: 10})
	b := l.Backend(blindParks{bucket})
	write(t, b, "in/a", 6)
	write(t, b, "in/a", 10)
	wantFull(t, store(t.Context(), b, "in/a", 11))
	wantUsed(t, l, 10, 1)
}
