package gcs

import (
	"errors"
	"testing"

	"causeway/backends"
)

// TestS10_CommitThatIsFoundLater: who parks an upload that has become the object after all
// keeps nothing that would come before it.
func TestS10_CommitThatIsFoundLater(t *testing.T) {
	f, s, _ := twoStores(t)
	u := begin(t, s, "k", random(3*testPart), backends.CreateOptions{})
	f.mu.Lock()
	f.faults = []fault{{operation: "compose", lose: true}}
	for range 30 {
		f.faults = append(f.faults, fault{operation: "compose", status: 503}, fault{operation: "attrs", status: 503})
	}
	f.mu.Unlock()
	if _, err := u.Commit(); !errors.Is(err, backends.ErrUnavailable) {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.faults = nil
	f.mu.Unlock()
	if n, err := u.Park(); n != 0 || err != nil {
		t.Errorf("parked %d octets: %v", n, err)
	}
	if names := f.names(""); len(names) != 1 || names[0] != "k" {
		t.Errorf("there are %q", names)
	}
}
