package vfs_test

import (
	"fmt"
	"testing"

	"causeway/backends/mem"
	"causeway/gateway/ftp"
)

// Budget: 1 ms for 1,000 entries from the cache, 3 allocations an entry.
func BenchmarkListCached(b *testing.B) {
	var keys []string
	for i := range 1000 {
		keys = append(keys, fmt.Sprintf("p/d/frame-%07d.jpg", i))
	}
	v := onBucket(b, cached(newBucket(mem.Options{Partial: true}, keys...)), all)
	dir := path(b, "/d")
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range v.List(v.ctx, dir) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// Budget: 2 µs, 5 allocations.
func BenchmarkStatCached(b *testing.B) {
	v := onBucket(b, cached(newBucket(mem.Options{}, "p/d/a")), all)
	p := path(b, "/d/a")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Stat(v.ctx, p, ftp.StatOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
