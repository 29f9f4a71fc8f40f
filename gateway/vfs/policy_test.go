package vfs_test

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// process is what all sessions of a process share.
type process struct {
	*bucket
	store backends.Backend
	names *vfs.Names
	mount vfs.Mount
}

func newProcess(m vfs.Mount, o mem.Options, keys ...string) *process {
	b := newBucket(o, keys...)
	p := &process{bucket: b, store: cached(withoutMove{b.calls, b.calls}), names: vfs.NewNames(), mount: m}
	p.mount.Path, p.mount.Store, p.mount.Prefix = "/", p.store, "p/"
	if m.Rights == 0 {
		p.mount.Rights = all
	}
	return p
}

// session is one more session.
func (p *process) session(t failer) *view {
	return sharedView(t, p.names, p.mount)
}

// begin begins an upload of content, which the test ends.
func (v *view) begin(name, content string) ftp.Upload {
	v.Helper()
	u, _, err := v.Store(v.ctx, path(v, name), ftp.StoreOptions{})
	if err != nil {
		v.Fatalf("store %s: %v", name, err)
	}
	if _, err := io.WriteString(u, content); err != nil {
		v.Fatalf("store %s: %v", name, err)
	}
	return u
}

func commit(u ftp.Upload) string {
	_, err := u.Commit()
	return outcome(err)
}

func TestS15_X11_LastWins(t *testing.T) {
	p := newProcess(vfs.Mount{}, mem.Options{})
	v := p.session(t)
	one, two := v.begin("/x", "one"), p.session(t).begin("/x", "two")
	v.want(commit(two), "ok")
	v.want(commit(one), "ok")
	v.want(v.retrieve("/x"), "one")
}

// TestS15_OneWriter of a name at a time, whatever session, until its upload has ended.
func TestS15_OneWriter(t *testing.T) {
	for name, end := range map[string]func(ftp.Upload) string{
		"commit": commit,
		"park":   func(u ftp.Upload) string { _, err := u.Park(); return outcome(err) },
		"abort":  func(u ftp.Upload) string { return outcome(u.Abort()) },
		"commit and abort": func(u ftp.Upload) string {
			defer u.Abort()
			return commit(u)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProcess(vfs.Mount{Concurrent: vfs.OneWriter}, mem.Options{}, "p/y", "p/d/x")
			v, other := p.session(t), p.session(t)
			u := v.begin("/x", "one")
			for _, v := range []*view{v, other} {
				v.want(v.store("/x", "two"), "busy")
				v.want(v.storeWith("/x", "two", appending), "busy")
				v.want(v.rename("/y", "/x"), "busy")
				v.want(v.storeWith("/x", "two", ftp.StoreOptions{Unique: true}), "exists")
			}
			other.want(other.store("/z", "two"), "ok")
			v.want(end(u), "ok")
			other.want(other.store("/x", "two"), "ok")
			other.want(other.rename("/y", "/x"), "ok")
			other.want(other.store("/x", "three"), "ok")
		})
	}
}

// TestS15_OneWriterAfterFailures: who was refused, by the store or otherwise, holds nothing.
func TestS15_OneWriterAfterFailures(t *testing.T) {
	p := newProcess(vfs.Mount{Concurrent: vfs.OneWriter, Overwrite: vfs.RefuseExisting}, mem.Options{}, "p/old")
	v := p.session(t)
	v.want(v.store("/old", "1"), "exists")
	v.want(v.storeWith("/old", "1", ftp.StoreOptions{Unique: true}), "exists")
	v.want(v.storeWith("/new", "1", restart(7)), "restart")
	p.faults.Add(backendtest.Fault{Verb: "create", Nth: 1, Err: &backends.Error{Op: "create", Kind: backends.ErrUnavailable}})
	v.want(v.store("/new", "1"), "unavailable")
	v.want(v.rename("/old", "/moved")+v.rename("/moved", "/old"), "okok")
	v.want(v.dele("/old")+v.store("/old", "1")+v.store("/new", "1"), "okokok")
}

func TestS16_Refuse(t *testing.T) {
	p := newProcess(vfs.Mount{Overwrite: vfs.RefuseExisting}, mem.Options{}, "p/old", "p/y")
	v := p.session(t)
	v.want(v.store("/old", "1"), "exists")
	v.want(v.rename("/y", "/old"), "exists")
	u := v.begin("/new", "mine")
	p.fill("p/new", "of another")
	v.want(commit(u), "exists")
	p.wantContent(t, "p/old", "data of p/old")
	p.wantContent(t, "p/new", "of another")
	v.want(v.retrieve("/y"), "data of p/y")
}

// beside is the form of a name that is kept beside another.
var beside = regexp.MustCompile(`^(.*)-\d{8}T\d{6}Z-[a-z0-9]{4}(\.[a-z]+)?$`)

func TestS16_KeepBoth(t *testing.T) {
	p := newProcess(vfs.Mount{Overwrite: vfs.KeepBoth}, mem.Options{}, "p/photo.jpg", "p/y")
	v := p.session(t)
	u := v.begin("/photo.jpg", "mine")
	e, err := u.Commit()
	parts := beside.FindStringSubmatch(e.Name)
	if err != nil || parts == nil || parts[1] != "photo" || parts[2] != ".jpg" || e.Size != 4 {
		t.Fatalf("%+v, %v", e, err)
	}
	v.want(v.retrieve("/"+e.Name), "mine")
	v.want(v.stat("/"+e.Name), e.Name+":4")
	v.want(v.rename("/y", "/photo.jpg"), "ok")
	p.wantContent(t, "p/photo.jpg", "data of p/photo.jpg")
	if keys := p.keys(); len(keys) != 3 || !slices.Contains(keys, "p/"+e.Name) || slices.Contains(keys, "p/y") {
		t.Errorf("keys: %q", keys)
	}
	// Two that begin while the name is free.
	one, two := v.begin("/new", "one"), v.begin("/new", "two")
	v.want(commit(two)+commit(one), "okok")
	p.wantContent(t, "p/new", "one")
	// The name is taken behind the gateway's back.
	u = v.begin("/late", "mine")
	p.fill("p/late", "of another")
	e, err = u.Commit()
	if err != nil || beside.FindStringSubmatch(e.Name) == nil {
		t.Fatalf("%+v, %v", e, err)
	}
	p.wantContent(t, "p/late", "of another")
	p.wantContent(t, "p/"+e.Name, "mine")
}

// TestS16_KeepBothAndParking: an upload under a name that its client does not know is not
// kept for it to go on with, and what is there of the name asked for is the old file.
func TestS16_KeepBothAndParking(t *testing.T) {
	p := newProcess(vfs.Mount{Overwrite: vfs.KeepBoth}, mem.Options{}, "p/x")
	v := p.session(t)
	v.want(v.park("/x", "1", ftp.StoreOptions{}), "0")
	v.want(v.stat("/x")+" "+v.list("/"), "x:11 x:11")
	v.want(v.park("/new", "1", ftp.StoreOptions{}), "1")
	v.want(v.storeWith("/new", "2", restart(1)), "ok")
	v.want(v.retrieve("/new"), "12")
	if left := p.Uploads(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestS16_NamesOfBoth keep their form at the limits of stores, and can be told from all others.
func TestS16_NamesOfBoth(t *testing.T) {
	for name, want := range map[string]string{
		"a": "a", "a.b.txt": "a.b", ".profile": ".profile", "dir.d/a": "a", "x.averylongextension": "x.averylongextension",
		strings.Repeat("ü", 127):            strings.Repeat("ü", 116),
		strings.Repeat("x", 300) + ".jpg":   strings.Repeat("x", 300+4-22-4),
		strings.Repeat("d/", 480) + "0.tgz": "0",
	} {
		p := newProcess(vfs.Mount{Overwrite: vfs.KeepBoth}, mem.Options{}, "p/"+name)
		e, err := p.session(t).begin("/"+name, "1").Commit()
		if err != nil {
			t.Errorf("%.20s: %v", name, err)
			continue
		}
		parts := beside.FindStringSubmatch(e.Name)
		if parts == nil || parts[1] != want || !utf8.ValidString(e.Name) {
			t.Errorf("%.20s: %q", name, e.Name)
		}
	}
}

// race starts n sessions of as many processes, which is harder than of one, at once.
func race(n int, do func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() { <-start; do(i) })
	}
	close(start)
	all.Wait()
}

// TestS16_Raced lets 16 writers have one name under each policy: by uploads and by renames,
// of one process and of several.
func TestS16_S15_Raced(t *testing.T) {
	const writers = 16
	for _, policy := range []vfs.Overwriting{vfs.ReplaceExisting, vfs.RefuseExisting, vfs.KeepBoth} {
		for _, shared := range []bool{true, false} {
			for _, renames := range []bool{true, false} {
				t.Run(fmt.Sprintf("policy=%d shared=%v renames=%v", policy, shared, renames), func(t *testing.T) {
					p := newProcess(vfs.Mount{Overwrite: policy}, mem.Options{})
					for i := range writers {
						p.fill(fmt.Sprintf("p/tmp%02d", i), fmt.Sprint("content ", i))
					}
					got := make([]string, writers)
					race(writers, func(i int) {
						q := *p
						if !shared {
							q.names = vfs.NewNames()
							q.mount.Store = cached(p.calls)
						}
						v := q.session(t)
						if renames {
							got[i] = v.rename(fmt.Sprintf("/tmp%02d", i), "/x.jpg")
						} else {
							got[i] = v.store("/x.jpg", fmt.Sprint("content ", i))
						}
					})
					wantRaced(t, p.bucket, policy, got)
				})
			}
		}
	}
}

// wantRaced checks that who heard "ok" has written: all, under their names, where both are
// kept; one where the others are refused; the last one else. No content is a mix.
func wantRaced(t *testing.T, b *bucket, policy vfs.Overwriting, got []string) {
	t.Helper()
	var contents []string
	for _, key := range b.keys() {
		if strings.HasPrefix(key, "p/x") {
			content, _ := b.content(key)
			contents = append(contents, content)
		}
	}
	slices.Sort(contents)
	acknowledged := 0
	for i, outcome := range got {
		switch content := fmt.Sprint("content ", i); {
		case outcome == "ok":
			acknowledged++
			if policy != vfs.ReplaceExisting && !slices.Contains(contents, content) {
				t.Errorf("%q was acknowledged and is not there", content)
			}
		case outcome != "exists" || policy != vfs.RefuseExisting:
			t.Errorf("writer %d heard %s", i, outcome)
		case slices.Contains(contents, content):
			t.Errorf("%q was refused and is there", content)
		}
	}
	want := map[vfs.Overwriting]int{vfs.ReplaceExisting: len(got), vfs.RefuseExisting: 1, vfs.KeepBoth: len(got)}[policy]
	files := map[vfs.Overwriting]int{vfs.ReplaceExisting: 1, vfs.RefuseExisting: 1, vfs.KeepBoth: len(got)}[policy]
	if acknowledged != want || len(slices.Compact(contents)) != files || !strings.HasPrefix(contents[0], "content ") {
		t.Errorf("%d were acknowledged, files: %q", acknowledged, contents)
	}
}

// TestS15_OneWriterRaced: of 16 at a time just those are refused who came while another was at it.
func TestS15_OneWriterRaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(vfs.Mount{Concurrent: vfs.OneWriter}, mem.Options{})
		var mu sync.Mutex
		counts := map[string]int{}
		race(16, func(i int) {
			v := p.session(t)
			u, _, err := v.Store(v.ctx, path(v, "/x"), ftp.StoreOptions{})
			got := outcome(err)
			if err == nil {
				tick() // so that all others come meanwhile
				got = commit(u)
			}
			mu.Lock()
			defer mu.Unlock()
			counts[got]++
		})
		if counts["ok"] != 1 || counts["busy"] != 15 {
			t.Errorf("%v", counts)
		}
	})
}
