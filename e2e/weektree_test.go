//go:build e2e && week

package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"causeway/e2e/oldservers"
)

// weekFile is what a file must be. Its content follows from the seed.
type weekFile struct {
	size             int
	seed             uint64
	earliest, latest time.Time // its time is from the one to the other
	here             bool      // it needs no old server
}

func (f weekFile) content() []byte {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], f.seed)
	b := make([]byte, f.size)
	_, _ = rand.NewChaCha8(seed).Read(b) // never an error
	return b
}

// is tells whether octets are the file's.
func (f weekFile) is(content []byte) bool {
	return len(content) == f.size && bytes.Equal(content, f.content())
}

// dated tells whether a time is right.
func (f weekFile) dated(t time.Time) bool { return !t.Before(f.earliest) && !t.After(f.latest) }

// weekTree is what a user must see, by absolute paths. The root is no entry.
type weekTree struct {
	files map[string]weekFile
	dirs  map[string]bool
}

// mkdir adds a directory and those above it.
func (t *weekTree) mkdir(dir string) {
	for ; dir != "/"; dir = path.Dir(dir) {
		t.dirs[dir] = true
	}
}

func (t *weekTree) put(name string, f weekFile) {
	t.mkdir(path.Dir(name))
	t.files[name] = f
}

// in is what is in a directory, as weekClient.list tells it, in order.
func (t *weekTree) in(dir string) []string {
	var names []string
	for name := range t.files {
		if path.Dir(name) == dir {
			names = append(names, path.Base(name))
		}
	}
	for name := range t.dirs {
		if path.Dir(name) == dir {
			names = append(names, path.Base(name)+"/")
		}
	}
	slices.Sort(names)
	return names
}

// below is what is below a directory, at any depth.
func (t *weekTree) below(dir string) (files, dirs []string) {
	for name := range t.files {
		if strings.HasPrefix(name, dir+"/") {
			files = append(files, name)
		}
	}
	for name := range t.dirs {
		if strings.HasPrefix(name, dir+"/") {
			dirs = append(dirs, name)
		}
	}
	slices.Sort(files)
	slices.Sort(dirs)
	return files, dirs
}

// moveDir is the rename of a directory.
func (t *weekTree) moveDir(from, to string, at time.Time) {
	files, dirs := t.below(from)
	t.mkdir(to)
	delete(t.dirs, from)
	for _, dir := range dirs {
		delete(t.dirs, dir)
		t.dirs[to+strings.TrimPrefix(dir, from)] = true
	}
	for _, name := range files {
		t.move(name, to+strings.TrimPrefix(name, from), at)
	}
}

// move is the rename of a file. A copy of what was uploaded here may have the time of the rename.
func (t *weekTree) move(from, to string, at time.Time) {
	f := t.files[from]
	f.here = true
	if f.earliest != f.latest && f.latest.Before(at) {
		f.latest = at
	}
	delete(t.files, from)
	t.put(to, f)
}

// anyKey is any of the keys, and false if there is none.
func anyKey[V any](rng *rand.Rand, m map[string]V) (string, bool) {
	if len(m) == 0 {
		return "", false
	}
	return slices.Sorted(maps.Keys(m))[rng.IntN(len(m))], true
}

// weekDirs are the directories on the old server; nothing is in the last one.
var weekDirs = []string{"/", "/in", "/out", "/archive/2024", "/archive/Übersicht 25", "/in/empty"}

// seedHome writes a user's home on the old server, and is what it has.
func seedHome(home string, files int, rng *rand.Rand) (*weekTree, error) {
	t := &weekTree{files: map[string]weekFile{}, dirs: map[string]bool{}}
	for _, dir := range weekDirs[1:] {
		t.mkdir(dir)
		if err := os.MkdirAll(filepath.Join(home, dir), 0o755); err != nil {
			return nil, err
		}
	}
	for i := range files {
		name := path.Join(weekDirs[rng.IntN(len(weekDirs)-1)], fmt.Sprintf("old %d.dat", i))
		modified := time.Date(2024, 1, 1, 0, 0, rng.IntN(2*365*24*60*60), 0, time.UTC)
		f := weekFile{size: weekSize(rng), seed: rng.Uint64(), earliest: modified, latest: modified}
		t.put(name, f)
		if err := os.WriteFile(filepath.Join(home, name), f.content(), 0o644); err != nil {
			return nil, err
		}
		if err := os.Chtimes(filepath.Join(home, name), modified, modified); err != nil {
			return nil, err
		}
	}
	return t, oldservers.Give(home)
}

// weekSize is that of most files, small; of few, large.
func weekSize(rng *rand.Rand) int {
	switch rng.IntN(200) {
	case 0:
		return 6<<20 + rng.IntN(1<<20)
	case 1, 2, 3:
		return rng.IntN(512 << 10)
	case 4:
		return 0
	default:
		return rng.IntN(8 << 10)
	}
}
