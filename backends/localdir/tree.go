package localdir

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"causeway/backends"
)

// MoveTree is [backends.TreeMover.MoveTree], durable when it returns. An empty directory
// is a key, too.
func (s *Store) MoveTree(ctx context.Context, dst, src string) error {
	err := directories(dst, src)
	if err == nil {
		err = s.exclusively(ctx, func() error { return s.moveTree(ctx, dst, src) })
	}
	if err == nil {
		// The new name first: after a crash both may be there, never neither.
		err = errors.Join(s.syncParent(dst), s.syncParent(src))
	}
	if err != nil {
		return fail("move", dst, err)
	}
	return nil
}

// directories refuses what cannot be the names of a move, and to move what is the store's.
func directories(dst, src string) error {
	for _, key := range []string{dst, src} {
		if _, err := filePath(key); err != nil || !strings.HasSuffix(key, "/") || key == backends.Reserved+"/" {
			return fs.ErrInvalid
		}
	}
	if strings.HasPrefix(dst, src) {
		return fs.ErrInvalid
	}
	return nil
}

func (s *Store) moveTree(ctx context.Context, dst, src string) error {
	p, err := s.find(ctx, src)
	if err != nil {
		return err
	}
	defer p.close()
	if _, err := p.object(); err != nil {
		return err
	}
	if there, err := s.present(ctx, dst); err != nil || there != nil {
		return errors.Join(err, (conditions{ifAbsent: true}).hold(there))
	}
	parent, err := s.makeParents(strings.TrimSuffix(dst, "/"))
	if err != nil {
		return err
	}
	defer parent.Close() //nolint:errcheck // it is durable by now
	from, fromErr := filePath(src)
	to, toErr := filePath(dst)
	if err := errors.Join(fromErr, toErr); err != nil {
		return err
	}
	// Should another program have taken the name just now, the system replaces nothing by a
	// directory but a directory that is empty.
	err = s.root.Rename(from, to)
	if errors.Is(err, syscall.ENOTDIR) {
		return fs.ErrExist
	}
	return err
}
