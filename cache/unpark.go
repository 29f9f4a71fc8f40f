package cache

import (
	"context"
	"errors"
	"slices"
	"time"

	"causeway/backends"
)

// Discard passes through, and the memory learns of it.
func (b *Backend) Discard(ctx context.Context, p backends.Parked) error {
	err := backends.Discard(ctx, b.next, p)
	switch {
	case b.cache.off() || errors.Is(err, backends.ErrBusy) || errors.Is(err, errors.ErrUnsupported):
	case err == nil:
		b.unpark(p.Key, p.ID)
	default:
		b.repark(p.Key)
	}
	return err
}

// Sweep passes through. What it removes was never in memory.
func (b *Backend) Sweep(ctx context.Context, before time.Time) (int, error) {
	return backends.Sweep(ctx, b.next, before)
}

// unpark tells the memory that an upload of key is not parked any more.
func (b *Backend) unpark(key, gone string) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	for way := range b.ways.members {
		if way != b {
			way.unsure(key)
		}
	}
	b.overtakeLooks(key)
	b.changeParked(func(p *parked) {
		p.uploads = slices.DeleteFunc(slices.Clone(p.uploads), func(p backends.Parked) bool { return p.ID == gone })
	})
}

// repark tells the memory that it does not know what is parked of key: something may have
// been added, whose ID nobody but the store can tell.
func (b *Backend) repark(key string) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	for way := range b.ways.members {
		way.unsure(key)
	}
}

// unsure marks what is parked of key as not known. The lock is held.
func (b *Backend) unsure(key string) {
	b.overtakeLooks(key)
	b.changeParked(func(p *parked) { p.changed[key] = struct{}{} })
}

// committed tells the memory that an upload of key has ended so. If well, that may have
// ended what was parked of it (Azure); if not, it may have all the same.
func (b *Backend) committed(key string, err error) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	for way := range b.ways.members {
		way.learnCommit(key, err)
	}
}

// learnCommit is committed for one way. The lock is held.
func (b *Backend) learnCommit(key string, err error) {
	b.overtakeLooks(key)
	if p := b.cache.parked(b); p == nil || err == nil && !slices.ContainsFunc(p.uploads, func(p backends.Parked) bool { return p.Key == key }) {
		return
	}
	b.changeParked(func(p *parked) { p.changed[key] = struct{}{} })
}

// overtakeLooks marks the requests under way that a change of what is parked of key
// overlaps. The lock is held.
func (b *Backend) overtakeLooks(key string) {
	for l := range b.looks {
		if len(l.changed) <= maxChanged {
			l.changed[key] = struct{}{}
		}
		b.flights.Forget(parkedFlight)
	}
}

// changeParked edits what is known of all that is parked, if that is something. edit
// replaces p.uploads, which others are reading. The lock is held.
func (b *Backend) changeParked(edit func(p *parked)) {
	before := b.cache.parked(b)
	if before == nil || before.partial {
		return
	}
	b.cache.lru.Remove(id{b, ofParked, ""})
	after := *before
	edit(&after)
	b.keepParked(&after)
}

// parked returns what is known of the uploads parked in a store and has not expired, or
// nil. c.mu is held.
func (c *Cache) parked(b *Backend) *parked {
	e, ok := c.lru.Get(id{b, ofParked, ""})
	if !ok {
		return nil
	}
	if p := e.(*parked); c.now().Before(p.asked.Add(parkedTTL)) {
		return p
	}
	return nil
}

// filter returns those of uploads that fit, in a slice of their own.
func filter(uploads []backends.Parked, fits func(backends.Parked) bool) []backends.Parked {
	var some []backends.Parked
	for _, upload := range uploads {
		if fits(upload) {
			some = append(some, upload)
		}
	}
	return some
}
