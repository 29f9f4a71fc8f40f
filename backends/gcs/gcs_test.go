package gcs

import (
	"testing"

	"causeway/backends"
	"causeway/backends/backendtest"
)

func TestConformance(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backends.Backend {
		return testStore(t, newFake(t).URL, fakeBucket)
	}, backendtest.Features{PartSize: testPart, Leftovers: leftovers})
}
