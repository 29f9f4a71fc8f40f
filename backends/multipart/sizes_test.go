package multipart

import (
	"fmt"
	"testing"
)

const (
	gib = 1 << 30
	tib = 1 << 40
)

// reach is the largest object in octets, checking each part on the way.
func reach(t *testing.T, b *Budget, o Options) int64 {
	t.Helper()
	s, offset := newSizes(b, o), int64(0)
	for n := 1; n <= o.MaxParts; n++ {
		size := s.of(n, offset)
		if size > o.MaxPartSize || size < min(o.PartSize, b.largest()) {
			t.Fatalf("part %d at %d is of %d octets", n, offset, size)
		}
		if b.spool == nil && size > b.largest() {
			t.Fatalf("part %d is of %d octets, more than a quarter of the budget", n, size)
		}
		offset += size
	}
	return offset
}

// TestS18_PartsGrowToTheStoresLimit: with a spool the largest object of each store fits.
func TestS18_PartsGrowToTheStoresLimit(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		want int64
	}{
		"S3":    {Options{PartSize: 8 * mib, MaxPartSize: 5 * gib, MaxParts: 10000}, 5 * tib},
		"GCS":   {Options{PartSize: 8 * mib, MaxPartSize: 5 * tib, MaxParts: 1024}, 5 * tib},
		"Azure": {Options{PartSize: 8 * mib, MaxPartSize: 4000 * mib, MaxParts: 50000}, 50 * tib},
	} {
		for _, memory := range []int64{32 * mib, 256 * mib, 4 * gib} {
			b := NewBudget(memory, newSpool(t, 8*tib))
			if got := reach(t, b, c.o); got < c.want {
				t.Errorf("%s with %d MiB of buffers: %d GiB", name, memory/mib, got/gib)
			}
		}
	}
}

// TestS18_WithoutSpool: parts of a quarter of the budget are reached early enough for
// nearly as much as MaxParts of them.
func TestS18_WithoutSpool(t *testing.T) {
	for _, memory := range []int64{32 * mib, 256 * mib, gib} {
		o := Options{PartSize: 8 * mib, MaxPartSize: 5 * gib, MaxParts: 10000}
		all := memory / 4 * 10000
		if got := reach(t, NewBudget(memory, nil), o); got > all || got < all/10*9 {
			t.Errorf("with %d MiB of buffers: %d GiB of %d", memory/mib, got/gib, all/gib)
		}
	}
}

// TestHint: an announced size makes parts larger, never larger than memory holds.
func TestHint(t *testing.T) {
	b := NewBudget(256*mib, newSpool(t, 8*gib))
	for _, c := range []struct{ hint, want int64 }{
		{0, 8 * mib}, {1, 8 * mib}, {200 * gib, 200 * gib / 10000}, {1 << 62, 64 * mib},
	} {
		o := Options{PartSize: 8 * mib, MaxPartSize: 5 * gib, MaxParts: 10000, Size: c.hint}
		if got := newSizes(b, o).of(1, 0); got != c.want {
			t.Errorf("hint %d: parts of %d octets, want %d", c.hint, got, c.want)
		}
	}
}

// BenchmarkPartsOf5TiB tells how many parts the largest object of S3 takes, and how large
// the last of them is. Budget: 10,000 parts, with the smallest buffers as with any.
func BenchmarkPartsOf5TiB(b *testing.B) {
	for _, memory := range []int64{32 * mib, 256 * mib, 4 * gib} {
		b.Run(fmt.Sprintf("buffers=%dMiB", memory/mib), func(b *testing.B) {
			o := Options{PartSize: 8 * mib, MaxPartSize: 5 * gib, MaxParts: 10000}
			s := newSizes(NewBudget(memory, newSpool(b, 8*tib)), o)
			var n int
			var last int64
			for b.Loop() {
				n, last = 0, 0
				for offset := int64(0); offset < 5*tib; offset += last {
					n++
					last = s.of(n, offset)
				}
			}
			b.ReportMetric(float64(n), "parts")
			b.ReportMetric(float64(last)/mib, "MiB/last")
		})
	}
}
