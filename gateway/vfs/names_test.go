package vfs

import "testing"

// TestS51_NamesForget those that nobody is writing any more.
func TestS51_NamesForget(t *testing.T) {
	names, n := NewNames(), name{key: "x"}
	one, two := names.write(n), names.write(n)
	one()
	if names.claim(n) != nil {
		t.Error("a name that is being written was claimed")
	}
	two()
	claimed := names.claim(n)
	if claimed == nil {
		t.Fatal("a free name was not to be had")
	}
	claimed()
	if len(names.writers) > 0 {
		t.Errorf("remembered: %v", names.writers)
	}
}
