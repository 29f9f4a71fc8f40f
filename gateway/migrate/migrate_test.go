package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/migrate"
	"causeway/gateway/names"
)

// clock is that of a store of the test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now().Add(-24 * time.Hour)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// sides are a source and a target with one clock.
type sides struct {
	*testing.T
	*clock
	from, to *mem.Store
	told     []string // events as "NAME: OUTCOME", but of what was the same
}

func newSides(t *testing.T) *sides {
	c := newClock()
	o := mem.Options{Now: c.time}
	return &sides{T: t, clock: c, from: mem.New(o), to: mem.New(o)}
}

// put writes an object a minute later.
func (s *sides) put(b backends.Backend, key, content string) {
	s.Helper()
	s.pass(time.Minute)
	u, err := b.Create(s.Context(), key, backends.CreateOptions{})
	if err == nil {
		_, err = io.WriteString(u, content)
	}
	if err == nil {
		_, err = u.Commit()
	}
	if err != nil {
		s.Fatal(err)
	}
}

func (s *sides) options() migrate.Options {
	s.told = nil
	return migrate.Options{
		From: migrate.Tree{Store: s.from, Prefix: "data/"}, To: migrate.Tree{Store: s.to, Prefix: "home/"}, Signs: true,
		Tell: func(e migrate.Event) {
			if e.Outcome != migrate.Same {
				s.told = append(s.told, e.Name+": "+string(e.Outcome))
			}
		},
	}
}

// run migrates a minute later.
func (s *sides) run(o migrate.Options) migrate.Report {
	s.Helper()
	s.pass(time.Minute)
	r, err := migrate.Run(s.Context(), o)
	if err != nil {
		s.Fatal(err)
	}
	return r
}

// wantTold checks what was told, in any order.
func (s *sides) wantTold(want ...string) {
	s.Helper()
	if slices.Sort(s.told); !slices.Equal(s.told, want) {
		s.Errorf("told %q, want %q", s.told, want)
	}
}

// contents are all objects of a store.
func contents(t *testing.T, b backends.Backend) map[string]string {
	t.Helper()
	all := make(map[string]string)
	page, err := b.List(t.Context(), backends.Query{})
	for _, o := range page.Objects {
		r, openErr := b.Open(t.Context(), o.Key, backends.OpenOptions{})
		if openErr != nil {
			t.Fatal(openErr)
		}
		data, readErr := io.ReadAll(r)
		if readErr != nil {
			t.Fatal(readErr)
		}
		_ = r.Close() // it was only read
		all[o.Key] = string(data)
	}
	if err != nil || page.Next != "" {
		t.Fatalf("a listing of one page: %v", err)
	}
	return all
}

func (s *sides) wantAt(want map[string]string) {
	s.Helper()
	if got := contents(s.T, s.to); !maps.Equal(got, want) {
		s.Errorf("the target has %q, want %q", got, want)
	}
}

func TestCopiesWhatChanged(t *testing.T) {
	s := newSides(t)
	for key, content := range map[string]string{
		"data/": "", "data/a": "a", "data/d/": "", "data/d/b.txt": "bb", "data/e/": "", "data/f/g/": "", "data/.causeway/x": "own", "other": "other",
	} {
		s.put(s.from, key, content)
	}
	first := s.run(s.options())
	s.wantTold("a: copied", "d/: copied", "d/b.txt: copied", "e/: copied", "f/g/: copied")
	want := map[string]string{"home/a": "a", "home/d/": "", "home/d/b.txt": "bb", "home/e/": "", "home/f/g/": ""}
	s.wantAt(want)
	if !first.Complete() || first.Counts[migrate.Copied].Files != 2 || first.Directories != 3 {
		t.Errorf("reported %+v", first)
	}

	s.put(s.from, "data/a", "new")
	s.put(s.from, "data/c", "new")
	second := s.run(s.options())
	s.wantTold("a: copied", "c: copied")
	want["home/a"], want["home/c"] = "new", "new"
	s.wantAt(want)
	if second.Counts[migrate.Same] != (migrate.Count{Files: 1, Octets: 2}) {
		t.Errorf("reported %+v", second)
	}
}

func TestProperties(t *testing.T) {
	s := newSides(t)
	s.put(s.from, "data/a.csv", "x,y")
	s.run(s.options())
	from, err := s.from.Stat(t.Context(), "data/a.csv", backends.StatOptions{Complete: true})
	if err != nil {
		t.Fatal(err)
	}
	to, err := s.to.Stat(t.Context(), "home/a.csv", backends.StatOptions{Complete: true})
	if err != nil || !to.Time().Equal(from.ModTime) || to.ContentType != "text/csv" {
		t.Errorf("%+v, %v; want the time %v", to, err, from.ModTime)
	}
}

// TestS67_TheTargetsClientsWin: what they have written stays, before the run and while it goes.
func TestS67_TheTargetsClientsWin(t *testing.T) {
	s := newSides(t)
	for _, name := range []string{"before", "during", "over"} {
		s.put(s.from, "data/"+name, "old")
	}
	s.put(s.to, "home/before", "client's")
	s.pass(-time.Hour)
	s.put(s.to, "home/over", "older")
	s.pass(time.Hour)
	o := s.options()
	o.From.Store = opened{s.from, func(key string) {
		if name := strings.TrimPrefix(key, "data/"); name != "before" {
			s.put(s.to, "home/"+name, "client's")
		}
	}}
	s.run(o)
	s.wantTold("before: newer at the target", "during: newer at the target", "over: newer at the target")
	s.wantAt(map[string]string{"home/before": "client's", "home/during": "client's", "home/over": "client's"})
}

// opened is a store that calls then whenever an object was opened.
type opened struct {
	backends.Backend
	then func(key string)
}

func (o opened) Open(ctx context.Context, key string, options backends.OpenOptions) (*backends.Reader, error) {
	r, err := o.Backend.Open(ctx, key, options)
	if err == nil {
		o.then(key)
	}
	return r, err
}

// TestChangesMeanwhile: a source is read again once, and what does not come to rest is told.
func TestChangesMeanwhile(t *testing.T) {
	s := newSides(t)
	for _, name := range []string{"gone", "once", "restless"} {
		s.put(s.from, "data/"+name, "first")
	}
	o, times := s.options(), map[string]int{}
	var mu sync.Mutex
	o.From.Store = listed{s.from, func() {
		for _, name := range []string{"once", "restless"} {
			s.put(s.from, "data/"+name, "second")
		}
		if err := s.from.Delete(t.Context(), "data/gone", backends.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}, func(key string) {
		mu.Lock()
		defer mu.Unlock()
		if times[key]++; key == "data/restless" {
			s.put(s.from, key, fmt.Sprint(times[key]))
		}
	}}
	r := s.run(o)
	s.wantTold("gone: deleted at the source", "once: copied", "restless: changed meanwhile")
	s.wantAt(map[string]string{"home/once": "second"})
	if r.Complete() {
		t.Error("it is not complete")
	}
}

// listed is a store that calls then after each listing, and before whenever it is to open.
type listed struct {
	backends.Backend
	then   func()
	before func(key string)
}

func (l listed) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	page, err := l.Backend.List(ctx, q)
	l.then()
	return page, err
}

func (l listed) Open(ctx context.Context, key string, options backends.OpenOptions) (*backends.Reader, error) {
	l.before(key)
	return l.Backend.Open(ctx, key, options)
}

func TestChoice(t *testing.T) {
	s := newSides(t)
	s.put(s.from, "data/old.csv", "1")
	since := s.time().Add(30 * time.Second)
	for _, key := range []string{"data/a.csv", "data/b.txt", "data/tmp/c.csv", "data/empty/"} {
		s.put(s.from, key, "")
	}
	o := s.options()
	o.Since = since
	var err error
	if o.Include, err = names.New([]string{"*.csv", "empty"}); err != nil {
		t.Fatal(err)
	}
	if o.Exclude, err = names.New([]string{"/tmp"}); err != nil {
		t.Fatal(err)
	}
	o.DryRun = true
	if r := s.run(o); r.Complete() {
		t.Error("nothing was copied, and it is complete")
	}
	s.wantTold("a.csv: missing at the target", "empty/: missing at the target")
	s.wantAt(map[string]string{})
	s.told, o.DryRun = nil, false
	s.run(o)
	s.wantTold("a.csv: copied", "empty/: copied")
}

func TestDiff(t *testing.T) {
	s := newSides(t)
	s.put(s.to, "home/stale", "1")
	for _, key := range []string{"data/kept", "data/missing", "data/same", "data/stale", "data/other"} {
		s.put(s.from, key, "22")
	}
	s.put(s.to, "home/kept", "333")
	s.put(s.to, "home/same", "22")
	s.put(s.to, "home/other", "2x")
	s.put(s.to, "home/extra", "1")
	if _, err := migrate.Diff(t.Context(), s.options()); err != nil {
		t.Fatal(err)
	}
	s.wantTold("extra: only at the target", "kept: newer at the target", "missing: missing at the target", "stale: older at the target")
}

// TestAhead: of a source that is dated in the future, nobody knows whether it is newer.
func TestAhead(t *testing.T) {
	s := newSides(t)
	for _, key := range []string{"data/a", "data/b"} {
		s.put(s.from, key, "1")
	}
	s.run(s.options())
	s.pass(48 * time.Hour)
	s.put(s.from, "data/a", "22")
	s.put(s.from, "data/b", "2")
	r := s.run(s.options())
	s.wantTold("a: of another size and dated in the future")
	s.wantAt(map[string]string{"home/a": "1", "home/b": "1"})
	if r.Complete() {
		t.Error("it is complete")
	}
}

// TestTotal counts what a run looks at, and nothing else.
func TestTotal(t *testing.T) {
	s := newSides(t)
	for key, content := range map[string]string{
		"data/": "", "data/a.txt": "a", "data/d/": "", "data/d/b.txt": "bb", "data/d/c.bin": "ccc", "data/.causeway/x.txt": "own", "other.txt": "other",
	} {
		s.put(s.from, key, content)
	}
	o := s.options()
	var err error
	if o.Include, err = names.New([]string{"*.txt"}); err != nil {
		t.Fatal(err)
	}
	total, err := migrate.Total(t.Context(), o)
	if want := (migrate.Count{Files: 2, Octets: 3}); err != nil || total != want {
		t.Errorf("%+v, %v; want %+v", total, err, want)
	}
	if copied := s.run(o).Counts[migrate.Copied]; copied != total {
		t.Errorf("%+v were copied of %+v", copied, total)
	}
	s.pass(time.Minute)
	o.Since = s.time()
	if total, err := migrate.Total(t.Context(), o); err != nil || total != (migrate.Count{}) {
		t.Errorf("%+v, %v: nothing is so new", total, err)
	}
}

// TestSourceThatIsNotThere is an error, whatever is at the target, and not one of which all is there.
func TestSourceThatIsNotThere(t *testing.T) {
	for _, directories := range []bool{false, true} {
		for _, prefix := range []string{"typo/", "data/a/"} {
			s := newSides(t)
			s.put(s.from, "data/a", "first")
			s.put(s.to, "home/a", "first")
			o := s.options()
			o.From.Prefix, o.Directories = prefix, directories
			for name, do := range map[string]func(context.Context, migrate.Options) (migrate.Report, error){"run": migrate.Run, "diff": migrate.Diff} {
				if _, err := do(t.Context(), o); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s of %s: %v", name, prefix, err)
				}
			}
		}
		s := newSides(t)
		s.put(s.from, "data/", "") // one that is empty is there
		o := s.options()
		o.Directories = directories
		if r := s.run(o); !r.Complete() {
			t.Errorf("report %+v", r)
		}
	}
}
