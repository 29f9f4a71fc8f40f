package azblob

import (
	"context"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/multipart"
)

const (
	// testPart is the part size in octets that tests use, so that uploads in parts are quick.
	testPart = 256 << 10
	// Azurite's well-known account, which protects nothing.
	testAccount = "devstoreaccount1"
	testKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// testStore is a store on a test server.
func testStore(t *testing.T, endpoint, container string) *Store {
	t.Helper()
	budget := multipart.NewBudget(64<<20, nil)
	s, err := New(t.Context(), Config{
		Account: testAccount, AccountKey: testKey, Container: container, Endpoint: endpoint, Budget: budget,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.limits.firstPart = testPart
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

// features are those of the store, for the conformance suite. reopen makes another store of
// the same container.
func features(reopen func(*testing.T, *Store) *Store) backendtest.Features {
	return backendtest.Features{
		PartSize: testPart, Refused: refused(), ObjectCuts: true, Crash: true, Leftovers: records,
		Reopen: func(t *testing.T, b backends.Backend) backends.Backend { return reopen(t, b.(*Store)) },
	}
}

// records are those of uploads. What else uploads leave, blocks that were not committed,
// only the service can end.
func records(ctx context.Context, b backends.Backend) ([]string, error) {
	page, err := b.List(ctx, backends.Query{Prefix: backends.Reserved + "/"})
	var keys []string
	for _, o := range page.Objects {
		keys = append(keys, o.Key)
	}
	return keys, err
}

// refused are awkward keys that the service, or a URL on the way to it, takes for others.
func refused() []string {
	return []string{"dot.", "dotted./x", "...", `\`, `a\b`, "tab\tx"}
}

// response is an answer with the given range.
func response(contentRange string) blob.DownloadStreamResponse {
	var res blob.DownloadStreamResponse
	res.ContentLength, res.ETag, res.ContentRange = to.Ptr(int64(5)), to.Ptr(azcore.ETag(`"0x8DB"`)), &contentRange
	return res
}
