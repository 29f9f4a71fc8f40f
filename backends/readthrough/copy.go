package readthrough

import (
	"context"
	"errors"

	"causeway/backends"
)

// Copy is [backends.Copier.Copy]. The store copies what is in the front, if it can; what is
// behind is read from there. errors.ErrUnsupported if it cannot copy what it has.
func (b Backend) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	var obj backends.Object
	last, err := false, changed("copy", src)
	for try := 0; try < maxLooks && errors.Is(err, backends.ErrChanged) && !last; try++ {
		obj, last, err = b.copy(ctx, dst, src, o)
	}
	return obj, err
}

// copy is one try. It is the last one unless ErrChanged comes of a copy that somebody else has
// made of what is behind: then that is the source.
func (b Backend) copy(ctx context.Context, dst, src string, o backends.CopyOptions) (obj backends.Object, last bool, err error) {
	from, source, err := b.source(ctx, src, &o)
	if err != nil {
		return backends.Object{}, true, err
	}
	if source.behind && dst == src && o.IfMatch == "" && !o.IfAbsent {
		done, err := from.noted(ctx)
		if err != nil {
			return backends.Object{}, true, err
		}
		obj, err = from.take(ctx, source, o.Metadata)
		done(err)
		return obj, false, err
	}
	obj, err = b.copyTo(ctx, dst, src, o, from, source)
	return obj, true, err
}

// copyTo is copy where the source is known.
func (b Backend) copyTo(ctx context.Context, dst, src string, o backends.CopyOptions, from look, source version) (obj backends.Object, err error) {
	done, err := b.destination(ctx, "copy", dst, &o)
	if err != nil {
		return backends.Object{}, err
	}
	defer func() { done(err) }()
	if source.behind {
		return b.carry(ctx, from, source, dst, o)
	}
	next, ok := b.front.(backends.Copier)
	if !ok {
		return backends.Object{}, &backends.Error{Op: "copy", Key: dst, Kind: errors.ErrUnsupported}
	}
	return next.Copy(ctx, dst, src, o)
}

// source tells which version of src is meant, and has the condition of o on it be the front's.
// The version is the zero one where the front alone can tell.
func (b Backend) source(ctx context.Context, src string, o *backends.CopyOptions) (look, version, error) {
	l, ok := b.at(src)
	if !ok {
		return look{}, version{}, nil
	}
	_, behind := pinned(o.SourceIfMatch)
	var v version
	var err error
	switch {
	case behind:
		v, err = l.resolve(ctx, o.SourceIfMatch)
	case o.SourceIfMatch == "":
		v, err = l.counts(ctx, backends.StatOptions{})
	default:
		return l, version{}, nil
	}
	o.SourceIfMatch = v.object.ETag
	return l, v, err
}

// destination has the conditions of o on dst be the front's, and notes that dst is to change. The
// caller calls done with what that has ended with.
func (b Backend) destination(ctx context.Context, op, dst string, o *backends.CopyOptions) (done func(error), err error) {
	l, ok := b.at(dst)
	if !ok {
		return func(error) {}, nil
	}
	if _, ok := pinned(o.IfMatch); ok {
		obj, err := l.adopt(ctx, o.IfMatch)
		if err != nil {
			return nil, err
		}
		o.IfMatch = obj.ETag
	}
	if o.IfAbsent {
		if err := l.vacant(ctx, op); err != nil {
			return nil, err
		}
	}
	return l.noted(ctx)
}

// carry writes the version behind from's key to dst.
func (b Backend) carry(ctx context.Context, from look, source version, dst string, o backends.CopyOptions) (backends.Object, error) {
	from.route.CopyOnRead = false
	r, err := from.openBehind(ctx, source, backends.OpenOptions{})
	if err != nil {
		return backends.Object{}, err
	}
	defer r.Close() //nolint:errcheck // what it had to say it has said at its end
	if o.Metadata == nil {
		o.Metadata = timed(r.Object)
	}
	create := backends.CreateOptions{
		IfMatch: o.IfMatch, IfAbsent: o.IfAbsent, Size: r.Object.Size, ContentType: from.contentType(r.Object), Metadata: o.Metadata,
	}
	if marker(dst) {
		create.Metadata = nil
	}
	return backends.Transfer(ctx, b.front, dst, r, create)
}

// Move is [backends.Mover.Move]. errors.ErrUnsupported if the store has none, and for what is
// behind: that is copied, and then gets its tombstone.
func (b Backend) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (obj backends.Object, err error) {
	unsupported := &backends.Error{Op: "move", Key: src, Kind: errors.ErrUnsupported}
	next, ok := b.front.(backends.Mover)
	if !ok {
		return backends.Object{}, unsupported
	}
	l, source, err := b.source(ctx, src, &o)
	if err != nil {
		return backends.Object{}, err
	}
	if source.behind {
		return backends.Object{}, unsupported
	}
	done, err := b.destination(ctx, "move", dst, &o)
	if err != nil {
		return backends.Object{}, err
	}
	defer func() { done(err) }()
	if l.routes != nil && dst != src {
		left, refused := l.leave(ctx, o.SourceIfMatch)
		if refused != nil {
			return backends.Object{}, refused
		}
		defer func() { left(err) }()
	}
	return next.Move(ctx, dst, src, o)
}

// leave makes the tombstone of a key whose version here is about to go elsewhere, and holds the
// key until left is called with what that has ended with.
func (l look) leave(ctx context.Context, etag string) (left func(error), err error) {
	unlock, err := l.routes.keys.lock(ctx, l.key)
	if err != nil {
		return nil, err
	}
	if _, err = l.still(ctx, etag); err != nil {
		unlock()
		return nil, err
	}
	done, err := l.noted(ctx)
	if err != nil {
		unlock()
		return nil, err
	}
	left = func(err error) {
		done(err)
		unlock()
	}
	if err := l.bury(ctx); err != nil {
		left(err)
		return nil, err
	}
	return left, nil
}

// MoveTree is [backends.TreeMover.MoveTree]. errors.ErrUnsupported if the store has none, and
// where anything may be behind either directory.
func (b Backend) MoveTree(ctx context.Context, dst, src string) error {
	next, ok := b.front.(backends.TreeMover)
	if !ok || b.routes.touches(dst) || b.routes.touches(src) {
		return &backends.Error{Op: "move", Key: src, Kind: errors.ErrUnsupported}
	}
	return next.MoveTree(ctx, dst, src)
}
