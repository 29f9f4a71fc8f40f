package gcs

import (
	"context"
	"errors"
	"maps"
	"slices"

	"cloud.google.com/go/storage"
	"golang.org/x/sync/errgroup"

	"causeway/backends"
	"causeway/backends/multipart"
)

// fanIn is the most sources that one compose request takes.
const fanIn = 32

// parallel is how many requests without a body an upload makes at a time.
const parallel = 16

// fold composes parts into larger ones, level by level, until one request takes them all.
func (u *upload) fold(ctx context.Context, parts []part) ([]part, error) {
	for level := 1; len(parts) > fanIn; level++ {
		next := make([]part, (len(parts)+fanIn-1)/fanIn)
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(parallel)
		for i, sources := range slices.Collect(slices.Chunk(parts, fanIn)) {
			group.Go(func() (err error) {
				next[i], err = u.intermediate(ctx, u.lineage.name(u.lineage.attempt, level, i+1), sources)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		parts = next
	}
	return parts, nil
}

// intermediate composes sources into an object that is itself a source.
func (u *upload) intermediate(ctx context.Context, name string, sources []part) (part, error) {
	u.note(name)
	err := u.store.retry(ctx, func() error {
		_, err := u.compose(ctx, u.store.bucket.Object(name), u.component(), sources)
		return err
	})
	return join(name, sources), err
}

var errSource = errors.New("a part, or the object that is appended to, is not there any more")

// compose is one request. The service refuses a result that does not have the checksum
// which the parts' own make. backends.ErrChanged if one of them is gone, which somebody
// else must have seen to.
func (u *upload) compose(ctx context.Context, to *storage.ObjectHandle, as storage.ObjectAttrs, sources []part) (*storage.ObjectAttrs, error) {
	handles := make([]*storage.ObjectHandle, len(sources))
	for i, p := range sources {
		handles[i] = u.store.bucket.Object(p.name)
		if p.generation != 0 {
			handles[i] = handles[i].Generation(p.generation)
		}
	}
	whole := join(to.ObjectName(), sources)
	c := to.ComposerFrom(handles...)
	c.ObjectAttrs = as
	c.SendCRC32C, c.CRC32C = true, whole.crc
	a, err := c.Run(ctx)
	if isNotExist(err) {
		return nil, &backends.Error{Op: "commit", Key: u.key, Kind: backends.ErrChanged, Err: errors.Join(errSource, err)}
	}
	if err != nil {
		return nil, err
	}
	return verified(a, whole)
}

// join is what composing parts makes.
func join(name string, parts []part) part {
	whole := part{name: name}
	for _, p := range parts {
		whole.crc = combine(whole.crc, p.crc, p.size)
		whole.size += p.size
	}
	return whole
}

// discard deletes all objects that were written on the way. It may be called again.
func (u *upload) discard(ctx context.Context) error {
	if u.inherited {
		return u.store.empty(ctx, u.lineage)
	}
	u.mu.Lock()
	names := slices.Collect(maps.Keys(u.names))
	u.mu.Unlock()
	return u.store.removeAll(ctx, names)
}

// empty deletes all objects in an upload's folder.
func (s *Store) empty(ctx context.Context, l lineage) error {
	stored, err := s.stored(ctx, l)
	if err != nil {
		return err
	}
	return s.removeAll(ctx, slices.Collect(maps.Keys(stored)))
}

// removeAll deletes objects.
func (s *Store) removeAll(ctx context.Context, names []string) error {
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, name := range names {
		group.Go(func() error { return s.remove(ctx, name, condition{}) })
	}
	return group.Wait()
}

var _ multipart.Target = (*upload)(nil)
