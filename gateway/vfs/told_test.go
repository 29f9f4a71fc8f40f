package vfs_test

import (
	"testing"
	"testing/synctest"

	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// TestS13_ItsOwnChangesAreNoNews: what a session has done to a file since it asked does not
// keep it from going on with it.
func TestS13_ItsOwnChangesAreNoNews(t *testing.T) {
	b := newBucket(mem.Options{})
	v := onBucket(t, b.calls, all)
	v.want(v.stat("/d/x"), "absent")
	v.want(v.store("/d/x", "abc"), "ok")
	v.want(v.storeWith("/d/x", "def", appending), "ok")
	v.want(v.stat("/d/x"), "x:6")
	v.want(v.setTime("/d/x", farFuture), "ok")
	v.want(v.storeWith("/d/x", "ghi", appending), "ok")
	v.want(v.stat("/d/x"), "x:9")
	v.want(v.dele("/d/x"), "ok")
	v.want(v.storeWith("/d/x", "abc", appending), "ok")
	v.want(v.stat("/d/x"), "x:3")
	v.want(v.rename("/d/x", "/d/y"), "ok")
	v.want(v.storeWith("/d/x", "def", appending), "ok")
	v.want(v.stat("/d/y"), "y:3")
	v.want(v.rename("/d/x", "/d/y"), "ok")
	v.want(v.storeWith("/d/y", "ghi", appending), "ok")
	v.want(v.stat("/d/y"), "y:6")
	v.want(v.rename("/d", "/e"), "ok")
	v.want(v.storeWith("/d/y", "abc", appending), "ok")
	b.wantContent(t, "p/e/y", "defghi")
}

// TestS13_AnotherVersionIsNotGraftedOnto, whatever its size: what REST keeps must be of the
// version that the client was told of.
func TestS13_AnotherVersionIsNotGraftedOnto(t *testing.T) {
	for _, what := range []string{"file", "upload"} {
		for _, other := range []string{"xxx", "xxxxxx"} {
			synctest.Test(t, func(t *testing.T) {
				b := newBucket(mem.Options{})
				v, elsewhere := onBucket(t, b.calls, all), onBucket(t, b, all)
				put := func(content string) string { return elsewhere.store("/x", content) }
				if what == "upload" {
					put = func(content string) string { return elsewhere.park("/x", content, ftp.StoreOptions{}) }
				}
				put("old")
				tick()
				v.want(v.stat("/x"), "x:3")
				put(other)
				tick()
				v.want(v.storeWith("/x", "+", restart(3)), "changed")
				v.stat("/x")
				v.want(v.storeWith("/x", "+", restart(3)), "ok")
				b.wantContent(t, "p/x", "xxx+")
			})
		}
	}
}

// TestS40_S13_WhoMayNotLookIsToldNothing of a file of others, so that it cannot have changed.
func TestS40_S13_WhoMayNotLookIsToldNothing(t *testing.T) {
	b := newBucket(mem.Options{}, "p/log")
	v := onBucket(t, b.calls, vfs.Write|vfs.Overwrite)
	v.want(v.stat("/log"), "absent")
	v.want(v.storeWith("/log", "+", appending), "ok")
	b.wantContent(t, "p/log", "data of p/log+")
}
