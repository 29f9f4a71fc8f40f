package ftp

import (
	"errors"
	"os"
	"sync"
)

// maxSpilled is how many directories can be in temporary files at a time. They are opened
// with the store, since a process in a sandbox opens none.
const maxSpilled = 32

var errSpilled = errors.New("too many large directories are being listed")

// scratch are temporary files that nobody else sees, and that do not outlive the process
// where the system can remove the name of an open file.
type scratch struct {
	mu     sync.Mutex
	free   []*os.File
	named  []string // that could not be removed
	closed bool
}

// open makes the files in dir; "" is the system's.
func (s *scratch) open(dir string) error {
	for range maxSpilled {
		f, err := os.CreateTemp(dir, "causeway-listing-")
		if err != nil {
			return errors.Join(err, s.close())
		}
		if err := os.Remove(f.Name()); err != nil {
			s.named = append(s.named, f.Name())
		}
		s.free = append(s.free, f)
	}
	return nil
}

// take is an empty file; nil if all are in use.
func (s *scratch) take() *os.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.free) - 1
	if last < 0 {
		return nil
	}
	f := s.free[last]
	s.free = s.free[:last]
	return f
}

// give takes a file back, and the room that it has on the disk.
func (s *scratch) give(f *os.File) {
	_, err := f.Seek(0, 0)
	err = errors.Join(err, f.Truncate(0))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || err != nil {
		_ = f.Close() // it is of no use any more
		return
	}
	s.free = append(s.free, f)
}

// close closes the files that are not in use; the others are when they are given back.
func (s *scratch) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var err error
	for _, f := range s.free {
		err = errors.Join(err, f.Close())
	}
	s.free = nil
	for _, name := range s.named {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}
