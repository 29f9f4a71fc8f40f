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

// hooked is a store, with copies and without an atomic rename, that does something before
// a call of a verb for a key.
type hooked struct {
	withoutMove
	before func(verb, key string)
}

func (h *hooked) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	h.before("copy", src)
	return h.withoutMove.Copy(ctx, dst, src, o)
}

func (h *hooked) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	h.before("delete", key)
	return h.withoutMove.Delete(ctx, key, o)
}

func (h *hooked) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	h.before("create", key)
	return h.withoutMove.Create(ctx, key, o)
}

func hook(b *bucket, before func(verb, key string)) *hooked {
	return &hooked{withoutMove{b.calls, b.calls}, before}
}

// TestS31_X12_WhatOthersDoMeanwhile: what they write is never deleted or replaced, and the
// client hears that the directory was not as it seemed.
func TestS31_X12_WhatOthersDoMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		verb, key    string
		others       string // the key that another writes before that call
		want, then   string // the outcome, and that of the same rename again
		old, renamed string // contents of that key, below d and n, at the end
	}{
		"a source before it is copied":      {"copy", "p/d/a", "p/d/a", "changed", "ok", "", "of another"},
		"a source before it is deleted":     {"delete", "p/d/a", "p/d/a", "changed", "exists", "of another", "data of p/d/a"},
		"a new one while copies are made":   {"copy", "p/d/a", "p/d/new", "changed", "exists", "of another", ""},
		"a target before it is made":        {"copy", "p/d/a", "p/n/a", "exists", "exists", "data of p/d/a", "of another"},
		"a target after it was made":        {"delete", "p/d/a", "p/n/a", "ok", "RNFR absent", "", "of another"},
		"a name in the target of no source": {"copy", "p/d/a", "p/n/new", "ok", "RNFR absent", "", "of another"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(mem.Options{}, tree...)
			struck := false
			v := onBucket(t, hook(b, func(verb, key string) {
				if verb == c.verb && key == c.key && !struck {
					struck = true
					b.fill(c.others, "of another")
				}
			}), all)
			v.want(v.rename("/d", "/n"), c.want)
			v.want(v.rename("/d", "/n"), c.then)
			rest := c.others[len("p/d/"):]
			b.wantContent(t, "p/d/"+rest, c.old)
			b.wantContent(t, "p/n/"+rest, c.renamed)
		})
	}
}

// TestS31_X12_CopyDeletedMeanwhile: a client deletes a copy, or renames the new directory,
// while the others are made. The sources of what is gone stay.
func TestS31_X12_CopyDeletedMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		others       func(*view) string
		old, renamed []string
	}{
		"copy": {func(v *view) string { return v.dele("/n/a") },
			[]string{"p/d/a"}, []string{"p/n/", "p/n/b/c", "p/n/b/e/", "p/n/z"}},
		"directory": {func(v *view) string { return v.rename("/n/b", "/m") },
			[]string{"p/d/b/c"}, []string{"p/m/c", "p/m/e/", "p/n/", "p/n/a", "p/n/z"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(mem.Options{PageSize: 2}, tree...)
			other := onBucket(t, withoutMove{b.calls, b.calls}, all)
			journals := 0
			v := onBucket(t, hook(b, func(verb, _ string) {
				if verb != "create" {
					return
				}
				if journals++; journals == 2 { // all is copied
					other.want(c.others(other), "ok")
				}
			}), all)
			v.want(v.rename("/d", "/n"), "changed")
			b.wantKeys(t, append(slices.Clone(c.old), c.renamed...)...)
			for _, key := range c.old {
				b.wantContent(t, key, "data of "+key)
			}
			v.want(v.rename("/d", "/n"), "exists")
		})
	}
}

// TestS31_MemoryIsNotEnough to find a name free, or to know what is in a directory.
func TestS31_MemoryIsNotEnough(t *testing.T) {
	b := newBucket(mem.Options{}, tree...)
	v := onBucket(t, cached(withoutMove{b.calls, b.calls}), all)
	v.list("/")
	v.want(v.list("/d"), "a:13 b/ z:13")
	b.fill("p/n/other", "of another")
	v.want(v.rename("/d", "/n"), "exists")
	b.fill("p/d/new", "of another")
	v.want(v.rename("/d", "/m"), "ok")
	b.wantContent(t, "p/m/new", "of another")
}

// TestS31_TargetsThatCannotBeProven: after a crash a target of the same name is the copy
// if its content is the source's, whoever made it, and else it stays, and the sources do.
func TestS31_TargetsThatCannotBeProven(t *testing.T) {
	for _, c := range []struct{ content, want string }{
		{"data of p/d/a", "ok"}, {"data of p/d/A", "exists"}, {"data of p/d", "exists"}, {"", "exists"},
	} {
		for _, far := range []bool{true, false} {
			e := newEnds(far, tree...)
			l := &life{left: 12} // enough to begin, too little to copy all
			if got := e.process(t, l).rename("/p/d", "/q/n"); got != "unavailable" {
				t.Fatalf("the first process came to %s", got)
			}
			e.dst.fill("q/n/a", c.content)
			v := e.process(t, immortal())
			v.want(v.rename("/p/d", "/q/n"), c.want)
			e.dst.wantContent(t, "q/n/a", c.content)
			if c.want != "ok" && len(below(e.src, "p/d/")) != len(tree) {
				t.Errorf("sources are gone: %q", e.src.keys())
			}
		}
	}
}

// TestS31_KilledWhileDeleting: the next process deletes what was copied and no more. What
// has been done in the two directories since stays as it is, and a source whose copy was
// deleted since is the only one.
func TestS31_KilledWhileDeleting(t *testing.T) {
	for _, far := range []bool{true, false} {
		e := newEnds(far, tree...)
		b := e.src
		dying := hook(b, nil)
		ctx, kill := context.WithCancel(t.Context())
		defer kill()
		dying.before = func(verb, key string) {
			if verb == "delete" && key == "p/d/a" {
				kill()
			}
		}
		dst := backends.Backend(dying)
		if far {
			dst = e.dst.calls
		}
		v := newView(t,
			vfs.Mount{Path: "/p", Store: dying, Prefix: "p/", Rights: all},
			vfs.Mount{Path: "/q", Store: dst, Prefix: "q/", Rights: all})
		v.ctx = ctx
		v.want(v.rename("/p/d", "/q/n"), "unavailable")
		if _, there := b.content("p/d/a"); !there || len(below(e.dst, "q/")) != len(tree) {
			t.Fatalf("not what is to be tried: %q, %q", b.keys(), e.dst.keys())
		}
		b.fill("p/d/b/c", "new here")
		e.dst.fill("q/n/z", "new there")
		if err := e.dst.Delete(t.Context(), "q/n/a", backends.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		v = e.process(t, immortal())
		v.want(v.rename("/p/d", "/q/n"), "changed")
		if got := below(b, "p/d/"); !slices.Equal(got, []string{"p/d/a", "p/d/b/c"}) {
			t.Errorf("sources: %q", got)
		}
		b.wantContent(t, "p/d/a", "data of p/d/a")
		b.wantContent(t, "p/d/b/c", "new here")
		e.dst.wantContent(t, "q/n/z", "new there")
		e.dst.wantContent(t, "q/n/a", "")
		v.want(v.rename("/p/d", "/q/n"), "exists")
	}
}

// TestS31_AnotherRenamesJournal is not followed: neither to another source, nor of a form
// that is not known.
func TestS31_AnotherRenamesJournal(t *testing.T) {
	for name, spoil := range map[string]func(journal string) string{
		"other source": func(j string) string { return strings.Replace(j, `"p/d/"`, `"p/e/"`, 1) },
		"other target": func(j string) string { return strings.Replace(j, `"q/n/"`, `"q/m/"`, 1) },
		"later form":   func(j string) string { return strings.Replace(j, `"version":1`, `"version":2`, 1) },
		"cut":          func(j string) string { return j[:len(j)/2] },
		"no journal":   func(string) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnds(false, tree...)
			e.process(t, &life{left: 12}).rename("/p/d", "/q/n")
			journals := below(e.dst, ".causeway/renames/")
			if len(journals) != 1 || len(below(e.dst, "q/n/")) == 0 {
				t.Fatalf("the first process has left %q", e.dst.keys())
			}
			content, _ := e.dst.content(journals[0])
			e.dst.fill(journals[0], spoil(content))
			v := e.process(t, immortal())
			v.want(v.rename("/p/d", "/q/n"), "exists")
			if got := below(e.src, "p/d/"); !slices.Equal(got, tree) {
				t.Errorf("sources: %q", got)
			}
		})
	}
}

// TestS31_StoreThatRefuses: each failure of the store is the client's to hear of, and the
// sources stay.
func TestS31_StoreThatRefuses(t *testing.T) {
	for _, verb := range []string{"list", "commit", "copy"} {
		for kind, want := range map[error]string{backends.ErrUnavailable: "unavailable", backends.ErrQuota: "quota"} {
			b := newBucket(mem.Options{}, tree...)
			v := onBucket(t, withoutMove{b.calls, b.calls}, all)
			to, err := v.Rename(v.ctx, path(t, "/d"))
			if err != nil {
				t.Fatal(err)
			}
			b.faults.Add(backendtest.Fault{Verb: verb, Err: &backends.Error{Op: verb, Kind: kind}})
			v.want(outcome(to(v.ctx, path(t, "/n"))), want)
			if got := below(b, "p/d/"); !slices.Equal(got, tree) {
				t.Errorf("%s: sources: %q", verb, got)
			}
		}
	}
}

// TestS31_EndOfTheContext stops a rename, as the end of the gateway does: it can be gone on
// with.
func TestS31_EndOfTheContext(t *testing.T) {
	b := newBucket(mem.Options{})
	var keys []string
	for i := range 100 {
		keys = append(keys, fmt.Sprintf("p/d/%02d", i))
		b.fill(keys[i], "data of "+keys[i])
	}
	ctx, cancel := context.WithCancel(t.Context())
	v := onBucket(t, hook(b, func(verb, key string) {
		if verb == "copy" && key == "p/d/50" {
			cancel()
		}
	}), all)
	v.ctx = ctx
	v.want(v.rename("/d", "/n"), "unavailable")
	if got := below(b, "p/d/"); !slices.Equal(got, keys) {
		t.Errorf("sources: %q", got)
	}
	v = onBucket(t, withoutMove{b.calls, b.calls}, all)
	v.want(v.rename("/d", "/n"), "ok")
	b.wantKeys(t, moved(keys, "p/d/", "p/n/")...)
}

// TestS31_OneAtATime: a directory that is being renamed is not renamed by another session.
func TestS31_OneAtATime(t *testing.T) {
	b := newBucket(mem.Options{}, append([]string{"p/e/x"}, tree...)...)
	names := vfs.NewNames()
	var other *view
	var got []string
	store := hook(b, func(verb, key string) {
		if verb == "copy" && key == "p/d/a" {
			got = append(got, other.rename("/d", "/m"), other.rename("/e", "/n"), other.rename("/d", "/n"))
		}
	})
	mount := vfs.Mount{Path: "/", Store: store, Prefix: "p/", Rights: all}
	v := sharedView(t, names, mount)
	other = sharedView(t, names, mount)
	v.want(v.rename("/d", "/n"), "ok")
	if want := []string{"busy", "busy", "busy"}; !slices.Equal(got, want) {
		t.Errorf("others heard %q", got)
	}
	v.want(v.rename("/n", "/d")+v.rename("/e", "/n"), "okok")
}

// TestS31_ManyObjects: just as many as are allowed, with a log that tells how far it is, and
// never more than a few requests at a time.
func TestS31_ManyObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 2500
		b := newBucket(mem.Options{})
		for i := range limit {
			b.fill(fmt.Sprintf("p/d/%04d", i), "x")
		}
		var running, most int
		lock := make(chan struct{}, 1)
		count := func(by int) {
			lock <- struct{}{}
			running += by
			most = max(most, running)
			<-lock
		}
		store := hook(b, func(verb, _ string) {
			if verb == "create" {
				return // the journal, beside the objects
			}
			count(1)
			tick()
			count(-1)
		})
		v := newView(t, vfs.Mount{Path: "/", Store: store, Prefix: "p/", Rights: all, RenameLimit: limit})
		v.want(v.rename("/d", "/n"), "ok")
		if keys := b.keys(); len(keys) != limit || keys[0] != "p/n/0000" {
			t.Errorf("%d keys from %s", len(keys), keys[0])
		}
		if log := v.log.String(); most != 16 || strings.Count(log, "directory rename goes on") != 4 || !strings.Contains(log, "objects=2000 of=2500") {
			t.Errorf("%d at a time; logged:\n%s", most, log)
		}
		b.fill("p/n/one more", "x")
		v.want(v.rename("/n", "/d"), "too many")
		if log := v.log.String(); len(below(b, "p/d/"))+len(below(b, ".causeway/")) > 0 {
			t.Errorf("something was written; logged:\n%s", log)
		}
	})
}

// TestS31_WhatIsInIt: keys that FTP cannot name go with the rest, the gateway's own stay,
// and what a session has stored itself it finds again.
func TestS31_WhatIsInIt(t *testing.T) {
	b := newBucket(mem.Options{}, "p/d//x", "p/d/../y", "p/d/\x1b", "p/d/.causeway/probe", "p/d/e/.causeway")
	v := onBucket(t, withoutMove{b.calls, b.calls}, vfs.Write|vfs.Rename|vfs.Delete)
	v.want(v.store("/d/mine", "123"), "ok")
	v.want(v.rename("/d", "/n"), "ok")
	b.wantKeys(t, "p/d/.causeway/probe", "p/d/e/.causeway", "p/n/\x1b", "p/n/../y", "p/n//x", "p/n/mine")
	v.want(v.stat("/n/mine")+" "+v.stat("/d/mine"), "mine:3 absent")
}

// TestS30_S31_MetadataCrossesStores, with content type and the time that was set.
func TestS30_S31_MetadataCrossesStores(t *testing.T) {
	e := newEnds(true)
	meta := map[string]string{"a": "b", backends.MetaModTime: "1"}
	for _, key := range []string{"p/x", "p/d/x"} {
		u, err := e.src.Create(t.Context(), key, backends.CreateOptions{ContentType: "text/x-log", Metadata: meta})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	v := e.process(t, immortal())
	v.want(v.rename("/p/x", "/q/x")+v.rename("/p/d", "/q/d"), "okok")
	for _, key := range []string{"q/x", "q/d/x"} {
		obj, err := e.dst.Stat(t.Context(), key, backends.StatOptions{Complete: true})
		if err != nil || obj.ContentType != "text/x-log" || obj.Metadata["a"] != "b" || obj.Time().Unix() != 1 {
			t.Errorf("%s: %+v, %v", key, obj, err)
		}
	}
}

// TestS31_ParkedUploadsStay under their names.
func TestS31_ParkedUploadsStay(t *testing.T) {
	b := newBucket(mem.Options{}, "p/d/x")
	v := onBucket(t, withoutMove{b.calls, b.calls}, all)
	v.want(v.park("/d/y", "12", ftp.StoreOptions{}), "2")
	v.want(v.rename("/d", "/n"), "ok")
	v.want(v.list("/d")+" | "+v.list("/n"), "y:2 | x:13")
	v.want(v.storeWith("/d/y", "3", appending), "ok")
}
