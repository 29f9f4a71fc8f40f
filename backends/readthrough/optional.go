package readthrough

import (
	"context"
	"errors"
	"time"

	"causeway/backends"
)

// Parked is [backends.Parker.Parked]; errors.ErrUnsupported if the front has none.
func (b Backend) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	next, ok := b.front.(backends.Parker)
	if !ok {
		return backends.ParkedPage{}, &backends.Error{Op: "park", Key: q.Prefix, Kind: errors.ErrUnsupported}
	}
	return next.Parked(ctx, q)
}

// Discard is [backends.Parker.Discard].
func (b Backend) Discard(ctx context.Context, p backends.Parked) error {
	return backends.Discard(ctx, b.front, p)
}

// Sweep is [backends.Sweeper.Sweep].
func (b Backend) Sweep(ctx context.Context, before time.Time) (int, error) {
	return backends.Sweep(ctx, b.front, before)
}

// Space is [backends.Spacer.Space], of the front.
func (b Backend) Space(ctx context.Context) (int64, error) { return backends.Space(ctx, b.front) }

// PeekPrefix is [backends.Peeker.PeekPrefix]. That nothing is there is known only if both sides
// know it.
func (b Backend) PeekPrefix(prefix string) (exists, known bool) {
	exists, known = backends.PeekPrefix(b.front, prefix)
	if !known || exists {
		return exists, known
	}
	if len(b.routes.below(prefix)) > 0 {
		return false, false
	}
	route, ok := b.routes.of(prefix)
	if !ok {
		return false, true
	}
	exists, known = backends.PeekPrefix(route.Behind, route.behind(prefix))
	return false, known && !exists
}

// HasPrefix is [backends.Finder.HasPrefix]. The front is asked alone, and if it has nothing, both
// sides are: what is here needs no answer from behind.
func (b Backend) HasPrefix(ctx context.Context, prefix string) (bool, error) {
	exists, err := backends.HasPrefix(ctx, b.front, prefix)
	if err != nil || exists || reserved(prefix) || !b.routes.involved(prefix) {
		return exists, err
	}
	return backends.HasPrefix(ctx, struct{ backends.Backend }{b}, prefix) // by its listing
}

// Sum is [backends.Summer.Sum], of the version that counts; errors.ErrUnsupported where its store
// computes none.
func (b Backend) Sum(ctx context.Context, key string, want []backends.Sum) (backends.Sum, []byte, error) {
	l, ok := b.at(key)
	if !ok {
		return backends.SumOf(ctx, b.front, key, want)
	}
	v, err := l.counts(ctx, backends.StatOptions{})
	switch {
	case err != nil:
		return "", nil, err
	case v.behind:
		return backends.SumOf(ctx, l.route.Behind, l.route.behind(key), want)
	}
	return backends.SumOf(ctx, b.front, key, want)
}
