package vfs_test

import (
	"testing"
	"testing/synctest"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
)

// TestS13_S32_NoGhostIsDeleted: an upload that is remembered as parked may have been ended
// by another gateway since. DELE must not end it once more and leave the file.
func TestS13_S32_NoGhostIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(mem.Options{}, "p/d/f", "p/d/g")
		v := onBucket(t, cached(b.calls), all)
		tick()
		v.want(v.park("/d/f", "newer", ftp.StoreOptions{}), "5")
		v.want(v.stat("/d/f"), "f:5")
		for p, err := range backends.ParkedUploads(t.Context(), b.Store, backends.ParkedQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Store.Discard(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		v.want(v.dele("/d/f"), "ok")
		b.wantKeys(t, "p/d/g")
	})
}
