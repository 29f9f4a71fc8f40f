package readthrough

import (
	"context"
	"errors"
	"time"

	"causeway/backends"
)

// Delete is [backends.Backend.Delete]. What is behind, or may be, gets its tombstone before
// anything is deleted here, so that it never comes up in between.
func (b Backend) Delete(ctx context.Context, key string, o backends.DeleteOptions) (err error) {
	l, ok := b.at(key)
	if !ok {
		return b.front.Delete(ctx, key, o)
	}
	unlock, err := b.routes.keys.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	done, err := l.noted(ctx)
	if err != nil {
		return err
	}
	defer func() { done(err) }()
	if marker(key) {
		return l.deleteMarker(ctx, o)
	}
	if o, err = l.deletion(ctx, o); err != nil {
		return err
	}
	if err := l.bury(ctx); err != nil {
		return err
	}
	err = l.front.Delete(ctx, key, o)
	if errors.Is(err, backends.ErrChanged) {
		// A migration takes its copy away as soon as there is a tombstone.
		if _, lookErr := l.front.Stat(ctx, key, backends.StatOptions{}); absent(lookErr) {
			err = nil
		}
	}
	return err
}

// deletion is o as the front has to keep it. ErrChanged if o does not name the version that
// counts.
func (l look) deletion(ctx context.Context, o backends.DeleteOptions) (backends.DeleteOptions, error) {
	if o.IfMatch == "" {
		return o, nil
	}
	if _, ok := pinned(o.IfMatch); !ok {
		_, err := l.still(ctx, o.IfMatch)
		return o, err
	}
	v, err := l.resolve(ctx, o.IfMatch)
	if err != nil {
		return o, err
	}
	o.IfMatch = ""
	if v.here != nil {
		o.IfMatch = v.here.ETag
	}
	return o, nil
}

// still is the version that counts if it is the front's of that ETag, else ErrChanged. A tombstone
// must not be made for any other: it would hide what nobody has deleted.
func (l look) still(ctx context.Context, etag string) (version, error) {
	v, err := l.counts(ctx, backends.StatOptions{})
	if absent(err) || err == nil && v.object.ETag != etag {
		err = changed("look", l.key)
	}
	return v, err
}

// bury makes a tombstone for what is behind the key, or may be: where the route mirrors, it may
// be on its way there.
func (l look) bury(ctx context.Context) error {
	behind := l.soon(ctx, backends.StatOptions{})
	if absent(behind.err) && !l.route.Mirror {
		return nil
	}
	return l.entomb(ctx, behind.object.ModTime)
}

// deleteMarker deletes a directory's marker. If anything is behind that directory, and nothing
// else of it counts, its tombstone hides all of that for good. Otherwise the marker behind stays
// as long as the directory is in use, as on a file system.
func (l look) deleteMarker(ctx context.Context, o backends.DeleteOptions) error {
	if _, ok := pinned(o.IfMatch); ok {
		o.IfMatch = ""
	}
	page, err := l.route.Behind.List(ctx, backends.Query{Prefix: l.route.behind(l.key), Limit: 1})
	behind := len(page.Objects) > 0 || page.Next != ""
	switch {
	case err != nil && !absent(err):
		return doubt("delete", l.key, l.failed(ctx, err))
	case err != nil || !behind:
		if !l.route.Mirror {
			return l.front.Delete(ctx, l.key, o)
		}
	}
	used, err := Backend{l.front, l.routes}.used(ctx, l.key)
	if err != nil {
		return err
	}
	if !used {
		if err := l.entomb(ctx, time.Time{}); err != nil {
			return err
		}
	}
	return l.front.Delete(ctx, l.key, o)
}

// used tells whether anything but its marker is in a directory.
func (b Backend) used(ctx context.Context, dir string) (bool, error) {
	q := backends.Query{Prefix: dir, Limit: 2, Fresh: true}
	for {
		page, err := b.List(ctx, q)
		if err != nil {
			return false, err
		}
		for _, o := range page.Objects {
			if o.Key != dir {
				return true, nil
			}
		}
		if q.Token = page.Next; q.Token == "" {
			return false, nil
		}
	}
}
