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

func TestConformance(t *testing.T) {
	for name, spoil := range map[string]func(*fake){
		"MLSD": func(*fake) {},
		"LIST": func(f *fake) { f.noMLST = true },
	} {
		t.Run(name, func(t *testing.T) {
			var dir string
			backendtest.Run(t, func(t *testing.T) backends.Backend {
				f := newFake(t)
				spoil(f)
				dir = f.dir
				s := f.store(t, nil)
				s.page = 50
				return s
			}, backendtest.Features{
				Many:          120,
				Hierarchical:  true,
				ModTimeOnly:   true,
				NoParking:     true,
				ObjectCuts:    true,
				MovesTrees:    true,
				RoughListings: name == "LIST",
				Leftovers:     func(context.Context, backends.Backend) ([]string, error) { return parts(dir) },
			})
		})
	}
}
