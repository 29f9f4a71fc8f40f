//go:build e2e

package readthrough_test

import (
	"testing"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/localdir"
	"causeway/backends/mem"
)

// TestConformanceLocalDir is TestConformanceMem over a front on a disk, which takes its time.
func TestConformanceLocalDir(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backends.Backend {
		store, err := localdir.New(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return over(store, everything(mem.New(mem.Options{}))...)
	}, backendtest.Features{
		Hierarchical: true, ModTimeOnly: true, CutsAnywhere: true, ObjectCuts: true,
	})
}
