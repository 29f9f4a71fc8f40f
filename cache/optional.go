package cache

import (
	"context"
	"errors"
	"io/fs"

	"causeway/backends"
)

// Copy copies on the store's side; errors.ErrUnsupported if it cannot, so that
// [backends.Copy] composes the copy of this decorator's own verbs.
func (b *Backend) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	copier, ok := b.next.(backends.Copier)
	if !ok {
		return backends.Object{}, &backends.Error{Op: "copy", Key: dst, Kind: errors.ErrUnsupported}
	}
	obj, err := b.write(&write{key: dst}, func() (backends.Object, error) {
		return copier.Copy(ctx, dst, src, o)
	})
	b.doubt(src, err)
	return obj, err
}

// Move renames on the store's side; errors.ErrUnsupported if it cannot.
func (b *Backend) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	mover, ok := b.next.(backends.Mover)
	if !ok {
		return backends.Object{}, &backends.Error{Op: "move", Key: src, Kind: errors.ErrUnsupported}
	}
	move := func() (backends.Object, error) { return mover.Move(ctx, dst, src, o) }
	if dst == src {
		return b.write(&write{key: dst}, move)
	}
	obj, err := b.write(&write{key: src, deletes: true}, func() (backends.Object, error) {
		return b.write(&write{key: dst}, move)
	})
	b.doubt(src, err)
	return obj, err
}

// MoveTree renames a directory on the store's side; errors.ErrUnsupported if it cannot.
func (b *Backend) MoveTree(ctx context.Context, dst, src string) error {
	mover, ok := b.next.(backends.TreeMover)
	if !ok {
		return &backends.Error{Op: "move", Key: src, Kind: errors.ErrUnsupported}
	}
	if b.cache.off() {
		return mover.MoveTree(ctx, dst, src)
	}
	for _, w := range []*write{{key: src, tree: true, deletes: true}, {key: dst, tree: true}} {
		b.beginWrite(w)
		defer b.endWrite(w)
	}
	return mover.MoveTree(ctx, dst, src)
}

// doubt drops what is known of a source that was not as expected.
func (b *Backend) doubt(src string, err error) {
	if errors.Is(err, backends.ErrChanged) || errors.Is(err, fs.ErrNotExist) {
		b.correct(src, "")
	}
}

// PeekPrefix tells whether any key begins with prefix: from a listing of it, or of the
// directory that it is in.
func (b *Backend) PeekPrefix(prefix string) (exists, known bool) {
	if b.off() || !directoryLike(prefix) {
		return backends.PeekPrefix(b.next, prefix)
	}
	if exists, known := b.peek(prefix); known {
		return exists, true
	}
	return backends.PeekPrefix(b.next, prefix)
}

func (b *Backend) peek(prefix string) (exists, known bool) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	now := b.cache.now()
	if exists, known := b.cache.directory(b, prefix).known(now); known || prefix == "" {
		return exists, known
	}
	p := b.cache.directory(b, dirOf(prefix[:len(prefix)-1])).seek(prefix, now)
	if p == nil {
		return false, false
	}
	return p.hasPrefix(prefix), true
}

// Space asks the store.
func (b *Backend) Space(ctx context.Context) (int64, error) {
	return backends.Space(ctx, b.next)
}

// Sum asks the store.
func (b *Backend) Sum(ctx context.Context, key string, want []backends.Sum) (backends.Sum, []byte, error) {
	return backends.SumOf(ctx, b.next, key, want)
}
