package quota

import (
	"context"
	"errors"
	"slices"
	"strings"

	"causeway/backends"
)

// Copy is [backends.Copier.Copy]; errors.ErrUnsupported if the store has none. A copy within
// a tree is counted and never refused: it is a step of a rename, whose source goes next, and
// who is at his limit may still rename.
func (b Backend) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	next, ok := b.next.(backends.Copier)
	if !ok {
		return backends.Object{}, &backends.Error{Op: "copy", Key: dst, Kind: errors.ErrUnsupported}
	}
	t := b.transfer("copy", dst, src)
	if len(t.trees) == 0 {
		return next.Copy(ctx, dst, src, o)
	}
	release, err := t.begin(ctx, []string{dst}, o)
	if err != nil {
		return backends.Object{}, err
	}
	defer release()
	obj, err := next.Copy(ctx, dst, src, o)
	t.end(obj, err)
	return obj, err
}

// Move is [backends.Mover.Move]; errors.ErrUnsupported if the store has none.
func (b Backend) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	next, ok := b.next.(backends.Mover)
	if !ok {
		return backends.Object{}, &backends.Error{Op: "move", Key: src, Kind: errors.ErrUnsupported}
	}
	t := b.transfer("move", dst, src)
	if len(t.from)+len(t.trees) == 0 || dst == src {
		return next.Move(ctx, dst, src, o)
	}
	release, err := t.begin(ctx, []string{dst, src}, o)
	if err != nil {
		return backends.Object{}, err
	}
	defer release()
	obj, err := next.Move(ctx, dst, src, o)
	t.end(obj, err)
	switch {
	case err == nil:
		b.ledger.settle(t.from, src, Amount{-obj.Size, -1}, Amount{})
	case errors.Is(err, backends.ErrUnavailable):
		b.ledger.doubt(t.from)
	}
	return obj, err
}

// transfer is a copy, or a move, into trees.
type transfer struct {
	backend     Backend
	op          string
	dst, src    string
	from, trees []*tree // in which src counts, and dst
	old         Amount  // what dst is
	held        Amount
}

func (b Backend) transfer(op, dst, src string) *transfer {
	return &transfer{backend: b, op: op, dst: dst, src: src, from: b.ledger.of(src), trees: b.ledger.of(dst)}
}

// begin claims keys and holds what the object src needs as dst. Trees in which it counts
// already do not refuse it. The claim ends by release.
func (t *transfer) begin(ctx context.Context, keys []string, o backends.CopyOptions) (release func(), err error) {
	l := t.backend.ledger
	into := slices.DeleteFunc(slices.Clone(t.trees), func(other *tree) bool { return slices.Contains(t.from, other) })
	if err := l.counted(ctx, t.dst, into); err != nil {
		return nil, err
	}
	if release, err = l.claim(ctx, t.op, keys, nil); err != nil {
		return nil, err
	}
	if err := t.take(ctx, into, o); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// take holds what is needed, which not all trees but those that it goes into may refuse.
func (t *transfer) take(ctx context.Context, into []*tree, o backends.CopyOptions) error {
	size, err := t.backend.amount(ctx, t.src)
	if err == nil && !o.IfAbsent {
		t.old, err = t.backend.amount(ctx, t.dst)
	}
	if err != nil {
		return err
	}
	t.held = size.minus(t.old).positive()
	if !t.backend.ledger.hold(into, t.held, Amount{}) {
		return refusal(t.op, t.dst)
	}
	t.backend.ledger.force(t.trees, into, t.held)
	return nil
}

// force holds more in those of the trees that are not among the others, whatever their limits.
func (l *Ledger) force(trees, others []*tree, more Amount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(slices.DeleteFunc(slices.Clone(trees), func(t *tree) bool { return slices.Contains(others, t) }), Amount{}, Amount{}, more)
}

// end counts what has become of it.
func (t *transfer) end(obj backends.Object, err error) {
	l := t.backend.ledger
	switch {
	case err == nil:
		l.settle(t.trees, t.dst, Amount{obj.Size, 1}.minus(t.old), t.held)
	case errors.Is(err, backends.ErrUnavailable):
		l.settle(t.trees, t.dst, t.held, t.held)
		l.doubt(t.trees)
	default:
		l.release(t.trees, t.held)
	}
}

// MoveTree is [backends.TreeMover.MoveTree]; errors.ErrUnsupported if the store has none, and
// where a tree would lose or gain by it: nobody knows how much, and what is renamed one by one
// is counted one by one.
func (b Backend) MoveTree(ctx context.Context, dst, src string) error {
	next, ok := b.next.(backends.TreeMover)
	if !ok || b.ledger.parts(dst, src) {
		return &backends.Error{Op: "move", Key: src, Kind: errors.ErrUnsupported}
	}
	if strings.HasPrefix(dst, src) || strings.HasPrefix(src, dst) {
		return next.MoveTree(ctx, dst, src) // which refuses it
	}
	release, err := b.ledger.claim(ctx, "move", nil, []string{dst, src})
	if err != nil {
		return err
	}
	defer release()
	return next.MoveTree(ctx, dst, src)
}

// parts tells whether a tree has all or some of one directory in it and not as much of the
// other.
func (l *Ledger) parts(dst, src string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for prefix := range l.trees {
		if strings.HasPrefix(prefix, src) || strings.HasPrefix(prefix, dst) ||
			strings.HasPrefix(dst, prefix) != strings.HasPrefix(src, prefix) {
			return true
		}
	}
	return false
}
