package cache_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/cache"
)

// directory is a cache over a listed directory of n files, and the keys of the files.
func directory(tb testing.TB, n int, m mem.Options) (*cache.Cache, *cache.Backend, []string) {
	store := mem.New(m)
	c := cache.New(cache.Options{TTL: time.Hour})
	b := c.Backend(store)
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("cams/front/2026-11-22/frame-%07d.jpg", i)
		put(tb, tb.Context(), store, keys[i], "x")
	}
	listOf(tb.Context(), b, backends.Query{Prefix: "cams/front/2026-11-22/", Delimiter: true})
	return c, b, keys
}

// Budget: 300 ns, no allocation.
func BenchmarkStatHit(b *testing.B) {
	_, c, keys := directory(b, 1000, mem.Options{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Stat(b.Context(), keys[i%len(keys)], backends.StatOptions{Complete: true})
	}
}

// Budget: 1 µs, one allocation (the error).
func BenchmarkStatHitAbsent(b *testing.B) {
	_, c, _ := directory(b, 1000, mem.Options{})
	b.ReportAllocs()
	for b.Loop() {
		c.Stat(b.Context(), "cams/front/2026-11-22/none", backends.StatOptions{})
	}
}

// Budget: 300 ns, no allocation, whatever the size of the page.
func BenchmarkListHit(b *testing.B) {
	_, c, _ := directory(b, 1000, mem.Options{})
	q := backends.Query{Prefix: "cams/front/2026-11-22/", Delimiter: true}
	b.ReportAllocs()
	for b.Loop() {
		c.List(b.Context(), q)
	}
}

// Budget: 500 ns, no allocation.
func BenchmarkPeekPrefix(b *testing.B) {
	_, c, _ := directory(b, 1000, mem.Options{})
	b.ReportAllocs()
	for b.Loop() {
		c.PeekPrefix("cams/front/2026-11-22/x/")
	}
}

func TestHitsDoNotAllocate(t *testing.T) {
	_, c, keys := directory(t, 10, mem.Options{})
	q := backends.Query{Prefix: "cams/front/2026-11-22/", Delimiter: true}
	for name, hit := range map[string]func(){
		"stat": func() { c.Stat(t.Context(), keys[0], backends.StatOptions{}) },
		"list": func() { c.List(t.Context(), q) },
		"peek": func() { c.PeekPrefix("cams/front/2026-11-22/x/") },
	} {
		if got := testing.AllocsPerRun(100, hit); got > 0 {
			t.Errorf("%s: %.0f allocations", name, got)
		}
	}
	absent := func() { c.Stat(t.Context(), "cams/front/2026-11-22/none", backends.StatOptions{}) }
	if got := testing.AllocsPerRun(100, absent); got > 1 {
		t.Errorf("absent: %.0f allocations, want 1", got)
	}
}

// TestAccountingCoversTheHeap compares what the cache charges for entries with what the
// heap grows by.
func TestAccountingCoversTheHeap(t *testing.T) {
	for name, m := range map[string]mem.Options{"partial": {Partial: true}, "complete": {}} {
		t.Run(name, func(t *testing.T) {
			c, _, keys := directory(t, 1, m)
			store := mem.New(m)
			b := c.Backend(store)
			for i := range 10_000 { // in directories small enough to be kept
				put(t, t.Context(), store, fmt.Sprintf("%s/%03d/%06d", keys[0], i/500, i), "x")
			}
			before := heap()
			_, chargedBefore := c.Usage()
			for i := range 20 {
				for range backends.Entries(t.Context(), b, fmt.Sprintf("%s/%03d/", keys[0], i)) {
				}
			}
			grown := heap() - before
			entries, charged := c.Usage()
			charged -= chargedBefore
			t.Logf("%d entries, %d bytes charged, heap grew by %d", entries, charged, grown)
			if entries < 10_000 || grown > charged {
				t.Errorf("%d entries, %d bytes charged, but the heap grew by %d", entries, charged, grown)
			}
			if charged > 3*grown {
				t.Errorf("%d bytes charged are too many: the heap grew by %d", charged, grown)
			}
			runtime.KeepAlive(store)
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
