package vfs_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/vfs"
)

// tree is what a directory holds in most of these tests.
var tree = []string{"p/d/", "p/d/a", "p/d/b/c", "p/d/b/e/", "p/d/z"}

// moved are keys with another prefix.
func moved(keys []string, from, to string) []string {
	var out []string
	for _, key := range keys {
		out = append(out, to+strings.TrimPrefix(key, from))
	}
	return out
}

func TestS31_DirectoryIsRenamed(t *testing.T) {
	for name, wrap := range map[string]func(backends.Backend) backends.Backend{
		"plain":  func(b backends.Backend) backends.Backend { return b },
		"cached": cached,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(mem.Options{PageSize: 2}, append(slices.Clone(tree), "p/da", "p/d-/x")...)
			v := onBucket(t, wrap(b.calls), all)
			v.list("/")
			v.want(v.rename("/d", "/n"), "ok")
			b.wantKeys(t, append([]string{"p/d-/x", "p/da"}, moved(tree, "p/d/", "p/n/")...)...)
			v.want(v.list("/"), "d-/ da:12 n/")
			v.want(v.list("/n"), "a:13 b/ z:13")
			v.want(v.retrieve("/n/b/c"), "data of p/d/b/c")
			v.want(v.enter("/d"), "absent")
			v.want(v.rename("/n", "/deep/er/n"), "ok")
			v.want(v.list("/deep/er"), "n/")
			v.want(v.rename("/deep/er/n", "/d"), "ok")
			v.want(v.enter("/deep/er"), "ok") // it was left empty
			b.wantKeys(t, append(append([]string{"p/d-/x"}, tree...), "p/da", "p/deep/er/")...)
		})
	}
}

// TestS31_X13_WhatIsRefused: onto itself, into itself, onto what exists, mount points, and
// more than the limit. Nothing is written.
func TestS31_X13_WhatIsRefused(t *testing.T) {
	b := newBucket(mem.Options{}, append(slices.Clone(tree), "p/file", "p/other/x", "q/x")...)
	before := b.keys()
	v := newView(t,
		vfs.Mount{Path: "/", Store: b.calls, Prefix: "p/", Rights: all, RenameLimit: 4},
		vfs.Mount{Path: "/same", Store: b.calls, Prefix: "p/", Rights: all},
		vfs.Mount{Path: "/m/q", Store: b.calls, Prefix: "q/", Rights: all})
	for _, c := range []struct{ from, to, want string }{
		{"/d", "/d", "exists"},
		{"/d", "/same/d", "exists"},
		{"/d", "/d/n", "invalid"},
		{"/d", "/d/b/n", "invalid"},
		{"/d", "/same/d/n", "invalid"},
		{"/d/b", "/d", "exists"},
		{"/d", "/file", "exists"},
		{"/d", "/other", "exists"},
		{"/d", "/m", "exists"},
		{"/d", "/m/q", "exists"},
		{"/d", "/", "exists"},
		{"/d", "/.causeway/d", "absent"},
		{"/d", "/n", "too many"},
		{"/d/b", strings.Repeat("n/", 510) + "n", "invalid"}, // what is in it has no room
		{"/m", "/n", "RNFR denied"},
		{"/m/q", "/n", "RNFR denied"},
		{"/none", "/n", "RNFR absent"},
	} {
		if got := v.rename(c.from, c.to); got != c.want {
			t.Errorf("%s to %.20s: %s, want %s", c.from, c.to, got, c.want)
		}
	}
	b.wantKeys(t, before...)
	v.want(v.rename("/same/d", "/same/n"), "ok")
}

// TestS31_P5_RightsOfBothEnds are those of a file's rename.
func TestS31_P5_RightsOfBothEnds(t *testing.T) {
	for from := vfs.Rights(0); from <= all; from++ {
		for _, to := range []vfs.Rights{0, vfs.Write, all &^ vfs.Write, all} {
			for _, target := range []string{"/from/n", "/to/n"} {
				b := newBucket(mem.Options{}, "from/d/x")
				v := newView(t,
					vfs.Mount{Path: "/from", Store: b.calls, Prefix: "from/", Rights: from},
					vfs.Mount{Path: "/to", Store: b.calls, Prefix: "to/", Rights: to})
				need := vfs.Rename | vfs.Write
				allowed := from&need == need
				if target == "/to/n" {
					need = vfs.Rename | vfs.Read | vfs.Delete
					allowed = from&need == need && to&vfs.Write != 0
				}
				if got := v.rename("/from/d", target); allowed != (got == "ok") {
					t.Errorf("to %s with rights %07b, %07b: %s", target, from, to, got)
				}
				if !allowed {
					b.wantKeys(t, "from/d/x")
				}
			}
		}
	}
}

// ends are the two sides of a rename: of one store, or of two.
type ends struct{ src, dst *bucket }

func newEnds(far bool, keys ...string) ends {
	src := newBucket(mem.Options{}, keys...)
	if far {
		return ends{src, newBucket(mem.Options{})}
	}
	return ends{src, src}
}

// process is the view that a process has which lives for so many calls of the stores.
func (e ends) process(t *testing.T, l *life) *view {
	src := &mortal{l, e.src}
	dst := src
	if e.dst != e.src {
		dst = &mortal{l, e.dst}
	}
	return newView(t,
		vfs.Mount{Path: "/p", Store: src, Prefix: "p/", Rights: all},
		vfs.Mount{Path: "/q", Store: dst, Prefix: "q/", Rights: all})
}

func immortal() *life { return &life{left: math.MaxInt} }

// whole fails unless each object is whole under its old name or its new one.
func (e ends) whole(t *testing.T, keys []string) {
	t.Helper()
	for _, key := range keys {
		old, oldOK := e.src.content(key)
		renamed, newOK := e.dst.content("q/n/" + strings.TrimPrefix(key, "p/d/"))
		want := "data of " + key
		if !oldOK && !newOK || oldOK && old != want || newOK && renamed != want {
			t.Errorf("%s: %q %v, %q %v", key, old, oldOK, renamed, newOK)
		}
	}
}

// TestS31_R8_KilledAtEveryStep kills the gateway at each call of the stores in turn,
// before it takes place or before its answer: no object is lost or half, and the same
// rename by another process completes it.
func TestS31_R8_KilledAtEveryStep(t *testing.T) {
	for _, c := range []struct{ far, late bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		for calls := 1; ; calls++ {
			e, l := newEnds(c.far, tree...), &life{left: calls, late: c.late}
			first := e.process(t, l).rename("/p/d", "/q/n")
			if !l.died() {
				break
			}
			e.src.Crash()
			e.dst.Crash()
			e.whole(t, tree)
			then := e.process(t, immortal()).rename("/p/d", "/q/n")
			if then != "ok" && then != "RNFR absent" {
				t.Errorf("%+v, killed at call %d: %s, then %s", c, calls, first, then)
			}
			if !slices.Equal(below(e.dst, "q/"), moved(tree, "p/d/", "q/n/")) || len(below(e.src, "p/d/")) > 0 {
				t.Errorf("%+v, killed at call %d: %s, then %s: %q, %q", c, calls, first, then, e.src.keys(), e.dst.keys())
			}
			e.whole(t, tree)
		}
	}
}

func below(b *bucket, prefix string) []string {
	return slices.DeleteFunc(b.keys(), func(key string) bool { return !strings.HasPrefix(key, prefix) })
}
