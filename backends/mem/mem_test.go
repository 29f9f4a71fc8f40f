package mem_test

import (
	"context"
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
