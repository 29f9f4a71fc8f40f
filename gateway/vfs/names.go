package vfs

import (
	"strings"
	"sync"

	"causeway/backends"
)

// Names are the objects and directories that a process is writing now, and what has become
// of their names since. There is one for all views of a process. All its methods may be
// called from any goroutine.
type Names struct {
	mu      sync.Mutex
	writers map[name]*writing
}

// writing is a name that is being written.
type writing struct {
	writers int
	history history
}

// history counts what has happened to a name while it was being written.
type history struct {
	files  uint64 // that have taken it
	parked uint64 // uploads that were
}

// name is an object, or with a final "/" a directory, of one store.
type name struct {
	store backends.Backend // a mount's origin
	key   string
}

// NewNames returns Names of which none is being written.
func NewNames() *Names { return &Names{writers: make(map[name]*writing)} }

// write adds a writer of n. The caller calls done once.
func (s *Names) write(n name) (done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(n)
}

// claim is write if there is no writer yet; nil otherwise.
func (s *Names) claim(n name) (done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writers[n] != nil {
		return nil
	}
	return s.add(n)
}

func (s *Names) add(n name) (done func()) {
	w := s.writers[n]
	if w == nil {
		w = new(writing)
		s.writers[n] = w
	}
	w.writers++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if w.writers--; w.writers == 0 {
			delete(s.writers, n)
		}
	}
}

// history is what has happened to n, for who is writing it: it means nothing otherwise.
func (s *Names) history(n name) history {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.writers[n]; w != nil {
		return w.history
	}
	return history{}
}

// filled notes that a file has taken the name n.
func (s *Names) filled(n name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.writers[n]; w != nil {
		w.history.files++
	}
}

// filledBelow notes that files have taken names below the directory dir.
func (s *Names) filledBelow(dir name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, w := range s.writers {
		if n.store == dir.store && strings.HasPrefix(n.key, dir.key) {
			w.history.files++
		}
	}
}

// kept notes that an upload to n was parked.
func (s *Names) kept(n name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.writers[n]; w != nil {
		w.history.parked++
	}
}
