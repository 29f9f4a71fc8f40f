package localdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"causeway/backends"
)

func TestS31_DirectoryIsRenamedAtOnce(t *testing.T) {
	s, dir := newStore(t)
	put(t, s, "a/b/k", "content")
	before, err := os.Stat(filepath.Join(dir, "a", "b", "k"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.MoveTree(t.Context(), "x/y/z/", "a/"); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(filepath.Join(dir, "x", "y", "z", "b", "k"))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the file is another: %v", err)
	}
	if got, want := keys(t, s, backends.Query{}), []string{"x/", "x/y/", "x/y/z/", "x/y/z/b/", "x/y/z/b/k"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func TestS31_RenameOfADirectoryThatIsRefused(t *testing.T) {
	s, dir := newStore(t)
	for _, key := range []string{"a/k", "full/k", "file", "k"} {
		put(t, s, key, key)
	}
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	put(t, s, "empty/", "")
	before := keys(t, s, backends.Query{})
	for _, test := range []struct {
		dst, src string
		want     error
	}{
		{"full/", "a/", fs.ErrExist},
		{"empty/", "a/", fs.ErrExist},
		{"file/", "a/", fs.ErrExist},
		{"link/", "a/", fs.ErrExist},
		{"file/below/", "a/", fs.ErrExist},
		{"link/below/", "a/", fs.ErrExist},
		{"a/", "a/", fs.ErrInvalid},
		{"a/b/", "a/", fs.ErrInvalid},
		{"b", "a/", fs.ErrInvalid},
		{"b/", "a", fs.ErrInvalid},
		{"b/", "a//", fs.ErrInvalid},
		{"../b/", "a/", fs.ErrInvalid},
		{"b/", ".causeway/", fs.ErrInvalid},
		{".causeway/", "a/", fs.ErrInvalid},
		{".causeway/localdir/b/", "a/", fs.ErrInvalid},
		{"b/", "none/", fs.ErrNotExist},
		{"b/", "k/", fs.ErrNotExist},
		{"b/", "link/", fs.ErrNotExist},
		{"b/", "link/c/", fs.ErrNotExist},
	} {
		if err := s.MoveTree(t.Context(), test.dst, test.src); !errors.Is(err, test.want) {
			t.Errorf("%s to %s: %v, want %v", test.src, test.dst, err, test.want)
		}
	}
	if got := keys(t, s, backends.Query{}); !slices.Equal(got, before) {
		t.Errorf("listed %q, want %q", got, before)
	}
	wantFile(t, filepath.Join(dir, "a", "k"), "a/k")
}

func TestS31_RenameOfADirectoryThatIsNotDurableIsInDoubt(t *testing.T) {
	s, _ := newStore(t)
	put(t, s, "a/k", "content")
	s.syncDir = func(*os.Root) error { return syscall.EIO }
	if err := s.MoveTree(t.Context(), "b/", "a/"); !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("move: %v", err)
	}
	if got, want := keys(t, s, backends.Query{}), []string{"b/", "b/k"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}
