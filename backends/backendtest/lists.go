package backendtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/backends"
)

// wantEntries checks what a query lists, all pages together.
func (s *store) wantEntries(q backends.Query, want ...string) {
	s.Helper()
	if got := s.pages(q, func(int) {}); !slices.Equal(got, want) {
		s.Errorf("list %+v:\n got %q\nwant %q", q, got, want)
	}
}

func listEmpty(s *store) {
	for _, q := range []backends.Query{{}, {Delimiter: true}, {Prefix: "none/"}, {Prefix: "none/", Delimiter: true, Limit: 1}} {
		s.wantEntries(q)
	}
	if exists, err := backends.HasPrefix(s.Context(), s.Backend, "none/"); exists || err != nil {
		s.Errorf("HasPrefix of nothing: %v, %v", exists, err)
	}
}

func listPrefix(s *store) {
	for _, key := range []string{"p/a", "p2/a", "p-other/a", "p.txt", "P/a", "o", "q"} {
		s.put(key, nil)
	}
	for prefix, want := range map[string][]string{
		"p/": {"p/a"}, "p": {"p-other/a", "p.txt", "p/a", "p2/a"}, "p/a": {"p/a"}, "p/a/": nil, "p.t": {"p.txt"}, "pp": nil,
		"": {"P/a", "o", "p-other/a", "p.txt", "p/a", "p2/a", "q"},
	} {
		if got := s.keys(prefix); !slices.Equal(got, want) {
			s.Errorf("prefix %q:\n got %q\nwant %q", prefix, got, want)
		}
	}
	s.wantEntries(backends.Query{Prefix: "p", Delimiter: true}, "p-other/", "p.txt", "p/", "p2/")
	if exists, err := backends.HasPrefix(s.Context(), s.Backend, "p/"); !exists || err != nil {
		s.Errorf("HasPrefix: %v, %v", exists, err)
	}
}

func listDelimiter(s *store) {
	for _, key := range []string{"d/", "d/a", "d/a-b", "d/b/", "d/c/x/y", "d/c/z", "d0", "e/f/g/h", "z"} {
		s.put(key, nil)
	}
	for limit := range 6 {
		s.wantEntries(backends.Query{Delimiter: true, Limit: limit}, "d/", "d0", "e/", "z")
		s.wantEntries(backends.Query{Prefix: "d/", Delimiter: true, Limit: limit}, "d/", "d/a", "d/a-b", "d/b/", "d/c/")
		s.wantEntries(backends.Query{Prefix: "d/b/", Delimiter: true, Limit: limit}, "d/b/")
		s.wantEntries(backends.Query{Prefix: "d/c/x/", Delimiter: true, Limit: limit}, s.implied("d/c/x/", "d/c/x/y")...)
		s.wantEntries(backends.Query{Prefix: "e/f/", Delimiter: true, Limit: limit}, s.implied("e/f/", "e/f/g/")...)
	}
}

// implied returns entries after the marker that a hierarchical store makes by itself.
func (s *store) implied(marker string, entries ...string) []string {
	if s.features.Hierarchical {
		return append([]string{marker}, entries...)
	}
	return entries
}

func listLimit(s *store) {
	want := s.putMany("limit/%03d", 20)
	for _, limit := range []int{1, 2, 7, 20, 21, 5000} {
		q := backends.Query{Prefix: "limit/0", Limit: limit}
		s.wantEntries(q, want...)
		q.Delimiter = true
		s.wantEntries(q, want...)
	}
}

// putMany stores n empty objects, several at a time, and returns their keys in order.
func (s *store) putMany(format string, n int) []string {
	s.Helper()
	keys := make([]string, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	tokens := make(chan struct{}, 8)
	for i := range n {
		keys[i] = fmt.Sprintf(format, i)
		wg.Go(func() {
			tokens <- struct{}{}
			_, errs[i] = s.tryPut(keys[i], nil, backends.CreateOptions{})
			<-tokens
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			s.Fatalf("put %q: %v", keys[i], err)
		}
	}
	return keys
}

func listMany(s *store) {
	want := s.putMany("many/%05d", s.features.Many)
	s.wantEntries(backends.Query{Prefix: "many/0"}, want...)
	s.wantEntries(backends.Query{Prefix: "many/", Delimiter: true}, s.implied("many/", want...)...)
	s.wantEntries(backends.Query{Delimiter: true}, "many/")
}

// listDescribes: a listing tells of an object what Stat does, if less.
func listDescribes(s *store) {
	s.putWith("d/a", content(1, 10), properties())
	s.put("d/b", content(1, s.features.PartSize+1))
	for _, q := range []backends.Query{{Prefix: "d/"}, {Prefix: "d/", Delimiter: true}} {
		page, err := s.List(s.Context(), q)
		if err != nil {
			s.Fatal(err)
		}
		for _, got := range page.Objects {
			want := s.stat(got.Key)
			if s.features.RoughListings && got.ETag != want.ETag {
				s.describedRoughly(got, want)
				continue
			}
			if got.Size != want.Size || got.ETag != want.ETag {
				s.Errorf("%q is listed with %d octets, ETag %q; stat says %d, %q", got.Key, got.Size, got.ETag, want.Size, want.ETag)
			}
			if !got.ModTime.Equal(want.ModTime) && got.ModTime.Unix() != want.ModTime.Unix() { // headers tell whole seconds
				s.Errorf("%q is listed as of %v; stat says %v", got.Key, got.ModTime, want.ModTime)
			}
			if got.Partial && got.Metadata != nil {
				s.Errorf("%q is listed as partial, but with metadata", got.Key)
			}
			if !got.Partial && !maps.Equal(got.Metadata, want.Metadata) {
				s.Errorf("%q is listed with metadata %q; stat says %q", got.Key, got.Metadata, want.Metadata)
			}
		}
	}
}

// describedRoughly checks a listed object whose ETag is not that of Stat: it says that it is
// not all, and its ETag is good for reading the object.
func (s *store) describedRoughly(got, want backends.Object) {
	s.Helper()
	if got.Size != want.Size || !got.Partial || got.Metadata != nil || want.ModTime.Sub(got.ModTime).Abs() >= 24*time.Hour {
		s.Errorf("%q is listed with %d octets, as of %v, metadata %q; stat says %d, %v", got.Key, got.Size, got.ModTime, got.Metadata, want.Size, want.ModTime)
	}
	if _, err := s.read(got.Key, backends.OpenOptions{IfMatch: got.ETag}); err != nil {
		s.Errorf("read %q with the ETag %q of the listing: %v", got.Key, got.ETag, err)
	}
}

// listShifts: keys that come and go between pages change nothing else (S22).
func listShifts(s *store) {
	s.shifts(backends.Query{Prefix: "s", Limit: 5}, "s%03d")
}

func listShiftsDelimited(s *store) {
	s.shifts(backends.Query{Delimiter: true, Limit: 5}, "s%03d/file")
}

func (s *store) shifts(q backends.Query, format string) {
	name := func(i int) string { return fmt.Sprintf(format, i) }
	s.putMany(format, 60)
	removed := make(map[string]bool)
	remove := func(key string) {
		removed[key] = true
		if err := s.Delete(s.Context(), key, backends.DeleteOptions{}); err != nil {
			s.Fatal(err)
		}
		if dir, _, ok := strings.Cut(key, "/"); ok && s.features.Hierarchical {
			if err := s.Delete(s.Context(), dir+"/", backends.DeleteOptions{}); err != nil {
				s.Fatal(err)
			}
		}
	}
	got := s.pages(q, func(page int) {
		last := 5*page + 4
		remove(name(last))                   // the one just listed
		s.put(fmt.Sprintf("r%d", page), nil) // before all
		s.put(name(900+page), nil)           // after all
		if last+3 < 60 {
			remove(name(last + 3)) // one to come
		}
	})
	seen := make(map[string]int)
	for _, key := range got {
		seen[strings.TrimSuffix(key, "/")]++
	}
	for i := range 60 {
		key, _, _ := strings.Cut(name(i), "/")
		if n := seen[key]; n > 1 || n == 0 && !removed[name(i)] {
			s.Errorf("%q was listed %d times", key, n)
		}
	}
}

// listFresh: a look at a directory leaves nothing behind that a later listing could see
// in place of what is there (S23).
func listFresh(s *store) {
	s.put("d/a", nil)
	s.put("d/b", nil)
	for _, prefix := range []string{"d/", "d", ""} {
		if exists, err := backends.HasPrefix(s.Context(), s.Backend, prefix); !exists || err != nil {
			s.Fatalf("HasPrefix of %q: %v, %v", prefix, exists, err)
		}
	}
	s.put("d/c", nil)
	if err := s.Delete(s.Context(), "d/a", backends.DeleteOptions{}); err != nil {
		s.Fatal(err)
	}
	s.wantListed("d/", "d/b", "d/c")
}

// listFreshAfterPages: nor does a listing that was given up after any of its pages.
func listFreshAfterPages(s *store) {
	want := s.putMany("d/e/%d", 6)
	for i, q := range []backends.Query{
		{Prefix: "d/e/", Limit: 2}, {Prefix: "d/e/", Limit: 2, Delimiter: true}, {Prefix: "d/", Limit: 3}, {Prefix: "", Limit: 4},
	} {
		for pages := range 3 {
			s.giveUpAfter(q, pages+1)
			added := fmt.Sprintf("d/e/%d%d", pages, i)
			s.put(added, nil)
			if err := s.Delete(s.Context(), want[0], backends.DeleteOptions{}); err != nil {
				s.Fatal(err)
			}
			want = append(want[1:], added)
			slices.Sort(want)
			s.wantListed("d/e/", want...)
		}
	}
}

// giveUpAfter asks for the first pages of a listing and no more.
func (s *store) giveUpAfter(q backends.Query, pages int) {
	s.Helper()
	for range pages {
		page, err := s.List(s.Context(), q)
		if err != nil {
			s.Fatal(err)
		}
		if q.Token = page.Next; q.Token == "" {
			return
		}
	}
}

// wantListed checks all listings that show the keys directly below a directory: in one
// page and in several, with a delimiter and without.
func (s *store) wantListed(dir string, want ...string) {
	s.Helper()
	for _, q := range []backends.Query{{Prefix: dir}, {Prefix: dir, Delimiter: true}} {
		for _, q.Limit = range []int{2, 3, 1, 0} { // first as listings were given up before
			s.wantEntries(q, s.implied(dir, want...)...)
		}
	}
}

// listEntries checks the merged listing over the store's own pages (S4, S22).
func listEntries(s *store) {
	keys := []string{"d/", "d/a!", "d/a-b", "d/a/x", "d/a0", "d/b.txt", "d/b/", "d/c", "d/c!x/y"}
	for _, key := range keys {
		s.put(key, nil)
	}
	if !s.features.NoneBeside {
		s.put("d/a", nil)
	}
	var got []string
	for e, err := range backends.Entries(s.Context(), s.Backend, "d/") {
		if err != nil {
			s.Fatal(err)
		}
		if e.Dir {
			e.Name += "/"
		}
		got = append(got, e.Name)
	}
	if want := []string{"/", "a!", "a-b", "a/", "a0", "b.txt", "b/", "c!x/", "c"}; !slices.Equal(got, want) {
		s.Errorf("entries:\n got %q\nwant %q", got, want)
	}
}
