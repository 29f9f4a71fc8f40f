package backends_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"causeway/backends"
	"causeway/backends/mem"
)

// put stores an object whose content is its own key.
func put(t testing.TB, b backends.Backend, keys ...string) {
	t.Helper()
	for _, key := range keys {
		u, err := b.Create(t.Context(), key, backends.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte(key)); err != nil {
			t.Fatal(err)
		}
		if _, err := u.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

// list returns the entries below prefix, directories with a "/" after their name.
func list(ctx context.Context, b backends.Backend, prefix string) ([]string, error) {
	var names []string
	for e, err := range backends.Entries(ctx, b, prefix) {
		if err != nil {
			return names, err
		}
		if e.Dir {
			e.Name += "/"
		}
		names = append(names, e.Name)
	}
	return names, nil
}

func TestS22_EntriesComeInOrderOfNameAndSlash(t *testing.T) {
	keys := []string{
		"d/", "d/a", "d/a!", "d/a!!", "d/a!0", "d/a-b", "d/a/x", "d/a/y", "d/a0", "d/b", "d/b!/x", "d/b.txt", "d/c/", "d/z",
		"d2/other", "other",
	}
	want := []string{"/", "a!!", "a!", "a!0", "a-b", "a/", "a0", "b!/", "b.txt", "b", "c/", "z"}
	for size := 1; size <= len(keys); size++ {
		b := mem.New(mem.Options{PageSize: size})
		put(t, b, keys...)
		got, err := list(t.Context(), b, "d/")
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("with pages of %d:\n got %q, %v\nwant %q", size, got, err, want)
		}
	}
}

func TestS4_NameOfFileAndDirectoryIsShownOnceAsDirectory(t *testing.T) {
	b := mem.New(mem.Options{PageSize: 1})
	put(t, b, "a", "a!", "a/b")
	got, err := list(t.Context(), b, "")
	if want := []string{"a!", "a/"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// pager is a Backend of canned pages; a request for its own number of page finds it by token.
type pager struct {
	backends.Backend
	pages map[string]backends.Page
}

func (p pager) List(_ context.Context, q backends.Query) (backends.Page, error) {
	page, ok := p.pages[q.Token]
	if !ok {
		return backends.Page{}, &backends.Error{Op: "list", Key: q.Prefix, Kind: backends.ErrUnavailable}
	}
	return page, nil
}

func objects(keys ...string) []backends.Object {
	var os []backends.Object
	for _, key := range keys {
		os = append(os, backends.Object{Key: key})
	}
	return os
}

func TestS22_BrokenListingsEndInAnError(t *testing.T) {
	tests := map[string]map[string]backends.Page{
		"token does not advance":   {"": {Objects: objects("a0"), Next: "t"}, "t": {Next: "t"}},
		"tokens go in a circle":    {"": {Next: "t"}, "t": {Next: "u"}, "u": {Next: "v"}, "v": {Next: "t"}},
		"page goes backwards":      {"": {Objects: objects("b"), Next: "t"}, "t": {Objects: objects("a")}},
		"page repeats an object":   {"": {Objects: objects("b"), Next: "t"}, "t": {Objects: objects("b")}},
		"objects are out of order": {"": {Objects: objects("b", "a")}},
		"second page fails":        {"": {Objects: objects("a"), Next: "t"}},
	}
	for name, pages := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := list(t.Context(), pager{pages: pages}, ""); !errors.Is(err, backends.ErrUnavailable) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	foreign := pager{pages: map[string]backends.Page{"": {Objects: objects("e/a")}}}
	if got, err := list(t.Context(), foreign, "d/"); !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("foreign key: got %q, %v", got, err)
	}
}

func TestS22_EmptyPagesAndRepeatedPrefixesAreHarmless(t *testing.T) {
	b := pager{pages: map[string]backends.Page{
		"":  {Next: "1"},
		"1": {Objects: objects("a"), Prefixes: []string{"b/"}, Next: "2"},
		"2": {Prefixes: []string{"b/"}, Next: "3"},
		"3": {Next: "4"},
		"4": {Objects: objects("c/"), Prefixes: []string{"c/"}},
	}}
	got, err := list(t.Context(), b, "")
	if want := []string{"a", "b/", "c/"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestS22_NothingElseIsSkippedOrDoubledWhenKeysChange(t *testing.T) {
	b := mem.New(mem.Options{PageSize: 3})
	var stay []string
	for i := range 60 {
		stay = append(stay, fmt.Sprintf("k%02d", i))
	}
	put(t, b, stay...)
	seen := make(map[string]int)
	for e, err := range backends.Entries(t.Context(), b, "") {
		if err != nil {
			t.Fatal(err)
		}
		seen[e.Name]++
		put(t, b, "behind"+e.Name[:1], "k"+e.Name[:3]+"-beside", e.Name[:3]+"-new")
		if err := b.Delete(t.Context(), e.Name, backends.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range stay {
		if seen[key] != 1 {
			t.Errorf("%s was listed %d times", key, seen[key])
		}
	}
	for name, n := range seen {
		if n > 1 {
			t.Errorf("%s was listed %d times", name, n)
		}
	}
}

// TestEntriesStops: leaving the loop early cancels the request for the next page.
func TestEntriesStops(t *testing.T) {
	b := &hanging{Store: mem.New(mem.Options{PageSize: 1}), ended: make(chan struct{})}
	put(t, b, "a", "b", "c")
	for e, err := range backends.Entries(t.Context(), b, "") {
		if err != nil || e.Name != "a" {
			t.Fatal(e, err)
		}
		break
	}
	select {
	case <-b.ended:
	default:
		t.Error("the loop was left before its request")
	}
}

// counting counts the requests for pages.
type counting struct {
	*mem.Store
	lists atomic.Int32
}

func (c *counting) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	c.lists.Add(1)
	return c.Store.List(ctx, q)
}

// TestP17_EntriesFetchOnePageAhead and no more, however slow the client.
func TestP17_EntriesFetchOnePageAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &counting{Store: mem.New(mem.Options{PageSize: 1})}
		put(t, b, "a/", "b/", "c/", "d/", "e/")
		want := int32(2)
		for _, err := range backends.Entries(t.Context(), b, "") {
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := b.lists.Load(); got != want {
				t.Errorf("%d pages were asked for, want %d", got, want)
			}
			want = min(want+1, 5)
		}
	})
}

// hanging never answers a third request for a page.
type hanging struct {
	*mem.Store
	lists int
	ended chan struct{}
}

func (h *hanging) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	if h.lists++; h.lists < 3 {
		return h.Store.List(ctx, q)
	}
	<-ctx.Done()
	close(h.ended)
	return backends.Page{}, ctx.Err()
}

func TestEntriesDeepHold(t *testing.T) {
	b := mem.New(mem.Options{PageSize: 7})
	var keys, want []string
	for n := 1; n <= 300; n++ {
		keys = append(keys, strings.Repeat("!", n))
		want = append([]string{keys[n-1]}, want...)
	}
	put(t, b, keys...)
	got, err := list(t.Context(), b, "")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %d entries, %v", len(got), err)
	}
}

// many is a directory of 10,000 files and 100 directories in pages of 1,000.
func many() pager {
	pages := make(map[string]backends.Page)
	token := ""
	for n := range 10 {
		var page backends.Page
		for i := range 1000 {
			page.Objects = append(page.Objects, backends.Object{Key: fmt.Sprintf("in/%d-%04d.jpg", n, i)})
		}
		for i := range 10 {
			page.Prefixes = append(page.Prefixes, fmt.Sprintf("in/%d-%03dx/", n, i))
		}
		if n < 9 {
			page.Next = fmt.Sprint("t", n)
		}
		pages[token], token = page, page.Next
	}
	return pager{pages: pages}
}

// count is how many entries a listing yields.
func count(tb testing.TB, b backends.Backend) int {
	n := 0
	for _, err := range backends.Entries(tb.Context(), b, "in/") {
		if err != nil {
			tb.Fatal(err)
		}
		n++
	}
	return n
}

// Budget: 100 ns an entry above what the store itself costs, and of allocations only what
// the goroutine takes that fetches the pages.
func BenchmarkEntries(b *testing.B) {
	pages := many()
	b.ReportAllocs()
	for b.Loop() {
		if n := count(b, pages); n != 10_100 {
			b.Fatal(n)
		}
	}
}

func TestEntriesAllocateNothingEach(t *testing.T) {
	pages := many()
	if got := testing.AllocsPerRun(10, func() { count(t, pages) }); got > 20 {
		t.Errorf("%v allocations for 10,100 entries, want 20 at most", got)
	}
}
