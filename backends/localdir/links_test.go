//go:build linux || darwin

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

// links lays links and other irregular files into a store: to a secret outside, to what
// is inside, and a pipe.
func links(t *testing.T) (s *Store, dir, outside string) {
	t.Helper()
	s, dir = newStore(t)
	outside = t.TempDir()
	write(t, filepath.Join(outside, "secret"), "secret")
	write(t, filepath.Join(dir, "d", "k"), "inside")
	for name, target := range map[string]string{
		"to-outside": outside, "to-secret": filepath.Join(outside, "secret"), "to-d": "d", "to-k": "d/k", "dangling": "none", "loop": "loop",
		"d/up": "..",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o666); err != nil {
		t.Fatal(err)
	}
	return s, dir, outside
}

func TestP7_LinksArePartOfNothing(t *testing.T) {
	s, dir, outside := links(t)
	if got, want := keys(t, s, backends.Query{}), []string{"d/", "d/k"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	for _, prefix := range []string{"to-outside/", "to-d/", "d/up/", "to-"} {
		if got := keys(t, s, backends.Query{Prefix: prefix, Delimiter: true}); got != nil {
			t.Errorf("below %q: %q", prefix, got)
		}
	}
	for _, key := range []string{
		"to-outside/secret", "to-secret", "to-d/k", "to-k", "d/up/d/k", "dangling", "loop", "pipe", "to-d/", "to-outside/", "loop/x",
	} {
		if _, err := s.Stat(t.Context(), key, backends.StatOptions{}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat %q: %v", key, err)
		}
		if _, err := s.Open(t.Context(), key, backends.OpenOptions{}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open %q: %v", key, err)
		}
		if _, err := s.Create(t.Context(), key, backends.CreateOptions{}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("create %q: %v", key, err)
		}
		if err := s.Delete(t.Context(), key, backends.DeleteOptions{}); err != nil {
			t.Errorf("delete %q: %v", key, err)
		}
	}
	for _, name := range []string{"to-outside", "to-secret", "to-d", "to-k", "dangling", "loop", "pipe"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s is gone: %v", name, err)
		}
	}
	wantFile(t, filepath.Join(outside, "secret"), "secret")
	wantFile(t, filepath.Join(dir, "d", "k"), "inside")
}

func TestP7_LinkThatTakesAPlaceDuringAnUpload(t *testing.T) {
	s, dir := newStore(t)
	outside := t.TempDir()
	write(t, filepath.Join(outside, "k"), "secret")
	u := begin(t, s, "d/k", "content", backends.CreateOptions{})
	if err := os.Symlink(outside, filepath.Join(dir, "d")); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("commit: %v", err)
	}
	wantFile(t, filepath.Join(outside, "k"), "secret")
}

// TestS2_DirectoryThatHoldsNoObjectCannotBeDeleted: it would stay, and look empty.
func TestS2_DirectoryThatHoldsNoObjectCannotBeDeleted(t *testing.T) {
	s, dir := newStore(t)
	makers := map[string]func(path string) error{
		"link":   func(path string) error { return os.Symlink("none", path) },
		"pipe":   func(path string) error { return syscall.Mkfifo(path, 0o666) },
		"socket": func(path string) error { return syscall.Mknod(path, syscall.S_IFSOCK|0o666, 0) },
	}
	for name, makeOne := range makers {
		write(t, filepath.Join(dir, name, "k"), "")
		if err := makeOne(filepath.Join(dir, name, "x")); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), name+"/", backends.DeleteOptions{}); err != nil {
			t.Errorf("%s beside a key: %v", name, err)
		}
		if err := s.Delete(t.Context(), name+"/k", backends.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), name+"/", backends.DeleteOptions{}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s alone: %v", name, err)
		}
		if err := os.Remove(filepath.Join(dir, name, "x")); err != nil {
			t.Error(err)
		}
		if err := s.Delete(t.Context(), name+"/", backends.DeleteOptions{}); err != nil {
			t.Errorf("empty: %v", err)
		}
	}
	if got := keys(t, s, backends.Query{}); got != nil {
		t.Errorf("listed %q", got)
	}
}
