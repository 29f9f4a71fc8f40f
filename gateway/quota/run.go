package quota

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"causeway/backends"
)

// counters is how many trees of a bucket are counted at a time.
const counters = 4

// Run counts each tree soon after it was limited, then every so often, until ctx ends.
func (l *Ledger) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	free := make(chan struct{}, counters)
	for {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return
		}
		t := l.await(ctx)
		if t == nil {
			return
		}
		all.Go(func() {
			defer func() { <-free }()
			l.done(ctx, t, l.countTree(ctx, t))
		})
	}
}

// await returns the tree that is to be counted next, when it is; nil when ctx has ended.
func (l *Ledger) await(ctx context.Context) *tree {
	for {
		t, rest := l.next()
		if t != nil {
			return t
		}
		timer := time.NewTimer(rest)
		select {
		case <-timer.C:
		case <-l.wake:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

// next takes the tree that somebody waits for, or else is due; nil, and for how long, if none
// is.
func (l *Ledger) next() (*tree, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first *tree
	rest := l.period
	for _, t := range l.trees {
		until := time.Until(t.due)
		switch {
		case t.counting, t.free():
		case until > 0:
			rest = min(rest, until)
		case first == nil, t.wanted && !first.wanted, t.wanted == first.wanted && t.due.Before(first.due):
			first = t
		}
	}
	if first != nil {
		first.counting = true
	}
	return first, rest
}

// retry is after how long a count is tried again that has failed.
const retry = time.Minute

// done notes how a count has ended.
func (l *Ledger) done(ctx context.Context, t *tree, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t.counting = false
	if err != nil {
		t.due = time.Now().Add(min(retry, l.period))
		if ctx.Err() == nil && !t.failing {
			t.failing = true
			l.log.Warn("a quota could not be counted; it is tried again every minute", "prefix", t.prefix, "err", err)
		}
		l.signal()
		return
	}
	t.failing, t.wanted = false, false
	t.due = time.Now().Add(l.period - l.period/8 + rand.N(l.period/4)) //nolint:gosec // gateways shall not list all at once; nobody gains by knowing when
	select {
	case <-t.ready:
	default:
		close(t.ready)
	}
	l.signal()
}

// signal tells Run to look what is due.
func (l *Ledger) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// counted waits until the trees that have a limit have been counted once.
func (l *Ledger) counted(ctx context.Context, key string, trees []*tree) error {
	patience := time.NewTimer(l.patience)
	defer patience.Stop()
	for _, t := range trees {
		select {
		case <-t.ready:
			continue
		default:
		}
		l.mu.Lock()
		free := t.free()
		t.wanted = !free
		l.signal()
		l.mu.Unlock()
		if free {
			continue
		}
		var err error
		select {
		case <-t.ready:
			continue
		case <-patience.C:
			err = errUncounted
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		return &backends.Error{Op: "create", Key: key, Kind: backends.ErrUnavailable, Err: err}
	}
	return nil
}

var errUncounted = errors.New("the quota has not been counted yet")
