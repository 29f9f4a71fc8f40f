package metered

import (
	"context"
	"errors"
	"time"

	"causeway/backends"
)

// Copy is [backends.Copier.Copy]; errors.ErrUnsupported if the store has none.
func (b *Backend) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	next, ok := b.next.(backends.Copier)
	if !ok {
		return backends.Object{}, &backends.Error{Op: "copy", Key: dst, Kind: errors.ErrUnsupported}
	}
	began := time.Now()
	obj, err := next.Copy(b.watched(ctx), dst, src, o)
	b.tellIfThere(Copy, began, err)
	return obj, err
}

// Move is [backends.Mover.Move]; errors.ErrUnsupported if the store has none.
func (b *Backend) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	next, ok := b.next.(backends.Mover)
	if !ok {
		return backends.Object{}, &backends.Error{Op: "move", Key: src, Kind: errors.ErrUnsupported}
	}
	began := time.Now()
	obj, err := next.Move(b.watched(ctx), dst, src, o)
	b.tellIfThere(Move, began, err)
	return obj, err
}

// MoveTree is [backends.TreeMover.MoveTree]; errors.ErrUnsupported if the store has none.
func (b *Backend) MoveTree(ctx context.Context, dst, src string) error {
	next, ok := b.next.(backends.TreeMover)
	if !ok {
		return &backends.Error{Op: "move", Key: src, Kind: errors.ErrUnsupported}
	}
	began := time.Now()
	err := next.MoveTree(b.watched(ctx), dst, src)
	b.tellIfThere(MoveTree, began, err)
	return err
}

// Parked is [backends.Parker.Parked]; errors.ErrUnsupported if the store has none.
func (b *Backend) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	next, ok := b.next.(backends.Parker)
	if !ok {
		return backends.ParkedPage{}, &backends.Error{Op: "park", Key: q.Prefix, Kind: errors.ErrUnsupported}
	}
	began := time.Now()
	page, err := next.Parked(b.watched(ctx), q)
	b.tellIfThere(Parked, began, err)
	return page, err
}

// Discard is [backends.Parker.Discard].
func (b *Backend) Discard(ctx context.Context, p backends.Parked) error {
	began := time.Now()
	err := backends.Discard(b.watched(ctx), b.next, p)
	b.tellIfThere(Discard, began, err)
	return err
}

// Sweep is [backends.Sweeper.Sweep].
func (b *Backend) Sweep(ctx context.Context, before time.Time) (int, error) {
	if _, ok := b.next.(backends.Sweeper); !ok {
		return 0, nil
	}
	began := time.Now()
	n, err := backends.Sweep(ctx, b.next, before)
	b.tell(Sweep, began, err)
	return n, err
}

// PeekPrefix is [backends.Peeker.PeekPrefix], which asks no store and is not reported.
func (b *Backend) PeekPrefix(prefix string) (exists, known bool) {
	return backends.PeekPrefix(b.next, prefix)
}

// Space is [backends.Spacer.Space].
func (b *Backend) Space(ctx context.Context) (int64, error) {
	began := time.Now()
	n, err := backends.Space(ctx, b.next)
	b.tellIfThere(Space, began, err)
	return n, err
}

// Sum is [backends.Summer.Sum].
func (b *Backend) Sum(ctx context.Context, key string, want []backends.Sum) (backends.Sum, []byte, error) {
	began := time.Now()
	algorithm, sum, err := backends.SumOf(b.watched(ctx), b.next, key, want)
	b.tellIfThere(Sum, began, err)
	return algorithm, sum, err
}

// upload reports how an upload ends.
type upload struct {
	next  backends.Upload
	store *Backend
	ended bool // by a commit that went well, or a park
}

func (u *upload) Write(p []byte) (int, error) { return u.next.Write(p) }

// Flush is [backends.Flusher.Flush].
func (u *upload) Flush() error { return backends.Flush(u.next) }

func (u *upload) Commit() (backends.Object, error) {
	began := time.Now()
	obj, err := u.next.Commit()
	u.ended = err == nil
	u.store.tell(Commit, began, err)
	return obj, err
}

func (u *upload) Park() (int64, error) {
	began := time.Now()
	size, err := u.next.Park()
	u.ended = true
	u.store.tell(Park, began, err)
	return size, err
}

func (u *upload) Abort() error {
	began := time.Now()
	err := u.next.Abort()
	if !u.ended {
		u.ended = true
		u.store.tell(Abort, began, err)
	}
	return err
}
