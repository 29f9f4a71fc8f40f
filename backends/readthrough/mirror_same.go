package readthrough

import (
	"context"
	"errors"
	"io/fs"

	"causeway/backends"
	"causeway/backends/readahead"
)

// errNotEmpty is a directory that was removed here and has something in it behind: what is
// still to be removed there, or what somebody has put there.
var errNotEmpty = errors.New("the directory behind is not empty")

// same makes key behind what it is here. It may be called again, and at any time: it looks at
// what there is, and once more when it has done its work.
func (r *Routes) same(ctx context.Context, key string) error {
	l, ok := Backend{r.own, r}.at(key)
	if !ok {
		return nil
	}
	var wrote string
	err := changed("mirror", key)
	for try := 0; try < maxLooks && errors.Is(err, backends.ErrChanged); try++ {
		wrote, err = l.same(ctx, wrote)
	}
	return err
}

// same is one try. ErrChanged if the key was changed meanwhile, on either side. It tells the ETag
// of what was written behind, by this try or the one before: by its date that may seem newer
// than what has come here since, where the server behind sets no times.
func (l look) same(ctx context.Context, before string) (wrote string, err error) {
	here, err := l.front.Stat(ctx, l.key, backends.StatOptions{Complete: true})
	if absent(err) && marker(l.key) {
		// A store without markers has a directory while it has something in it.
		var implied bool
		if implied, err = backends.HasPrefix(ctx, l.front, l.key); err == nil && !implied {
			err = &backends.Error{Op: "mirror", Key: l.key, Kind: fs.ErrNotExist}
		}
	}
	wrote = before
	switch {
	case absent(err):
		err = l.unmake(ctx, before)
	case err == nil:
		wrote, err = l.make(ctx, here, before)
	}
	if err != nil {
		return wrote, err
	}
	then, err := l.front.Stat(ctx, l.key, backends.StatOptions{})
	if err != nil && !absent(err) {
		return wrote, err
	}
	if then.ETag != here.ETag {
		return wrote, changed("mirror", l.key)
	}
	return wrote, nil
}

// make writes what is here to what is behind, unless what is there counts, and tells its ETag.
func (l look) make(ctx context.Context, here backends.Object, before string) (wrote string, err error) {
	behind, err := l.statBehind(ctx, backends.StatOptions{})
	switch {
	case err != nil && !absent(err):
		return before, err
	case err == nil && (marker(l.key) || behind.ETag != before && l.newer(behind, here)):
		return before, nil
	case marker(l.key):
		return before, l.failed(ctx, put(ctx, l.route.Behind, l.route.behind(l.key), "", backends.CreateOptions{}))
	}
	r, err := readahead.Open(ctx, l.front, l.key, backends.OpenOptions{IfMatch: here.ETag})
	if err != nil {
		return before, err
	}
	defer r.Close() //nolint:errcheck // it was only read, and Transfer counts the octets
	o := backends.CreateOptions{
		IfMatch: behind.ETag, IfAbsent: behind.ETag == "", Size: here.Size, ContentType: here.ContentType, Metadata: timed(here),
	}
	obj, err := backends.Transfer(ctx, l.route.Behind, l.route.behind(l.key), r, o)
	switch {
	case err == nil:
		return obj.ETag, nil
	case errors.Is(err, fs.ErrExist) && o.IfAbsent:
		return before, l.taken(ctx, err)
	}
	return before, l.failed(ctx, err)
}

// taken is the error of a create that has found something at a key where nothing was seen:
// ErrChanged if there is an object by now, and else what it was told.
func (l look) taken(ctx context.Context, told error) error {
	if _, err := l.statBehind(ctx, backends.StatOptions{}); err == nil {
		return changed("mirror", l.key)
	}
	return told
}

// unmake removes what is behind, if it is what was removed here, or was written before.
func (l look) unmake(ctx context.Context, before string) error {
	behind, err := l.statBehind(ctx, backends.StatOptions{})
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	hidden, err := l.hidden(ctx, behind.ModTime)
	if err != nil || !hidden && behind.ETag != before {
		return err
	}
	key := l.route.behind(l.key)
	if !marker(l.key) {
		return l.failed(ctx, l.route.Behind.Delete(ctx, key, backends.DeleteOptions{IfMatch: behind.ETag}))
	}
	page, err := l.route.Behind.List(ctx, backends.Query{Prefix: key, Limit: 2, Fresh: true})
	switch {
	case err != nil:
		return l.failed(ctx, err)
	case len(page.Objects) > 1, len(page.Objects) == 1 && page.Objects[0].Key != key:
		return &backends.Error{Op: "mirror", Key: l.key, Kind: fs.ErrExist, Err: errNotEmpty}
	}
	return l.failed(ctx, l.route.Behind.Delete(ctx, key, backends.DeleteOptions{}))
}
