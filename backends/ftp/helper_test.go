package ftp

import (
	"errors"
	"io"
	"slices"
	"testing"

	"causeway/backends"
)

// put stores content under a key.
func put(t testing.TB, s *Store, key, content string) backends.Object {
	t.Helper()
	obj, err := begin(t, s, key, content).Commit()
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func begin(t testing.TB, s *Store, key, content string) backends.Upload {
	t.Helper()
	u, err := s.Create(t.Context(), key, backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Abort() })
	if _, err := io.WriteString(u, content); err != nil {
		t.Fatal(err)
	}
	return u
}

func get(t testing.TB, s *Store, key string, o backends.OpenOptions) (string, error) {
	t.Helper()
	r, err := s.Open(t.Context(), key, o)
	if err != nil {
		return "", err
	}
	p, err := io.ReadAll(r)
	return string(p), errors.Join(err, r.Close())
}

// keys lists all keys of a query, page after page.
func keys(t testing.TB, s *Store, q backends.Query) (all []string) {
	t.Helper()
	for {
		page, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var some []string
		for _, o := range page.Objects {
			some = append(some, o.Key)
		}
		some = append(some, page.Prefixes...)
		slices.Sort(some)
		all = append(all, some...)
		if page.Next == "" {
			return all
		}
		q.Token = page.Next
	}
}
