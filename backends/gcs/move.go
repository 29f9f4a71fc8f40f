package gcs

import (
	"context"
	"errors"
	"net/http"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"causeway/backends"
	"causeway/backends/transport"
)

// Move is [backends.Mover.Move]: the service's atomic rename. errors.ErrUnsupported with
// Metadata, onto itself, and where the service or a server that imitates it refuses the
// request as such (400): a copy is tried then, which fails in its own words if there is
// something wrong with the names or the bucket.
func (s *Store) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if err := check("move", dst, src); err != nil {
		return backends.Object{}, err
	}
	if o.Metadata != nil || dst == src {
		return backends.Object{}, &backends.Error{Op: "move", Key: src, Kind: errors.ErrUnsupported}
	}
	m := copying{store: s, dst: dst, src: src}
	var err error
	if m.to, err = conditionOf("move", dst, o.IfMatch, o.IfAbsent); err != nil {
		return backends.Object{}, err
	}
	if m.from, err = conditionOf("move", src, o.SourceIfMatch, false); err != nil {
		return backends.Object{}, err
	}
	a, err := m.move(ctx)
	if err != nil {
		return backends.Object{}, failure("move", src, m.to, m.refused(ctx, err))
	}
	return describe(a), nil
}

var errLostMove = errors.New("the answer was lost and the source is gone; whether it was moved is not known")

func (c *copying) move(ctx context.Context) (*storage.ObjectAttrs, error) {
	from := c.from.on(c.store.bucket.Object(c.src))
	var moved *storage.ObjectAttrs
	doubt := false
	err := transport.Retry(ctx, transient, func() (err error) {
		moved, err = from.Move(ctx, storage.MoveObjectDestination{Object: c.dst, Conditions: c.to.conditions()})
		if isNotExist(err) && doubt {
			moved, err = c.movedBefore(ctx)
		}
		doubt = doubt || transient(err)
		return err
	})
	var answer *googleapi.Error
	if errors.As(err, &answer) && answer.Code == http.StatusBadRequest {
		return nil, &backends.Error{Op: "move", Key: c.src, Kind: errors.ErrUnsupported, Err: err}
	}
	return moved, c.store.missing(ctx, err)
}

// movedBefore looks for the object where an attempt whose answer was lost has moved it.
// Only a destination that had to be absent proves it.
func (c *copying) movedBefore(ctx context.Context) (*storage.ObjectAttrs, error) {
	a, err := c.store.bucket.Object(c.dst).Attrs(ctx)
	if err == nil && c.to.absent {
		return a, nil
	}
	return nil, &backends.Error{Op: "move", Key: c.src, Kind: backends.ErrUnavailable, Err: errors.Join(errLostMove, err)}
}
