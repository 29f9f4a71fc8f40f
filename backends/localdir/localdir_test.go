package localdir_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/localdir"
)

// open opens the store in dir and closes it at the end of the test.
func open(t testing.TB, dir string) *localdir.Store {
	t.Helper()
	s, err := localdir.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// leftovers are the files of open uploads below dir.
func leftovers(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir + "/.causeway/localdir")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, err
}

func TestConformance(t *testing.T) {
	var dir string
	backendtest.Run(t, func(t *testing.T) backends.Backend {
		dir = t.TempDir()
		return open(t, dir)
	}, backendtest.Features{
		Hierarchical: true,
		ModTimeOnly:  true,
		Leftovers:    func(context.Context, backends.Backend) ([]string, error) { return leftovers(dir) },
	})
}
