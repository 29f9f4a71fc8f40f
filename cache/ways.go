package cache

import "causeway/backends"

// ways are all Backends of one store, each with credentials of its own. What one has been
// told the others may not know; what is written through one all must learn of.
// Guarded by cache.mu.
type ways struct {
	members map[*Backend]struct{}
	writes  map[*write]struct{} // under way, through any of them
}

// Through decorates another way to the store of b, such as with other credentials. It
// remembers for itself what next answers. What is written through either is seen through
// both at once. [Backend.Leave] ends it.
func (b *Backend) Through(next backends.Backend) *Backend {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	return b.cache.join(next, b.ways)
}

// Leave ends what b remembers: from here on it asks its store each time, and need not learn
// of what is written through others.
func (b *Backend) Leave() {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	b.left.Store(true)
	delete(b.ways.members, b)
	for f := range b.fills {
		f.stale = true
	}
	for _, k := range b.cache.lru.Keys() {
		if k.store == b {
			b.cache.lru.Remove(k)
		}
	}
}

// off tells whether nothing is remembered.
func (b *Backend) off() bool { return b.cache.off() || b.left.Load() }

// join makes a Backend that is one of w. c.mu is held.
func (c *Cache) join(next backends.Backend, w *ways) *Backend {
	b := &Backend{
		cache: c,
		next:  next,
		ways:  w,
		fills: make(map[*fill]struct{}),
		looks: make(map[*look]struct{}),
	}
	w.members[b] = struct{}{}
	return b
}
