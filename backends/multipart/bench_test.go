package multipart

import "testing"

// BenchmarkWrite is the cost of taking 64 KiB from a client: a copy and a CRC32C.
// Budget: 0 allocs/op; 4 GB/s on one core of the project's machines.
func BenchmarkWrite(b *testing.B) {
	f, budget := &fake{discard: true}, NewBudget(64*mib, nil)
	u := New(b.Context(), f, budget, Options{PartSize: 8 * mib, MaxPartSize: 8 * mib, MaxParts: 1 << 40})
	defer u.Abort()
	p := pattern(64 * kib)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.Write(p); err != nil {
			b.Fatal(err)
		}
	}
}
