package ftp

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/backends"
)

// TestReadGoesOnInMidFile, on another connection, with the octets that are missing.
func TestReadGoesOnInMidFile(t *testing.T) {
	for _, noREST := range []bool{false, true} {
		f := newFake(t)
		f.noREST = noREST
		s := f.store(t, nil)
		whole := strings.Repeat("0123456789", 1000)
		put(t, s, "k", whole)
		f.cut = 4321
		got, err := get(t, s, "k", backends.OpenOptions{})
		if got != whole || err != nil {
			t.Errorf("read %d octets, %v", len(got), err)
		}
		if n := f.count("RETR"); n < 2 {
			t.Errorf("%d RETR", n)
		}
	}
}

// TestReadNeverMixesVersions: what it goes on with must be what it began with.
func TestReadNeverMixesVersions(t *testing.T) {
	f := newFake(t)
	s := f.store(t, nil)
	put(t, s, "k", strings.Repeat("a", 1<<20))
	f.cut = 100
	r, err := s.Open(t.Context(), "k", backends.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 50)); err != nil {
		t.Fatal(err)
	}
	put(t, s, "k", strings.Repeat("b", 1<<20))
	rest, err := io.ReadAll(r)
	if !errors.Is(err, backends.ErrChanged) || strings.Contains(string(rest), "b") {
		t.Errorf("read %d octets, %v", len(rest), err)
	}
}

// TestReadOfAFileThatGrewIsNoWhole: an upload to the old server was under way.
func TestReadOfAFileThatGrewIsNoWhole(t *testing.T) {
	f := newFake(t)
	s := f.store(t, nil)
	put(t, s, "k", "half")
	f.planned(func(verb, _ string) string {
		if verb == "RETR" {
			if err := os.WriteFile(filepath.Join(f.dir, "k"), []byte("half and more"), 0o666); err != nil {
				t.Error(err)
			}
		}
		return ""
	})
	got, err := get(t, s, "k", backends.OpenOptions{})
	if !errors.Is(err, backends.ErrChanged) || got != "half" {
		t.Errorf("read %q, %v", got, err)
	}
}

// TestReadOfAFileThatIsWrittenOverIsNoWhole: it has the right size all the same. A file that is
// taken away while it is read is whole.
func TestReadOfAFileThatIsWrittenOverIsNoWhole(t *testing.T) {
	f := newFake(t)
	s := f.store(t, nil)
	for _, c := range []struct {
		change func(name string) error
		want   error
	}{
		{func(name string) error { return os.WriteFile(name, []byte("new content"), 0o666) }, backends.ErrChanged},
		{os.Remove, nil},
	} {
		put(t, s, "k", "old content")
		name := filepath.Join(f.dir, "k")
		if err := os.Chtimes(name, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		r, err := s.Open(t.Context(), "k", backends.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.change(name); err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(r)
		if !errors.Is(err, c.want) {
			t.Errorf("the end is %v, want %v", err, c.want)
		}
		r.Close()
	}
}

// TestETagsOfListingsMatchWhatMayBeMeant and nothing else.
func TestETagsOfListingsMatchWhatMayBeMeant(t *testing.T) {
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC).Unix()
	is := describe("k", facts{size: 5, seconds: at, precise: true})
	for _, c := range []struct {
		listed facts
		want   bool
	}{
		{facts{size: 5, seconds: at - 9}, true},
		{facts{size: 6, seconds: at - 9}, false},
		{facts{size: 5, seconds: at - 9 - minute}, false},
		{facts{size: 5, seconds: at - 9 + minute}, false},
		{facts{size: 5, seconds: at - at%day}, true},
		{facts{size: 5, seconds: at - at%day + 2*day}, false},
		{facts{size: 5, seconds: at, precise: true}, true},
		{facts{size: 5, seconds: at + 1, precise: true}, false},
	} {
		if listed := describe("k", c.listed); matches(listed.ETag, is) != c.want {
			t.Errorf("%q and %q: want %v", listed.ETag, is.ETag, c.want)
		}
	}
	if unknown := describe("k", facts{size: 5}); !matches(describe("k", facts{size: 5, seconds: at}).ETag, unknown) {
		t.Error("where MDTM is unknown the size does not decide")
	}
}
