// Package readthrough is a decorator over [backends.Backend] for a store that takes the place
// of another one: what is not in the store yet (the front) is found in the one that it
// replaces (behind), below the prefixes that have a [Route]. All writes go to the front; what
// is deleted or renamed there does not come back from behind, by tombstones below the reserved
// prefix at the front's root. It remembers nothing of what the two have said: both stand behind
// the metadata cache.
//
// Its central type is [Routes], one for each front; [Routes.Over] decorates a way to it.
package readthrough

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"causeway/backends"
)

// Route says what is behind the keys that begin with a prefix.
type Route struct {
	Prefix string           // "" or ends in "/"
	Behind backends.Backend // required
	Path   string           // what keys in Behind have in the place of Prefix; "" or ends in "/"
	Until  time.Time        // when the route ends by itself; zero is never

	// Tree says that each directory of Behind has its marker while it is there, as on a file
	// system. Elsewhere a listing has to look into each directory that is only behind.
	Tree bool

	CopyOnRead bool // what is read from its beginning is stored in the front on its way
	Mirror     bool // what is changed in the front is changed in Behind as well, later
}

// Event is what happens on a route and no client is told.
type Event string

// The events.
const (
	Unreachable Event = "unreachable" // Behind has not answered a question about a key
	Read        Event = "read"        // a reader was given what is behind a key
	Copied      Event = "copied"      // a key was stored in the front on its way to a reader
	NotCopied   Event = "not_copied"  // it could not be; the reader has got it all the same

	Mirrored    Event = "mirrored"     // a key was made the same behind
	NotMirrored Event = "not_mirrored" // it could not be; that stays queued
)

// Observer is told of events, with the context of the call in which they happened. It is called
// from many goroutines and must not wait. The error is nil for Read, Copied and Mirrored.
type Observer func(ctx context.Context, route Route, event Event, key string, err error)

// Options are what all routes of a front share.
type Options struct {
	ContentType func(key string) string // of what is copied; nil for none
	Observer    Observer                // nil for none
	Now         func() time.Time        // nil for time.Now
}

// Routes are those of one front. All methods may be called from any goroutine.
type Routes struct {
	own  backends.Backend // the gateway's way to the front
	o    Options
	now  func() time.Time
	all  atomic.Pointer[table]
	keys keyLocks
	kept leftovers

	queue  *queue // of Mirror routes
	spared int    // tombstones of a directory that are never removed

	mu      sync.Mutex
	copying map[string]bool // keys that are being copied on their way to a reader
	cleaned string          // the last tombstone that Clean looked at; "" if that was all of them
}

// NewRoutes makes the routes of a front, of which there are none yet. Tombstones and copies are
// written by own, the gateway's own way to it.
func NewRoutes(own backends.Backend, o Options) *Routes {
	r := &Routes{own: own, o: o, now: o.Now, copying: make(map[string]bool), spared: spared}
	if r.now == nil {
		r.now = time.Now
	}
	r.queue = newQueue(own, r.now)
	r.Replace(nil)
	return r
}

// Replace takes over the routes that there are from now on, in the place of those before. Of
// two with one prefix the last counts.
func (r *Routes) Replace(routes []Route) {
	r.all.Store(newTable(routes))
	r.queue.signal()
}

// Over decorates a way to the front. Those over one way are equal.
func (r *Routes) Over(front backends.Backend) Backend { return Backend{front, r} }

// Backend is a way to a front with what is behind it. It is a [backends.Backend],
// [backends.Copier], [backends.Mover], [backends.TreeMover], [backends.Parker],
// [backends.Sweeper], [backends.Peeker], [backends.Finder], [backends.Spacer] and
// [backends.Summer]. All its methods may be called from any goroutine.
type Backend struct {
	front  backends.Backend
	routes *Routes
}

// Front is what it decorates.
func (b Backend) Front() backends.Backend { return b.front }
