package localdir

import (
	"errors"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"causeway/backends"
)

// TestS10_FullDiskKeepsTheOldObject fills a file system of 1 MiB, which root may mount.
func TestS10_FullDiskKeepsTheOldObject(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal("file systems cannot be mounted here: ", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s := reopen(t, dir)
	put(t, s, "k", "old")
	u, err := s.Create(t.Context(), "k", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = u.Write(make([]byte, 64<<10))
	}
	if !errors.Is(err, backends.ErrQuota) {
		t.Errorf("write: %v", err)
	}
	if err := u.Abort(); err != nil {
		t.Errorf("abort: %v", err)
	}
	wantFile(t, filepath.Join(dir, "k"), "old")
	put(t, s, "another", "there is room again")
	if left, err := pending(dir); len(left) > 0 || err != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
}
