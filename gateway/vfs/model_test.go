package vfs_test

import (
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// TestP1_P6_I4_SessionsStayInTheirMounts runs random operations, on names as clients send
// them, over random trees of mounts. After each operation the keys that the stores were
// asked for lie below the mounts' prefixes, and the objects are what a simple model of
// S1, S5 and S6 says.
func TestP1_P6_I4_SessionsStayInTheirMounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		t.Repeat(map[string]func(*rapid.T){
			"":       m.check,
			"store":  m.store,
			"delete": m.delete,
			"mkdir":  m.mkdir,
			"rmdir":  m.rmdir,
			"rename": m.rename,
			"look":   m.look,
			"list":   m.list,
		})
	})
}

// model is a view over two buckets, and what each object is believed to hold. Markers are
// left out.
type model struct {
	*view
	buckets []*bucket
	mounts  []mounted
	objects map[object]string
}

type mounted struct {
	path, prefix string // path without a final slash
	bucket       int
}

type object struct {
	bucket int
	key    string
}

var (
	mountPaths = rapid.SampledFrom([]string{"/", "/a", "/a/b", "/a/b/c", "/ab", "/b", "/b/a"})
	prefixes   = rapid.SampledFrom([]string{"", "a/", "a/b/", "ab/", "t", "t2/", "t-archive/"})
	clientName = rapid.StringMatching(`/?((a|b|c|ab|t|t2|\.|\.\.|\.causeway|x y|a\\b|%2e%2e|\.\.\.| )/{1,2}){0,4}(a|b|c|\.\.)?`)
)

func newModel(t *rapid.T) *model {
	m := &model{objects: map[object]string{}}
	for i := range 2 {
		m.buckets = append(m.buckets, newBucket(mem.Options{PageSize: 3}))
		for _, key := range []string{"a", "a/a", "ab/x", "t/x", "t2/x", "t-archive/x", "a/.causeway/x", ".causeway/x", "a//b", "b/../a", "a/b/\x1b"} {
			m.buckets[i].fill(key, key)
			m.objects[object{i, key}] = key
		}
	}
	var mounts []vfs.Mount
	paths := rapid.SliceOfNDistinct(mountPaths, 0, 4, rapid.ID).Draw(t, "mount points")
	for _, p := range paths {
		at := mounted{strings.TrimSuffix(p, "/"), prefixes.Draw(t, "prefix"), rapid.IntRange(0, 1).Draw(t, "bucket")}
		mounts = append(mounts, vfs.Mount{Path: p, Store: m.buckets[at.bucket].calls, Prefix: at.prefix, Rights: all})
		if at.prefix == "t" {
			at.prefix = "t/"
		}
		m.mounts = append(m.mounts, at)
	}
	m.view = newView(t, mounts...)
	return m
}

// draw returns a path as a client may come to it, and what the model says of it.
func (m *model) draw(t *rapid.T, label string) (p ftp.Path, at object, ok bool) {
	cwd, err := ftp.Path{}.Join(clientName.Draw(t, label+" from"))
	if err != nil {
		t.Skip("no path")
	}
	if p, err = cwd.Join(clientName.Draw(t, label)); err != nil {
		t.Skip("no path")
	}
	at, ok = m.resolve(p.String())
	return p, at, ok
}

// resolve finds the longest mount by trying all.
func (m *model) resolve(p string) (object, bool) {
	var best *mounted
	for _, at := range m.mounts {
		if strings.HasPrefix(p+"/", at.path+"/") && (best == nil || len(at.path) > len(best.path)) {
			best = &at
		}
	}
	if best == nil || strings.Contains(p+"/", "/.causeway/") || len(p) <= len(best.path)+1 {
		return object{}, false
	}
	return object{best.bucket, best.prefix + p[len(best.path)+1:]}, true
}

// check is run after every operation.
func (m *model) check(t *rapid.T) {
	t.Helper()
	for i, b := range m.buckets {
		for _, call := range b.calls.Take() {
			verb, rest, _ := strings.Cut(call, " ")
			names := []string{rest}
			if from, to, ok := strings.Cut(rest, " -> "); ok && (verb == "copy" || verb == "move") {
				names = []string{from, to}
			}
			for _, name := range names {
				if strings.HasPrefix(name, ".causeway/renames/") {
					continue // the gateway's own journal
				}
				if !m.allowed(i, name) || strings.HasPrefix(name, ".causeway") || strings.Contains(name, "/.causeway") {
					t.Fatalf("bucket %d was asked: %s", i, call)
				}
			}
		}
		for _, key := range b.keys() {
			if _, known := m.objects[object{i, key}]; !known && (!strings.HasSuffix(key, "/") || !m.allowed(i, key)) {
				t.Fatalf("bucket %d has %q", i, key)
			}
		}
	}
	for o, want := range m.objects {
		r, err := m.buckets[o.bucket].Store.Open(context.Background(), o.key, backends.OpenOptions{})
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != want {
			t.Fatalf("%+v is %q, want %q (%v)", o, got, want, err)
		}
	}
}

func (m *model) allowed(bucket int, key string) bool {
	return slices.ContainsFunc(m.mounts, func(at mounted) bool {
		return at.bucket == bucket && strings.HasPrefix(key, at.prefix)
	})
}

func (m *model) store(t *rapid.T) {
	p, at, ok := m.draw(t, "path")
	content := rapid.StringMatching(`[xyz]{0,5}`).Draw(t, "content")
	if m.view.store(p.String(), content) == "ok" {
		m.must(t, ok)
		m.objects[at] = content
	}
}

func (m *model) delete(t *rapid.T) {
	p, at, ok := m.draw(t, "path")
	_, exists := m.objects[at]
	if got := m.dele(p.String()); (got == "ok") != (ok && exists && !m.leadsToMount(p.String())) {
		t.Fatalf("delete %s: %s", p, got)
	}
	if ok && !m.leadsToMount(p.String()) {
		delete(m.objects, at)
	}
}

// leadsToMount tells whether p is a mount point or above one.
func (m *model) leadsToMount(p string) bool {
	return slices.ContainsFunc(m.mounts, func(at mounted) bool {
		return strings.HasPrefix(at.path+"/", strings.TrimSuffix(p, "/")+"/")
	})
}

func (m *model) mkdir(t *rapid.T) {
	p, _, ok := m.draw(t, "path")
	if m.mkd(p.String()) == "ok" {
		m.must(t, ok)
		m.want(m.enter(p.String()), "ok")
	}
}

func (m *model) rmdir(t *rapid.T) {
	p, _, ok := m.draw(t, "path")
	if m.rmd(p.String()) == "ok" {
		m.must(t, ok && !m.leadsToMount(p.String()))
		m.want(m.enter(p.String()), "absent")
		m.want(m.enter(p.Parent().String()), "ok")
	}
}

func (m *model) rename(t *rapid.T) {
	from, src, srcOK := m.draw(t, "source")
	to, dst, dstOK := m.draw(t, "target")
	if m.view.rename(from.String(), to.String()) != "ok" {
		return
	}
	m.must(t, srcOK && dstOK)
	if content, file := m.objects[src]; file {
		delete(m.objects, src)
		m.objects[dst] = content
		return
	}
	for o, content := range maps.Clone(m.objects) {
		rest, below := strings.CutPrefix(o.key, src.key+"/")
		if o.bucket == src.bucket && below && !strings.Contains("/"+rest+"/", "/.causeway/") {
			delete(m.objects, o)
			m.objects[object{dst.bucket, dst.key + "/" + rest}] = content
		}
	}
}

func (m *model) look(t *rapid.T) {
	p, at, ok := m.draw(t, "path")
	content, exists := m.objects[at]
	if exists = exists && ok && !m.leadsToMount(p.String()); exists {
		m.want(m.retrieve(p.String()), content)
		return
	}
	if got := m.retrieve(p.String()); got != "absent" && got != "denied" && got != "is dir" {
		t.Fatalf("retrieve %s: %s", p, got)
	}
	m.stat(p.String())
	m.enter(p.String())
}

// list compares a listing with what the keys, all checked before, and the mounts say.
func (m *model) list(t *rapid.T) {
	dir, _, _ := m.draw(t, "path")
	want := m.names(dir)
	var last string
	for e, err := range m.List(m.ctx, dir) {
		if err != nil {
			if len(want) > 0 {
				t.Fatalf("list %s: %v, want %v", dir, err, want)
			}
			return
		}
		if e.Name+"/" <= last {
			t.Fatalf("list %s: %q after %q", dir, e.Name, last)
		}
		last = e.Name + "/"
		if isDir, known := want[e.Name]; !known || isDir != e.Dir {
			t.Fatalf("list %s: %+v, want %v", dir, e, want)
		}
		delete(want, e.Name)
	}
	if len(want) > 0 {
		t.Fatalf("list %s lacks %q", dir, slices.Sorted(maps.Keys(want)))
	}
}

// names are what a listing of dir must show, and whether as a directory.
func (m *model) names(dir ftp.Path) map[string]bool {
	names := map[string]bool{}
	add := func(rest string) {
		name, _, below := strings.Cut(rest, "/")
		p, err := dir.Join(name)
		if err != nil || name == "" || p.Parent() != dir || p.Base() != name || name == backends.Reserved {
			return
		}
		names[name] = names[name] || below || m.leadsToMount(p.String())
	}
	if probe, err := dir.Join("probe"); err == nil {
		if at, ok := m.resolve(probe.String()); ok {
			prefix := strings.TrimSuffix(at.key, "probe")
			for _, key := range m.buckets[at.bucket].keys() {
				if rest, below := strings.CutPrefix(key, prefix); below {
					add(rest)
				}
			}
		}
	}
	if strings.Contains(dir.String()+"/", "/.causeway/") {
		return names
	}
	base := strings.TrimSuffix(dir.String(), "/") + "/"
	for _, at := range m.mounts {
		if rest, below := strings.CutPrefix(cmp.Or(at.path, "/"), base); below && rest != "" {
			add(rest + "/")
		}
	}
	return names
}

func (m *model) must(t *rapid.T, is bool) {
	t.Helper()
	if !is {
		t.Fatalf("an operation outside the mounts went well")
	}
}
