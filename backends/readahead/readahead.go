// Package readahead keeps a read of an object going over a store that may fail midway: it
// opens the same version again where the read broke off. This is the one place where that
// is done: the stores' own readers fail at once. Where one request at a time is what keeps
// a client waiting, a [Pool] reads ahead by several, in lent memory. It is no decorator:
// [Open] and [Pool.Open] are functions over any [backends.Backend], used where content goes
// to a client.
package readahead

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"causeway/backends"
)

// Open starts reading an object by one request, as [backends.Backend.Open] does with the
// same errors. When the Reader fails midway with backends.ErrUnavailable, or ends before
// its time, it opens the same version again where it stopped, after growing delays. So a
// Read ends in io.EOF only after exactly the octets of the range; in
// backends.ErrChanged if the object was replaced or deleted and had to be opened again;
// in backends.ErrUnavailable, with what the store failed of, if it did not come back
// within 30 s. The end of ctx ends all waiting.
func Open(ctx context.Context, b backends.Backend, key string, o backends.OpenOptions) (*backends.Reader, error) {
	opened, err := b.Open(ctx, key, o)
	if err != nil {
		return nil, err
	}
	return &backends.Reader{Object: opened.Object, ReadCloser: newReader(ctx, b, key, opened, o)}, nil
}

// version is one version of one object.
type version struct {
	store  backends.Backend
	object backends.Object
}

// open opens the octets from at to end. backends.ErrChanged if the version is gone.
func (v version) open(ctx context.Context, at, end int64) (*backends.Reader, error) {
	o := backends.OpenOptions{Offset: at, IfMatch: v.object.ETag}
	if end < v.object.Size {
		o.Length = end - at
	}
	r, err := v.store.Open(ctx, v.object.Key, o)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &backends.Error{Op: "read", Key: v.object.Key, Kind: backends.ErrChanged, Err: err}
	}
	if err != nil {
		return nil, err
	}
	if r.Object.ETag != v.object.ETag { // a server that ignores conditions
		_ = r.Close() // nothing was read
		return nil, &backends.Error{Op: "read", Key: v.object.Key, Kind: backends.ErrChanged}
	}
	return r, nil
}

// ending is what content ends in after the octet end, the last of its range: io.EOF if all
// is well. Stores tell only there of a checksum that is wrong, or of a file that was
// written to.
func (v version) ending(content io.Reader, end int64) error {
	for {
		switch n, err := content.Read(make([]byte, 1)); {
		case n > 0:
			return v.broken(fmt.Errorf("more than the %d octets of the range", end))
		case err != nil:
			return err
		}
	}
}

// broken is a failure of the store that may pass.
func (v version) broken(err error) error {
	return &backends.Error{Op: "read", Key: v.object.Key, Kind: backends.ErrUnavailable, Err: err}
}
