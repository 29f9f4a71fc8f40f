package gcs

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"causeway/backends"
	"causeway/backends/transport"
)

// Copy is [backends.Copier.Copy]. Onto itself it changes the metadata in place, which
// keeps the ETag, or if keys have to go rewrites the object.
func (s *Store) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if err := check("copy", dst, src); err != nil {
		return backends.Object{}, err
	}
	c := &copying{store: s, dst: dst, src: src, metadata: o.Metadata}
	var err error
	if c.to, err = conditionOf("copy", dst, o.IfMatch, o.IfAbsent); err != nil {
		return backends.Object{}, err
	}
	if c.from, err = conditionOf("copy", src, o.SourceIfMatch, false); err != nil {
		return backends.Object{}, err
	}
	a, err := c.run(ctx)
	if err != nil {
		return backends.Object{}, failure("copy", dst, c.to, c.refused(ctx, err))
	}
	return describe(a), nil
}

// copying is one Copy under way.
type copying struct {
	store    *Store
	dst, src string
	to, from condition
	metadata map[string]string // nil keeps the source's
}

func (c *copying) run(ctx context.Context) (*storage.ObjectAttrs, error) {
	source, err := c.store.attrs(ctx, c.src)
	if err = c.store.missing(ctx, err); err != nil {
		return nil, err
	}
	if c.from.generation != 0 && c.from.generation != source.Generation {
		return nil, &backends.Error{Op: "copy", Key: c.src, Kind: backends.ErrChanged}
	}
	c.from.generation = source.Generation
	if c.dst == c.src {
		return c.onto(ctx, source)
	}
	return c.rewrite(ctx, source)
}

// onto copies an object onto itself.
func (c *copying) onto(ctx context.Context, source *storage.ObjectAttrs) (*storage.ObjectAttrs, error) {
	switch {
	case c.to.absent:
		return nil, &backends.Error{Op: "copy", Key: c.dst, Kind: fs.ErrExist}
	case c.to.generation != 0 && c.to.generation != source.Generation:
		return nil, &backends.Error{Op: "copy", Key: c.dst, Kind: backends.ErrChanged}
	case c.metadata == nil:
		return source, nil
	}
	for k := range shown(source.Metadata) {
		if _, kept := c.metadata[k]; !kept {
			// A patch merges: it cannot take a key away.
			c.to.generation = source.Generation
			return c.rewrite(ctx, source)
		}
	}
	return c.patch(ctx, source)
}

// patch changes the metadata alone. The source's metageneration makes it safe to repeat.
func (c *copying) patch(ctx context.Context, source *storage.ObjectAttrs) (*storage.ObjectAttrs, error) {
	h := c.store.bucket.Object(c.dst).If(storage.Conditions{
		GenerationMatch: source.Generation, MetagenerationMatch: source.Metageneration,
	})
	metadata := stamped(c.metadata, source.Metadata[uploadKey])
	return c.settle(ctx, func(ctx context.Context) (*storage.ObjectAttrs, error) {
		a, err := h.Update(ctx, storage.ObjectAttrsToUpdate{Metadata: metadata})
		if err == nil {
			a.Created = source.Created // fake-gcs-server forgets to tell it
		}
		return a, err
	}, func(a *storage.ObjectAttrs) bool {
		return a.Generation == source.Generation && contains(a.Metadata, metadata)
	})
}

// rewrite makes dst a copy of the very source, in as many requests as the service wants.
func (c *copying) rewrite(ctx context.Context, source *storage.ObjectAttrs) (*storage.ObjectAttrs, error) {
	from := c.from.on(c.store.bucket.Object(c.src))
	copier := c.to.on(c.store.bucket.Object(c.dst)).CopierFrom(from)
	if c.metadata != nil {
		// With any attribute given, the service copies none by itself.
		copier.ObjectAttrs = propertiesOf(source, stamped(c.metadata, source.Metadata[uploadKey]))
	}
	return c.settle(ctx, copier.Run, func(a *storage.ObjectAttrs) bool {
		return a.Generation != source.Generation && a.Size == source.Size && a.CRC32C == source.CRC32C &&
			a.Metadata[uploadKey] == source.Metadata[uploadKey]
	})
}

// settle makes a request, and when its answer was lost looks whether dst is what it was to
// become.
func (c *copying) settle(ctx context.Context, send func(context.Context) (*storage.ObjectAttrs, error), done func(*storage.ObjectAttrs) bool) (*storage.ObjectAttrs, error) {
	once := transport.Once[*storage.ObjectAttrs]{
		Send: send, Transient: transient,
		Mine: func(ctx context.Context) (*storage.ObjectAttrs, bool) {
			a, err := c.store.bucket.Object(c.dst).Attrs(ctx)
			return a, err == nil && done(a)
		},
	}
	return once.Settle(ctx)
}

// refused finds out which of the two objects a failed precondition was about, where the
// answer does not say.
func (c *copying) refused(ctx context.Context, err error) error {
	var answer *googleapi.Error
	if !errors.As(err, &answer) || answer.Code != http.StatusPreconditionFailed || !c.to.absent {
		return err
	}
	if _, there := c.store.attrs(ctx, c.dst); isNotExist(there) {
		return &backends.Error{Op: "copy", Key: c.src, Kind: backends.ErrChanged, Err: err}
	}
	return err
}

// contains tells whether metadata has all of part.
func contains(metadata, part map[string]string) bool {
	for k, v := range part {
		if metadata[k] != v {
			return false
		}
	}
	return true
}
