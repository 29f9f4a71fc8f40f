package s3

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"causeway/backends"
	"causeway/backends/backendtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(sinkVariable) != "" {
		fmt.Fprintln(os.Stderr, serveSink())
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// TestConformance runs the suite on a server that honours conditions as AWS does.
func TestConformance(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backends.Backend { return serve(t, &fake{}) },
		features(fakePartSize))
}

// TestConformanceLax runs it on one that honours them as MinIO does.
func TestConformanceLax(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backends.Backend { return serve(t, &fake{lax: true}) },
		features(fakePartSize))
}

func features(part int64) backendtest.Features {
	return backendtest.Features{
		PartSize: part, Leftovers: openUploads, ObjectCuts: true, FixedProperties: true, Reopen: reopened, Crash: true,
	}
}
