package ftp

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/backends/ftp/ftpclient"
)

// scattered is name i of n, in an order far from sorted.
func scattered(i, n int) string { return fmt.Sprintf("n%07d.dat", i*7919%n) }

// listing makes a fake list n files in a directory that has none.
func listing(f *fake, n int) {
	f.entry = func(i int) string {
		if i == n {
			return ""
		}
		return fmt.Sprintf("type=file;size=%d;modify=20260102030405; %s", i%10, scattered(i, n))
	}
}

// TestS51_SorterMergesRuns, whatever fits into one.
func TestS51_SorterMergesRuns(t *testing.T) {
	const n = 1000
	for _, limit := range []int{1, 100, 5000, 1 << 20} {
		var files scratch
		if err := files.open(t.TempDir()); err != nil {
			t.Fatal(err)
		}
		s := newSorter(func() (*os.File, error) { return files.take(), nil }, files.give)
		s.limit, s.kept = limit, limit
		for i := range n {
			e := entry{name: scattered(i, n), facts: facts{size: int64(i), seconds: int64(-i), precise: i%2 == 0}, unsure: i%3 == 0}
			if i%5 == 0 {
				e.name, e.facts.dir = e.name+"/", true
			}
			for range 1 + i%2 { // some twice
				if err := s.add(e); err != nil {
					t.Fatal(err)
				}
			}
		}
		snap, err := s.sorted()
		if err != nil {
			t.Fatal(err)
		}
		last, count := "", 0
		for {
			e, err := snap.next()
			if errors.Is(err, io.EOF) {
				break
			}
			i := int(e.facts.size)
			if err != nil || e.name <= last || e.facts.seconds != int64(-i) || e.facts.precise != (i%2 == 0) || e.unsure != (i%3 == 0) ||
				e.facts.dir != (i%5 == 0) || strings.TrimSuffix(e.name, "/") != scattered(i, n) {
				t.Fatalf("limit %d: %+v after %q, %v", limit, e, last, err)
			}
			last = e.name
			count++
		}
		snap.close()
		if count != n || len(files.free) != maxSpilled {
			t.Errorf("limit %d: %d entries, %d files are free", limit, count, len(files.free))
		}
		if err := files.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestS51_ListingTakesConstantMemory: of a directory of 60,000 names, 5 MiB, less than half
// is held at any time.
func TestS51_ListingTakesConstantMemory(t *testing.T) {
	const n = 60_000
	f := newFake(t)
	listing(f, n)
	s := f.store(t, nil)
	q := backends.Query{}
	page, err := s.List(t.Context(), q)
	if err != nil || len(page.Objects) != pageSize || len(s.walks.kept) != 1 {
		t.Fatalf("%d objects, %d walks, %v", len(page.Objects), len(s.walks.kept), err)
	}
	if held := s.walks.octets; !s.walks.kept[0].spilled() || held > runSize {
		t.Errorf("%d octets are held", held)
	}
	if n := f.count("MLSD"); n != 1 {
		t.Errorf("listed %d times", n)
	}
}

// TestS51_WalkHoldsSoMuchAndNoMore: on a server that has large directories within each other.
func TestS51_WalkHoldsSoMuchAndNoMore(t *testing.T) {
	w := &walk{store: newFake(t).store(t, nil)}
	for range maxHeld/keptSize + 1 {
		if err := w.descend(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		w.levels[len(w.levels)-1].octets = keptSize
	}
	if err := w.descend(t.Context(), ""); !errors.Is(err, errHeld) {
		t.Errorf("got %v", err)
	}
	w.close()
}

// TestS22_ListingGoesOnAfterItWasForgotten: the directories are listed again, and no entry
// comes twice.
func TestS22_ListingGoesOnAfterItWasForgotten(t *testing.T) {
	s := newFake(t).store(t, nil)
	want := []string{"a", "b/", "b/1", "b/c/", "b/c/2", "b/c/3", "b-", "d/", "e"}
	slices.Sort(want)
	for _, key := range want {
		if !strings.HasSuffix(key, "/") {
			put(t, s, key, "")
		}
	}
	put(t, s, "d/", "")
	for limit := 1; limit <= len(want); limit++ {
		q := backends.Query{Limit: limit}
		var got []string
		for {
			page, err := s.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Objects {
				got = append(got, o.Key)
			}
			if q.Token = page.Next; q.Token == "" {
				break
			}
			if w := s.walks.take(q.Token); w != nil {
				w.close()
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %q", limit, got)
		}
	}
}

// TestS51_ManyLargeListingsTakeTheFilesOfThoseThatWait, since there are so many only.
func TestS51_ManyLargeListingsTakeTheFilesOfThoseThatWait(t *testing.T) {
	s := newFake(t).store(t, nil)
	for i := range 2 * maxSpilled {
		file, err := s.file()
		if err != nil {
			t.Fatalf("listing %d: %v", i, err)
		}
		w := &walk{levels: []*level{{snapshot: &snapshot{file: file, give: s.scratch.give}}}}
		s.walks.put(fmt.Sprint(i), w)
	}
	if n := len(s.walks.kept); n != maxSpilled {
		t.Errorf("%d wait", n)
	}
	for range maxSpilled {
		if _, err := s.file(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.file(); !errors.Is(err, errSpilled) {
		t.Errorf("got %v", err)
	}
}

// TestHangUpIsNoEndOfAListing: whatever the server was asked when it closed the connection, what
// came by then is not the listing.
func TestHangUpIsNoEndOfAListing(t *testing.T) {
	for _, verb := range []string{"USER", "CWD", "MLSD", "LIST"} {
		t.Run(verb, func(t *testing.T) {
			f := newFake(t)
			f.noMLST = verb == "LIST"
			s := f.store(t, nil)
			put(t, s, "a/1", "")
			put(t, s, "b/2", "")
			f.dropAll()
			asked := 0
			f.planned(func(v, _ string) string {
				if v != verb {
					return ""
				}
				if asked++; asked == 1 && verb != "USER" {
					return "" // the first directory comes
				}
				return "drop"
			})
			for range 2 { // also while nobody is asked
				if page, err := s.List(t.Context(), backends.Query{}); !errors.Is(err, backends.ErrUnavailable) {
					t.Errorf("%d objects: %v", len(page.Objects), err)
				}
			}
		})
	}
}

// TestLeftOut: of what no key can name the store tells how many there are, and one of them.
func TestLeftOut(t *testing.T) {
	for name, want := range map[string]LeftOut{
		"a/b": {LeftOut: ftpclient.LeftOut{Unsafe: 1}}, "\xfc": {LeftOut: ftpclient.LeftOut{Undecodable: 1}},
		strings.Repeat("ü", backends.MaxKey/2): {}, strings.Repeat("u", backends.MaxKey+1): {TooLong: 1},
	} {
		f := newFake(t)
		f.entry = func(i int) string {
			return append([]string{"type=file;size=1;modify=20260102030405; a", "type=file;size=1;modify=20260102030405; " + name}, make([]string, i)...)[i]
		}
		var told []LeftOut
		s := f.store(t, func(c *Config) {
			c.LeftOut = func(dir string, lines LeftOut) {
				if told = append(told, lines); dir != "/" || !strings.Contains(lines.Example, strconv.QuoteToASCII(name)[1:4]) {
					t.Errorf("of %q: %+v", dir, lines)
				}
			}
		})
		page, err := s.List(t.Context(), backends.Query{})
		if err != nil || len(page.Objects)+want.Lost() != 2 || len(told) != want.Lost() {
			t.Errorf("%d objects, told %+v, %v", len(page.Objects), told, err)
		}
		for _, lines := range told {
			if lines.Example = ""; lines != want {
				t.Errorf("told %+v, want %+v", lines, want)
			}
		}
	}
}

// TestLinkThatMayNotBeFollowedIsLeftOut, and told of, and hides nothing else of its directory.
// What the server says is not there has nothing to lose; that the login is refused tells nothing.
func TestLinkThatMayNotBeFollowedIsLeftOut(t *testing.T) {
	for reply, want := range map[string]string{
		"550 Permission denied": `d/ d/file /d "link" 1`, "550 Failed to change directory.": `d/ d/file /d "link" 1`,
		"550 No such file or directory": "d/ d/file", "530 Please log in": "", "451 later": "",
	} {
		for _, lean := range []bool{false, true} {
			f := newFake(t)
			f.noMLST = lean
			var told []string
			s := f.store(t, func(c *Config) {
				c.LeftOut = func(dir string, lines LeftOut) {
					told = append(told, dir, lines.Example, strconv.Itoa(lines.Closed))
				}
			})
			put(t, s, "d/file", "")
			if err := os.Symlink("file", filepath.Join(f.dir, "d/link")); err != nil {
				t.Fatal(err)
			}
			f.planned(func(verb, arg string) string {
				switch {
				case !strings.HasSuffix(arg, "/link"):
					return ""
				case verb == "SIZE":
					return "550 not a regular file"
				}
				return reply
			})
			page, err := s.List(t.Context(), backends.Query{})
			var got []string
			for _, o := range page.Objects {
				got = append(got, o.Key)
			}
			if got := strings.Join(append(got, told...), " "); got != want || (err == nil) != (want != "") {
				t.Errorf("%s, lean %v: %q, %v", reply, lean, got, err)
			}
		}
	}
}

// BenchmarkList lists a directory of a million names in pages of a thousand. Budget: 10 s,
// with the server, which is in the process too, and 8 MiB of heap between pages; measured:
// 6.7 s and 1.2 MiB.
func BenchmarkList(b *testing.B) {
	const n = 1_000_000
	f := newFake(b)
	listing(f, n)
	s := f.store(b, nil)
	var most uint64
	for b.Loop() {
		q, count := backends.Query{}, 0
		for {
			page, err := s.List(b.Context(), q)
			if err != nil {
				b.Fatal(err)
			}
			count += len(page.Objects)
			if count%100_000 == 0 {
				runtime.GC() // what is held, not what is to be collected
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			if q.Token = page.Next; q.Token == "" {
				break
			}
		}
		if count != n {
			b.Fatal(count)
		}
	}
	b.ReportMetric(float64(most)/(1<<20), "heap-MiB")
}
