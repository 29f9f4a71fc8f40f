package quota

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"causeway/backends"
)

// count is a listing of a tree that is under way, while others go on writing. A change of a
// key that it has passed is added to the sum. A key that is changed ahead of it is looked at
// by itself, once the listing gets there and nobody is changing it: whether a page has the
// old or the new is not known. The ledger's lock guards it; nil is none.
type count struct {
	at      string // the keys up to here are in the sum, but for those aside
	all     bool   // there are no others
	sum     Amount
	touched map[string]bool // keys ahead that have been changed
	aside   map[string]bool // keys passed that are still to be looked at
	broken  bool
}

// maxTouched bounds what a count remembers. Beyond it the tree is too busy to be counted.
const maxTouched = 100_000

func (c *count) passed(key string) bool { return c.all || key <= c.at }

// touch notes that a key is being changed.
func (c *count) touch(key string) {
	if c == nil || c.passed(key) {
		return
	}
	c.touched[key] = true
	if len(c.touched) > maxTouched {
		c.broken = true
	}
}

// changed notes what has become of the change of a key.
func (c *count) changed(key string, change Amount) {
	if c != nil && c.passed(key) && !c.aside[key] {
		c.sum = c.sum.plus(change)
	}
}

// breakOff gives the count up.
func (c *count) breakOff() {
	if c != nil {
		c.broken = true
	}
}

// pass adds a page and returns the keys that are to be looked at.
func (c *count) pass(page backends.Page) ([]string, error) {
	if n := len(page.Objects); n > 0 {
		last := page.Objects[n-1].Key
		if last <= c.at {
			return nil, errListing
		}
		c.at = last
	}
	c.all = page.Next == ""
	for _, o := range page.Objects {
		if counts(o.Key) && !c.touched[o.Key] {
			c.sum = c.sum.plus(Amount{o.Size, 1})
		}
	}
	var keys []string
	for key := range c.touched {
		if c.passed(key) {
			delete(c.touched, key)
			c.aside[key] = true
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

var (
	errListing = errors.New("the listing does not advance")
	errBusy    = errors.New("too much changes in the directory to count it")
)

// countTree counts one tree and puts that in the place of what the ledger had.
func (l *Ledger) countTree(ctx context.Context, t *tree) error {
	l.mu.Lock()
	c := &count{touched: make(map[string]bool), aside: make(map[string]bool)}
	t.count = c
	for key := range l.claims.keys {
		if slices.Contains(l.around(key), t) {
			c.touch(key)
		}
	}
	for dir := range l.claims.dirs {
		if slices.Contains(l.around(dir), t) {
			c.breakOff()
		}
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		t.count = nil
		l.mu.Unlock()
	}()
	err := l.countParked(ctx, t)
	if err != nil {
		return err
	}
	q := backends.Query{Prefix: t.prefix, Fresh: true}
	for first := true; first || q.Token != ""; first = false {
		if q.Token, err = l.countPage(ctx, t, q); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.broken {
		return errBusy
	}
	l.tell(t, c.sum)
	t.objects = c.sum
	return nil
}

// countPage counts a page and what changes on it, and returns the token of the next.
func (l *Ledger) countPage(ctx context.Context, t *tree, q backends.Query) (next string, err error) {
	page, err := l.store.List(ctx, q)
	if err != nil {
		return "", err
	}
	if page.Next != "" && page.Next == q.Token {
		return "", errListing
	}
	l.mu.Lock()
	keys, err := t.count.pass(page)
	if err == nil && t.count.broken {
		err = errBusy
	}
	l.mu.Unlock()
	if err != nil {
		return "", err
	}
	for _, key := range keys {
		if err := l.look(ctx, t, key); err != nil {
			return "", err
		}
	}
	return page.Next, nil
}

// look adds one key that was set aside.
func (l *Ledger) look(ctx context.Context, t *tree, key string) error {
	release, err := l.claim(ctx, "stat", []string{key}, nil)
	if err != nil {
		return err
	}
	defer release()
	is, err := l.Backend(l.store).amount(ctx, key)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(t.count.aside, key)
	t.count.sum = t.count.sum.plus(is)
	return nil
}

// parkedTries is how often what is parked is counted while it changes.
const parkedTries = 3

// countParked counts what is parked. If that changes all the time, the ledger stays as it is.
func (l *Ledger) countParked(ctx context.Context, t *tree) error {
	for range parkedTries {
		l.mu.Lock()
		before := t.parkings
		l.mu.Unlock()
		var sum Amount
		for p, err := range backends.ParkedUploads(ctx, l.store, backends.ParkedQuery{Prefix: t.prefix, Fresh: true}) {
			if err != nil {
				return err
			}
			sum = sum.plus(amountOf(p))
		}
		if l.parkedWas(t, sum, before) {
			return nil
		}
	}
	return nil
}

// parkedWas takes over what was parked, unless more has happened to it than before, or is
// happening: a listing may have that already, and settlePark would count it again.
func (l *Ledger) parkedWas(t *tree, sum Amount, before uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.parkings != before || t.parking != 0 {
		return false
	}
	t.parked = sum
	return true
}

// tell logs what a count has found, if it is news. l.mu is held.
func (l *Ledger) tell(t *tree, found Amount) {
	select {
	case <-t.ready:
		if found != t.objects {
			l.log.Info("a quota was counted anew, and others have changed what is there", "prefix", t.prefix,
				"bytes", found.Bytes, "files", found.Files, "was", fmt.Sprintf("%d bytes, %d files", t.objects.Bytes, t.objects.Files))
		}
	default:
		l.log.Info("a quota was counted", "prefix", t.prefix, "bytes", found.Bytes, "files", found.Files)
	}
}
