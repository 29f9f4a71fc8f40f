package cache

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"causeway/backends"
)

// parkedTTL is how long what the store has said of its parked uploads is believed. Only
// other processes can change it unseen, and who means to resume an upload asks the store.
const parkedTTL = 30 * time.Second

// maxChanged bounds how many keys may be in doubt before all is.
const maxChanged = 1000

// parked is what is known of the uploads parked in a store: its first page of all of them,
// kept up with what this process has done since.
type parked struct {
	uploads []backends.Parked
	partial bool                // there are more, so that nothing can be told
	changed map[string]struct{} // keys of which something may have been parked since, or ended
	asked   time.Time
}

// look is a request for parked uploads under way.
type look struct {
	asked   time.Time
	shared  bool                // others may join it
	changed map[string]struct{} // meanwhile
}

// unlisted is the token of a page that nobody could read.
const unlisted = "unlisted"

// parkedFlight names the request for all that is parked. Other flights have a blank.
const parkedFlight = "parked"

// Parked answers from what the store has said of all that is parked, if that fitted on one
// page. Otherwise, and for later pages, it asks.
func (b *Backend) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	next, ok := b.next.(backends.Parker)
	if !ok {
		return backends.ParkedPage{}, &backends.Error{Op: "park", Key: q.Prefix, Kind: errors.ErrUnsupported}
	}
	if b.off() || q.Token != "" {
		return next.Parked(ctx, q)
	}
	if ctx.Err() != nil {
		return backends.ParkedPage{}, ended(ctx, "park", q.Prefix)
	}
	if q.Fresh {
		return b.look(ctx, next, q)
	}
	p := b.knownParked(q)
	if p == nil {
		all, ok, err := join(ctx, b, parkedFlight, func(ctx context.Context) (backends.ParkedPage, error) {
			return b.look(ctx, next, backends.ParkedQuery{})
		})
		if !ok {
			err = ended(ctx, "park", q.Prefix)
		}
		if err != nil {
			return backends.ParkedPage{}, err
		}
		p = &parked{uploads: all.Uploads, partial: all.Next != ""}
	}
	if p.partial {
		return next.Parked(ctx, q)
	}
	return backends.ParkedPage{Uploads: p.matching(q)}, nil
}

// knownParked is what is known that answers q, nil if the store must be asked. It is not
// changed any more.
func (b *Backend) knownParked(q backends.ParkedQuery) *parked {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	p := b.cache.parked(b)
	if p == nil {
		return nil
	}
	for key := range p.changed {
		if q.Matches(key) {
			return nil
		}
	}
	return p
}

// matching are the uploads that q asks for.
func (p *parked) matching(q backends.ParkedQuery) []backends.Parked {
	return filter(p.uploads, func(p backends.Parked) bool { return q.Matches(p.Key) })
}

// look asks the store, and keeps what it says.
func (b *Backend) look(ctx context.Context, next backends.Parker, q backends.ParkedQuery) (backends.ParkedPage, error) {
	l := b.beginLook(q)
	page, err := next.Parked(ctx, q)
	if errors.Is(err, fs.ErrPermission) && !q.Fresh {
		// Credentials that may not see all may see what they need: from here on each
		// question goes to the store.
		page, err = backends.ParkedPage{Next: unlisted}, nil
	}
	b.endLook(l, func() {
		if err == nil {
			b.learnParked(l, q, page)
		}
	})
	return page, err
}

func (b *Backend) beginLook(q backends.ParkedQuery) *look {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	l := &look{asked: b.cache.now(), shared: !q.Fresh, changed: make(map[string]struct{})}
	b.looks[l] = struct{}{}
	return l
}

func (b *Backend) endLook(l *look, keep func()) {
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	delete(b.looks, l)
	if l.shared {
		// From here on a change no longer finds the look, so nobody may join it either.
		b.flights.Forget(parkedFlight)
	}
	keep()
}

// learnParked keeps the answer to a look, unless that to a later one is kept already. The
// lock is held.
func (b *Backend) learnParked(l *look, q backends.ParkedQuery, page backends.ParkedPage) {
	before := b.cache.parked(b)
	switch {
	case before != nil && before.asked.After(l.asked):
	case q.Prefix == "" && !q.Direct:
		b.keepParked(&parked{uploads: page.Uploads, partial: page.Next != "", changed: l.changed, asked: l.asked})
	case page.Next == "":
		b.changeParked(func(p *parked) {
			others := func(p backends.Parked) bool { return !q.Matches(p.Key) }
			p.uploads = slices.Concat(page.Uploads, filter(p.uploads, others))
			maps.DeleteFunc(p.changed, func(key string, _ struct{}) bool {
				_, again := l.changed[key]
				return q.Matches(key) && !again
			})
		})
	}
}

// keepParked replaces what is known, or forgets it if that is too much to keep. The lock
// is held.
func (b *Backend) keepParked(p *parked) {
	b.cache.lru.Remove(id{b, ofParked, ""})
	if len(p.changed) > maxChanged {
		return
	}
	if p.partial || p.size() > b.cache.bytes/4 {
		p.uploads, p.changed, p.partial = nil, nil, true
	}
	b.cache.put(id{b, ofParked, ""}, p)
}
