package migrate_test

import (
	"context"
	"io/fs"
	"testing"

	"causeway/backends"
	"causeway/backends/readthrough"
	"causeway/gateway/migrate"
)

// gateway has clients at the target, behind which is the source.
func (s *sides) gateway(o *migrate.Options) backends.Backend {
	routes := readthrough.NewRoutes(s.to, readthrough.Options{Now: s.time})
	routes.Replace([]readthrough.Route{{Prefix: "home/", Behind: s.from, Path: "data/"}})
	o.Gone = func(ctx context.Context, name string, from backends.Object) (bool, error) {
		return readthrough.Gone(ctx, s.to, "home/", "home/"+name, from.ModTime)
	}
	return routes.Over(s.to)
}

func (s *sides) remove(b backends.Backend, key string) {
	s.Helper()
	s.pass(1)
	if err := b.Delete(s.Context(), key, backends.DeleteOptions{}); err != nil {
		s.Error(err)
	}
}

// TestS67_WhatClientsDeletedDoesNotComeBack: of a file, and of all that was in a directory.
func TestS67_WhatClientsDeletedDoesNotComeBack(t *testing.T) {
	s := newSides(t)
	for _, name := range []string{"a", "b", "dir/", "dir/c"} {
		s.put(s.from, "data/"+name, "")
	}
	o := s.options()
	clients := s.gateway(&o)
	for _, key := range []string{"home/a", "home/dir/c", "home/dir/"} {
		s.remove(clients, key)
	}
	s.put(s.from, "data/dir/d", "") // nobody sees it, for its directory is gone
	dry := o
	dry.DryRun = true
	s.run(dry)
	s.wantTold("a: deleted at the target", "b: missing at the target", "dir/: deleted at the target", "dir/c: deleted at the target", "dir/d: deleted at the target")
	s.told = nil
	r := s.run(o)
	s.wantTold("a: deleted at the target", "b: copied", "dir/: deleted at the target", "dir/c: deleted at the target", "dir/d: deleted at the target")
	if _, ok := contents(t, s.to)["home/b"]; !ok || !r.Complete() {
		t.Errorf("report %+v", r)
	}
	s.told = nil
	if _, err := migrate.Diff(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	s.wantTold("a: deleted at the target", "dir/: deleted at the target", "dir/c: deleted at the target", "dir/d: deleted at the target")
}

// TestS67_DirectoryWhoseFilesAreDeletedStays, when what is behind is there no more (S2).
func TestS67_DirectoryWhoseFilesAreDeletedStays(t *testing.T) {
	s := newSides(t)
	for _, name := range []string{"dir/", "dir/a"} {
		s.put(s.from, "data/"+name, "")
	}
	o := s.options()
	s.remove(s.gateway(&o), "home/dir/a")
	s.run(o)
	s.wantTold("dir/: copied", "dir/a: deleted at the target")
	if _, there := contents(t, s.to)["home/dir/"]; !there {
		t.Error("the directory is not at the target")
	}
	s.run(o)
	s.wantTold("dir/: copied", "dir/a: deleted at the target", "dir/a: deleted at the target")
}

// TestS67_DirectoryWithFilesOfClientsStays when those are deleted later.
func TestS67_DirectoryWithFilesOfClientsStays(t *testing.T) {
	s := newSides(t)
	s.put(s.from, "data/dir/", "")
	s.put(s.to, "home/dir/a", "a client's")
	s.run(s.options())
	s.wantTold("dir/: copied")
	s.wantAt(map[string]string{"home/dir/": "", "home/dir/a": "a client's"})
}

// TestNobodyKnowsWhetherItWasDeleted: what was copied is taken away again, for the next run would
// take it for a client's.
func TestNobodyKnowsWhetherItWasDeleted(t *testing.T) {
	s := newSides(t)
	s.put(s.from, "data/a", "first")
	o := s.options()
	asked := 0
	o.Gone = func(context.Context, string, backends.Object) (bool, error) {
		if asked++; asked > 1 {
			return false, fs.ErrPermission
		}
		return false, nil
	}
	if r := s.run(o); r.Complete() {
		t.Error("it is complete")
	}
	s.wantTold("a: failed")
	s.wantAt(map[string]string{})
}

// TestDeletedWhileItIsCopied: a client deletes what is on its way, which is not there to be
// deleted yet. Before the copy is made it never appears; later it is taken away again.
func TestDeletedWhileItIsCopied(t *testing.T) {
	for at, want := range map[int]int{1: 2, 2: 3} { // after that question, so many are asked
		s := newSides(t)
		s.put(s.from, "data/a", "first")
		s.put(s.to, "home/other", "a client's")
		o := s.options()
		clients := s.gateway(&o)
		gone, asked := o.Gone, 0
		o.Gone = func(ctx context.Context, name string, from backends.Object) (bool, error) {
			is, err := gone(ctx, name, from)
			if asked++; asked == at {
				s.remove(clients, "home/a")
			}
			return is, err
		}
		r := s.run(o)
		s.wantTold("a: deleted at the target")
		if _, there := contents(t, s.to)["home/a"]; there || asked != want || !r.Complete() {
			t.Errorf("it is there: %v, asked %d times, report %+v", there, asked, r)
		}
	}
}
