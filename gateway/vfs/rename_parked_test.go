package vfs_test

import (
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends/localdir"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// TestS13_S30_ParkedWhileRenamed: what is parked under the new name while a copy is made
// ends as what had been parked before. The copy may be dated at its beginning.
func TestS13_S30_ParkedWhileRenamed(t *testing.T) {
	for name, target := range map[string]string{"copied": "/d/x", "carried": "/far/x"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, far := newBucket(mem.Options{}), newBucket(mem.Options{})
				names := vfs.NewNames()
				var other *view
				parked := ""
				during := func(verb, key string) {
					if parked == "" && (verb == "copy" || verb == "create" && key == "q/x") {
						parked = "begun"
						parked = other.park(target, "half", ftp.StoreOptions{})
						tick()
					}
				}
				mounts := []vfs.Mount{
					{Path: "/", Store: cached(hook(b, during)), Prefix: "p/", Rights: all},
					{Path: "/far", Store: cached(hook(far, during)), Prefix: "q/", Rights: all},
				}
				v := sharedView(t, names, mounts...)
				other = sharedView(t, names, mounts...)
				v.want(v.store("/x.tmp", "whole"), "ok")
				tick()
				v.want(v.rename("/x.tmp", target), "ok")
				v.want(parked, "4")
				if left := append(b.Uploads(), far.Uploads()...); len(left) > 0 {
					t.Errorf("left: %q", left)
				}
				v.want(v.stat(target), "x:5")
			})
		})
	}
}

// TestS13_S30_ParkedByAnotherGateway: a file that is renamed at once keeps its time, and
// goes before what another gateway has parked under its new name since, unheard of here.
func TestS13_S30_ParkedByAnotherGateway(t *testing.T) {
	dir := t.TempDir()
	gateway := func() *view {
		store, err := localdir.New(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return onBucket(t, cached(store), all)
	}
	one, two := gateway(), gateway()
	one.want(one.store("/x.tmp", "whole"), "ok")
	one.want(one.setTime("/x.tmp", time.Unix(1e9, 0)), "ok")
	two.want(two.park("/x", "half of it", ftp.StoreOptions{}), "10")
	one.want(one.rename("/x.tmp", "/x"), "ok")
	for _, v := range []*view{one, two, gateway()} {
		v.want(v.stat("/x"), "x:5")
	}
	two.want(two.storeWith("/x", "+", appending), "ok")
	two.want(two.retrieve("/x"), "whole+")
}
