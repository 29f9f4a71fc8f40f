package readthrough

import (
	"context"
	"errors"
	"io/fs"

	"causeway/backends"
)

// Create is [backends.Backend.Create]. What is behind the key counts for the conditions; a version
// behind that is to be gone on with is copied into the front first.
func (b Backend) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	l, ok := b.at(key)
	if !ok {
		return b.front.Create(ctx, key, o)
	}
	if _, ok := pinned(o.IfMatch); ok {
		obj, err := l.adopt(ctx, o.IfMatch)
		if err != nil {
			return nil, err
		}
		o.IfMatch = obj.ETag
	}
	if o.IfAbsent && o.Alternate != nil && o.Resume == "" {
		var err error
		if l, err = b.free(ctx, l, o.Alternate); err != nil {
			return nil, err
		}
	}
	if !o.IfAbsent && !l.route.Mirror {
		return b.front.Create(ctx, l.key, o)
	}
	u := &upload{look: l, ctx: ctx, absent: o.IfAbsent}
	if l.route.Mirror && o.Alternate != nil {
		o.Alternate = u.alternate(o.Alternate)
	}
	var err error
	u.next, err = b.front.Create(ctx, l.key, o)
	if err != nil {
		return nil, err
	}
	return u, nil
}

// maxAlternates is how many keys are tried beside one that is taken behind.
const maxAlternates = 8

// free is a question about the first key, of l's and those that follow, with nothing behind it.
func (b Backend) free(ctx context.Context, l look, alternate func() string) (look, error) {
	for range maxAlternates {
		err := l.vacant(ctx, "create")
		if !errors.Is(err, fs.ErrExist) {
			return l, err
		}
		another, ok := b.at(alternate())
		if !ok {
			break
		}
		l = another
	}
	return l, l.vacant(ctx, "create")
}

// vacant fails with fs.ErrExist if a version behind counts, whatever is here. What may not be
// seen there does not count.
func (l look) vacant(ctx context.Context, op string) error {
	switch _, err := l.visible(ctx); {
	case err == nil:
		return &backends.Error{Op: op, Key: l.key, Kind: fs.ErrExist}
	case absent(err), errors.Is(err, fs.ErrPermission):
		return nil
	default:
		return err
	}
}

// adopt is the front's version of the one behind that has an ETag: its copy, made now if there is
// none.
func (l look) adopt(ctx context.Context, etag string) (backends.Object, error) {
	for try := 1; ; try++ {
		v, err := l.resolve(ctx, etag)
		if err != nil || !v.behind {
			return v.object, err
		}
		obj, err := l.take(ctx, v, nil)
		if !errors.Is(err, backends.ErrChanged) || try == maxLooks {
			return obj, err
		}
		// Another copy has been made meanwhile, or it is another version: that is seen now.
	}
}

// noted has the key made the same behind later, where the route wants that. The caller calls done
// with what the change has ended with.
func (l look) noted(ctx context.Context) (done func(error), err error) {
	if !l.route.Mirror {
		return func(error) {}, nil
	}
	return l.routes.queue.dirty(ctx, l.key)
}

// upload is one of which there is something to do before its commit.
type upload struct {
	look
	ctx    context.Context // of the upload
	next   backends.Upload
	absent bool          // on condition that nothing is behind
	ended  []func(error) // to be called after the commit: done of keys that were noted
}

// alternate has the keys that next yields noted before they are taken. One that cannot be noted
// is not taken: the key that is taken already is yielded again.
func (u *upload) alternate(next func() string) func() string {
	return func() string {
		another := u.look
		another.key = next()
		done, err := another.noted(u.ctx)
		if err != nil {
			return u.key
		}
		u.ended = append(u.ended, done)
		return another.key
	}
}

func (u *upload) Write(p []byte) (int, error) { return u.next.Write(p) }

// Flush is [backends.Flusher.Flush].
func (u *upload) Flush() error { return backends.Flush(u.next) }

func (u *upload) Commit() (backends.Object, error) {
	if u.absent {
		if err := u.vacant(u.ctx, "commit"); err != nil {
			return backends.Object{}, err
		}
	}
	done, err := u.noted(u.ctx)
	if err != nil {
		return backends.Object{}, err
	}
	u.ended = append(u.ended, done)
	obj, err := u.next.Commit()
	for _, done := range u.ended {
		done(err)
	}
	u.ended = nil
	return obj, err
}

func (u *upload) Park() (int64, error) { return u.next.Park() }

func (u *upload) Abort() error { return u.next.Abort() }
