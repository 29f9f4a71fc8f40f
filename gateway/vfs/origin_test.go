package vfs_test

import (
	"errors"
	"log/slog"
	"testing"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// credentials are another's way to a store.
type credentials struct {
	backends.Backend
	_ int // so that two of them are not one
}

// TestNamesAreTheBuckets: two accounts with credentials of their own write to one bucket, so
// where a name has one writer it has one of both. Without an origin they would be two stores.
func TestNamesAreTheBuckets(t *testing.T) {
	store, names := mem.New(mem.Options{}), vfs.NewNames()
	view := func(origin backends.Backend) *vfs.FS {
		fs, err := vfs.New([]vfs.Mount{{
			Path: "/", Store: &credentials{Backend: store}, Origin: origin, Rights: all, Concurrent: vfs.OneWriter,
		}}, names, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return fs
	}
	p, err := ftp.Path{}.Join("/x")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		origin backends.Backend
		busy   bool
	}{{store, true}, {nil, false}} {
		first, _, err := view(c.origin).Store(t.Context(), p, ftp.StoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := view(c.origin).Store(t.Context(), p, ftp.StoreOptions{})
		if errors.Is(err, ftp.ErrBusy) != c.busy {
			t.Errorf("origin %v: %v", c.origin != nil, err)
		}
		for _, u := range []ftp.Upload{first, second} {
			if u != nil {
				if err := u.Abort(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
