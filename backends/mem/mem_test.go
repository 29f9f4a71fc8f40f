package mem_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
)

func TestConformance(t *testing.T) {
	for name, o := range map[string]mem.Options{"rich": {}, "meagre": {PageSize: 3, Partial: true, PartSize: 64 << 10}} {
		t.Run(name, func(t *testing.T) {
			backendtest.Run(t, func(*testing.T) backends.Backend { return mem.New(o) }, backendtest.Features{
				Leftovers:    func(_ context.Context, b backends.Backend) ([]string, error) { return b.(*mem.Store).Uploads(), nil },
				CutsAnywhere: o.PartSize == 0,
				ObjectCuts:   true,
				Reopen:       func(_ *testing.T, b backends.Backend) backends.Backend { return b.(*mem.Store).Reopen() },
				Crash:        true,
			})
		})
	}
}

func TestClockAndPartialListings(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := mem.New(mem.Options{Partial: true, Now: func() time.Time { return now }})
	u, err := s.Create(t.Context(), "k", backends.CreateOptions{Metadata: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
	page, err := s.List(t.Context(), backends.Query{})
	if err != nil || len(page.Objects) != 1 {
		t.Fatal(page, err)
	}
	if o := page.Objects[0]; !o.Partial || o.Metadata != nil || o.Sums != nil || !o.ModTime.Equal(now) {
		t.Errorf("listed as %+v", o)
	}
}

// TestCrashKeepsWholeParts: what a process that is killed has not parked is resumed as far
// as its parts go; what it has parked is there to the last octet.
func TestCrashKeepsWholeParts(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := mem.New(mem.Options{PartSize: 4, Now: func() time.Time { return now }})
	begin := func(key string) backends.Upload {
		u, err := s.Create(t.Context(), key, backends.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte("0123456789")[:len(key)]); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
		return u
	}
	begin("abc")
	dead := begin("abcdefghi")
	if size, err := begin("parked").Park(); size != 6 || err != nil {
		t.Fatal(size, err)
	}
	s.Crash()
	if _, err := dead.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("commit of a dead process: %v", err)
	}
	if err := dead.Abort(); err != nil {
		t.Error(err)
	}
	for _, b := range []*mem.Store{s, s.Reopen()} {
		page, err := b.Parked(t.Context(), backends.ParkedQuery{})
		if err != nil || len(page.Uploads) != 2 {
			t.Fatal(page, err)
		}
		first, second := page.Uploads[0], page.Uploads[1]
		if first.Key != "abcdefghi" || first.Size != 8 || !first.ModTime.Equal(now.Add(-2*time.Second)) {
			t.Errorf("of the one that died: %+v at %v", first, now)
		}
		if second.Key != "parked" || second.Size != 6 {
			t.Errorf("of the one parked: %+v", second)
		}
	}
}

// TestZombieLosesItsUpload: who goes on with an upload that another process has resumed
// is told so.
func TestZombieLosesItsUpload(t *testing.T) {
	s := mem.New(mem.Options{})
	for name, end := range map[string]func(backends.Upload) error{
		"park":   func(u backends.Upload) error { _, err := u.Park(); return err },
		"commit": func(u backends.Upload) error { _, err := u.Commit(); return err },
	} {
		u, err := s.Create(t.Context(), name, backends.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte("some")); err != nil {
			t.Fatal(err)
		}
		other := s.Reopen()
		page, err := other.Parked(t.Context(), backends.ParkedQuery{Prefix: name})
		if err != nil || len(page.Uploads) != 1 {
			t.Fatal(page, err)
		}
		if _, err := other.Create(t.Context(), name, backends.CreateOptions{Resume: page.Uploads[0].ID, At: 2}); err != nil {
			t.Fatal(err)
		}
		if err := end(u); !errors.Is(err, backends.ErrChanged) {
			t.Errorf("%s of an upload that is another's: %v", name, err)
		}
	}
}
