// Package cache keeps in memory, for seconds, what stores have said of their objects and
// directories, so that the SIZE, MDTM, CWD and RETR that follow a LIST cost no request.
// It is a decorator over [backends.Backend]; it never keeps contents and is never needed
// for correctness.
//
// What is written through it is seen through it at once. What others write behind its
// back is seen when its TTL has passed, and what others park in half a minute. Refusals
// and failures are never kept.
//
// Its central type is [Cache], one budget of memory for all stores of the process;
// [Cache.Backend] decorates one store.
package cache

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"causeway/backends"
)

// Options bound a Cache.
type Options struct {
	TTL     time.Duration    // how long an answer is believed, from the moment of asking; 0 turns the cache off
	Entries int              // most entries, an object or a directory each; 0 for 100,000
	Bytes   int64            // most octets of memory, by the estimate of [object.size] and [directory.size], a sixteenth for one directory; 0 for 64 MiB
	Now     func() time.Time // nil for time.Now
}

// The defaults of Options.
const (
	defaultEntries = 100_000
	defaultBytes   = 64 << 20
)

// Cache is the memory shared by the decorators of all stores. All methods may be called
// from any goroutine.
type Cache struct {
	ttl   time.Duration
	bytes int64
	now   func() time.Time

	hits, misses atomic.Uint64

	// mu guards everything below, and the fills and writes under way of each Backend. It
	// is never held during a request.
	mu   sync.Mutex
	lru  *simplelru.LRU[id, entry]
	used int64 // sum of the sizes of the entries in lru
}

// id names an entry.
type id struct {
	store *Backend
	kind  kind
	key   string // of an object, or the prefix of a directory
}

type kind uint8

const (
	ofObject kind = iota
	ofDirectory
	ofParked // one for the store, of key ""
)

// entry is an *object, a *directory or a *parked. Its size changes only while it is outside the LRU.
type entry interface {
	size() int64
}

// object is what is known of one key.
type object struct {
	backends.Object
	found   bool // whether there is an object
	expires time.Time
}

// New makes an empty Cache.
func New(o Options) *Cache {
	if o.Entries <= 0 {
		o.Entries = defaultEntries
	}
	if o.Bytes <= 0 {
		o.Bytes = defaultBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Cache{ttl: o.TTL, bytes: o.Bytes, now: o.Now}
	lru, err := simplelru.NewLRU(o.Entries, func(_ id, e entry) { c.used -= e.size() })
	if err != nil {
		panic(err) // only for a size below 1
	}
	c.lru = lru
	return c
}

// Backend decorates next. Objects, pages and their maps and slices that it returns are
// shared with later callers, who must not change them.
func (c *Cache) Backend(next backends.Backend) *Backend {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.join(next, &ways{members: make(map[*Backend]struct{}), writes: make(map[*write]struct{})})
}

// Stats are counts since the start, and what is kept now.
type Stats struct {
	Hits    uint64 // Stat and List that were answered from memory
	Misses  uint64 // those that asked the store, or joined a request under way
	Entries int
	Bytes   int64 // octets of memory, by estimate
}

// Stats tells how much the cache is of use.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{Hits: c.hits.Load(), Misses: c.misses.Load(), Entries: c.lru.Len(), Bytes: c.used}
}

func (c *Cache) off() bool { return c.ttl <= 0 }

// put keeps e, and lets go of what has not been used for longest to make room. c.mu is held.
func (c *Cache) put(k id, e entry) {
	c.lru.Remove(k)
	c.used += e.size()
	c.lru.Add(k, e)
	for c.used > c.bytes {
		c.lru.RemoveOldest()
	}
}

// object returns what is known of a key and has not expired, or nil. c.mu is held.
func (c *Cache) object(b *Backend, key string) *object {
	e, ok := c.lru.Get(id{b, ofObject, key})
	if !ok {
		return nil
	}
	if o := e.(*object); c.now().Before(o.expires) {
		return o
	}
	return nil
}

// directory returns what is known of a prefix, or nil. c.mu is held.
func (c *Cache) directory(b *Backend, prefix string) *directory {
	e, ok := c.lru.Get(id{b, ofDirectory, prefix})
	if !ok {
		return nil
	}
	return e.(*directory)
}

// change applies edit to what is known of a prefix, which may be nothing yet. c.mu is held.
func (c *Cache) change(b *Backend, prefix string, edit func(*directory)) {
	k := id{b, ofDirectory, prefix}
	d := c.directory(b, prefix)
	c.lru.Remove(k)
	if d == nil {
		d = &directory{prefix: prefix}
	}
	edit(d)
	c.put(k, d)
}
