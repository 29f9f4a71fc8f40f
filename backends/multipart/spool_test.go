package multipart

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"causeway/backends"
)

func TestSpoolErrors(t *testing.T) {
	if _, err := NewSpool("/nowhere/at/all", mib); !errors.Is(err, backends.ErrUnavailable) || !errors.Is(err, syscall.ENOENT) {
		t.Errorf("missing folder: %v", err)
	}
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	if err := spoolError("write", full); !errors.Is(err, backends.ErrQuota) {
		t.Errorf("full disk: %v", err)
	}
	if err := spoolError("write", io.ErrUnexpectedEOF); !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("broken disk: %v", err)
	}
}

// TestSpoolLeavesNoFiles: parts on disk have no name.
func TestSpoolLeavesNoFiles(t *testing.T) {
	dir := t.TempDir()
	spool, err := NewSpool(dir, 4*mib)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBudget(256*kib, spool)
	u := New(t.Context(), &fake{}, b, Options{PartSize: mib, MaxPartSize: mib, MaxParts: 10})
	defer u.Abort()
	if _, err := u.Write(pattern(500 * kib)); err != nil {
		t.Fatal(err)
	}
	if memory, disk := b.Used(); memory != 0 || disk == 0 {
		t.Errorf("%d octets in memory, %d on disk", memory, disk)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 0 {
		t.Errorf("files: %v, %v", names, err)
	}
}
