package vfs_test

import (
	"testing"

	"causeway/backends"
)

// TestS14_AppendThatComesToNothing leaves no copy of the file behind, and loses nothing that
// had been parked.
func TestS14_AppendThatComesToNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, b *bucket, s backends.Backend) {
		b.fill("p/x", "whole")
		v := onBucket(t, s, all)
		v.want(v.park("/x", "", appending), "0")
		v.want(v.park("/x", "", restart(2)), "0")
		v.want(v.stat("/x"), "x:5")
		if left := b.Uploads(); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
		v.want(v.park("/x", "+", appending), "6")
		v.want(v.park("/x", "", appending), "6")
		v.want(v.stat("/x"), "x:6")
		b.wantContent(t, "p/x", "whole")
	})
}
