package localdir

import (
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"causeway/backends"
)

// secret is what is outside, known by its length too.
const secret = "a secret of another size"

// TestP7_FlippingLinkNeverEscapes reads, lists, writes and deletes below a name that is
// now a directory, now a link to one outside.
func TestP7_FlippingLinkNeverEscapes(t *testing.T) {
	s, dir := newStore(t)
	outside := t.TempDir()
	write(t, filepath.Join(outside, "k"), secret)
	write(t, filepath.Join(dir, "d", "k"), "inside")
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var flipping sync.WaitGroup
	flipping.Go(func() { flip(t, filepath.Join(dir, "d"), filepath.Join(dir, "link"), stop) })
	const rounds = 500
	for range rounds {
		attempt(t, s)
	}
	close(stop)
	flipping.Wait()
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside there is %v, %v", entries, err)
	}
	wantFile(t, filepath.Join(outside, "k"), secret)
}

// attempt calls the verbs below the name that flips. Any may fail.
func attempt(t *testing.T, s *Store) {
	ctx := t.Context()
	if r, err := s.Open(ctx, "d/k", backends.OpenOptions{}); err == nil {
		if got, err := io.ReadAll(r); err == nil && string(got) != "inside" {
			t.Errorf("read %q", got)
		}
		r.Close()
	}
	for _, prefix := range []string{"", "d/"} {
		page, _ := s.List(ctx, backends.Query{Prefix: prefix})
		for _, o := range page.Objects {
			if o.Size == int64(len(secret)) {
				t.Errorf("listed %q of outside", o.Key)
			}
		}
	}
	if u, err := s.Create(ctx, "d/new", backends.CreateOptions{}); err == nil {
		_, _ = u.Commit()
		if err := u.Abort(); err != nil {
			t.Error(err)
		}
	}
	_, _ = s.Move(ctx, "d/moved", "d/k", backends.CopyOptions{})
	_, _ = s.Move(ctx, "d/k", "d/moved", backends.CopyOptions{})
	_ = s.Delete(ctx, "d/new", backends.DeleteOptions{})
}

// flip exchanges the names a and b until stop.
func flip(t *testing.T, a, b string, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
			t.Error(err)
			return
		}
	}
}
