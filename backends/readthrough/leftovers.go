package readthrough

import (
	"slices"
	"sync"

	"causeway/backends"
)

const (
	// maxKept is how many listings have what is left over of their pages kept.
	maxKept = 32
	// minLimit is the least limit of a listing that is kept: who asks for a few entries seldom
	// comes back.
	minLimit = 16
	// maxLeft is how many entries of one are: of a page of each of the three listings.
	maxLeft = 4 * pageSize
)

// place is where a listing stands.
type place struct {
	front backends.Backend
	query backends.Query // with the token
}

// leftovers are what listings have fetched and not told yet, for those who go on with them soon.
// Nobody gets what is older than his own: two that come to one place leave the later's. The zero
// value is ready.
type leftovers struct {
	mu    sync.Mutex
	kept  map[place]*walker
	order []place // oldest first
}

// put keeps w for who goes on at p.
func (l *leftovers) put(p place, w *walker) {
	if p.query.Limit > 0 && p.query.Limit < minLimit || w.left() > maxLeft {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept == nil {
		l.kept = make(map[place]*walker)
	}
	if l.kept[p] == nil {
		l.order = append(l.order, p)
	}
	l.kept[p] = w
	if len(l.order) > maxKept {
		delete(l.kept, l.order[0])
		l.order = l.order[1:]
	}
}

// take is what is kept for p, nil if there is nothing. It is the caller's alone.
func (l *leftovers) take(p place) *walker {
	if p.query.Token == "" {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.kept[p]
	if w != nil {
		delete(l.kept, p)
		l.order = slices.DeleteFunc(l.order, func(o place) bool { return o == p })
	}
	return w
}

// left is how many entries w has fetched and not told.
func (w *walker) left() int {
	n := 0
	for _, f := range w.frames {
		for _, s := range f.sources() {
			n += len(s.page.Objects) + len(s.page.Prefixes)
		}
	}
	return n
}
