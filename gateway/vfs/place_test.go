package vfs

import (
	"testing"

	"causeway/gateway/ftp"
)

// resolver is a view of three mounts, and a path as cameras use them.
func resolver(tb testing.TB) (*FS, ftp.Path) {
	tb.Helper()
	f := &FS{mounts: []*mount{
		{path: "/incoming/archive", prefix: "archive/"}, {path: "/incoming", prefix: "in/"}, {path: "", prefix: "all/"},
	}}
	p, err := ftp.Path{}.Join("/incoming/cam1/2026/11/22/image-000123.jpg")
	if err != nil {
		tb.Fatal(err)
	}
	return f, p
}

// Budget: one allocation, the key, and 200 ns. Every command resolves a path.
func BenchmarkFind(b *testing.B) {
	f, p := resolver(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.find("stat", p); err != nil {
			b.Fatal(err)
		}
	}
}

func TestFindAllocatesTheKeyAlone(t *testing.T) {
	f, p := resolver(t)
	if got := testing.AllocsPerRun(100, func() { _, _ = f.find("stat", p) }); got > 1 {
		t.Errorf("%v allocations a path, want 1", got)
	}
	at, err := f.find("stat", p)
	if err != nil || at.key != "in/cam1/2026/11/22/image-000123.jpg" {
		t.Errorf("%q, %v", at.key, err)
	}
}
