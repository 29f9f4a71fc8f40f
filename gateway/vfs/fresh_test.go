package vfs_test

import (
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/cache"
	"causeway/gateway/vfs"
)

// TestS23_SessionsSeeEachOther runs two sessions over one cache: what the one does, the
// other sees at once, whatever it has looked at before.
func TestS23_SessionsSeeEachOther(t *testing.T) {
	shared := cached(newBucket(mem.Options{Partial: true}, "p/d/a", "p/d/b").calls)
	one, two := onBucket(t, shared, all), newView(t, vfs.Mount{Path: "/by/another", Store: shared, Prefix: "p/d/", Rights: all})
	look := func() string {
		return one.list("/d") + " | " + two.list("/by/another") + " | " + two.stat("/by/another/a") + " " + two.stat("/by/another/new")
	}
	one.want(look(), "a:13 b:13 | a:13 b:13 | a:13 absent")
	one.want(two.store("/by/another/new", "123"), "ok")
	one.want(look(), "a:13 b:13 new:3 | a:13 b:13 new:3 | a:13 new:3")
	one.want(one.store("/d/a", "1"), "ok")
	one.want(look(), "a:1 b:13 new:3 | a:1 b:13 new:3 | a:1 new:3")
	one.want(two.rename("/by/another/new", "/by/another/c"), "ok")
	one.want(look(), "a:1 b:13 c:3 | a:1 b:13 c:3 | a:1 absent")
	one.want(one.dele("/d/a"), "ok")
	one.want(look(), "b:13 c:3 | b:13 c:3 | absent absent")
	one.want(one.mkd("/d/sub"), "ok")
	one.want(two.list("/by/another"), "b:13 c:3 sub/")
	one.want(two.rmd("/by/another/sub"), "ok")
	one.want(one.enter("/d/sub"), "absent")
}

// TestS23_ChangesBehindTheGateway are seen when what is remembered is too old.
func TestS23_ChangesBehindTheGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ttl = 5 * time.Second
		b := newBucket(mem.Options{}, "p/a")
		v := onBucket(t, cache.New(cache.Options{TTL: ttl}).Backend(b.calls), all)
		v.want(v.list("/")+" "+v.stat("/a"), "a:11 a:11")
		b.fill("p/b", "1")
		if err := b.Store.Delete(t.Context(), "p/a", backends.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(ttl + 1) // in the bubble's time
		v.want(v.list("/")+" "+v.stat("/a"), "b:1 absent")
	})
}
