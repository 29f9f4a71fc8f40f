package vfs

import (
	"sync"

	"causeway/backends"
)

// Names are the objects and directories that a process is writing now. There is one for
// all views of a process. All its methods may be called from any goroutine.
type Names struct {
	mu      sync.Mutex
	writers map[name]int
}

// name is an object, or with a final "/" a directory, of one store.
type name struct {
	store backends.Backend
	key   string
}

// NewNames returns Names of which none is being written.
func NewNames() *Names { return &Names{writers: make(map[name]int)} }

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
	if s.writers[n] > 0 {
		return nil
	}
	return s.add(n)
}

func (s *Names) add(n name) (done func()) {
	s.writers[n]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.writers[n]--; s.writers[n] == 0 {
			delete(s.writers, n)
		}
	}
}
