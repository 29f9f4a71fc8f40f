package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"causeway/backends"
	"causeway/backends/multipart"
	"causeway/backends/readahead"
)

// append is Create with At: an upload in parts, the first of which the server copies from
// the object. What is too small for a part is read and written again.
func (s *Store) append(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	from, err := s.head(ctx, "create", key, o.IfMatch)
	if err != nil {
		return nil, err
	}
	obj := headed(key, from)
	switch {
	case o.At > obj.Size:
		return nil, &backends.Error{Op: "create", Key: key, Kind: backends.ErrRange}
	case o.At >= s.least && !s.aws && strings.Contains(key, versionQuery):
		return nil, &backends.Error{Op: "create", Key: key, Kind: errors.ErrUnsupported}
	}
	o.IfMatch = obj.ETag
	t := s.target(key, o)
	t.keep = from
	if o.At < s.least {
		return t.rewrite(ctx)
	}
	return t.behind(ctx, obj)
}

// rewrite begins an upload with the first octets of the object that is there.
func (t *target) rewrite(ctx context.Context) (backends.Upload, error) {
	r, err := readahead.Open(ctx, t.Store, t.key, backends.OpenOptions{Length: t.o.At, IfMatch: t.o.IfMatch})
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // it was only read
	o := t.options(t.key, t.o)
	o.Least = t.o.At
	u := multipart.New(ctx, t, t.budget, o)
	n, err := io.Copy(u, r)
	if err == nil && n != t.o.At {
		err = &backends.Error{Op: "create", Key: t.key, Kind: backends.ErrUnavailable, Err: fmt.Errorf("object ended at octet %d of %d", n, t.o.At)}
	}
	if err != nil {
		return nil, errors.Join(err, u.Abort())
	}
	return u, nil
}

// behind begins an upload after parts that are copied from obj.
func (t *target) behind(ctx context.Context, obj backends.Object) (backends.Upload, error) {
	t.chain.Summed = false // not all servers have checksums of copied parts
	if err := t.start(ctx); err != nil {
		ctx, cancel := bounded(context.WithoutCancel(ctx), abortTime)
		defer cancel()
		return nil, errors.Join(err, t.abort(ctx))
	}
	size, n := t.o.At, pieces(t.o.At)
	c := &copying{writing: t.writing, src: t.key, from: obj}
	o := t.options(t.key, t.o)
	o.MD5, o.Least = true, size
	o.Head = multipart.Head{Parts: n, Size: size, Make: func(ctx context.Context) error { return c.copyParts(ctx, n, size) }}
	return multipart.New(ctx, t, t.budget, o), nil
}
