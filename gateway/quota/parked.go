package quota

import (
	"context"
	"errors"

	"causeway/backends"
)

// Parked is [backends.Parker.Parked]; errors.ErrUnsupported if the store has none.
func (b Backend) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	next, ok := b.next.(backends.Parker)
	if !ok {
		return backends.ParkedPage{}, &backends.Error{Op: "park", Key: q.Prefix, Kind: errors.ErrUnsupported}
	}
	return next.Parked(ctx, q)
}

// Discard is [backends.Parker.Discard]. It gives back what the store says is parked, so that
// who discards one upload twice is given nothing the second time.
func (b Backend) Discard(ctx context.Context, p backends.Parked) error {
	trees := b.ledger.of(p.Key)
	if len(trees) == 0 {
		return backends.Discard(ctx, b.next, p)
	}
	release, err := b.ledger.claim(ctx, "park", []string{p.Key}, nil)
	if err != nil {
		return err
	}
	defer release()
	was, err := b.parkedAs(ctx, p.Key, p.ID)
	if err != nil {
		return err
	}
	b.ledger.parking(trees)
	err = backends.Discard(ctx, b.next, p)
	if err != nil {
		was = Amount{}
	}
	b.ledger.settlePark(trees, Amount{}.minus(was), Amount{})
	if errors.Is(err, backends.ErrUnavailable) {
		b.ledger.doubt(trees)
	}
	return err
}

// parkedAs is what the parked uploads of a key are; with an id, the one that has it.
func (b Backend) parkedAs(ctx context.Context, key, id string) (Amount, error) {
	var all Amount
	for p, err := range backends.ParkedUploads(ctx, b.next, backends.ParkedQuery{Prefix: key, Direct: true, Fresh: true}) {
		if err != nil {
			return Amount{}, err
		}
		if p.Key == key && (id == "" || p.ID == id) {
			all = all.plus(amountOf(p))
		}
	}
	return all, nil
}

// amountOf is what a parked upload counts: nothing if nothing of it is durable.
func amountOf(p backends.Parked) Amount {
	if p.Size == 0 {
		return Amount{}
	}
	return Amount{p.Size, 1}
}
