package quota

import (
	"errors"
	"math"
	"slices"
	"time"
)

// errFull is why something was refused.
var errFull = errors.New("the quota of the directory is used up")

// tree is the state of one. The ledger's lock guards it.
type tree struct {
	prefix string
	limit  Limit

	objects Amount // that are stored
	parked  Amount // uploads
	held    Amount // for what is on its way

	ready    chan struct{} // closed when it has been counted once
	wanted   bool          // somebody waits for that
	counting bool
	failing  bool      // the last count has failed, and the log says so
	due      time.Time // of the next count
	count    *count    // that is under way
	parkings uint64    // changes of what is parked, begun and ended
	parking  int       // of these, how many are under way
}

// free tells whether the tree has no limit any more.
func (t *tree) free() bool { return t.limit == Limit{} }

// total is all that counts against the limit.
func (t *tree) total() Amount { return t.objects.plus(t.parked).plus(t.held) }

// fits tells whether more can be held. over is by how much the limit may be exceeded, since
// as much is going to be given back. What takes nothing always fits.
func (t *tree) fits(more, over Amount) bool {
	total := t.total()
	return fits(more.Bytes, over.Bytes, total.Bytes, t.limit.Bytes) && fits(more.Files, over.Files, total.Files, t.limit.Files)
}

func fits(more, over, total, limit int64) bool {
	if more <= 0 || limit == 0 {
		return true
	}
	room := limit - total
	if room > math.MaxInt64-over {
		return true
	}
	return more <= room+over
}

// hold holds more in all trees, or in none. over is as of tree.fits.
func (l *Ledger) hold(trees []*tree, more, over Amount) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(trees, func(t *tree) bool { return !t.fits(more, over) }) {
		return false
	}
	l.add(trees, Amount{}, Amount{}, more)
	return true
}

// add changes what the trees hold. l.mu is held.
func (l *Ledger) add(trees []*tree, objects, parked, held Amount) {
	for _, t := range trees {
		t.objects, t.parked, t.held = t.objects.plus(objects), t.parked.plus(parked), t.held.plus(held)
	}
}

// release gives back what was held.
func (l *Ledger) release(trees []*tree, held Amount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(trees, Amount{}, Amount{}, Amount{}.minus(held))
}

// settle turns what was held into what has become of the object of key. The key is claimed.
func (l *Ledger) settle(trees []*tree, key string, change, held Amount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(trees, change, Amount{}, Amount{}.minus(held))
	for _, t := range trees {
		t.count.changed(key, change)
	}
}

// settlePark ends what parking began: it turns what was held into what has become of what is
// parked.
func (l *Ledger) settlePark(trees []*tree, change, held Amount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(trees, Amount{}, change, Amount{}.minus(held))
	for _, t := range trees {
		t.parkings++
		t.parking--
	}
}

// parking notes that what is parked is about to change, until settlePark.
func (l *Ledger) parking(trees []*tree) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range trees {
		t.parkings++
		t.parking++
	}
}

// settling is after how long a tree is counted of which something is not known: a store that
// has not answered may still be at work.
const settling = time.Minute

// doubt has the trees counted soon: the store has not said what has become of something.
func (l *Ledger) doubt(trees []*tree) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range trees {
		if soon := time.Now().Add(settling); t.due.After(soon) {
			t.due = soon
		}
	}
	l.signal()
}
