package gcs

import (
	"context"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/multipart"
)

// testPart is the part size in octets that tests use, so that uploads in parts are quick.
const testPart = 256 << 10

// testStore is a store on a server without credentials.
func testStore(t *testing.T, endpoint, bucket string) *Store {
	t.Helper()
	budget := multipart.NewBudget(64<<20, nil)
	s, err := New(t.Context(), Config{Bucket: bucket, Endpoint: endpoint, Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	// Long enough for a part that arrives after its request was cancelled.
	s.parts.first, s.parts.pause = testPart, 50*time.Millisecond
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if memory, disk := budget.Used(); memory != 0 || disk != 0 {
			t.Errorf("uploads still hold %d octets of memory and %d of disk", memory, disk)
		}
	})
	return s
}

// leftovers are the part objects and records in the bucket.
func leftovers(ctx context.Context, b backends.Backend) ([]string, error) {
	page, err := b.List(ctx, backends.Query{Prefix: backends.Reserved + "/"})
	var keys []string
	for _, o := range page.Objects {
		keys = append(keys, o.Key)
	}
	return keys, err
}

// reopen is the store that another process has of the bucket.
func reopen(t *testing.T, b backends.Backend) backends.Backend {
	s := b.(*Store)
	return testStore(t, s.base.String(), s.name)
}
