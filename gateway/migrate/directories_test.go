package migrate_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/migrate"
	"causeway/gateway/names"
)

// closed is a store of directories, some of which cannot be listed.
type closed struct {
	backends.Backend
	mu    sync.Mutex
	dirs  map[string]error // of which nil is that they are said to be missing
	asked []string         // prefixes
}

func (c *closed) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, q.Prefix)
	for dir, err := range c.dirs {
		switch {
		case strings.HasPrefix(q.Prefix, dir) && err == nil:
			return backends.Page{}, nil
		case strings.HasPrefix(q.Prefix, dir), strings.HasPrefix(dir, q.Prefix) && !q.Delimiter:
			return backends.Page{}, err
		}
	}
	return c.Backend.List(ctx, q)
}

// newClosed has files in directories, one of which cannot be listed; the target has some of it.
func newClosed(t *testing.T, err error) (*sides, *closed, migrate.Options) {
	s := newSides(t)
	for _, name := range []string{"a/", "a/1", "b/", "b/2", "b/deep/", "b/deep/3", "c/", "c/4"} {
		s.put(s.from, "data/"+name, "x")
	}
	s.put(s.to, "home/b/", "")
	s.put(s.to, "home/b/2", "x")
	o := s.options()
	store := &closed{Backend: s.from, dirs: map[string]error{"data/b/": err}}
	o.From.Store, o.Directories = store, true
	return s, store, o
}

func (s *sides) patterns(list ...string) names.Patterns {
	s.Helper()
	ps, err := names.New(list)
	if err != nil {
		s.Fatal(err)
	}
	return ps
}

var errMayNot = &backends.Error{Op: "list", Key: "data/b/", Kind: fs.ErrPermission}

// TestClosedDirectory has failed, with its reason, and all else is copied.
func TestClosedDirectory(t *testing.T) {
	for name, err := range map[string]error{"refused": errMayNot, "said to be missing": nil} {
		t.Run(name, func(t *testing.T) {
			s, _, o := newClosed(t, err)
			r := s.run(o)
			s.wantTold("a/1: copied", "a/: copied", "b/: failed", "c/4: copied", "c/: copied")
			if r.Complete() || len(r.Failures) != 1 || r.Failures[0].Err == nil || r.Counts[migrate.Failed].Files != 1 {
				t.Errorf("reported %+v", r)
			}
			s.told = nil
			if _, err := migrate.Diff(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			s.wantTold("b/: failed")
			if total, err := migrate.Total(t.Context(), o); err != nil || total.Files != 2 {
				t.Errorf("%+v, %v", total, err)
			}
		})
	}
}

// TestDirectoryThatIsGone since the one that it is in was listed is nothing that has failed.
func TestDirectoryThatIsGone(t *testing.T) {
	s, store, o := newClosed(t, nil)
	o.From.Store = listed{store, func() {
		for _, name := range []string{"b/", "b/2", "b/deep/", "b/deep/3"} {
			s.remove(s.from, "data/"+name)
		}
	}, func(string) {}}
	if r := s.run(o); !r.Complete() {
		t.Errorf("reported %+v", r)
	}
	s.wantTold("a/1: copied", "a/: copied", "c/4: copied", "c/: copied")
}

// TestWhatIsNotWantedIsNotListed: neither what is excluded nor where nothing is included.
func TestWhatIsNotWantedIsNotListed(t *testing.T) {
	for name, choose := range map[string]func(*sides, *migrate.Options){
		"excluded":       func(s *sides, o *migrate.Options) { o.Exclude = s.patterns("/b") },
		"not included":   func(s *sides, o *migrate.Options) { o.Include = s.patterns("/a/1", "/c") },
		"only the files": func(s *sides, o *migrate.Options) { o.Include, o.Exclude = s.patterns("?"), s.patterns("B") },
	} {
		t.Run(name, func(t *testing.T) {
			s, store, o := newClosed(t, errMayNot)
			choose(s, &o)
			r := s.run(o)
			if !r.Complete() || r.Counts[migrate.Copied].Files != 2 {
				t.Errorf("reported %+v", r)
			}
			if want := []string{"data/", "data/a/", "data/c/"}; !slices.Equal(store.asked, want) {
				t.Errorf("asked for %q, want %q", store.asked, want)
			}
		})
	}
}

// TestClosedDirectoryThatMayHaveWhatIsIncluded has failed too.
func TestClosedDirectoryThatMayHaveWhatIsIncluded(t *testing.T) {
	for _, pattern := range []string{"*.csv", "/b/deep/*"} {
		s, _, o := newClosed(t, errMayNot)
		o.Include = s.patterns(pattern)
		o.Since = time.Now()
		if r := s.run(o); r.Complete() {
			t.Errorf("%s: reported %+v", pattern, r)
		}
		s.wantTold("b/: failed")
	}
}

// TestStoreThatIsDownEndsTheRun, and a directory that alone is said to be unavailable does not.
func TestStoreThatIsDownEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := &backends.Error{Op: "list", Key: "data/b/", Kind: backends.ErrUnavailable}
		s, store, o := newClosed(t, down)
		s.run(o)
		s.wantTold("a/1: copied", "a/: copied", "b/: failed", "c/4: copied", "c/: copied")

		s.told, store.asked = nil, nil
		o.From.Store = listed{store, func() {
			if slices.Contains(store.asked, "data/b/") {
				store.dirs["data/"] = down
			}
		}, func(string) {}}
		if r, err := migrate.Run(t.Context(), o); err == nil {
			t.Errorf("reported %+v, and no error", r)
		}
		s.wantTold()
	})
}

// TestDirectoriesAreInOrder: they come as the keys of a store without directories do.
func TestDirectoriesAreInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		from, to := mem.New(mem.Options{PageSize: 1 + random.IntN(5)}), mem.New(mem.Options{})
		s := &sides{T: t, clock: newClock()}
		for i := range 60 {
			var key strings.Builder
			for range 1 + random.IntN(6) {
				key.WriteString([]string{"a", "b", "!", "/", "/", "0", "ä", "-"}[random.IntN(8)])
			}
			s.put([]backends.Backend{from, to}[i%2], "d/"+key.String(), "")
		}
		look := func(directories bool) (told []string) {
			o := migrate.Options{
				From: migrate.Tree{Store: from, Prefix: "d/"}, To: migrate.Tree{Store: to, Prefix: "d/"}, Directories: directories,
				Tell: func(e migrate.Event) { told = append(told, fmt.Sprintf("%q %s", e.Name, e.Outcome)) },
			}
			if _, err := migrate.Diff(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			slices.Sort(told)
			return told
		}
		if got, want := look(true), look(false); !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("told\n%q, want\n%q", got, want)
		}
	}
}

// endless has directories within each other, each with many files, until keys are too long.
type endless struct{ backends.Backend }

func (endless) List(_ context.Context, q backends.Query) (page backends.Page, _ error) {
	page.Objects = append(page.Objects, backends.Object{Key: q.Prefix})
	for i := range 998 {
		page.Objects = append(page.Objects, backends.Object{Key: fmt.Sprintf("%s%03d", q.Prefix, i)})
	}
	page.Prefixes = []string{q.Prefix + "d/"}
	return page, nil
}

// TestS51_DirectoriesHoldSoMuchAndNoMore, however deep they are within each other.
func TestS51_DirectoriesHoldSoMuchAndNoMore(t *testing.T) {
	const most = 50_000
	o := migrate.Options{From: migrate.Tree{Store: endless{}, Prefix: "d/"}, Directories: true}
	total, err := migrate.Total(t.Context(), o)
	if err != nil || total.Files < most*9/10 || total.Files > most*11/10 {
		t.Errorf("%+v, %v", total, err)
	}
	o.To = migrate.Tree{Store: mem.New(mem.Options{})}
	r, err := migrate.Diff(t.Context(), o)
	if err != nil || r.Counts[migrate.Failed].Files != 1 || r.Counts[migrate.Missing] != total {
		t.Errorf("%+v, %v", r, err)
	}
}
