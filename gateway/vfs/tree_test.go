package vfs_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

func TestS1_PathsAreKeys(t *testing.T) {
	for _, c := range []struct{ mount, prefix, path, key string }{
		{"/in", "p/", "/in/a b/ü.txt", "p/a b/ü.txt"},
		{"/in", "p", "/in/a", "p/a"},
		{"/in", "", "/in/a", "a"},
		{"/", "", "/a/b/c", "a/b/c"},
		{"/", "p/q/", "//a/./b/../c", "p/q/a/c"},
		{"/", "p/", "/../../a", "p/a"},
		{"/in/deep", "p/", "/in/deep/ trailing ", "p/ trailing "},
		{"/", "p/", "/a?acl&x=%2F+#", "p/a?acl&x=%2F+#"},
		{"/", "p/", "/%2e%2e/x", "p/%2e%2e/x"},
	} {
		b := newBucket(mem.Options{})
		v := newView(t, vfs.Mount{Path: c.mount, Store: b.calls, Prefix: c.prefix, Rights: all})
		v.want(v.store(c.path, "1"), "ok")
		b.wantKeys(t, c.key)
		v.want(v.retrieve(c.path), "1")
		v.want(v.dele(c.path), "ok")
	}
}

// TestP9_NamesThatAreRefused drives what a client sends as the engine does: what no path
// can be made of is refused there, the rest here, and the store never hears of it.
func TestP9_NamesThatAreRefused(t *testing.T) {
	names := map[string]string{ // by name, with the outcome
		"a\x00b": "invalid", "a\rb": "invalid", "a\nb": "invalid", "a\r\nDELE x": "invalid", "\tb": "invalid", "a\x1b[2J": "invalid",
		"a\x7f": "invalid", "a\u0085b": "invalid", "a\u009bb": "invalid", "a\u2028b": "invalid", "a\u2029b": "invalid",
		`a\b`: "invalid", `..\..\x`: "invalid", "a\xffb": "invalid", "\xc0\xae\xc0\xae/x": "invalid", "\xed\xa0\x80": "invalid",
		strings.Repeat("x", 1025): "invalid", strings.Repeat("d/", 512) + "x": "invalid", strings.Repeat("y", 1023): "invalid",
		".causeway": "absent", ".causeway/x": "absent", "d/../.causeway/x": "absent", "/d/.causeway": "absent",
	}
	for verb, do := range map[string]func(*view, *bucket, ftp.Path) error{
		"STOR": func(v *view, _ *bucket, p ftp.Path) error {
			_, _, err := v.Store(v.ctx, p, ftp.StoreOptions{})
			return err
		},
		"MKD": func(v *view, _ *bucket, p ftp.Path) error { return v.Mkdir(v.ctx, p) },
		"RNTO": func(v *view, b *bucket, p ftp.Path) error {
			to, err := v.Rename(v.ctx, path(t, "/d/a"))
			if err != nil {
				t.Fatal(err)
			}
			b.calls.Take() // looking at the source is right
			return to(v.ctx, p)
		},
	} {
		for name, want := range names {
			b := newBucket(mem.Options{}, "p/d/a")
			v := onBucket(t, b.calls, all)
			p, err := path(t, "/d").Join(name)
			if err == nil {
				err = do(v, b, p)
			}
			if got := outcome(err); got != want {
				t.Errorf("%s %q: %s, want %s", verb, name, got, want)
			}
			if calls := b.calls.Take(); len(calls) > 0 {
				t.Errorf("%s %q: the store was asked: %q", verb, name, calls)
			}
			b.wantKeys(t, "p/d/a")
		}
	}
}

func TestS1_LongKeysAreInvalid(t *testing.T) {
	b := newBucket(mem.Options{})
	v := newView(t, vfs.Mount{Path: "/", Store: b.calls, Prefix: strings.Repeat("p", 100), Rights: all})
	long := strings.Repeat("x", 1024-101)
	v.want(v.store(long+"y", "1"), "invalid")
	v.want(v.stat(long+"y"), "invalid")
	v.want(v.mkd(long), "invalid") // its marker has a slash more
	v.want(v.store(long, "1"), "ok")
	v.want(v.enter(long), "absent")
	v.want(v.dele(long), "ok")
}

func TestS2_DirectoriesStay(t *testing.T) {
	for name, wrap := range map[string]func(backends.Backend) backends.Backend{
		"plain":  func(b backends.Backend) backends.Backend { return b },
		"cached": cached,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(mem.Options{})
			v := onBucket(t, wrap(b.calls), all)
			v.want(v.enter("/d"), "absent")
			v.want(v.mkd("/d"), "ok")
			v.want(v.mkd("/d"), "exists")
			v.want(v.enter("/d"), "ok")
			v.want(v.list("/d"), "")
			v.want(v.list("/"), "d/")
			v.want(v.store("/d/a", "1"), "ok")
			v.want(v.rmd("/d"), "not empty")
			v.want(v.mkd("/d/a"), "exists")
			v.want(v.rmd("/d/a"), "not dir")
			v.want(v.rmd("/none"), "absent")

			v.want(v.store("/implied/deep/a", "1"), "ok")
			v.want(v.store("/implied/deep/b", "1"), "ok")
			v.want(v.dele("/implied/deep/a"), "ok")
			v.want(v.rename("/implied/deep/b", "/d/b"), "ok")
			v.want(v.enter("/implied/deep"), "ok")
			v.want(v.list("/implied/deep"), "")
			v.want(v.rmd("/implied/deep"), "ok")
			v.want(v.enter("/implied"), "ok")
			v.want(v.rmd("/implied"), "ok")
			v.want(v.dele("/d/a"), "ok")
			v.want(v.dele("/d/b"), "ok")
			v.want(v.rmd("/d"), "ok")
			v.want(v.enter("/d"), "absent")
			v.want(v.enter("/"), "ok")
			b.wantKeys(t) // no marker above the mount
		})
	}
}

// wantLeftOut checks, and empties, the log: one record for each listing that has left
// something out, with its directory, the first such key and how many there were.
func (v *view) wantLeftOut(want ...string) {
	v.Helper()
	var got []string
	for line := range strings.Lines(v.log.String()) {
		_, record, found := strings.Cut(strings.TrimSuffix(line, "\n"), `msg="listing leaves out keys that FTP cannot name" `)
		if !found {
			record = line
		}
		got = append(got, record)
	}
	v.log.Reset()
	if !slices.Equal(got, want) {
		v.Errorf("left out: %q, want %q", got, want)
	}
}

// hangingUp is a store whose client is gone as soon as something has been taken away.
type hangingUp struct {
	backends.Backend
	hangUp context.CancelFunc
}

func (h *hangingUp) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	defer h.hangUp()
	return h.Backend.Delete(ctx, key, o)
}

func TestS2_DirectoryStaysWhenTheClientHangsUp(t *testing.T) {
	for name, do := range map[string]func(*view) string{
		"DELE": func(v *view) string { return v.dele("/d/a") },
		"RMD":  func(v *view) string { return v.rmd("/d/a") },
		"RNTO": func(v *view) string { return v.rename("/d/a", "/b") },
	} {
		t.Run(name, func(t *testing.T) {
			key := map[bool]string{true: "p/d/a/", false: "p/d/a"}[name == "RMD"]
			b := newBucket(mem.Options{}, key)
			ctx, hangUp := context.WithCancel(t.Context())
			v := onBucket(t, &hangingUp{b.calls, hangUp}, all)
			v.ctx = ctx
			v.want(do(v), "ok")
			if ctx.Err() == nil {
				t.Error("the client is still there")
			}
			v.ctx = t.Context()
			v.want(v.enter("/d"), "ok")
			v.want(v.log.String(), "")
		})
	}
}

func TestS2_StoreThatHangsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(mem.Options{}, "p/d/a")
		b.faults.Add(backendtest.Fault{Verb: "list", Hang: true})
		v := onBucket(t, b.calls, all)
		v.want(v.dele("/d/a"), "ok") // or the bubble would be stuck
		if log := v.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, `msg="directory is not kept" path=/d`) {
			t.Errorf("log: %q", log)
		}
	})
}

func TestS3_P8_KeysThatFTPCannotNameAreLeftOut(t *testing.T) {
	odd := []string{
		"p//x", "p/./x", "p/../x", "p/..", "p/.", "p/cr\rlf\n", "p/tab\t", "p/esc\x1b[2J", "p/back\\slash",
		"p/\u2028line", "p/c1\u0085", "p/d//y", "p/long/" + strings.Repeat("l", 1010) + "/z", // "." and ".." are directories as well as files
	}
	b := newBucket(mem.Options{}, append(odd, "p/a", "p/a/", "p/a/b", "p/rtl\u202e", "p/d/")...)
	v := newView(t, vfs.Mount{Path: "/some/mount", Store: b.calls, Prefix: "p/", Rights: all})
	v.want(v.list("/some/mount"), "a/ d/ long/ rtl\u202e:16")
	v.wantLeftOut("path=/some/mount key=p/../ keys=9")
	v.want(v.list("/some/mount/d"), "")
	v.wantLeftOut("path=/some/mount/d key=p/d// keys=1")
	v.want(v.list("/some/mount/long"), "")
	v.wantLeftOut("path=/some/mount/long key=p/long/" + strings.Repeat("l", 1010) + "/ keys=1")
	v.want(v.rmd("/some/mount/d"), "not empty")
	v.want(v.list("/some/mount/a"), "b:13")
	v.wantLeftOut()
}

func TestS3_EmptySegmentBelowTheRoot(t *testing.T) {
	v := onBucket(t, newBucket(mem.Options{}, "p/", "p//x", "p/a").calls, all)
	v.want(v.list("/"), "a:11")
	v.wantLeftOut("path=/ key=p// keys=1")
}

func TestS3_MarkersAreNotFiles(t *testing.T) {
	b := newBucket(mem.Options{}, "p/", "p/d/", "p/d/e/")
	v := onBucket(t, b.calls, all)
	v.want(v.list("/"), "d/")
	v.want(v.list("/d"), "e/")
	v.want(v.list("/d/e"), "")
	v.want(v.stat("/d/e"), "e/")
	v.want(v.retrieve("/d/e"), "absent")
	v.wantLeftOut()
}

func TestS4_FileAndDirectoryOfOneName(t *testing.T) {
	b := newBucket(mem.Options{}, "p/a", "p/a/b", "p/a-b")
	v := onBucket(t, cached(b.calls), all)
	v.want(v.list("/"), "a-b:13 a/")
	v.want(v.retrieve("/a"), "data of p/a")
	v.want(v.stat("/a"), "a:11")
	v.want(v.retrieve("/a/b"), "data of p/a/b")
	v.want(v.store("/a", "1"), "is dir")
	v.want(v.enter("/a"), "ok")
}

func TestS5_ReservedSegment(t *testing.T) {
	b := newBucket(mem.Options{}, ".causeway/parts/1", "p/.causeway/x", "p/d/.causeway/y", "p/.causeway-not", "p/d/a")
	v := newView(t,
		vfs.Mount{Path: "/", Store: b.calls, Rights: all},
		vfs.Mount{Path: "/again", Store: b.calls, Prefix: "p", Rights: all})
	v.want(v.list("/"), "again/ p/")
	v.want(v.list("/p"), ".causeway-not:23 d/")
	v.want(v.list("/again/d"), "a:13")
	v.wantLeftOut() // the gateway's own are not the user's concern
	b.calls.Take()
	for _, name := range []string{"/.causeway", "/.causeway/parts/1", "/p/.causeway/x", "/again/.causeway/x", "/again/d/.causeway"} {
		v.want(v.enter(name), "absent")
		v.want(v.stat(name), "absent")
		v.want(v.list(name), "absent")
		v.want(v.retrieve(name), "absent")
		v.want(v.store(name, "1"), "absent")
		v.want(v.dele(name), "absent")
		v.want(v.mkd(name), "absent")
		v.want(v.rmd(name), "absent")
		v.want(v.rename(name, "/x"), "RNFR absent")
		v.want(v.rename("/p/d/a", name), "absent")
	}
	for _, call := range b.calls.Take() {
		if strings.Contains(call, backends.Reserved) {
			t.Errorf("the store was asked: %s", call)
		}
	}
}

func TestS6_MountsNest(t *testing.T) {
	outer := newBucket(mem.Options{}, "o/a", "o/in", "o/in/hidden", "o/z", "o/in-between", "o/sub/x")
	inner := newBucket(mem.Options{}, "i/x")
	v := newView(t,
		vfs.Mount{Path: "/m", Store: outer.calls, Prefix: "o/", Rights: all},
		vfs.Mount{Path: "/m/in", Store: inner.calls, Prefix: "i/", Rights: all},
		vfs.Mount{Path: "/m/deep/er", Store: inner.calls, Prefix: "none/", Rights: all},
		vfs.Mount{Path: "/other/far", Store: inner.calls, Prefix: "far/", Rights: vfs.List})
	v.want(v.list("/"), "m/ other/")
	v.want(v.list("/other"), "far/")
	v.want(v.list("/m"), "a:11 deep/ in-between:20 in/ sub/ z:11")
	v.want(v.list("/m/in"), "x:11")
	v.want(v.list("/m/deep"), "er/")
	v.want(v.list("/m/deep/er"), "")
	v.want(v.retrieve("/m/in/hidden"), "absent")
	v.want(v.list("/m/none"), "absent")
	v.want(v.list("/nowhere"), "absent")
	v.want(v.enter("/nowhere"), "absent")
	v.want(v.stat("/nowhere"), "absent")
	for _, name := range []string{"/", "/m", "/m/in", "/m/deep", "/m/deep/er", "/other", "/other/far"} {
		v.want(v.enter(name), "ok")
		v.want(v.stat(name), path(t, name).Base()+"/")
		v.want(v.store(name, "1"), "is dir")
		v.want(v.retrieve(name), "is dir")
		v.want(v.dele(name), "is dir")
		v.want(v.mkd(name), "exists")
		v.want(v.rmd(name), "denied")
		v.want(v.rename(name, "/m/new"), "RNFR denied")
		v.want(v.rename("/m/a", name), "is dir")
	}
	for _, name := range []string{"/new", "/other/new"} {
		v.want(v.store(name, "1"), "denied")
		v.want(v.mkd(name), "denied")
		v.want(v.rename("/m/a", name), "denied")
	}
}

func TestP3_SiblingPrefixes(t *testing.T) {
	others := []string{"T/x", "t", "t-archive/x", "t2/x", "tenant", "x"}
	b := newBucket(mem.Options{}, append(slices.Clone(others), "t/x")...)
	v := newView(t, vfs.Mount{Path: "/", Store: b.calls, Prefix: "t", Rights: all})
	v.want(v.list("/"), "x:11")
	for _, name := range []string{"/../t2/x", "/2/x", "/-archive/x", "/t2/x", "//t2/x"} {
		v.want(v.retrieve(name), "absent")
		v.want(v.stat(name), "absent")
		v.want(v.dele(name), "absent")
		v.want(v.rename(name, "/got"), "RNFR absent")
	}
	v.want(v.rename("/x", "/../t2/y"), "ok")
	v.want(v.dele("/t2/y"), "ok")
	v.want(v.rmd("/t2"), "ok")
	b.wantKeys(t, others...)
}

func TestS22_ListingsAreInOrderAcrossPages(t *testing.T) {
	var keys, want []string
	for i := range 40 {
		keys = append(keys, fmt.Sprintf("p/f%02d", i), fmt.Sprintf("p/f%02d.d/x", i))
		want = append(want, fmt.Sprintf("f%02d.d", i), fmt.Sprintf("f%02d", i)) // "." is before "/"
	}
	v := newView(t,
		vfs.Mount{Path: "/", Store: newBucket(mem.Options{PageSize: 7}, keys...).calls, Prefix: "p", Rights: all},
		vfs.Mount{Path: "/f07", Store: newBucket(mem.Options{}).calls, Rights: all})
	var got []string
	for e, err := range v.List(v.ctx, ftp.Path{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestListingEndsWhenItsReaderDoes(t *testing.T) {
	b := newBucket(mem.Options{PageSize: 1})
	for i := range 50 {
		b.fill(fmt.Sprintf("p/%02d", i), "1")
	}
	v := onBucket(t, b.calls, all)
	for range v.List(v.ctx, ftp.Path{}) {
		break
	}
	// One page holds the entry, the next shows that it is no directory, and two are on
	// their way.
	if got, _ := requests(b.calls.Take()); got > 4 {
		t.Errorf("%d pages were asked for", got)
	}
}

func TestUniqueNamesObjects(t *testing.T) {
	b, other := newBucket(mem.Options{}, "p/a", "p/d/x"), newBucket(mem.Options{}, "p/a")
	v := newView(t,
		vfs.Mount{Path: "/one", Store: b.calls, Rights: all},
		vfs.Mount{Path: "/two", Store: b.calls, Prefix: "p/", Rights: all},
		vfs.Mount{Path: "/other", Store: other.calls, Rights: all})
	unique := func(name string) string {
		e, err := v.Stat(v.ctx, path(t, name), ftp.StatOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return e.Unique
	}
	v.want(unique("/one/p/a"), unique("/two/a"))
	v.want(unique("/one/p"), unique("/two"))
	seen := map[string]string{}
	for _, name := range []string{"/one", "/one/p", "/one/p/a", "/one/p/d", "/one/p/d/x", "/other/p/a", "/other"} {
		if twin, ok := seen[unique(name)]; ok {
			t.Errorf("%s and %s have one name", name, twin)
		}
		seen[unique(name)] = name
	}
	for e, err := range v.List(v.ctx, path(t, "/two")) {
		if err != nil || e.Unique != unique("/two/"+e.Name) {
			t.Errorf("%s: %q in the listing, %q alone (%v)", e.Name, e.Unique, unique("/two/"+e.Name), err)
		}
	}
}
