package vfs_test

import (
	"context"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
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

// stillborn is a store that tells of an upload of which nothing is durable.
type stillborn struct{ *mem.Store }

func (stillborn) Parked(context.Context, backends.ParkedQuery) (backends.ParkedPage, error) {
	return backends.ParkedPage{Uploads: []backends.Parked{{ID: "id", Key: "p/x", ModTime: time.Now().Add(time.Hour)}}}, nil
}

// TestS13_NothingDurableHidesNoFile: what the store keeps for the janitor alone is no file.
func TestS13_NothingDurableHidesNoFile(t *testing.T) {
	b := newBucket(mem.Options{})
	b.fill("p/x", "whole")
	v := onBucket(t, stillborn{b.Store}, all)
	v.want(v.stat("/x"), "x:5")
	v.want(v.storeWith("/x", "+", appending), "ok")
	b.wantContent(t, "p/x", "whole+")
}
