//go:build e2e

package s3

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/multipart"
)

// TestConformanceServer runs the suite on the S3 server that CAUSEWAY_TEST_S3 names by
// its URL, in buckets of its own.
func TestConformanceServer(t *testing.T) {
	f := features(leastPartSize)
	f.NoneBeside = true // versitygw keeps objects as files, though without markers of its own
	f.Skip = map[string]string{
		"Crash/S17_Discard": "versitygw goes on listing an upload that was ended while a part of it arrived; the fake has it right",
	}
	backendtest.Run(t, func(t *testing.T) backends.Backend { return serverStore(t) }, f)
}

// leastPartSize is what S3 takes, to move as little as possible.
const leastPartSize = 5 << 20

// serverStore is a new bucket on the server under test.
func serverStore(t *testing.T) *Store {
	t.Helper()
	endpoint := os.Getenv("CAUSEWAY_TEST_S3")
	if endpoint == "" {
		t.Fatal("CAUSEWAY_TEST_S3 is not set: it must be the URL of an S3 server, with CAUSEWAY_TEST_S3_KEY and CAUSEWAY_TEST_S3_SECRET")
	}
	s, err := New(t.Context(), Config{
		Bucket: "causeway-" + strings.ToLower(rand.Text()), Region: "us-east-1", Endpoint: endpoint, PathStyle: true,
		AccessKey: os.Getenv("CAUSEWAY_TEST_S3_KEY"), SecretKey: os.Getenv("CAUSEWAY_TEST_S3_SECRET"),
		Budget: multipart.NewBudget(64<<20, nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.limits.PartSize = leastPartSize
	t.Cleanup(func() { s.Close() })
	if _, err := s.client.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &s.bucket}); err != nil {
		t.Fatalf("create bucket: %v", err)
	}
	return s
}
