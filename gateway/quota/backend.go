package quota

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"causeway/backends"
)

// Backend counts what is done to the keys of next in a ledger, and refuses with
// [backends.ErrQuota] what does not fit. It is a [backends.Backend], [backends.Copier],
// [backends.Mover], [backends.TreeMover], [backends.Parker], [backends.Sweeper],
// [backends.Peeker], [backends.Spacer] and [backends.Summer]. All its methods may be called from any goroutine.
type Backend struct {
	next   backends.Backend
	ledger *Ledger
}

// Backend decorates a store of the ledger's bucket. There may be several, with credentials
// of their own; those of one store are equal.
func (l *Ledger) Backend(next backends.Backend) Backend { return Backend{next, l} }

// Stat is [backends.Backend.Stat].
func (b Backend) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	return b.next.Stat(ctx, key, o)
}

// List is [backends.Backend.List].
func (b Backend) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	return b.next.List(ctx, q)
}

// Open is [backends.Backend.Open].
func (b Backend) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	return b.next.Open(ctx, key, o)
}

// Delete is [backends.Backend.Delete]. It gives back what the object was.
func (b Backend) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	trees := b.ledger.of(key)
	if len(trees) == 0 {
		return b.next.Delete(ctx, key, o)
	}
	release, err := b.ledger.claim(ctx, "delete", []string{key}, nil)
	if err != nil {
		return err
	}
	defer release()
	old, err := b.amount(ctx, key)
	if err != nil {
		return err
	}
	err = b.next.Delete(ctx, key, o)
	switch {
	case err == nil:
		b.ledger.settle(trees, key, Amount{}.minus(old), Amount{})
	case errors.Is(err, backends.ErrUnavailable):
		b.ledger.doubt(trees)
	}
	return err
}

// amount is what the object of key is. What the credentials may not see counts as nothing,
// so that nothing is given back for it.
func (b Backend) amount(ctx context.Context, key string) (Amount, error) {
	obj, err := b.next.Stat(ctx, key, backends.StatOptions{})
	switch {
	case err == nil:
		return Amount{obj.Size, 1}, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrInvalid):
		return Amount{}, nil
	}
	return Amount{}, err
}

// Sweep is [backends.Sweeper.Sweep]: what no record tells of was not counted.
func (b Backend) Sweep(ctx context.Context, before time.Time) (int, error) {
	return backends.Sweep(ctx, b.next, before)
}

// PeekPrefix is [backends.Peeker.PeekPrefix].
func (b Backend) PeekPrefix(prefix string) (exists, known bool) {
	return backends.PeekPrefix(b.next, prefix)
}

// Space is [backends.Spacer.Space]: what the store has left, whatever the limits.
func (b Backend) Space(ctx context.Context) (int64, error) { return backends.Space(ctx, b.next) }

// Sum is [backends.Summer.Sum].
func (b Backend) Sum(ctx context.Context, key string, want []backends.Sum) (backends.Sum, []byte, error) {
	return backends.SumOf(ctx, b.next, key, want)
}
