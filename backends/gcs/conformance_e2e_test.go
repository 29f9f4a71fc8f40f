//go:build e2e

package gcs

import (
	"crypto/rand"
	"net/http"
	"os"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/backends/backendtest"
)

// TestConformanceServer runs the conformance suite on fake-gcs-server, every case in a
// bucket of its own. What that server gets wrong is proven by TestConformance, on the
// in-process fake.
func TestConformanceServer(t *testing.T) {
	endpoint := os.Getenv("CAUSEWAY_TEST_GCS")
	if endpoint == "" {
		t.Fatal("CAUSEWAY_TEST_GCS is not set: the base URL of a running fake-gcs-server, as http://127.0.0.1:PORT")
	}
	f := features()
	f.Skip = skipped()
	backendtest.Run(t, func(t *testing.T) backends.Backend {
		return testStore(t, endpoint, newBucket(t, endpoint))
	}, f)
}

// skipped are the cases that fake-gcs-server fails. The memory back end passes the rest.
func skipped() map[string]string {
	const (
		conditions = "fake-gcs-server ignores conditions of compose, copy and delete"
		types      = "fake-gcs-server lets an object that is composed onto keep its content type"
		folding    = "fake-gcs-server does not count prefixes as entries of a page, and repeats them on each"
	)
	return map[string]string{
		"Condition/IfAbsent": conditions, "Condition/IfMatch": conditions,
		"Condition/Meanwhile/IfAbsent 262145": conditions, "Condition/Meanwhile/IfMatch 262145": conditions,
		"Race/IfAbsent": conditions, "Race/IfMatch": conditions,
		"Resume/S16_Conditions": conditions, "Append/S14_ChangedMeanwhile": conditions, "Append/X15_Race": conditions,
		"Alternate/S16_InTurn/262145": conditions, "Alternate/S16_InTurn/524295": conditions, "Alternate/S16_Race/262145": conditions,
		"Append/S14_Sizes": types,
		"Delete/IfMatch":   conditions,
		"Copy/IfAbsent":    conditions, "Copy/IfMatch": conditions, "Move/IfAbsent": conditions,
		"List/Delimiter": folding, "List/ShiftsDelimited": folding,
	}
}

// newBucket makes a bucket with a random name.
func newBucket(t *testing.T, endpoint string) string {
	name := "causeway-" + strings.ToLower(rand.Text())
	res, err := http.Post(endpoint+"/storage/v1/b?project=test", "application/json", strings.NewReader(`{"name":"`+name+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("make bucket %s: %s", name, res.Status)
	}
	return name
}
