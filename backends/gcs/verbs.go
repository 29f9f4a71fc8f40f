package gcs

import (
	"context"
	"errors"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"causeway/backends"
	"causeway/backends/transport"
)

// pageSize is the most that the service puts on a page.
const pageSize = 1000

// Stat is [backends.Backend.Stat]. The answer is always complete.
func (s *Store) Stat(ctx context.Context, key string, _ backends.StatOptions) (backends.Object, error) {
	if err := check("stat", key); err != nil {
		return backends.Object{}, err
	}
	a, err := s.attrs(ctx, key)
	if err = s.missing(ctx, err); err != nil {
		return backends.Object{}, failure("stat", key, condition{}, err)
	}
	return describe(a), nil
}

// attrs asks for the description of the present object.
func (s *Store) attrs(ctx context.Context, key string) (*storage.ObjectAttrs, error) {
	var a *storage.ObjectAttrs
	err := s.retry(ctx, func() (err error) {
		a, err = s.bucket.Object(key).Attrs(ctx)
		return err
	})
	return a, err
}

// retry repeats a request that does no harm when it is repeated.
func (s *Store) retry(ctx context.Context, attempt func() error) error {
	err := transport.Retry(ctx, transient, attempt)
	if err == nil {
		s.reached.Store(true)
	}
	return err
}

// missing tells apart the two things that a 404 of the JSON API may mean, by asking for
// one name of the bucket if that has never answered so far. Other errors it leaves alone.
func (s *Store) missing(ctx context.Context, err error) error {
	if err == nil || s.reached.Load() || !isNotExist(err) {
		return err
	}
	if _, probe := s.page(ctx, backends.Query{Limit: 1}, "Name"); errors.Is(probe, storage.ErrBucketNotExist) {
		return probe
	}
	return err
}

// List is [backends.Backend.List]. Objects tell their metadata and checksums.
func (s *Store) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	l, err := s.page(ctx, q, "Name", "Size", "Generation", "Created", "ContentType", "Metadata", "MD5")
	if err != nil {
		return backends.Page{}, failure("list", q.Prefix, condition{}, err)
	}
	page := backends.Page{Prefixes: l.prefixes, Next: l.next}
	for _, a := range l.attrs {
		page.Objects = append(page.Objects, describe(a))
	}
	return page, nil
}

// listed is a page of a listing in the SDK's words.
type listed struct {
	attrs    []*storage.ObjectAttrs
	prefixes []string
	next     string
}

// page asks for one page, and for so much of each object.
func (s *Store) page(ctx context.Context, q backends.Query, attrs ...string) (listed, error) {
	var page listed
	err := s.retry(ctx, func() (err error) {
		page, err = s.request(ctx, q, attrs)
		return err
	})
	return page, err
}

// request is page without another attempt. (The SDK's iterator asks again by itself only
// for pages that are empty and not the last.)
func (s *Store) request(ctx context.Context, q backends.Query, attrs []string) (listed, error) {
	query := &storage.Query{Prefix: q.Prefix, Projection: storage.ProjectionNoACL}
	if q.Delimiter {
		query.Delimiter = "/"
	}
	if err := query.SetAttrSelection(attrs); err != nil {
		return listed{}, err
	}
	it := s.bucket.Objects(ctx, query)
	info := it.PageInfo()
	info.Token, info.MaxSize = q.Token, pageSize
	if q.Limit > 0 {
		info.MaxSize = min(q.Limit, pageSize)
	}
	var page listed
	for {
		a, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return page, nil
		}
		if err != nil {
			return listed{}, err
		}
		if a.Prefix != "" {
			page.prefixes = append(page.prefixes, a.Prefix)
		} else {
			page.attrs = append(page.attrs, a)
		}
		if info.Remaining() == 0 {
			page.next = info.Token
			return page, nil
		}
	}
}

// Delete is [backends.Backend.Delete].
func (s *Store) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if err := check("delete", key); err != nil {
		return err
	}
	c, err := conditionOf("delete", key, o.IfMatch, false)
	if err != nil {
		return err
	}
	return failure("delete", key, c, s.remove(ctx, key, c))
}

// remove deletes an object. If it is gone that is as wanted, unless it had to be there.
func (s *Store) remove(ctx context.Context, key string, c condition) error {
	doubt := false
	err := s.retry(ctx, func() error {
		err := c.on(s.bucket.Object(key)).Delete(ctx)
		if isNotExist(err) && doubt {
			return nil // an attempt before this one has done it
		}
		doubt = doubt || transient(err)
		return err
	})
	if err = s.missing(ctx, err); !isNotExist(err) {
		return err
	}
	if c.generation != 0 {
		return &backends.Error{Op: "delete", Key: key, Kind: backends.ErrChanged}
	}
	return nil
}
