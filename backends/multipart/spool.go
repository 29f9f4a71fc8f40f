package multipart

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"causeway/backends"
)

// Spool keeps parts on disk that do not fit in memory: files without a name, which
// disappear with the process whatever happens to it. It is safe for concurrent use.
type Spool struct {
	open  func() (*os.File, error) // a new file without a name
	space ledger
}

// NewSpool makes a spool of at most so many octets in the folder dir, which must exist.
// It writes a file there to see that it can.
func NewSpool(dir string, bytes int64) (*Spool, error) {
	s := &Spool{open: func() (*os.File, error) { return nameless(dir) }, space: ledger{capacity: bytes}}
	f, err := s.create()
	if err != nil {
		return nil, err
	}
	return s, f.Close()
}

// create makes the file of a part.
func (s *Spool) create() (*os.File, error) {
	f, err := s.open()
	if err != nil {
		return nil, spoolError("create", err)
	}
	return f, nil
}

// nameless makes a file in dir that disappears when it is closed.
func nameless(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "causeway-part-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close() // the failed Remove is the error to tell
		return nil, err
	}
	return f, nil
}

// take gives room on disk for the next octets of body.
func (s *Spool) take(ctx context.Context, body *Body, n int64) (int64, error) {
	return s.space.take(ctx, &body.disk, n, func() {})
}

// spoolError is a failure of the local disk: a full one is a limit, anything else may
// pass.
func spoolError(op string, err error) error {
	kind := backends.ErrUnavailable
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		kind = backends.ErrQuota
	}
	return &backends.Error{Op: op, Kind: kind, Err: fmt.Errorf("spool: %w", err)}
}
