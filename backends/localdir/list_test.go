package localdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
)

// scattered returns n names in an order far from sorted; 7919 and n have no common factor.
func scattered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("n%07d", i*7919%n)
	}
	return names
}

func TestS51_WindowKeepsTheFirstNamesInOrder(t *testing.T) {
	const n, each, fit = 25_000, nameCost + 8, 1000
	w := &window{position: position{prefix: "n", from: "n0000005"}, limit: fit*each + each/2}
	for _, name := range scattered(n) {
		w.keep(fakeEntry(name))
		w.keep(fakeEntry(name)) // as some file systems do
		if w.octets > 2*w.limit || w.octets != len(w.names)*each {
			t.Fatalf("%d names are %d octets, of %d", len(w.names), w.octets, w.limit)
		}
	}
	w.settle()
	if len(w.names) != fit || !w.more {
		t.Fatalf("%d names, more %v", len(w.names), w.more)
	}
	for i, name := range w.names {
		if want := fmt.Sprintf("n%07d", i+5); name != want {
			t.Fatalf("name %d is %q, want %q", i, name, want)
		}
	}
}

func TestWindowHasRoomForTheLongestName(t *testing.T) {
	w := &window{}
	w.keep(fakeEntry("b"))
	w.keep(fakeEntry("a"))
	w.settle()
	if !slices.Equal(w.names, []string{"a"}) || !w.more {
		t.Errorf("%q, more %v", w.names, w.more)
	}
}

type fakeEntry string

func (e fakeEntry) Name() string               { return string(e) }
func (e fakeEntry) IsDir() bool                { return false }
func (e fakeEntry) Type() fs.FileMode          { return 0 }
func (e fakeEntry) Info() (fs.FileInfo, error) { return nil, fs.ErrNotExist }

func TestWindowReadsOnWhereItEnds(t *testing.T) {
	s, _ := newStore(t)
	for _, key := range []string{"a", "b", "b-c", "c", "d/e", "f"} {
		put(t, s, key, "")
	}
	for limit := range 3 * nameCost {
		w := &window{names: []string{"a", "b"}, more: true, limit: limit}
		var got []string
		for {
			name, err := w.next(t.Context(), s.root)
			if err != nil {
				t.Fatal(err)
			}
			if name == "" {
				break
			}
			got = append(got, name)
		}
		if want := []string{"a", "b", "b-c", "c", "d/", "f"}; !slices.Equal(got, want) {
			t.Errorf("limit %d: got %q, want %q", limit, got, want)
		}
	}
}

func TestS51_WindowsAreKeptForALittleWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ws windows
		pos := func(i int) position { return position{listing: fmt.Sprint(i), dir: "d/"} }
		large := &window{octets: maxKept / 4}
		for i := range 5 {
			ws.put(pos(i), large)
		}
		if len(ws.kept) != 4 || ws.octets != maxKept {
			t.Errorf("%d windows of %d octets are kept", len(ws.kept), ws.octets)
		}
		if got := ws.take(pos(3)); got != large {
			t.Error("a window was not kept")
		}
		if got := ws.take(pos(3)); got == large || !got.more {
			t.Error("one window was given to two pages")
		}
		time.Sleep(maxIdle) // in the bubble's time
		ws.put(pos(5), &window{octets: 1})
		time.Sleep(time.Nanosecond)
		if ws.take(pos(0)); len(ws.kept) != 1 || ws.octets != 1 {
			t.Errorf("%d windows of %d octets are kept too long", len(ws.kept), ws.octets)
		}
	})
}

// TestS51_ListersTakeTurns: those who ask for little need not.
func TestS51_ListersTakeTurns(t *testing.T) {
	s, _ := newStore(t)
	put(t, s, "d/k", "")
	for range maxListers {
		if err := s.listers.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	list := func(ctx context.Context) {
		_, err := s.List(ctx, backends.Query{Prefix: "d/", Delimiter: true})
		done <- err
	}
	go list(ctx)
	if exists, err := backends.HasPrefix(t.Context(), s, "d/"); !exists || err != nil {
		t.Errorf("HasPrefix: %v, %v", exists, err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	go list(t.Context())
	s.listers.leave()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(s.listers) != maxListers-1 {
		t.Errorf("%d are listing", len(s.listers))
	}
}

// TestS23_ListingNeverSeesTheNamesOfAnother, of which it is in no way the next page.
func TestS23_ListingNeverSeesTheNamesOfAnother(t *testing.T) {
	s, dir := newStore(t)
	const n = 20
	for i := range n {
		put(t, s, fmt.Sprintf("d/%02d", i), "")
	}
	q := backends.Query{Prefix: "d/", Delimiter: true, Limit: n - 1}
	if page, err := s.List(t.Context(), q); err != nil || page.Next == "" || len(s.windows.kept) != 1 {
		t.Fatalf("%d windows are kept, %v", len(s.windows.kept), err)
	}
	s.windows.kept[0].window.names = []string{"18", "stale"}
	write(t, filepath.Join(dir, "d", "20"), "") // by another program
	got := keys(t, s, q)
	if len(got) != n+2 || slices.Contains(got, "d/stale") {
		t.Errorf("listed %q", got)
	}
}

// TestHasPrefixOfADirectoryReadsNoNames: it cannot tell then that there are none.
func TestHasPrefixOfADirectoryReadsNoNames(t *testing.T) {
	s, dir := newStore(t)
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o777); err != nil {
		t.Fatal(err)
	}
	page, err := s.List(t.Context(), backends.Query{Prefix: "d/", Limit: 1})
	if err != nil || len(page.Objects) != 1 || page.Next == "" {
		t.Fatalf("listed %v, next %q, %v", page.Objects, page.Next, err)
	}
	if got := keys(t, s, backends.Query{Prefix: "d/", Limit: 1}); !slices.Equal(got, []string{"d/"}) {
		t.Errorf("listed %q", got)
	}
}

// TestS3_NamesThatAreNoKeysAreListed, so that they can be counted, and nothing below them.
func TestS3_NamesThatAreNoKeysAreListed(t *testing.T) {
	s, dir := newStore(t)
	write(t, filepath.Join(dir, "d", "caf\xe9"), "")
	write(t, filepath.Join(dir, "d", "\xe9t\xe9", "k"), "")
	want := []string{"d/", "d/caf\xe9", "d/\xe9t\xe9/"}
	for _, q := range []backends.Query{{Prefix: "d/"}, {Prefix: "d/", Delimiter: true}, {Prefix: "d/", Limit: 1}} {
		if got := keys(t, s, q); !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", q, got, want)
		}
	}
	if got := keys(t, s, backends.Query{Prefix: "d/\xe9t\xe9/"}); got != nil {
		t.Errorf("below: %q", got)
	}
	if _, err := s.Stat(t.Context(), "d/caf\xe9", backends.StatOptions{}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("stat: %v", err)
	}
}

// TestKeysThatAreTooLongAreNotListed: other programs may nest directories without end.
func TestKeysThatAreTooLongAreNotListed(t *testing.T) {
	s, _ := newStore(t)
	at, err := s.root.OpenRoot(".")
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("n", maxSegment)
	for range 6 {
		if err := at.Mkdir(name, 0o777); err != nil {
			t.Fatal(err)
		}
		below, err := at.OpenRoot(name)
		if err != nil {
			t.Fatal(err)
		}
		at.Close()
		at = below
	}
	at.Close()
	if got := keys(t, s, backends.Query{}); len(got) != backends.MaxKey/(maxSegment+1) {
		t.Errorf("%d are listed: %q", len(got), got)
	}
}

// asked is a context that calls a function whenever it is asked for its error.
type asked struct {
	context.Context
	call func()
}

func (a asked) Err() error {
	a.call()
	return a.Context.Err()
}

// TestDirectoryThatGoesDuringAListing takes nothing else with it, whenever that is.
func TestDirectoryThatGoesDuringAListing(t *testing.T) {
	s, dir := newStore(t)
	put(t, s, "z", "")
	for moment := range 8 {
		put(t, s, "a/", "")
		asks := 0
		ctx := asked{t.Context(), func() {
			if asks == moment {
				if err := os.Remove(filepath.Join(dir, "a")); err != nil {
					t.Error(err)
				}
			}
			asks++
		}}
		page, err := s.List(ctx, backends.Query{})
		if n := len(page.Objects); err != nil || n == 0 || page.Objects[n-1].Key != "z" {
			t.Errorf("at moment %d: %+v, %v", moment, page.Objects, err)
		}
	}
}

// BenchmarkList lists a directory of 10,000 files in pages of 1,000. Budget: 10 µs a file,
// half of it the system call that asks for its size and time; measured: 3.5 µs.
func BenchmarkList(b *testing.B) {
	s, dir := newStore(b)
	for i := range 10_000 {
		write(b, filepath.Join(dir, "in", fmt.Sprintf("%05d.jpg", i)), "")
	}
	for b.Loop() {
		if n := len(keys(b, s, backends.Query{Prefix: "in/", Delimiter: true})); n != 10_001 {
			b.Fatal(n)
		}
	}
}

// BenchmarkHasPrefix looks for a directory of 10,000 files, as CWD does and DELE of any of
// them. Budget: 50 µs, whatever is in it; measured: 25 µs.
func BenchmarkHasPrefix(b *testing.B) {
	s, dir := newStore(b)
	for i := range 10_000 {
		write(b, filepath.Join(dir, "in", fmt.Sprintf("%05d.jpg", i)), "")
	}
	for b.Loop() {
		if exists, err := backends.HasPrefix(b.Context(), s, "in/"); !exists || err != nil {
			b.Fatal(err)
		}
	}
}
