//go:build linux || darwin

package usersfile

import (
	"os"
	"syscall"
	"testing"
)

// TestReplaceKeepsTheOwner: root edits a file that the gateway reads as somebody else.
func TestReplaceKeepsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	f := newFile(t, "one")
	if err := os.Chown(f.Path, 12, 34); err != nil {
		t.Fatal(err)
	}
	if err := Edit(t.Context(), f, func([]byte) ([]byte, error) { return []byte("two"), nil }); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != 12 || st.Gid != 34 || info.Mode() != 0o600 {
		t.Errorf("owner %d, group %d, mode %v", st.Uid, st.Gid, info.Mode())
	}
}
