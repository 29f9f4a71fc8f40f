package localdir

import (
	"context"
	"os"
	"time"
)

// retryLock is how soon a lock that another process holds is asked for again: about as
// long as it is held, for a few system calls.
const retryLock = time.Millisecond

// lock excludes the other writers of a store: goroutines by itself, processes by flock
// on the directory of open uploads.
type lock struct{ held chan struct{} }

func newLock() lock { return lock{held: make(chan struct{}, 1)} }

// exclusively runs f while no other goroutine or process writes names of the store.
func (s *Store) exclusively(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err // select may choose either
	}
	select {
	case s.lock.held <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.lock.held }()
	dir, err := s.openOwn()
	if err != nil {
		return err
	}
	defer dir.Close() //nolint:errcheck // which unlocks; there is nothing else to go wrong
	if err := waitLocked(ctx, dir); err != nil {
		return err
	}
	return f()
}

// openOwn opens the store's own directory, making it at the first write.
func (s *Store) openOwn() (*os.File, error) {
	dir, err := s.root.Open(own)
	if !isMissing(err) {
		return dir, err
	}
	if err := s.root.MkdirAll(own, 0o777); err != nil {
		return nil, err
	}
	return s.root.Open(own)
}

// waitLocked locks f. It asks again and again, since a wait inside of flock could not be
// given up with ctx.
func waitLocked(ctx context.Context, f *os.File) error {
	for {
		locked, err := tryLock(f)
		if locked || err != nil {
			return err
		}
		timer := time.NewTimer(retryLock)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}
