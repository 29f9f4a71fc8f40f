package cache_test

import (
	"context"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/cache"
)

func TestConformance(t *testing.T) {
	stores := map[string]func() *mem.Store{
		"mem":         func() *mem.Store { return mem.New(mem.Options{}) },
		"partial mem": func() *mem.Store { return mem.New(mem.Options{Partial: true, PageSize: 7}) },
	}
	for name, open := range stores {
		for _, ttl := range []time.Duration{0, time.Hour} {
			decorate := func(b backends.Backend) backends.Backend { return cache.New(cache.Options{TTL: ttl}).Backend(b) }
			t.Run(name+" "+ttl.String(), func(t *testing.T) {
				var store *mem.Store // of the case that is running
				backendtest.Run(t, func(*testing.T) backends.Backend {
					store = open()
					return decorate(store)
				}, backendtest.Features{
					Leftovers:    func(context.Context, backends.Backend) ([]string, error) { return store.Uploads(), nil },
					CutsAnywhere: true, ObjectCuts: true, Crash: true,
					Reopen: func(*testing.T, backends.Backend) backends.Backend { return decorate(store.Reopen()) },
				})
			})
			t.Run("verbs alone "+name+" "+ttl.String(), func(t *testing.T) {
				backendtest.Run(t, func(*testing.T) backends.Backend { return decorate(verbs{open()}) },
					backendtest.Features{NoParking: true, ObjectCuts: true})
			})
		}
	}
}
