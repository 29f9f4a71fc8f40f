package ftp

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/backends"
)

// TestS10_UploadShowsNothingUntilItIsRenamed, and its file is not listed.
func TestS10_UploadShowsNothingUntilItIsRenamed(t *testing.T) {
	f := newFake(t)
	s := f.store(t, nil)
	u := begin(t, s, "d/k", "content")
	found, err := parts(f.dir)
	if err != nil || len(found) != 1 {
		t.Fatalf("%q, %v", found, err)
	}
	if got := keys(t, s, backends.Query{}); len(got) != 1 || got[0] != "d/" {
		t.Errorf("listed %q", got)
	}
	hiddenKey, _ := filepath.Rel(f.dir, found[0])
	if err := stat(s, t.Context(), filepath.ToSlash(hiddenKey)); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("stat of what is under way: %v", err)
	}
	if _, err := u.Commit(); err != nil {
		t.Error(err)
	}
}

// TestS10_UploadThatTheServerCutIsNotCommitted: it says 226 and has less.
func TestS10_UploadThatTheServerCutIsNotCommitted(t *testing.T) {
	f := newFake(t)
	s := f.store(t, nil)
	put(t, s, "k", "old")
	u := begin(t, s, "k", "new content")
	f.planned(func(verb, arg string) string {
		if name := filepath.Join(f.dir, arg); verb == "MLST" && isPart(filepath.Base(name)) {
			if err := os.Truncate(name, 3); err != nil {
				t.Error(err)
			}
		}
		return ""
	})
	if _, err := u.Commit(); !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("commit: %v", err)
	}
	if err := u.Abort(); err != nil {
		t.Error(err)
	}
	if got, err := get(t, s, "k", backends.OpenOptions{}); got != "old" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if found, err := parts(f.dir); len(found) > 0 || err != nil {
		t.Errorf("left: %q, %v", found, err)
	}
}

// TestRenameWhoseAnswerIsLostIsFoundOut: whether it has happened can be seen.
func TestRenameWhoseAnswerIsLostIsFoundOut(t *testing.T) {
	f := newFake(t)
	s := f.store(t, nil)
	u := begin(t, s, "k", "content")
	f.planned(func(verb, arg string) string {
		if verb != "RNTO" {
			return ""
		}
		found, err := parts(f.dir)
		if err != nil || len(found) != 1 {
			t.Errorf("%q, %v", found, err)
			return ""
		}
		if err := os.Rename(found[0], filepath.Join(f.dir, arg)); err != nil {
			t.Error(err)
		}
		return "drop"
	})
	if obj, err := u.Commit(); err != nil || obj.Size != 7 || obj.Key != "k" {
		t.Errorf("commit: %+v, %v", obj, err)
	}
	f.planned(nil)
	lost := begin(t, s, "other", "content")
	f.once("RNTO", "drop") // and it has not happened
	if _, err := lost.Commit(); !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("commit: %v", err)
	}
}

// TestVersionsOfOneSizeAreToldApart, also within one second.
func TestVersionsOfOneSizeAreToldApart(t *testing.T) {
	s := newFake(t).store(t, nil)
	seen := map[string]bool{}
	for range 5 {
		obj := put(t, s, "k", "same")
		if seen[obj.ETag] {
			t.Errorf("%q was there before", obj.ETag)
		}
		seen[obj.ETag] = true
	}
}

// TestStoreThatIsNotThereIsNotEmpty: its disk may be missing. Nor is it made.
func TestStoreThatIsNotThereIsNotEmpty(t *testing.T) {
	f := newFake(t)
	s := f.store(t, func(c *Config) { c.Root = "/gone/for now" })
	for _, q := range []backends.Query{{}, {Prefix: "home/"}, {Prefix: "home/", Limit: 1}} {
		if _, err := s.List(t.Context(), q); !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("list %+v: %v", q, err)
		}
	}
	u, err := s.Create(t.Context(), "k", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(u, "content"); err == nil {
		t.Error("written")
	}
	u.Abort()
	if entries, err := os.ReadDir(f.dir); len(entries) > 0 || err != nil {
		t.Errorf("made %v, %v", entries, err)
	}
}

// TestLinksAreFilesWhereTheyLeadToSuch and not listed, but told of, where they lead to directories.
func TestLinksAreFilesWhereTheyLeadToSuch(t *testing.T) {
	f := newFake(t)
	f.planned(func(_, arg string) string {
		if strings.HasSuffix(arg, "/dangling") {
			return "550 No such file or directory"
		}
		return ""
	})
	var told []string
	s := f.store(t, func(c *Config) {
		c.LeftOut = func(dir string, lines LeftOut) {
			told = append(told, fmt.Sprint(dir, " ", lines.Example, " ", lines.Links, " of ", lines.Lost()))
		}
	})
	put(t, s, "d/file", "content")
	for link, to := range map[string]string{"d/link": "file", "d/round": ".", "d/dangling": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(f.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(keys(t, s, backends.Query{}), " "); got != "d/ d/file d/link" {
		t.Errorf("listed %q", got)
	}
	if want := []string{`/d "round" 1 of 1`}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if got, err := get(t, s, "d/link", backends.OpenOptions{}); got != "content" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestSumIsTheServers(t *testing.T) {
	s := newFake(t).store(t, nil)
	put(t, s, "k", "content")
	algorithm, sum, err := s.Sum(t.Context(), "k", []backends.Sum{backends.SHA256, backends.CRC32})
	if algorithm != backends.CRC32 || string(sum) != "\x12\x34\xab\xcd" || err != nil {
		t.Errorf("%s %x, %v", algorithm, sum, err)
	}
	if _, _, err := s.Sum(t.Context(), "k", []backends.Sum{backends.SHA256}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("what it has not: %v", err)
	}
}

// TestZoneOfListingsIsFoundOut by a file of which MDTM tells the time.
func TestZoneOfListingsIsFoundOut(t *testing.T) {
	for _, ahead := range []time.Duration{0, 2 * time.Hour, -9*time.Hour - 30*time.Minute, 5*time.Hour + 45*time.Minute} {
		f := newFake(t)
		f.noMLST, f.zone = true, ahead
		s := f.store(t, func(c *Config) { c.AutoZone = true })
		obj := put(t, s, "k", "content")
		page, err := s.List(t.Context(), backends.Query{})
		if err != nil || len(page.Objects) != 1 {
			t.Fatalf("%v, %v", page, err)
		}
		if got := page.Objects[0]; got.ModTime != obj.ModTime.Truncate(time.Minute) {
			t.Errorf("%v ahead: listed as of %v, is of %v", ahead, got.ModTime, obj.ModTime)
		}
	}
}
