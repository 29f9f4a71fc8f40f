package cache

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"causeway/backends"
)

// Backend answers Stat, List and Parked of one store from memory where it can. It is a
// [backends.Backend], [backends.Copier], [backends.Mover], [backends.TreeMover],
// [backends.Parker], [backends.Sweeper], [backends.Peeker],
// [backends.Spacer] and [backends.Summer].
type Backend struct {
	cache   *Cache
	next    backends.Backend
	flights singleflight.Group
	left    atomic.Bool

	// Guarded by cache.mu.
	ways  *ways
	fills map[*fill]struct{}
	looks map[*look]struct{}
}

// Stat answers from memory, also that there is no object. What a listing has told is
// enough unless o asks for more.
func (b *Backend) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	if b.off() || !backends.ValidKey(key) {
		return b.next.Stat(ctx, key, o)
	}
	if ctx.Err() != nil {
		return backends.Object{}, ended(ctx, "stat", key)
	}
	if obj, found, known := b.known(key, o); known {
		b.cache.hits.Add(1)
		if found {
			return obj, nil
		}
		return backends.Object{}, &backends.Error{Op: "stat", Key: key, Kind: fs.ErrNotExist}
	}
	b.cache.misses.Add(1)
	ask := func(ctx context.Context) (backends.Object, error) { return b.next.Stat(ctx, key, o) }
	keep := func(obj backends.Object, err error, expires time.Time) {
		// A refusal may be told as an absence, and may end by a change of policy at any time.
		if err == nil || errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			obj.Key = key
			b.cache.put(id{b, ofObject, key}, &object{Object: obj, found: err == nil, expires: expires})
		}
	}
	return fly(ctx, b, fill{name: statFlight(key, o), key: key}, ask, keep)
}

// known is what the memory says of key.
func (b *Backend) known(key string, o backends.StatOptions) (obj backends.Object, found, known bool) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	if e := b.cache.object(b, key); e != nil {
		if !e.found {
			return backends.Object{}, false, true
		}
		if o.Complete && e.Partial {
			return backends.Object{}, false, false
		}
		return e.Object, true, true
	}
	p := b.cache.directory(b, dirOf(key)).seek(key, b.cache.now())
	return backends.Object{}, false, p != nil && !p.hasObject(key)
}

// List answers pages of directories (prefixes that end in "/", and "") from memory. What
// it asks of the store fills the memory with the objects listed.
func (b *Backend) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	if b.off() || q.Fresh || !directoryLike(q.Prefix) {
		return b.next.List(ctx, q)
	}
	if ctx.Err() != nil {
		return backends.Page{}, ended(ctx, "list", q.Prefix)
	}
	if p := b.page(q); p != nil {
		b.cache.hits.Add(1)
		return p.Page, nil
	}
	b.cache.misses.Add(1)
	ask := func(ctx context.Context) (backends.Page, error) { return b.next.List(ctx, q) }
	keep := func(p backends.Page, err error, expires time.Time) {
		if err == nil {
			b.learn(q, &page{Page: p, expires: expires})
		}
	}
	return fly(ctx, b, fill{name: listFlight(q), key: q.Prefix, list: true}, ask, keep)
}

func directoryLike(prefix string) bool { return prefix == "" || strings.HasSuffix(prefix, "/") }

func (b *Backend) page(q backends.Query) *page {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	return b.cache.directory(b, q.Prefix).page(keyOf(q), b.cache.now())
}

// learn keeps a page and the objects on it, unless the directory turns out so large that
// it would crowd out the others. Then nothing of it is kept, for as long as an answer is
// believed: how a listing ends is known at its end only, and by then a directory of a
// million names would have been through the memory. The lock is held.
func (b *Backend) learn(q backends.Query, p *page) {
	kept := false
	b.cache.change(b, q.Prefix, func(d *directory) {
		some := len(p.Objects) > 0 || len(p.Prefixes) > 0
		if some || q.Token == "" && p.Next == "" {
			d.exists, d.expires = some, p.expires
		}
		d.expire(b.cache.now())
		if kept = d.admits(keyOf(q), p, b.cache.bytes/largeShare, b.cache.now()); kept {
			d.add(keyOf(q), p)
			return
		}
		b.unlearn(d)
		d.large = p.expires
	})
	if !kept {
		return
	}
	for _, o := range p.Objects {
		b.cache.put(id{b, ofObject, o.Key}, &object{Object: o, found: true, expires: p.expires})
	}
}

// unlearn drops all pages of d and the objects learned from them. The lock is held.
func (b *Backend) unlearn(d *directory) {
	for k, p := range d.pages {
		for _, o := range p.Objects {
			b.cache.lru.Remove(id{b, ofObject, o.Key})
		}
		d.drop(k)
	}
}

// Open always asks the store. What it learns corrects the memory.
func (b *Backend) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r, err := b.next.Open(ctx, key, o)
	if err == nil {
		b.correct(key, r.Object.ETag)
	} else if errors.Is(err, backends.ErrChanged) || errors.Is(err, fs.ErrNotExist) {
		b.correct(key, "")
	}
	return r, err
}

// correct drops what is known of key unless it is of the version etag.
func (b *Backend) correct(key, etag string) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	if o := b.cache.object(b, key); o != nil && (etag == "" || o.ETag != etag) {
		b.cache.lru.Remove(id{b, ofObject, key})
	}
}

// Delete passes through, and the memory learns of it.
func (b *Backend) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	_, err := b.write(&write{key: key, deletes: true}, func() (backends.Object, error) {
		return backends.Object{}, b.next.Delete(ctx, key, o)
	})
	return err
}

// write does what changes w.key.
func (b *Backend) write(w *write, do func() (backends.Object, error)) (backends.Object, error) {
	if b.cache.off() {
		return do()
	}
	b.beginWrite(w)
	defer b.endWrite(w)
	obj, err := do()
	if err == nil {
		w.done = &obj
	}
	return obj, err
}
