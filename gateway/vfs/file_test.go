package vfs_test

import (
	"errors"
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

func TestS10_NothingShowsBeforeCommit(t *testing.T) {
	for _, old := range []bool{false, true} {
		b := newBucket(mem.Options{})
		if old {
			b.fill("p/a", "old")
		}
		v := onBucket(t, cached(b.calls), all)
		before := v.retrieve("/a") + v.stat("/a") + v.list("/")
		for _, end := range []string{"abort", "cut"} {
			u, _, err := v.Store(v.ctx, path(t, "/a"), ftp.StoreOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(u, "new content"); err != nil {
				t.Fatal(err)
			}
			v.want(v.retrieve("/a")+v.stat("/a")+v.list("/"), before)
			if end == "cut" {
				b.faults.Add(backendtest.Fault{Verb: "commit", Err: &backends.Error{Op: "commit", Kind: backends.ErrUnavailable}})
				_, err := u.Commit()
				v.want(outcome(err), "unavailable")
			}
			v.want(outcome(u.Abort()), "ok")
			v.want(v.retrieve("/a")+v.stat("/a")+v.list("/"), before)
			b.faults.Clear()
		}
		if left := b.Uploads(); len(left) != 0 {
			t.Errorf("left behind: %q", left)
		}
		v.want(v.store("/a", "new content"), "ok")
		v.want(v.retrieve("/a")+" "+v.stat("/a")+" "+v.list("/"), "new content a:11 a:11")
	}
}

func TestStoreWithoutOverwriteIsRefusedEarlyAndAtCommit(t *testing.T) {
	b := newBucket(mem.Options{}, "p/old")
	v := onBucket(t, b.calls, all&^vfs.Overwrite)
	_, _, err := v.Store(v.ctx, path(t, "/old"), ftp.StoreOptions{})
	v.want(outcome(err), "exists")
	u, _, err := v.Store(v.ctx, path(t, "/new"), ftp.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b.fill("p/new", "of another")
	_, err = u.Commit()
	v.want(outcome(err), "exists")
	v.want(v.retrieve("/new"), "of another")
}

func TestX16_StoreUniqueNeverReplaces(t *testing.T) {
	b := newBucket(mem.Options{}, "p/old")
	v := onBucket(t, b.calls, all)
	unique := ftp.StoreOptions{Unique: true}
	v.want(v.storeWith("/old", "1", unique), "exists")
	v.want(v.storeWith("/new", "1", unique), "ok")
	v.want(v.storeWith("/new", "2", unique), "exists")
	v.want(v.retrieve("/new"), "1")
}

func TestStoreSaysWhatItHasStored(t *testing.T) {
	b := newBucket(mem.Options{})
	v := onBucket(t, b.calls, all)
	u, _, err := v.Store(v.ctx, path(t, "/Photo.JPG"), ftp.StoreOptions{Size: 3})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(u, "123"); err != nil {
		t.Fatal(err)
	}
	e, err := u.Commit()
	if err != nil || e.Name != "Photo.JPG" || e.Size != 3 || e.Version == "" || e.Unique == "" {
		t.Errorf("%+v, %v", e, err)
	}
	obj, err := b.Stat(v.ctx, "p/Photo.JPG", backends.StatOptions{})
	if err != nil || obj.ContentType != "image/jpeg" {
		t.Errorf("%+v, %v", obj, err)
	}
}

func TestS20_RetrieveServesOneVersion(t *testing.T) {
	b := newBucket(mem.Options{}, "p/a")
	v := onBucket(t, cached(b.calls), all)
	d, err := v.Retrieve(v.ctx, path(t, "/a"), ftp.RetrieveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	head := make([]byte, 4)
	if _, err := io.ReadFull(d, head); err != nil {
		t.Fatal(err)
	}
	b.fill("p/a", "DATA OF ANOTHER")
	rest, err := io.ReadAll(d)
	if got := string(head) + string(rest); !strings.HasPrefix("data of p/a", got) || err == nil && got != "data of p/a" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestS20_X14_ReplacedDownloadEndsInAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(mem.Options{}, "p/a")
		b.faults.Add(backendtest.Fault{Verb: "read", Nth: 1, After: 4, Err: &backends.Error{Op: "read", Kind: backends.ErrUnavailable}})
		v := onBucket(t, b.calls, all)
		d, err := v.Retrieve(v.ctx, path(t, "/a"), ftp.RetrieveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		b.fill("p/a", "DATA OF ANOTHER")
		got, err := io.ReadAll(d)
		v.want(string(got)+" "+outcome(err), "data changed")
	})
}

func TestS21_ReadIsTakenUpAgain(t *testing.T) {
	for _, c := range []struct {
		nth  int
		want string
	}{{1, "data of p/a ok"}, {0, "data unavailable"}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBucket(mem.Options{}, "p/a")
			b.faults.Add(backendtest.Fault{Verb: "read", Nth: 1, After: 4, Err: &backends.Error{Op: "read", Kind: backends.ErrUnavailable}})
			if c.nth == 0 {
				b.faults.Add(backendtest.Fault{Verb: "read", Err: io.EOF})
			}
			v := onBucket(t, b.calls, all)
			d, err := v.Retrieve(v.ctx, path(t, "/a"), ftp.RetrieveOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			got, err := io.ReadAll(d)
			v.want(string(got)+" "+outcome(err), c.want)
		})
	}
}

func TestRetrieveRange(t *testing.T) {
	v := onBucket(t, newBucket(mem.Options{}, "p/a").calls, all)
	for _, c := range []struct {
		offset, length int64
		want           string
	}{{0, 0, "data of p/a"}, {5, 0, "of p/a"}, {5, 2, "of"}, {11, 0, ""}, {12, 0, "restart"}} {
		d, err := v.Retrieve(v.ctx, path(t, "/a"), ftp.RetrieveOptions{Offset: c.offset, Length: c.length})
		if err != nil {
			v.want(outcome(err), c.want)
			continue
		}
		content, err := io.ReadAll(d)
		if err != nil || d.Size != 11 {
			t.Errorf("size %d, %v", d.Size, err)
		}
		v.want(string(content), c.want)
		v.want(outcome(d.Close()), "ok")
	}
}

func TestS24_SetTime(t *testing.T) {
	set := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for name, partial := range map[string]bool{"listing tells": false, "listing does not": true} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(mem.Options{Partial: partial}, "p/a")
			v := onBucket(t, cached(b.calls), all)
			v.list("/")
			v.want(v.setTime("/a", set), "ok")
			shown := func() (alone, listed time.Time) {
				e, err := v.Stat(v.ctx, path(t, "/a"), ftp.StatOptions{Complete: true})
				if err != nil {
					t.Fatal(err)
				}
				for l, err := range v.List(v.ctx, ftp.Path{}) {
					if err != nil {
						t.Fatal(err)
					}
					listed = l.ModTime
				}
				return e.ModTime, listed
			}
			for range 2 { // the second time after a listing
				if alone, listed := shown(); !alone.Equal(set) || listed.Equal(set) == partial {
					t.Errorf("alone %v, listed %v", alone, listed)
				}
			}
			v.want(v.retrieve("/a"), "data of p/a")
			v.want(v.rename("/a", "/b"), "ok")
			v.want(v.rename("/b", "/a"), "ok")
			if alone, _ := shown(); !alone.Equal(set) {
				t.Errorf("renamed: %v", alone)
			}
		})
	}
}

// noCopy is a store without server-side copies.
type noCopy struct{ backends.Backend }

func TestS24_SetTimeWhereItCannotBe(t *testing.T) {
	b := newBucket(mem.Options{}, "p/a", "p/d/x")
	now := time.Now()
	v := onBucket(t, noCopy{b.calls}, all)
	v.want(v.setTime("/a", now), "unsupported")
	v = onBucket(t, cached(noCopy{b.calls}), all)
	v.want(v.setTime("/a", now), "unsupported")
	for kind, want := range map[error]string{
		fs.ErrPermission: "unsupported", errors.ErrUnsupported: "unsupported",
		backends.ErrChanged: "changed", backends.ErrUnavailable: "unavailable",
	} {
		b.faults.Clear()
		b.faults.Add(backendtest.Fault{Verb: "copy", Err: &backends.Error{Op: "copy", Kind: kind}})
		v = onBucket(t, cached(b.calls), all)
		v.want(v.setTime("/a", now), want)
	}
	v.want(v.setTime("/d", now), "is dir")
	v.want(v.setTime("/none", now), "absent")
	v.want(v.retrieve("/a"), "data of p/a")
}

func TestS32_X14_DeleteRefuses(t *testing.T) {
	v := onBucket(t, newBucket(mem.Options{}, "p/a", "p/d/x", "p/m/").calls, all)
	v.want(v.dele("/none"), "absent")
	v.want(v.dele("/d"), "is dir")
	v.want(v.dele("/m"), "is dir")
	v.want(v.dele("/"), "is dir")
	v.want(v.rmd("/a"), "not dir")
	v.want(v.rmd("/none"), "absent")
	v.want(v.rmd("/d"), "not empty")
	v.want(v.rmd("/"), "denied")
}

func TestS30_RenameAcrossDirectoriesMountsAndStores(t *testing.T) {
	for _, dir := range []string{"/one/d", "/one/e", "/two", "/far"} {
		t.Run(dir, func(t *testing.T) {
			b, far := newBucket(mem.Options{}, "one/d/x"), newBucket(mem.Options{})
			v := newView(t,
				vfs.Mount{Path: "/one", Store: b.calls, Prefix: "one/", Rights: all},
				vfs.Mount{Path: "/two", Store: b.calls, Prefix: "two/", Rights: all},
				vfs.Mount{Path: "/far", Store: far.calls, Prefix: "far/", Rights: all})
			v.want(v.rename("/one/d/x", dir+"/y"), "ok")
			v.want(v.retrieve(dir+"/y"), "data of one/d/x")
			v.want(v.retrieve("/one/d/x"), "absent")
			v.want(v.enter("/one/d"), "ok")
			v.want(v.store("/one/d/x", "second"), "ok")
			v.want(v.rename("/one/d/x", dir+"/y"), "ok")
			v.want(v.retrieve(dir+"/y"), "second")
		})
	}
}

func TestS30_SourceStaysUntilTheTargetIsDurable(t *testing.T) {
	for _, c := range []struct{ verb, target, want string }{
		{"move", "/one/y", "unavailable"},
		{"commit", "/far/y", "unavailable"},
		{"read", "/far/y", "unavailable"},
		{"create", "/far/y", "unavailable"},
		{"delete", "/far/y", "unavailable"}, // then both are there
	} {
		t.Run(c.verb, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, far := newBucket(mem.Options{}, "one/x"), newBucket(mem.Options{})
				fault := backendtest.Fault{Verb: c.verb, Err: &backends.Error{Op: c.verb, Kind: backends.ErrUnavailable}}
				b.faults.Add(fault)
				far.faults.Add(fault)
				v := newView(t,
					vfs.Mount{Path: "/one", Store: b.calls, Prefix: "one/", Rights: all},
					vfs.Mount{Path: "/far", Store: far.calls, Prefix: "far/", Rights: all})
				v.want(v.rename("/one/x", c.target), c.want)
				b.wantKeys(t, "one/x")
				if c.verb == "delete" {
					far.wantKeys(t, "far/y")
				} else {
					far.wantKeys(t)
				}
				if left := far.Uploads(); len(left) > 0 {
					t.Errorf("left behind: %q", left)
				}
			})
		})
	}
}

func TestS30_RenamePinsItsSource(t *testing.T) {
	for _, target := range []string{"/one/y", "/far/y"} {
		b, far := newBucket(mem.Options{}, "one/x"), newBucket(mem.Options{})
		v := newView(t,
			vfs.Mount{Path: "/one", Store: cached(b.calls), Prefix: "one/", Rights: all},
			vfs.Mount{Path: "/far", Store: far.calls, Prefix: "far/", Rights: all})
		to, err := v.Rename(v.ctx, path(t, "/one/x"))
		if err != nil {
			t.Fatal(err)
		}
		b.fill("one/x", "of another")
		v.want(outcome(to(v.ctx, path(t, target))), "changed")
		v.want(v.retrieve("/one/x"), "of another")
		v.want(v.retrieve(target), "absent")
		v.want(v.rename("/one/x", target), "ok") // the cache has learned
		v.want(v.retrieve(target), "of another")
	}
}

func TestS30_X13_RenameOntoItself(t *testing.T) {
	b := newBucket(mem.Options{}, "p/x")
	v := newView(t,
		vfs.Mount{Path: "/one", Store: b.calls, Prefix: "p/", Rights: all},
		vfs.Mount{Path: "/two", Store: b.calls, Prefix: "p/", Rights: all})
	v.want(v.rename("/one/x", "/one/x"), "ok")
	v.want(v.rename("/one/x", "/two/x"), "ok")
	v.want(v.retrieve("/one/x"), "data of p/x")
}

func TestS30_RenameRefuses(t *testing.T) {
	b := newBucket(mem.Options{}, "p/a", "p/b", "p/d/x")
	v := onBucket(t, cached(b.calls), all&^vfs.Overwrite)
	v.want(v.rename("/none", "/y"), "RNFR absent")
	v.want(v.rename("/a", "/b"), "exists")
	v.list("/")
	v.want(v.rename("/a", "/d"), "is dir")
	to, err := v.Rename(v.ctx, path(t, "/a"))
	if err != nil {
		t.Fatal(err)
	}
	v.want(v.stat("/free"), "absent")
	b.fill("p/free", "of another")
	v.want(outcome(to(v.ctx, path(t, "/free"))), "exists")
	b.wantKeys(t, "p/a", "p/b", "p/d/x", "p/free")
}

// TestStoreFailuresKeepTheirKind makes the store fail in each way, in each operation.
func TestStoreFailuresKeepTheirKind(t *testing.T) {
	operations := map[string]func(*view) string{
		"enter":    func(v *view) string { return v.enter("/d") },
		"stat":     func(v *view) string { return v.stat("/d/a") },
		"list":     func(v *view) string { return v.list("/d") },
		"retrieve": func(v *view) string { return v.retrieve("/d/a") },
		"store":    func(v *view) string { return v.store("/d/a", "1") },
		"delete":   func(v *view) string { return v.dele("/d/a") },
		"mkdir":    func(v *view) string { return v.mkd("/new") },
		"rmdir":    func(v *view) string { return v.rmd("/d") },
		"rename":   func(v *view) string { return strings.TrimPrefix(v.rename("/d/a", "/d/b"), "RNFR ") },
		"set time": func(v *view) string { return v.setTime("/d/a", time.Now()) },
	}
	for name, do := range operations {
		for kind, want := range map[error]string{
			backends.ErrBusy: "busy", backends.ErrQuota: "quota", backends.ErrUnavailable: "unavailable", fs.ErrInvalid: "invalid",
		} {
			b := newBucket(mem.Options{}, "p/d/a")
			for _, verb := range []string{"stat", "list", "open", "create", "write", "commit", "delete", "copy", "move"} {
				b.faults.Add(backendtest.Fault{Verb: verb, Err: &backends.Error{Op: verb, Kind: kind}})
			}
			if got := do(onBucket(t, b.calls, all)); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
			if !slices.Equal(b.keys(), []string{"p/d/a"}) {
				t.Errorf("%s changed the store: %q", name, b.keys())
			}
		}
	}
}

func TestSpaceIsTheStores(t *testing.T) {
	v := newView(t, vfs.Mount{Path: "/limited", Store: limited{newBucket(mem.Options{}, "d/file").calls}, Rights: all},
		vfs.Mount{Path: "/unlimited", Store: newBucket(mem.Options{}).calls, Rights: all})
	for name, want := range map[string]string{"/limited/d": "ok", "/limited/d/file": "absent", "/limited/none": "absent", "/none": "absent", "/unlimited": "unsupported", "/": "unsupported", "/.causeway": "absent"} {
		n, err := v.Space(v.ctx, path(t, name))
		v.want(outcome(err), want)
		if err == nil && n != 7 {
			t.Errorf("%s: %d octets", name, n)
		}
	}
}
