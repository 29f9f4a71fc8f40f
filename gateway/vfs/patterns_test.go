package vfs_test

import (
	"log/slog"
	gopath "path"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// patterned mounts a bucket's keys below p/ as the root, with patterns.
func patterned(t failer, b *bucket, hide, deny []string) *view {
	return newView(t, vfs.Mount{Path: "/", Store: b, Prefix: "p/", Rights: all, Hide: hide, Deny: deny})
}

func TestS46_WhatPatternsMean(t *testing.T) {
	for _, c := range []struct {
		pattern string
		meant   []string
		others  []string
	}{
		{"*.tmp", []string{"a.tmp", "A.TMP", ".tmp", "d/a.tmp", "d.tmp/x", "a/b.Tmp/c/d"}, []string{"a.tmp1", "tmp", "d/tmp"}},
		{".*", []string{".x", "d/.x/y"}, []string{"x.y"}},
		{"/top", []string{"top", "TOP/x"}, []string{"d/top", "top1"}},
		{"in/*/raw", []string{"in/x/raw", "in/x/raw/y"}, []string{"in/raw", "d/in/x/raw", "in/x", "in/x/y/raw"}},
		{"caf\u00e9", []string{"cafe\u0301", "CAF\u00c9"}, []string{"cafe"}},
		{"[ab]?", []string{"ax", "B1"}, []string{"cx", "abc"}},
	} {
		for _, name := range slices.Concat(c.meant, c.others) {
			b := newBucket(mem.Options{}, "p/"+name)
			meant := slices.Contains(c.meant, name)
			if got := patterned(t, b, []string{c.pattern}, nil).stat(name); (got == "absent") != meant {
				t.Errorf("hide %s: %s is %q", c.pattern, name, got)
			}
			if got := patterned(t, b, nil, []string{c.pattern}).store(name, "x"); (got == "denied") != meant {
				t.Errorf("deny %s: %s is %q", c.pattern, name, got)
			}
		}
	}
	for _, bad := range []string{"", "/", "[a", `a\`} {
		_, err := vfs.New([]vfs.Mount{{Path: "/", Store: mem.New(mem.Options{}), Deny: []string{bad}}}, vfs.NewNames(), slog.New(slog.DiscardHandler))
		if err == nil {
			t.Errorf("%q is a pattern", bad)
		}
	}
}

// TestS46_P21_HiddenNames: no operation shows one, or tells it from one that is not there.
func TestS46_P21_HiddenNames(t *testing.T) {
	b := newBucket(mem.Options{}, "p/.secret", "p/d/.secret", "p/.dir/x", "p/d/x")
	newView(t, vfs.Mount{Path: "/", Store: b, Prefix: "p/", Rights: all}).park(".parked", "half", ftp.StoreOptions{})
	before := b.keys()
	v := patterned(t, b, []string{".*"}, nil)
	v.want(v.list("/"), "d/")
	v.want(v.list("/d"), "x:13")
	for _, name := range []string{".secret", "d/.secret", ".dir", ".dir/x", ".parked", ".none", "d/.none", ".none/x"} {
		for operation, got := range map[string]string{
			"enter": v.enter(name), "stat": v.stat(name), "list": v.list(name), "retrieve": v.retrieve(name),
			"store": v.store(name, "x"), "append": v.storeWith(name, "x", ftp.StoreOptions{Append: true}),
			"resume": v.storeWith(name, "x", ftp.StoreOptions{Offset: 1}), "unique": v.storeWith(name, "x", ftp.StoreOptions{Unique: true}),
			"delete": v.dele(name), "mkdir": v.mkd(name), "rmdir": v.rmd(name), "set time": v.setTime(name, time.Unix(1, 0)),
			"to": v.rename("d/x", name),
		} {
			if got != "absent" {
				t.Errorf("%s %s: %q", operation, name, got)
			}
		}
		v.want(v.rename(name, "free"), "RNFR absent")
	}
	v.want(v.rmd("d"), "not empty")
	v.want(v.dele("d/x"), "ok")
	v.want(v.rmd("d"), "not empty")
	b.fill("p/d/x", "data of p/d/x")
	b.wantKeys(t, before...)
}

// TestS46_DeniedNames: nothing gets one, whatever has it may be read and taken away.
func TestS46_DeniedNames(t *testing.T) {
	b := newBucket(mem.Options{}, "p/old.exe", "p/x", "p/d.exe/x")
	v := patterned(t, b, nil, []string{"*.exe"})
	for _, name := range []string{"new.exe", "old.exe", "NEW.EXE", "d/new.exe", "new.exe/x", "d.exe/y"} {
		for operation, got := range map[string]string{
			"store": v.store(name, "x"), "append": v.storeWith(name, "x", ftp.StoreOptions{Append: true}),
			"resume": v.storeWith(name, "x", ftp.StoreOptions{Offset: 1}), "unique": v.storeWith(name, "x", ftp.StoreOptions{Unique: true}),
			"mkdir": v.mkd(name + "/sub"), "set time": v.setTime(name, time.Unix(1, 0)), "to": v.rename("x", name),
		} {
			if got != "denied" {
				t.Errorf("%s %s: %q", operation, name, got)
			}
		}
	}
	for name, want := range map[string]ftp.Perm{"old.exe": ftp.PermAppend | ftp.PermWrite, "d.exe": ftp.PermCreate | ftp.PermMkdir} {
		if e, err := v.Stat(v.ctx, path(v, name), ftp.StatOptions{}); err != nil || e.Perm&want != 0 {
			t.Errorf("%s: may %b, %v", name, e.Perm, err)
		}
	}
	v.want(v.list("/"), "d.exe/ old.exe:17 x:11")
	v.want(v.retrieve("old.exe"), "data of p/old.exe")
	v.want(v.rename("old.exe", "old.txt"), "ok")
	v.want(v.dele("d.exe/x"), "ok")
	b.wantKeys(t, "p/d.exe/", "p/old.txt", "p/x")
}

// TestS46_RenamesOfParents neither bring anything out of hiding nor give denied names.
func TestS46_RenamesOfParents(t *testing.T) {
	b := newBucket(mem.Options{}, "p/d/raw/x", "p/d/y", "p/e/.secret", "p/e/y", "q/f/a.exe", "q/g/.secret", "q/g/y", "q/h/y")
	v := newView(t,
		vfs.Mount{Path: "/", Store: b, Prefix: "p/", Rights: all, Hide: []string{"d/raw", ".*"}, Deny: []string{"*.exe", "public/raw"}},
		vfs.Mount{Path: "/q", Store: b, Prefix: "q/", Rights: all})
	before := b.keys()
	v.want(v.list("/d"), "y:13")
	v.want(v.rename("d", "c"), "denied")        // raw would show
	v.want(v.rename("q/f", "f"), "denied")      // a.exe is denied there
	v.want(v.rename("q/g", "g"), "denied")      // .secret would hide
	v.want(v.rename("e", "q/e"), "denied")      // .secret would show
	v.want(v.rename("q/g", "public"), "denied") // the same, and no hole for another pattern
	b.wantKeys(t, before...)
	v.want(v.rename("e", "e2"), "ok") // hidden before, hidden after
	v.want(v.list("/e2"), "y:13")
	v.want(v.stat("/e2/.secret"), "absent")
	v.want(v.rename("q/h", "h"), "ok")
	if !slices.Contains(b.keys(), "p/e2/.secret") || !slices.Contains(b.keys(), "p/h/y") {
		t.Errorf("keys: %q", b.keys())
	}
}

// TestS46_I4_NoWayToWhatIsHidden runs the same random operations over two buckets, of which
// one holds hidden objects beside. No answer differs, the hidden ones stay as they are, and
// no denied name comes up.
func TestS46_I4_NoWayToWhatIsHidden(t *testing.T) {
	hidden := []string{"p/.secret", "p/d/.secret", "p/.dir/x", "p/private/x", "p/private/y/z"}
	names := rapid.SampledFrom([]string{
		"x", "y", "d", "d/x", "d/../.secret", ".secret", "d/.secret", ".dir", ".dir/x", ".DIR/x", "private", "Private/x", "private/new", "./private/y/z",
		"d//.secret", "a.exe", "A.EXE", "d/a.exe", "e/a.exe/x", "e", "e/x", "e/.new", "priv*", ".*", "/", "d/.parked",
	})
	contents := rapid.SampledFrom([]string{"", "a", "bcd"})
	rapid.Check(t, func(t *rapid.T) {
		var views []*view
		var buckets []*bucket
		for _, keys := range [][]string{{"p/d/x"}, append([]string{"p/d/x"}, hidden...)} {
			b := newBucket(mem.Options{})
			for _, key := range keys {
				b.fill(key, "data of "+key)
			}
			buckets = append(buckets, b)
			views = append(views, patterned(t, b, []string{".*", "/private"}, []string{"*.exe"}))
		}
		newView(t, vfs.Mount{Path: "/", Store: buckets[1], Prefix: "p/", Rights: all}).park("d/.parked", "half", ftp.StoreOptions{})
		both := func(operation func(*view) string) {
			if a, b := operation(views[0]), operation(views[1]); a != b {
				t.Fatalf("without hidden objects %q, with them %q", a, b)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				for _, key := range hidden {
					u, err := buckets[1].Store.Stat(views[1].ctx, key, backends.StatOptions{})
					if err != nil || u.Size != int64(len("data of "+key)) {
						t.Fatalf("%s: %+v, %v", key, u, err)
					}
				}
				for _, key := range buckets[1].keys() {
					for segment := range strings.SplitSeq(key, "/") {
						if ok, _ := gopath.Match("*.exe", strings.ToLower(segment)); ok {
							t.Fatalf("%s is there", key)
						}
					}
				}
			},
			"look": func(t *rapid.T) {
				name := names.Draw(t, "name")
				both(func(v *view) string {
					return v.stat(name) + "|" + v.enter(name) + "|" + v.retrieve(name) + "|" + v.list(name)
				})
			},
			"store": func(t *rapid.T) {
				name, content := names.Draw(t, "name"), contents.Draw(t, "content")
				o := ftp.StoreOptions{Append: rapid.Bool().Draw(t, "append"), Unique: rapid.Bool().Draw(t, "unique")}
				both(func(v *view) string { return v.storeWith(name, content, o) })
			},
			"park": func(t *rapid.T) {
				name, content := names.Draw(t, "name"), contents.Draw(t, "content")
				both(func(v *view) string { return v.park(name, content, ftp.StoreOptions{}) })
			},
			"change": func(t *rapid.T) {
				name := names.Draw(t, "name")
				if what := rapid.IntRange(0, 3).Draw(t, "what"); what == 0 {
					both(func(v *view) string { return v.dele(name) })
				} else if what == 1 {
					both(func(v *view) string { return v.mkd(name) })
				} else if what == 2 && name != "d" { // which is not empty with hidden objects in it
					both(func(v *view) string { return v.rmd(name) })
				} else {
					both(func(v *view) string { return v.setTime(name, time.Unix(1, 0)) })
				}
			},
			"rename": func(t *rapid.T) {
				// The directory with hidden objects in it cannot be renamed.
				from := names.Filter(func(name string) bool { return name != "d" }).Draw(t, "from")
				to := names.Draw(t, "to")
				both(func(v *view) string { return v.rename(from, to) })
			},
		})
	})
}
