package gateway

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// forgetful is a store that copies all objects but those called b.
type forgetful struct{ *mem.Store }

func (s forgetful) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if strings.HasSuffix(src, "/b") {
		return backends.Object{}, &backends.Error{Op: "copy", Key: src, Kind: backends.ErrUnavailable}
	}
	return s.Store.Copy(ctx, dst, src, o)
}

// sluggish is a store in which one request fails after two days.
type sluggish struct {
	*mem.Store
	fails string // verb and key
}

func (s *sluggish) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if err := s.wait("copy", src); err != nil {
		return backends.Object{}, err
	}
	return s.Store.Copy(ctx, dst, src, o)
}

func (s *sluggish) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if err := s.wait("delete", key); err != nil {
		return err
	}
	return s.Store.Delete(ctx, key, o)
}

func (s *sluggish) wait(verb, key string) error {
	if verb+" "+key != s.fails {
		return nil
	}
	time.Sleep(48 * time.Hour)
	return &backends.Error{Op: verb, Key: key, Kind: backends.ErrUnavailable}
}

// TestS31_LongRenameIsNotForgotten: a rename that takes longer than the window, in either
// phase, and is stopped then can be completed by the same rename.
func TestS31_LongRenameIsNotForgotten(t *testing.T) {
	for _, verb := range []string{"copy", "delete"} {
		t.Run(verb, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &sluggish{mem.New(mem.Options{}), verb + " old/b"}
				for _, key := range []string{"old/a", "old/b"} {
					commit(t, store, key, "content")
				}
				view, err := vfs.New([]vfs.Mount{{Path: "/", Store: store, Rights: vfs.List | vfs.Read | vfs.Write | vfs.Rename | vfs.Delete}},
					vfs.NewNames(), slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				employ(t, store, 24*time.Hour)
				if err := rename(t, view, "old", "new"); err == nil {
					t.Fatal("renamed all the same")
				}
				store.fails = ""
				later(12 * time.Hour)
				if err := rename(t, view, "old", "new"); err != nil {
					t.Error(err)
				}
				if got := keys(t, store); !slices.Equal(got, []string{"new/a", "new/b"}) {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

// TestS31_RenameThatNobodyCompletesIsForgotten: the janitor removes the journal that a
// rename has left, where package vfs keeps it, and no file.
func TestS31_RenameThatNobodyCompletesIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := forgetful{mem.New(mem.Options{})}
		for _, key := range []string{"old/a", "old/b", "old/c"} {
			commit(t, store, key, "content")
		}
		view, err := vfs.New([]vfs.Mount{{Path: "/", Store: store, Rights: vfs.List | vfs.Read | vfs.Write | vfs.Rename | vfs.Delete}},
			vfs.NewNames(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := rename(t, view, "old", "new"); err == nil {
			t.Fatal("renamed all the same")
		}
		left := keys(t, store)
		if n := len(slices.DeleteFunc(slices.Clone(left), func(key string) bool { return !strings.HasPrefix(key, renames) })); n != 1 {
			t.Fatalf("%d journals: %q", n, left)
		}
		employ(t, store, 24*time.Hour)
		later(25 * time.Hour)
		want := slices.DeleteFunc(left, func(key string) bool { return strings.HasPrefix(key, renames) })
		if got := keys(t, store); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func rename(t *testing.T, view *vfs.FS, from, to string) error {
	t.Helper()
	src, err := ftp.Path{}.Join(from)
	if err != nil {
		t.Fatal(err)
	}
	dst, err := ftp.Path{}.Join(to)
	if err != nil {
		t.Fatal(err)
	}
	end, err := view.Rename(t.Context(), src)
	if err != nil {
		return err
	}
	return end(t.Context(), dst)
}
