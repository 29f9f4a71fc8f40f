//go:build e2e

package azblob

import (
	"crypto/rand"
	"os"
	"path"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/backends/backendtest"
)

// TestConformanceServer runs the conformance suite on Azurite, every case in a container
// of its own. Azurite has no Put Block From URL: what is copied there is read and sent again.
func TestConformanceServer(t *testing.T) {
	endpoint := os.Getenv("CAUSEWAY_TEST_AZURE")
	if endpoint == "" {
		t.Fatal("CAUSEWAY_TEST_AZURE is not set: the URL of a running Azurite with the account, as http://127.0.0.1:PORT/devstoreaccount1")
	}
	backendtest.Run(t, func(t *testing.T) backends.Backend {
		s := testStore(t, endpoint, "causeway-"+strings.ToLower(rand.Text()))
		if _, err := s.container.Create(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		return s
	}, features(func(t *testing.T, s *Store) *Store { return testStore(t, endpoint, path.Base(s.container.URL())) }))
}
