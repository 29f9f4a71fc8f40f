// Package quota bounds what all keys below a prefix of a bucket may be together, in bytes
// and in files. It is a decorator over [backends.Backend] that keeps a ledger: an upload
// holds what it is going to need before its octets go on, and what it has held becomes what
// is used when it is committed, so that no order of uploads, and no number of them at a time,
// gets past a limit. It knows no accounts and no FTP.
//
// What is there is counted from the store, at first and again and again, since others write
// to buckets too. On what this process does itself the ledger is exact between two counts;
// where the store has not said how a write has ended it counts the worse until the next.
//
// A directory marker is no file, and what is below the reserved name counts by what it is
// for: a parked upload counts as a file of the octets that are durable of it.
//
// Its central type is [Ledger].
package quota

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/backends"
)

// Limit is the most that a tree may hold, a tree being all keys with one prefix.
type Limit struct {
	Bytes, Files int64 // 0 is any number
}

// Amount is a number of bytes and of files, or by how much they change.
type Amount struct {
	Bytes, Files int64
}

func (a Amount) plus(b Amount) Amount  { return Amount{a.Bytes + b.Bytes, a.Files + b.Files} }
func (a Amount) minus(b Amount) Amount { return Amount{a.Bytes - b.Bytes, a.Files - b.Files} }

// positive is a with nothing below zero: what must be held of it.
func (a Amount) positive() Amount { return Amount{max(a.Bytes, 0), max(a.Files, 0)} }

// Usage is what a tree holds: what is stored, parked, and on its way.
type Usage struct {
	Prefix string
	Used   Amount
	Limit  Limit
}

// Left is how many bytes can be stored in one more file; math.MaxInt64 is any number.
func (u Usage) Left() int64 {
	switch {
	case u.Limit.Files > 0 && u.Used.Files >= u.Limit.Files:
		return 0
	case u.Limit.Bytes == 0:
		return math.MaxInt64
	}
	return max(u.Limit.Bytes-u.Used.Bytes, 0)
}

// Options bound a Ledger. Zero fields take the default.
type Options struct {
	Period   time.Duration // from one count of a tree to the next, roughly; an hour
	Patience time.Duration // how long an upload waits for the first count; 20 s
	Log      *slog.Logger  // required
}

// Ledger is what the trees of one bucket hold. All its methods may be called from any
// goroutine.
type Ledger struct {
	store    backends.Backend
	period   time.Duration
	patience time.Duration
	log      *slog.Logger
	wake     chan struct{} // tells Run that a count may be due

	mu     sync.Mutex
	trees  map[string]*tree // by prefix
	claims claims
}

// NewLedger makes the ledger of a bucket, which is counted by store. Nothing is counted
// but while [Ledger.Run] runs.
func NewLedger(store backends.Backend, o Options) *Ledger {
	return &Ledger{
		store:    store,
		period:   cmp.Or(o.Period, time.Hour),
		patience: cmp.Or(o.Patience, 20*time.Second),
		log:      o.Log,
		wake:     make(chan struct{}, 1),
		trees:    make(map[string]*tree),
		claims:   claims{keys: make(map[string]chan struct{}), dirs: make(map[string]chan struct{})},
	}
}

// Limit bounds the tree of a prefix, which is "" or ends in "/", from now on. What is on its
// way into it by then is counted when it is there.
func (l *Ledger) Limit(prefix string, limit Limit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit(prefix, limit)
}

// Replace is Limit for each of the trees, and sets all others free.
func (l *Ledger) Replace(limits map[string]Limit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for prefix, t := range l.trees {
		if _, stays := limits[prefix]; !stays {
			t.limit = Limit{} // what is on its way goes on being noted
		}
	}
	for prefix, limit := range limits {
		l.limit(prefix, limit)
	}
}

// limit is Limit. l.mu is held.
func (l *Ledger) limit(prefix string, limit Limit) {
	if t := l.trees[prefix]; t != nil {
		t.limit = limit
	} else {
		l.trees[prefix] = &tree{prefix: prefix, limit: limit, ready: make(chan struct{})}
	}
	l.signal()
}

// Usage tells of the trees that dir, "" or ending in "/", is in, the innermost first, but of
// none that reaches beyond the prefix within: that is not for its users to know. It waits for
// the first count as uploads do.
func (l *Ledger) Usage(ctx context.Context, dir, within string) ([]Usage, error) {
	l.mu.Lock()
	around := slices.DeleteFunc(l.around(dir), func(t *tree) bool { return t.free() || !strings.HasPrefix(t.prefix, within) })
	l.mu.Unlock()
	if err := l.counted(ctx, dir, around); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []Usage
	for _, t := range slices.Backward(around) {
		all = append(all, Usage{Prefix: t.prefix, Used: t.total(), Limit: t.limit})
	}
	return all, nil
}

// around are the trees that have the key or directory name in them, the outermost first.
// l.mu is held.
func (l *Ledger) around(name string) []*tree {
	var found []*tree
	if len(l.trees) == 0 {
		return nil
	}
	for end := 0; end >= 0; {
		if t := l.trees[name[:end]]; t != nil {
			found = append(found, t)
		}
		next := strings.IndexByte(name[end:], '/')
		if next < 0 {
			break
		}
		end += next + 1
	}
	return found
}

// of are the trees in which the object of a key counts.
func (l *Ledger) of(key string) []*tree {
	if !counts(key) {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.around(key)
}

// counts tells whether an object is a file of its tree: no marker, and not the gateway's own.
func counts(key string) bool {
	if strings.HasSuffix(key, "/") {
		return false
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == backends.Reserved {
			return false
		}
	}
	return true
}

// refusal is the error of what does not fit.
func refusal(op, key string) error {
	return &backends.Error{Op: op, Key: key, Kind: backends.ErrQuota, Err: errFull}
}
