package backends

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Copier is a Backend that copies on the server's side, at any size. A decorator has the
// method and asserts it of its next: errors.ErrUnsupported if that has none, so that the
// composed copy is made of the outermost decorator's verbs.
type Copier interface {
	// Copy makes dst a copy of src, whole or not at all, with src's ContentType.
	// dst == src with Metadata set replaces the metadata.
	Copy(ctx context.Context, dst, src string, o CopyOptions) (Object, error)
}

// Mover is a Backend with an atomic rename. errors.ErrUnsupported where a store has none
// for these keys or options; nothing has happened then.
type Mover interface {
	Move(ctx context.Context, dst, src string, o CopyOptions) (Object, error)
}

// TreeMover is a Backend that renames directories at once.
type TreeMover interface {
	// MoveTree gives every key that begins with src the prefix dst instead, atomically.
	// Both end in "/". fs.ErrNotExist if no key begins with src, fs.ErrExist if one begins
	// with dst, fs.ErrInvalid if dst begins with src. errors.ErrUnsupported where a store
	// has no such thing; nothing has happened then.
	MoveTree(ctx context.Context, dst, src string) error
}

// Peeker is what a cache adds: answers from memory alone.
type Peeker interface {
	// PeekPrefix tells whether any key begins with prefix, if that is known.
	PeekPrefix(prefix string) (exists, known bool)
}

// Finder is what a Backend adds that may know of a key where it cannot list.
type Finder interface {
	// HasPrefix tells whether any key begins with prefix.
	HasPrefix(ctx context.Context, prefix string) (bool, error)
}

// Flusher is an Upload that can send what it holds before it is known how it ends.
type Flusher interface {
	// Flush is called when no octets will follow, while the caller finds out whether these
	// are all. It changes nothing but how long Commit takes.
	Flush() error
}

// Flush flushes u if it can be.
func Flush(u Upload) error {
	if f, ok := u.(Flusher); ok {
		return f.Flush()
	}
	return nil
}

// Copy copies src to dst on the server's side where b can, else by reading and writing.
func Copy(ctx context.Context, b Backend, dst, src string, o CopyOptions) (Object, error) {
	if c, ok := b.(Copier); ok {
		obj, err := c.Copy(ctx, dst, src, o)
		if !errors.Is(err, errors.ErrUnsupported) {
			return obj, err
		}
	}
	return stream(ctx, b, dst, src, o)
}

// stream is Copy by the verbs alone.
func stream(ctx context.Context, b Backend, dst, src string, o CopyOptions) (Object, error) {
	r, err := b.Open(ctx, src, OpenOptions{IfMatch: o.SourceIfMatch})
	if err != nil {
		return Object{}, err
	}
	defer r.Close() //nolint:errcheck // it was only read
	meta := o.Metadata
	if meta == nil {
		meta = r.Object.Metadata
	}
	return Transfer(ctx, b, dst, r, CreateOptions{
		IfMatch: o.IfMatch, IfAbsent: o.IfAbsent, Size: r.Object.Size,
		ContentType: r.Object.ContentType, Metadata: meta,
	})
}

// Transfer writes all of r, whose whole object is being read, to key dst of b. It is how
// an object crosses from one store to another.
func Transfer(ctx context.Context, b Backend, dst string, r *Reader, o CreateOptions) (Object, error) {
	u, err := b.Create(ctx, dst, o)
	if err != nil {
		return Object{}, err
	}
	defer u.Abort() //nolint:errcheck // after Commit it does nothing; before, the first error is the one to tell
	n, err := io.Copy(u, r)
	if err != nil {
		return Object{}, err
	}
	if n != r.Object.Size {
		return Object{}, &Error{Op: "read", Key: r.Object.Key, Kind: ErrUnavailable,
			Err: fmt.Errorf("object ended at octet %d of %d", n, r.Object.Size)}
	}
	return u.Commit()
}

// Move renames src to dst: by the store's atomic rename where b has one, else by a copy,
// then a delete of the very version that was copied. A crash between the two leaves both,
// never neither. A move onto itself changes the metadata at most. It tells whether the store
// has renamed the object at once: only then it may still have the time that it had.
func Move(ctx context.Context, b Backend, dst, src string, o CopyOptions) (obj Object, atOnce bool, err error) {
	if m, ok := b.(Mover); ok {
		obj, err = m.Move(ctx, dst, src, o)
		if !errors.Is(err, errors.ErrUnsupported) {
			return obj, true, err
		}
	}
	if o.SourceIfMatch == "" {
		from, err := b.Stat(ctx, src, StatOptions{})
		if err != nil {
			return Object{}, false, err
		}
		o.SourceIfMatch = from.ETag
	}
	if dst == src {
		obj, err = moveInPlace(ctx, b, src, o)
		return obj, false, err
	}
	if obj, err = Copy(ctx, b, dst, src, o); err != nil {
		return Object{}, false, err
	}
	return obj, false, b.Delete(ctx, src, DeleteOptions{IfMatch: o.SourceIfMatch})
}

// moveInPlace is a move of key onto itself, whose delete would leave neither. A store may
// refuse a copy onto itself that changes nothing, as S3 does.
func moveInPlace(ctx context.Context, b Backend, key string, o CopyOptions) (Object, error) {
	if o.IfAbsent {
		return Object{}, &Error{Op: "move", Key: key, Kind: fs.ErrExist}
	}
	if o.Metadata != nil {
		return Copy(ctx, b, key, key, o)
	}
	obj, err := b.Stat(ctx, key, StatOptions{Complete: true})
	if err != nil {
		return Object{}, err
	}
	if obj.ETag != o.SourceIfMatch || o.IfMatch != "" && obj.ETag != o.IfMatch {
		return Object{}, &Error{Op: "move", Key: key, Kind: ErrChanged}
	}
	return obj, nil
}

// PeekPrefix asks b's memory, if it has one, whether any key begins with prefix.
func PeekPrefix(b Backend, prefix string) (exists, known bool) {
	if p, ok := b.(Peeker); ok {
		return p.PeekPrefix(prefix)
	}
	return false, false
}

// HasPrefix tells whether any key begins with prefix, by at most one request (more only
// where a store answers with empty pages).
func HasPrefix(ctx context.Context, b Backend, prefix string) (bool, error) {
	if exists, known := PeekPrefix(b, prefix); known {
		return exists, nil
	}
	if f, ok := b.(Finder); ok {
		return f.HasPrefix(ctx, prefix)
	}
	q := Query{Prefix: prefix, Limit: 1}
	for {
		page, err := b.List(ctx, q)
		if err != nil || len(page.Objects) > 0 || page.Next == "" {
			return len(page.Objects) > 0, err
		}
		q.Token = page.Next
	}
}

// Spacer is a Backend that knows how much it can still take.
type Spacer interface {
	// Space is the number of octets free. errors.ErrUnsupported if there is no limit to tell.
	Space(ctx context.Context) (int64, error)
}

// Space asks b for its free octets; errors.ErrUnsupported for stores without a limit.
func Space(ctx context.Context, b Backend) (int64, error) {
	if s, ok := b.(Spacer); ok {
		return s.Space(ctx)
	}
	return 0, errors.ErrUnsupported
}

// Summer is a Backend that computes a checksum of what it has when it is asked. It costs the
// store about as much as a read, and can take as long.
type Summer interface {
	// Sum is a checksum of the whole content by the first algorithm of want that the store
	// has, with that. errors.ErrUnsupported if it has none of them.
	Sum(ctx context.Context, key string, want []Sum) (Sum, []byte, error)
}

// SumOf asks b to compute a checksum; errors.ErrUnsupported for stores that do not.
func SumOf(ctx context.Context, b Backend, key string, want []Sum) (Sum, []byte, error) {
	if s, ok := b.(Summer); ok {
		return s.Sum(ctx, key, want)
	}
	return "", nil, errors.ErrUnsupported
}
