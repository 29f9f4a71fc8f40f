package localdir

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"causeway/backends"
)

// newStore opens a store in a new directory, which it returns too.
func newStore(t testing.TB) (*Store, string) {
	t.Helper()
	dir := t.TempDir()
	return reopen(t, dir), dir
}

// reopen opens the store in dir as another process would.
func reopen(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func begin(t testing.TB, s *Store, key, content string, o backends.CreateOptions) backends.Upload {
	t.Helper()
	u, err := s.Create(t.Context(), key, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	return u
}

func put(t testing.TB, s *Store, key, content string) backends.Object {
	t.Helper()
	obj, err := begin(t, s, key, content, backends.CreateOptions{}).Commit()
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func get(ctx context.Context, s *Store, key string) (string, error) {
	r, err := s.Open(ctx, key, backends.OpenOptions{})
	if err != nil {
		return "", err
	}
	p, err := io.ReadAll(r)
	return string(p), errors.Join(err, r.Close())
}

// keys lists all keys below prefix in pages of limit.
func keys(t testing.TB, s *Store, q backends.Query) []string {
	t.Helper()
	var all []string
	for {
		page, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var entries []string
		for _, o := range page.Objects {
			entries = append(entries, o.Key)
		}
		entries = append(entries, page.Prefixes...)
		slices.Sort(entries)
		all = append(all, entries...)
		if page.Next == "" {
			return all
		}
		q.Token = page.Next
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// wantFile checks a file by the operating system's own eyes.
func wantFile(t testing.TB, path, content string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, []byte(content)) {
		t.Errorf("%s has %q, %v, want %q", filepath.Base(path), got, err, content)
	}
}

// pending are the files of open uploads below dir.
func pending(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, own))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, err
}
