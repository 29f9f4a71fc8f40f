package cache_test

import (
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/cache"
)

func TestConformance(t *testing.T) {
	stores := map[string]func() backends.Backend{
		"mem":         func() backends.Backend { return mem.New(mem.Options{}) },
		"partial mem": func() backends.Backend { return mem.New(mem.Options{Partial: true, PageSize: 7}) },
		"verbs alone": func() backends.Backend { return verbs{mem.New(mem.Options{})} },
	}
	for name, store := range stores {
		for _, ttl := range []time.Duration{0, time.Hour} {
			t.Run(name+" "+ttl.String(), func(t *testing.T) {
				backendtest.Run(t, func(*testing.T) backends.Backend {
					return cache.New(cache.Options{TTL: ttl}).Backend(store())
				}, backendtest.Features{})
			})
		}
	}
}
