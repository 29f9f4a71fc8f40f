package localdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"causeway/backends"
)

// asNobody calls f as a user who may not do everything. On Linux that is a property of
// the thread, which takes the privileges of root along.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		f()
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, err := unix.SetfsuidRetUid(nobody); err != nil {
		t.Fatal(err)
	}
	f()
	if _, err := unix.SetfsuidRetUid(0); err != nil {
		t.Error(err)
	}
}

func TestPermissionIsTold(t *testing.T) {
	s, dir := newStore(t)
	put(t, s, "a/b", "content")
	if err := os.Chmod(filepath.Join(dir, "a"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(dir, "a"), 0o700)
	asNobody(t, func() {
		if _, err := s.Stat(t.Context(), "a/b", backends.StatOptions{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("stat: %v", err)
		}
	})
}
