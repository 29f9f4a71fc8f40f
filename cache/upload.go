package cache

import (
	"context"
	"errors"
	"io/fs"

	"causeway/backends"
)

// Create passes through; how the upload ends tells the memory.
func (b *Backend) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if b.cache.off() {
		return b.next.Create(ctx, key, o)
	}
	u := &upload{store: b, key: key, resumed: o.Resume != ""}
	if next := o.Alternate; next != nil {
		o.Alternate = func() string { return u.begin(next()) }
	}
	var err error
	u.next, err = b.next.Create(ctx, key, o)
	switch {
	case err == nil && u.resumed:
		b.unpark(key, o.Resume)
	case u.resumed && errors.Is(err, fs.ErrNotExist):
		b.repark(key)
	case !u.resumed:
		b.doubt(key, err)
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// upload is an upload whose commit is a write of the store, under the key that it was
// begun with or, if that is taken, another one.
type upload struct {
	next    backends.Upload
	store   *Backend
	key     string
	resumed bool
	writes  []*write // that Commit has tried, in turn
}

func (u *upload) Write(p []byte) (int, error) { return u.next.Write(p) }

var _ backends.Flusher = (*upload)(nil)

// Flush is [backends.Flusher.Flush].
func (u *upload) Flush() error { return backends.Flush(u.next) }

func (u *upload) Commit() (backends.Object, error) {
	u.begin(u.key)
	obj, err := u.next.Commit()
	for _, w := range u.writes {
		if err == nil && (w.key == obj.Key || len(u.writes) == 1) {
			w.done = &obj
		}
		u.store.endWrite(w)
	}
	u.writes = nil
	u.store.committed(u.key, err)
	return obj, err
}

// begin tells the memory that the object of key may be replaced from now on.
func (u *upload) begin(key string) string {
	w := &write{key: key}
	u.store.beginWrite(w)
	u.writes = append(u.writes, w)
	return key
}

func (u *upload) Park() (int64, error) {
	size, err := u.next.Park()
	if size > 0 || err != nil {
		u.store.repark(u.key)
	}
	return size, err
}

func (u *upload) Abort() error {
	err := u.next.Abort()
	if u.resumed && err != nil {
		u.store.repark(u.key)
	}
	return err
}
