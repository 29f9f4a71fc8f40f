package vfs_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// park sends content as an upload that is cut off, and returns the size that was kept.
func (v *view) park(name, content string, o ftp.StoreOptions) string {
	u, _, err := v.Store(v.ctx, path(v, name), o)
	if err != nil {
		return outcome(err)
	}
	if _, err := io.WriteString(u, content); err != nil {
		return outcome(err)
	}
	size, err := u.Park()
	if err != nil {
		return outcome(err)
	}
	return fmt.Sprint(size)
}

// tick lets the clock of a bubble go on, so that what follows is later.
func tick() { time.Sleep(time.Second) }

// everywhere runs a test in a bubble on a bare store and on one behind a cache.
func everywhere(t *testing.T, test func(*testing.T, *bucket, backends.Backend)) {
	for name, wrap := range map[string]func(backends.Backend) backends.Backend{
		"plain":  func(b backends.Backend) backends.Backend { return b },
		"cached": cached,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBucket(mem.Options{PageSize: 2})
				test(t, b, wrap(b.calls))
			})
		})
	}
}

// TestS13_WhatIsShown: a parked upload goes before an older file and not before a newer
// one; readers and what changes a file mean the file.
func TestS13_WhatIsShown(t *testing.T) {
	everywhere(t, func(t *testing.T, b *bucket, s backends.Backend) {
		v, other := onBucket(t, s, all), onBucket(t, s, all)
		v.want(v.park("/d/x", "12345", ftp.StoreOptions{}), "5")
		for _, v := range []*view{v, other} {
			v.want(v.stat("/d/x")+" | "+v.list("/d")+" | "+v.retrieve("/d/x")+" | "+v.rename("/d/x", "/y"), "x:5 | x:5 | absent | RNFR absent")
			v.want(v.setTime("/d/x", time.Unix(1, 0)), "absent")
		}
		tick()
		b.fill("p/d/x", "of another")
		other = onBucket(t, b.calls, all) // which knows of it at once
		other.want(other.stat("/d/x")+" | "+other.list("/d")+" | "+other.retrieve("/d/x"), "x:10 | x:10 | of another")
		tick()
		v.want(v.store("/d/x", "whole"), "ok")
		v.want(v.stat("/d/x")+" | "+v.list("/d"), "x:5 | x:5")
		tick()
		v.want(v.park("/d/x", "123", ftp.StoreOptions{}), "3")
		v.want(v.stat("/d/x")+" | "+v.list("/d")+" | "+v.retrieve("/d/x"), "x:3 | x:3 | whole")
		v.want(v.setTime("/d/x", time.Now()), "ok")
		tick()
		v.want(v.dele("/d/x"), "ok")
		v.want(v.stat("/d/x")+" | "+v.list("/d")+" | "+v.retrieve("/d/x"), "x:5 | x:5 | whole")
		v.want(v.dele("/d/x"), "ok")
		v.want(v.stat("/d/x"), "absent")
		if left := b.Uploads(); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	})
}

// TestS13_ListingsMergeWhatIsParked in the order of all the rest, over pages, with mounts.
func TestS13_ListingsMergeWhatIsParked(t *testing.T) {
	b := newBucket(mem.Options{PageSize: 2}, "p/b", "p/c", "p/d/x", "p/d-", "p/m", "p/y")
	v := newView(t,
		vfs.Mount{Path: "/", Store: b.calls, Prefix: "p/", Rights: all},
		vfs.Mount{Path: "/m", Store: b.calls, Prefix: "m/", Rights: all},
		vfs.Mount{Path: "/c.d/e", Store: b.calls, Prefix: "e/", Rights: all})
	for _, name := range []string{"/a", "/b", "/c!", "/d", "/d-", "/z", "/e/deep"} {
		v.want(v.park(name, "1", ftp.StoreOptions{}), "1")
	}
	v.want(v.park("/a", "12", ftp.StoreOptions{}), "2") // the newer of two
	bare := onBucket(t, b.calls, all)
	bare.want(bare.park("/m", "1", ftp.StoreOptions{}), "1") // hidden by the mount
	v.want(v.list("/"), "a:2 b:1 c!:1 c.d/ c:11 d-:1 d/ m/ y:11 z:1")
	v.want(v.list("/e"), "deep:1")
}

func TestS13_TooManyParkedAreLeftOut(t *testing.T) {
	b := newBucket(mem.Options{})
	v := onBucket(t, b, all)
	for i := range 1002 {
		v.want(v.park(fmt.Sprintf("/%04d", i), "1", ftp.StoreOptions{}), "1")
	}
	if names := strings.Fields(v.list("/")); len(names) != 1000 || !strings.Contains(v.log.String(), "may leave out parked uploads") {
		t.Errorf("%d names; logged: %s", len(names), v.log)
	}
}

// TestS13_ManyNamesHideNone: uploads to names that begin alike do not crowd out that of a file.
func TestS13_ManyNamesHideNone(t *testing.T) {
	b := newBucket(mem.Options{})
	v := onBucket(t, b, all)
	for i := range 1002 {
		v.want(v.park(fmt.Sprintf("/x%04d", i), "1", ftp.StoreOptions{}), "1")
	}
	v.want(v.park("/x", "12", ftp.StoreOptions{}), "2")
	v.want(v.stat("/x")+" "+v.storeWith("/x", "34", appending), "x:2 ok")
	b.wantContent(t, "p/x", "1234")
}

// TestS13_WhoSeesWhatIsParked tries all rights: who may write sees it, beside a file only
// who may also replace that, and who may look into no directory sees it in none.
func TestS13_WhoSeesWhatIsParked(t *testing.T) {
	b := newBucket(mem.Options{}, "p/d/old")
	owner := onBucket(t, b.calls, all)
	for _, name := range []string{"/d/old", "/d/new", "/only/parked"} {
		owner.want(owner.park(name, "123", ftp.StoreOptions{}), "3")
	}
	for rights := vfs.Rights(0); rights <= all; rights++ {
		v := onBucket(t, b.calls, rights)
		has := func(some vfs.Rights) bool { return rights&some == some }
		pick := func(is bool, yes, no string) string { return map[bool]string{true: yes, false: no}[is] }
		looks := rights&(vfs.List|vfs.Read) != 0
		v.want(v.stat("/d/new"), pick(has(vfs.Write), "new:3", "absent"))
		v.want(v.stat("/d/old"), pick(has(vfs.Write|vfs.Overwrite), "old:3", pick(looks, "old:15", "absent")))
		list := pick(has(vfs.Write|vfs.Overwrite), "new:3 old:3", pick(has(vfs.Write), "new:3 old:15", "old:15"))
		v.want(v.list("/d"), pick(has(vfs.List), list, ""))
		v.want(v.list("/only"), pick(!has(vfs.List), "", pick(has(vfs.Write), "parked:3", "absent")))
		v.want(v.enter("/only"), pick(has(vfs.List) && !has(vfs.Write), "absent", "ok"))
		v.want(v.stat("/only"), pick(looks && has(vfs.Write), "only/", "absent"))
	}
}

// TestS40_DropBoxGoesOn: who may only write is told what it needs to go on with an upload,
// and nothing of files.
func TestS40_S13_DropBoxGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(mem.Options{}, "p/foreign")
		v := onBucket(t, b.calls, vfs.Write)
		v.want(v.park("/mine", "123", ftp.StoreOptions{}), "3")
		again := onBucket(t, b.calls, vfs.Write)
		again.want(again.list("/"), "")
		again.want(again.stat("/mine"), "mine:3")
		again.want(again.storeWith("/mine", "45", ftp.StoreOptions{Append: true}), "ok")
		again.want(again.stat("/mine"), "mine:5")
		again.want(again.storeWith("/foreign", "45", ftp.StoreOptions{Append: true}), "exists")
		b.wantContent(t, "p/mine", "12345")
		b.wantContent(t, "p/foreign", "data of p/foreign")
	})
}

func (b *bucket) wantContent(t failer, key, want string) {
	t.Helper()
	if got, _ := b.content(key); got != want {
		t.Errorf("%s is %q, want %q", key, got, want)
	}
}

// TestS13_DirectoriesOfParkedUploads are there for who can see what is parked in them.
func TestS13_DirectoriesOfParkedUploads(t *testing.T) {
	everywhere(t, func(t *testing.T, b *bucket, s backends.Backend) {
		v := onBucket(t, s, all)
		v.want(v.park("/d/e/x", "1", ftp.StoreOptions{}), "1")
		v.want(v.enter("/d")+" "+v.enter("/d/e"), "ok ok")
		v.want(v.list("/d")+v.list("/d/e")+" "+v.stat("/d"), "x:1 d/")
		v.want(v.rmd("/d/e"), "not empty")
		v.want(v.mkd("/d/e"), "ok")
		v.want(v.rmd("/d/e"), "not empty")
		v.want(v.rename("/d/e/x", "/y"), "RNFR absent")
		v.want(v.dele("/d/e/x"), "ok")
		v.want(v.rmd("/d/e"), "ok")
		v.want(v.park("/f/x", "1", ftp.StoreOptions{}), "1")
		v.want(v.dele("/f/x"), "ok")
		v.want(v.enter("/f"), "ok") // S2
		if left := b.Uploads(); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	})
}

// TestS13_StoresThatDoNotTell: credentials that may not list what is parked see nothing of
// it; a store that fails must not be taken for one with nothing parked, or octets would be
// put behind the wrong ones.
func TestS13_StoresThatDoNotTell(t *testing.T) {
	for kind, want := range map[error]string{
		fs.ErrPermission:        "old:9 | old:9 | ok | restart | ok | ok",
		backends.ErrUnavailable: "unavailable | unavailable | unavailable | unavailable | unavailable | ok",
	} {
		b := newBucket(mem.Options{})
		v := onBucket(t, b.calls, all)
		b.fill("p/old", "data of p")
		v.want(v.park("/old", "123", ftp.StoreOptions{}), "3")
		b.faults.Add(backendtest.Fault{Verb: "parked", Err: &backends.Error{Op: "parked", Kind: kind}})
		got := []string{
			v.stat("/old"), v.list("/"), v.storeWith("/old", "1", ftp.StoreOptions{Append: true}),
			v.storeWith("/old", "1", ftp.StoreOptions{Offset: 99}), v.dele("/old"), v.store("/old", "plain"),
		}
		v.want(strings.Join(got, " | "), want)
	}
}

// copying is a bucket in which another gateway is making a copy.
type copying struct{ backends.Backend }

func (c copying) Parked(context.Context, backends.ParkedQuery) (backends.ParkedPage, error) {
	return backends.ParkedPage{Uploads: []backends.Parked{{ID: "c", Key: "p/d/old", ModTime: time.Now().Add(time.Hour)}}}, nil
}

func (c copying) Discard(context.Context, backends.Parked) error { panic("it is another's") }

// TestS13_WhatHasNothingIsNotShown: without an octet there is nothing to go on with, and
// nothing to end.
func TestS13_WhatHasNothingIsNotShown(t *testing.T) {
	b := newBucket(mem.Options{})
	v := onBucket(t, copying{b.calls}, all)
	b.fill("p/d/old", "data of p")
	v.want(v.stat("/d/old"), "old:9")
	v.want(v.list("/d"), "old:9")
	v.want(v.storeWith("/d/old", "1", ftp.StoreOptions{Append: true}), "ok")
	v.want(v.store("/d/old", "new"), "ok")
	v.want(v.dele("/d/old"), "ok")
	v.want(v.rmd("/d"), "ok")
}

// TestS13_FactsOfWhatIsParked: what can be done with it, and not what cannot.
func TestS13_FactsOfWhatIsParked(t *testing.T) {
	b := newBucket(mem.Options{}, "p/old")
	for rights, want := range map[vfs.Rights]ftp.Perm{
		vfs.List | vfs.Write: ftp.PermAppend | ftp.PermWrite,
		all:                  ftp.PermAppend | ftp.PermWrite | ftp.PermDelete,
	} {
		v := onBucket(t, b.calls, rights)
		v.want(v.park("/new", "123", ftp.StoreOptions{}), "3")
		e, err := v.Stat(v.ctx, path(t, "/new"), ftp.StatOptions{Complete: true})
		if err != nil || e.Perm != want || e.Sums != nil || e.Unique == "" || e.ModTime.IsZero() {
			t.Errorf("rights %07b: %+v, %v", rights, e, err)
		}
	}
	v := onBucket(t, b.calls, all)
	v.want(v.park("/old", "123", ftp.StoreOptions{}), "3")
	e, err := v.Stat(v.ctx, path(t, "/old"), ftp.StatOptions{})
	want := ftp.PermAppend | ftp.PermWrite | ftp.PermDelete | ftp.PermRetrieve | ftp.PermRename
	if err != nil || e.Size != 3 || e.Perm != want {
		t.Errorf("beside a file: %+v, %v", e, err)
	}
}

// TestS13_TheNewestCounts of what is parked under one name, and the others end when it is
// gone on with, or a file takes the name, or leaves it.
func TestS13_TheNewestCounts(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*view) string
		left []string
	}{
		"APPE":     {func(v *view) string { return v.storeWith("/x", "4", ftp.StoreOptions{Append: true}) }, nil},
		"STOR":     {func(v *view) string { return v.store("/x", "new") }, nil},
		"RNTO":     {func(v *view) string { return v.rename("/y", "/x") }, nil},
		"DELE":     {func(v *view) string { return v.dele("/x") }, nil},
		"cut off":  {func(v *view) string { return ok(v.park("/x", "12345", ftp.StoreOptions{}) == "5") }, []string{"p/x"}},
		"RNFR":     {func(v *view) string { return v.store("/x", "new") + v.rename("/x", "/z")[2:] }, nil},
		"RNTO dir": {func(v *view) string { return v.rename("/d", "/e") }, []string{"p/x", "p/x"}},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, b *bucket, s backends.Backend) {
				b.fill("p/y", "y")
				b.fill("p/d/y", "y")
				v := onBucket(t, s, all)
				one, _, err := v.Store(v.ctx, path(t, "/x"), ftp.StoreOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(one, "12"); err != nil {
					t.Fatal(err)
				}
				v.want(v.park("/x", "1", ftp.StoreOptions{}), "1")
				tick()
				if n, err := one.Park(); n != 2 || err != nil {
					t.Fatal(n, err)
				}
				v.want(v.stat("/x"), "x:2")
				tick()
				v.want(c.do(v), "ok")
				if left := b.Uploads(); !slices.Equal(left, c.left) {
					t.Errorf("left: %q, want %q", left, c.left)
				}
			})
		})
	}
}

// TestS13_FilesLeaveNoOldUploads: an upload that is older than a file does not come up in
// its place when the file gets another name; one that is newer stays.
func TestS13_FilesLeaveNoOldUploads(t *testing.T) {
	everywhere(t, func(t *testing.T, b *bucket, s backends.Backend) {
		elsewhere := onBucket(t, b, all)
		elsewhere.want(elsewhere.park("/old", "12", ftp.StoreOptions{}), "2")
		tick()
		b.fill("p/old", "of another")
		b.fill("p/new", "of another")
		tick()
		elsewhere.want(elsewhere.park("/new", "12", ftp.StoreOptions{}), "2")
		v := onBucket(t, s, all)
		v.want(v.rename("/old", "/a")+v.rename("/new", "/b"), "okok")
		v.want(v.list("/"), "a:10 b:10 new:2")
		if left := b.Uploads(); !slices.Equal(left, []string{"p/new"}) {
			t.Errorf("left: %q", left)
		}
	})
}
