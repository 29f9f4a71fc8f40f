package usersfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func newFile(t *testing.T, text string) File {
	t.Helper()
	f := File{Path: filepath.Join(t.TempDir(), "users.yaml")}
	if err := os.WriteFile(f.Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestReadKnowsWhatHasChanged(t *testing.T) {
	f := newFile(t, "one")
	text, version, err := f.Read(t.Context(), "")
	if err != nil || string(text) != "one" {
		t.Fatalf("%q, %v", text, err)
	}
	if _, again, err := f.Read(t.Context(), version); !errors.Is(err, ErrUnchanged) || again != version {
		t.Errorf("read again: %v", err)
	}
	for _, text := range []string{"other", "other text"} {
		if err := f.Replace(t.Context(), []byte(text), version); err != nil {
			t.Fatal(err)
		}
		got, after, err := f.Read(t.Context(), version)
		if err != nil || string(got) != text || after == version {
			t.Errorf("after a change: %q, %v", got, err)
		}
		version = after
	}
	if err := f.Replace(t.Context(), []byte("late"), "another version"); !errors.Is(err, ErrChanged) {
		t.Errorf("an edit that comes second: %v", err)
	}
	if got, _ := os.ReadFile(f.Path); string(got) != "other text" {
		t.Errorf("it has left %q", got)
	}
}

// TestReplaceInTheWorkingDirectory writes beside the file, and nowhere else: who has no
// path for it may have another file system for temporary files.
func TestReplaceInTheWorkingDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	if err := os.WriteFile("users.yaml", []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := File{Path: "users.yaml"}
	_, version, err := f.Read(t.Context(), "")
	if err == nil {
		err = f.Replace(t.Context(), []byte("other"), version)
	}
	if text, _ := os.ReadFile("users.yaml"); err != nil || string(text) != "other" {
		t.Errorf("%q, %v", text, err)
	}
}

// TestReplaceKeeps: mode and links stay, and nothing is left beside the file.
func TestReplaceKeeps(t *testing.T) {
	f := newFile(t, "one")
	if err := os.Chmod(f.Path, 0o640); err != nil {
		t.Fatal(err)
	}
	link := File{Path: filepath.Join(t.TempDir(), "link.yaml")}
	if err := os.Symlink(f.Path, link.Path); err != nil {
		t.Fatal(err)
	}
	err := Edit(t.Context(), link, func([]byte) ([]byte, error) { return []byte("two"), nil })
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(f.Path)
	if err != nil || hasModes && info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if text, err := os.ReadFile(f.Path); err != nil || string(text) != "two" {
		t.Errorf("%q, %v", text, err)
	}
	if info, err := os.Lstat(link.Path); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("the link: %v, %v", info, err)
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(f.Path), ".*")); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestReadRefuses(t *testing.T) {
	if !hasModes {
		t.Skip("modes tell nothing here")
	}
	f := newFile(t, "hashes")
	for mode, want := range map[fs.FileMode]error{0o644: ErrExposed, 0o602: ErrExposed, 0o640: nil, 0o660: nil, 0o400: nil} {
		if err := os.Chmod(f.Path, mode); err != nil {
			t.Fatal(err)
		}
		if text, _, err := f.Read(t.Context(), ""); !errors.Is(err, want) || want != nil && text != nil {
			t.Errorf("%o: %q, %v", mode, text, err)
		}
	}
	if _, _, err := (File{Path: t.TempDir()}).Read(t.Context(), ""); !errors.Is(err, errNoFile) {
		t.Errorf("a directory: %v", err)
	}
	if _, _, err := (File{Path: f.Path + "x"}).Read(t.Context(), ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestNoEditIsLost: of many at the same time each finds what the others have done.
func TestNoEditIsLost(t *testing.T) {
	f := newFile(t, "users: []\n")
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			err := Edit(t.Context(), f, func(text []byte) ([]byte, error) {
				return Add(text, Entry{Name: fmt.Sprintf("user%d", i), Hash: "$h"})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	text, err := os.ReadFile(f.Path)
	if n := strings.Count(string(text), "- {name: user"); err != nil || n != 12 {
		t.Errorf("%d of 12 are there: %v\n%s", n, err, text)
	}
}

// busy is a document that others edit all the time.
type busy struct{ reads, replaces int }

func (b *busy) Read(context.Context, string) ([]byte, string, error) {
	b.reads++
	return nil, fmt.Sprint(b.reads), nil
}

func (b *busy) Replace(context.Context, []byte, string) error {
	b.replaces++
	return ErrChanged
}

func TestEditGivesUp(t *testing.T) {
	same := func(text []byte) ([]byte, error) { return text, nil }
	synctest.Test(t, func(t *testing.T) {
		b := new(busy)
		if err := Edit(t.Context(), b, same); !errors.Is(err, ErrChanged) || b.replaces != maxTries || b.reads != maxTries {
			t.Errorf("%v after %d reads and %d writes", err, b.reads, b.replaces)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Edit(ctx, new(busy), same); !errors.Is(err, context.Canceled) {
			t.Errorf("after its end: %v", err)
		}
	})
	wrong := errors.New("wrong")
	b := new(busy)
	if err := Edit(t.Context(), b, func([]byte) ([]byte, error) { return nil, wrong }); !errors.Is(err, wrong) || b.replaces > 0 {
		t.Errorf("an edit that fails: %v, %d writes", err, b.replaces)
	}
}
