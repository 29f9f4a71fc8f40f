package readthrough

import (
	"context"
	"errors"
	"io"
	"strings"

	"causeway/backends"
	"causeway/backends/readahead"
)

// Stat is [backends.Backend.Stat], of the version that counts.
func (b Backend) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	l, ok := b.at(key)
	if !ok {
		return b.front.Stat(ctx, key, o)
	}
	v, err := l.counts(ctx, o)
	return v.object, err
}

// maxLooks is how often what is behind may turn out to have changed since it was looked at.
const maxLooks = 3

// Open is [backends.Backend.Open], of the version that counts. What is behind is read from there
// at once, and where the route says so, stored on its way.
func (b Backend) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	l, ok := b.at(key)
	if !ok {
		return b.front.Open(ctx, key, o)
	}
	if _, ok := pinned(o.IfMatch); ok {
		return l.openPinned(ctx, o)
	}
	if o.IfMatch != "" {
		return b.front.Open(ctx, key, o)
	}
	var r *backends.Reader
	err := changed("open", key)
	for try := 0; try < maxLooks && errors.Is(err, backends.ErrChanged); try++ {
		r, err = l.open(ctx, o)
	}
	return r, err
}

// openPinned opens the version behind that was looked at, whatever counts by now, or the copy
// of it that is here.
func (l look) openPinned(ctx context.Context, o backends.OpenOptions) (*backends.Reader, error) {
	v, err := l.resolve(ctx, o.IfMatch)
	if err != nil {
		return nil, err
	}
	if v.behind {
		return l.openBehind(ctx, v, o)
	}
	etag := o.IfMatch
	o.IfMatch = v.object.ETag
	r, err := l.front.Open(ctx, l.key, o)
	if err == nil {
		r.Object.ETag = etag
	}
	return r, err
}

// open opens the version that counts, ErrChanged if that is another one by now.
func (l look) open(ctx context.Context, o backends.OpenOptions) (*backends.Reader, error) {
	var here *backends.Reader
	var hereErr error
	behind := l.beside(ctx, backends.StatOptions{}, func() error {
		here, hereErr = l.front.Open(ctx, l.key, o)
		return hereErr
	})
	if hereErr != nil && !absent(hereErr) {
		return l.openBeyond(ctx, behind, o, hereErr)
	}
	var front outcome
	if front.err = hereErr; here != nil {
		front.object = here.Object
	}
	v, err := l.judge(ctx, front, behind)
	if err == nil && !v.behind {
		return here, nil
	}
	if here != nil {
		_ = here.Close() // nothing was read
	}
	if err != nil {
		return nil, err
	}
	return l.openBehind(ctx, v, o)
}

// openBeyond is open for a range past the end of what is here, or where the front has failed.
func (l look) openBeyond(ctx context.Context, behind outcome, o backends.OpenOptions, failed error) (*backends.Reader, error) {
	if !errors.Is(failed, backends.ErrRange) {
		return nil, failed
	}
	here, err := l.front.Stat(ctx, l.key, backends.StatOptions{Complete: true})
	if err != nil && !absent(err) {
		return nil, err
	}
	v, err := l.judge(ctx, outcome{here, err}, behind)
	if err != nil || !v.behind {
		return nil, failed
	}
	return l.openBehind(ctx, v, o)
}

// openBehind opens the version behind that was looked at. That of a marker has nothing in it.
func (l look) openBehind(ctx context.Context, v version, o backends.OpenOptions) (*backends.Reader, error) {
	if marker(l.key) {
		return l.openMarker(v.object, o)
	}
	o.IfMatch, _ = pinned(v.object.ETag)
	key := l.route.behind(l.key)
	whole := o.Offset == 0 && (o.Length == 0 || o.Length >= v.object.Size)
	if !whole || !l.route.CopyOnRead {
		r, err := l.route.Behind.Open(ctx, key, o)
		if err != nil {
			return nil, l.failed(ctx, err)
		}
		r.Object = l.shown(r.Object)
		l.routes.tell(ctx, l.route, Read, l.key, nil)
		return r, nil
	}
	o.Length = 0
	r, err := readahead.Open(ctx, l.route.Behind, key, o)
	if err != nil {
		return nil, l.failed(ctx, err)
	}
	source := r.Object
	r.Object = l.shown(source)
	l.routes.tell(ctx, l.route, Read, l.key, nil)
	return l.copying(ctx, r, source, v.here), nil
}

// openMarker opens a directory's, which has no octets.
func (l look) openMarker(obj backends.Object, o backends.OpenOptions) (*backends.Reader, error) {
	if o.Offset > 0 {
		return nil, &backends.Error{Op: "open", Key: l.key, Kind: backends.ErrRange}
	}
	return &backends.Reader{Object: obj, ReadCloser: io.NopCloser(strings.NewReader(""))}, nil
}
