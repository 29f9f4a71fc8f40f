package ftp

import (
	"context"
	"io/fs"
	"path/filepath"
	"testing"

	"causeway/backends"
	"causeway/backends/backendtest"
)

// parts are the files of uploads below a directory.
func parts(dir string) (found []string, err error) {
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && isPart(d.Name()) {
			found = append(found, name)
		}
		return err
	})
	return found, err
}

// conforms proves the contract for stores that open makes, each with the directory in which
// its server has the files. change is nil, or changes what is said of them.
func conforms(t *testing.T, open func(*testing.T) (*Store, string), change func(*backendtest.Features)) {
	t.Helper()
	var dir string // of the case that is running
	f := backendtest.Features{
		Many:         120,
		Hierarchical: true,
		ModTimeOnly:  true,
		NoParking:    true,
		ObjectCuts:   true,
		MovesTrees:   true,
		Leftovers:    func(context.Context, backends.Backend) ([]string, error) { return parts(dir) },
	}
	if change != nil {
		change(&f)
	}
	backendtest.Run(t, func(t *testing.T) backends.Backend {
		var s *Store
		s, dir = open(t)
		s.page = 50
		return s
	}, f)
}

func TestConformance(t *testing.T) {
	conforms(t, func(t *testing.T) (*Store, string) {
		f := newFake(t)
		return f.store(t, nil), f.dir
	}, nil)
}
