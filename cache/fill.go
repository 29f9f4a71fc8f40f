package cache

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"causeway/backends"
)

// fillTimeout bounds a request that several callers may be waiting for, since none of
// their contexts does. Each caller leaves when its own context ends.
const fillTimeout = time.Minute

// fill is a request under way whose answer may be kept. An answer that a write may have
// overtaken is handed to those who wait for it, as they asked before the write had ended,
// but it is not kept and nobody joins them any more.
type fill struct {
	name  string // in Backend.flights
	key   string // or the prefix
	list  bool
	stale bool // a write overlapped
	start time.Time
}

// depends tells whether what is known of key or of the prefix a may change with the
// object of key b. In stores that are trees of files a marker comes with what is below it.
func depends(a, b string) bool {
	return a == b || directoryLike(a) && strings.HasPrefix(b, a)
}

// fly asks the store once for all who want the same now, by ask, and keeps the answer by
// keep, which is called with the cache's lock held.
func fly[T any](ctx context.Context, b *Backend, f fill, ask func(context.Context) (T, error), keep func(T, error, time.Time)) (T, error) {
	answer, ok, err := join(ctx, b, f.name, func(ctx context.Context) (T, error) {
		b.beginFill(&f)
		answer, err := ask(ctx)
		b.endFill(&f, func(expires time.Time) { keep(answer, err, expires) })
		return answer, err
	})
	if !ok {
		err = ended(ctx, f.op(), f.key)
	}
	return answer, err
}

// join makes a request, or waits for the one of that name that is under way. It is false
// if ctx has ended before.
func join[T any](ctx context.Context, b *Backend, name string, request func(context.Context) (T, error)) (answer T, ok bool, err error) {
	answers := b.flights.DoChan(name, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fillTimeout)
		defer cancel()
		return request(ctx)
	})
	select {
	case r := <-answers:
		answer, _ = r.Val.(T)
		return answer, true, r.Err
	case <-ctx.Done():
		return answer, false, nil
	}
}

func (f *fill) op() string {
	if f.list {
		return "list"
	}
	return "stat"
}

func ended(ctx context.Context, op, key string) error {
	return &backends.Error{Op: op, Key: key, Kind: backends.ErrUnavailable, Err: context.Cause(ctx)}
}

// changes tells whether what is known of key or of the prefix key may change with w.
func (w *write) changes(key string) bool {
	return depends(key, w.key) || w.tree && strings.HasPrefix(key, w.key)
}

// beginFill registers a request before it is made.
func (b *Backend) beginFill(f *fill) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	f.start = b.cache.now()
	for w := range b.ways.writes {
		f.stale = f.stale || w.changes(f.key)
	}
	b.fills[f] = struct{}{}
}

// endFill keeps the answer unless a write overlapped.
func (b *Backend) endFill(f *fill, keep func(expires time.Time)) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	delete(b.fills, f)
	// From here on a write no longer finds the fill, so nobody may join it either.
	b.flights.Forget(f.name)
	if !f.stale {
		keep(f.start.Add(b.cache.ttl))
	}
}

// write is a change of one key under way, or of all that begin with it.
type write struct {
	key       string
	tree      bool
	deletes   bool
	contested bool             // another write that may change the same overlapped: who was last is not known
	done      *backends.Object // what the store said at the end; nil if it failed, so that nothing is known
}

// beginWrite makes the cache forget what the write will change, and keeps it from
// learning about the key until the write has ended: one session must not see the new
// object by RETR and then the old one by SIZE.
func (b *Backend) beginWrite(w *write) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	for other := range b.ways.writes {
		if other.changes(w.key) || w.changes(other.key) {
			other.contested, w.contested = true, true
		}
	}
	b.ways.writes[w] = struct{}{}
	for way := range b.ways.members {
		way.overtake(w)
		way.forget(w)
	}
}

// endWrite records the outcome, if it is certain.
func (b *Backend) endWrite(w *write) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	delete(b.ways.writes, w)
	for way := range b.ways.members {
		way.overtake(w)
	}
	if w.done == nil || w.contested || b.left.Load() {
		return
	}
	expires := b.cache.now().Add(b.cache.ttl)
	o := &object{Object: *w.done, found: !w.deletes, expires: expires}
	o.Key = w.key
	o.Partial = true // only the key, size and ETag of such an answer can be relied upon
	b.cache.put(id{b, ofObject, w.key}, o)
	if w.deletes {
		return
	}
	for prefix := range prefixes(w.key) {
		b.cache.change(b, prefix, func(d *directory) { d.exists, d.expires = true, expires })
	}
}

// overtake marks the requests under way that a write overlaps. The lock is held.
func (b *Backend) overtake(w *write) {
	for f := range b.fills {
		if w.changes(f.key) {
			f.stale = true
			b.flights.Forget(f.name)
		}
	}
}

// forget drops what a write changes: the object, the markers above it that may come with
// it, and pages. A deletion may make every directory above vanish. The lock is held.
func (b *Backend) forget(w *write) {
	b.cache.lru.Remove(id{b, ofObject, w.key})
	if w.tree {
		b.forgetBelow(w.key)
	}
	for prefix := range prefixes(w.key) {
		b.cache.lru.Remove(id{b, ofObject, prefix})
		switch d := b.cache.directory(b, prefix); {
		case d == nil:
		case w.deletes:
			b.cache.lru.Remove(id{b, ofDirectory, prefix})
		default:
			b.cache.change(b, prefix, func(d *directory) {
				d.prune(w.key)
				if !d.exists {
					d.expires = time.Time{}
				}
			})
		}
	}
}

// forgetBelow drops what is known of the keys and prefixes that begin with prefix. The
// lock is held.
func (b *Backend) forgetBelow(prefix string) {
	for _, k := range b.cache.lru.Keys() {
		if k.store == b && k.kind != ofParked && strings.HasPrefix(k.key, prefix) {
			b.cache.lru.Remove(k)
		}
	}
}

// prefixes yields "" and every prefix of key that ends in "/", key itself included.
func prefixes(key string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield("") {
			return
		}
		for i := range len(key) {
			if key[i] == '/' && !yield(key[:i+1]) {
				return
			}
		}
	}
}

// statFlight and listFlight name requests; keys have no NUL, and a token comes last.
func statFlight(key string, o backends.StatOptions) string {
	return fmt.Sprintf("stat %t %s", o.Complete, key)
}

func listFlight(q backends.Query) string {
	return fmt.Sprintf("list %t %d %s\x00%s", q.Delimiter, q.Limit, q.Prefix, q.Token)
}
