package gcs

import (
	"testing"

	"causeway/backends"
	"causeway/backends/backendtest"
)

func TestConformance(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backends.Backend {
		return testStore(t, newFake(t).URL, fakeBucket)
	}, features())
}

// features are those of the store, on whatever server.
func features() backendtest.Features {
	return backendtest.Features{PartSize: testPart, Leftovers: leftovers, Reopen: reopen, Crash: true}
}
