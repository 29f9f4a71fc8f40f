package multipart

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// ledger shares a number of octets (of memory, of disk) among parts. A growing part takes
// them bit by bit and can give none back before it is full and sent, so handing out
// whatever is free would end in parts that all wait for each other. The rule that
// prevents it:
//
//	A part is given octets only while all that growing parts do not hold
//	would be enough for the rest of it.
//
// So the part served last can always be finished, with it all the octets it holds come
// back, and by induction every other one can. What is in flight counts as not held: a
// request ends by itself. Parts that hold nothing are served in the order they came, and
// are overtaken only by parts that already hold something, of which there are finitely many.
//
// What is lent (see lend) may be gone for long, and is taken off the capacity. It is lent
// only while the largest part would still fit beside it and all that is used, so every
// growing part can be finished without it.
type ledger struct {
	capacity int64

	mu      sync.Mutex
	used    int64     // octets held by parts
	growing int64     // of these, held by parts that are not full yet
	lent    int64     // octets lent, not among those used
	waiting list.List // of *account, first come first
}

// account is what one part has of a ledger. Its fields belong to the ledger.
type account struct {
	want   int64 // octets of the whole part, set by its owner before anything is taken
	held   int64
	sealed bool // needs no more
	closed bool // has given everything back

	asks  int64         // octets waited for
	ready chan struct{} // closed when they were given, or when the account was closed
	place *list.Element // in ledger.waiting, nil when not waiting
}

// take gives a up to n octets more, waiting until they can be had. It gives fewer than n
// only at the end of the part, and none if a has been closed meanwhile. One goroutine
// takes for an account at a time. While it waits, it calls relieve every so often.
func (l *ledger) take(ctx context.Context, a *account, n int64, relieve func()) (int64, error) {
	got, ready := l.ask(a, n)
	if ready == nil {
		return got, nil
	}
	tick := time.NewTicker(patience)
	defer tick.Stop()
	for {
		select {
		case <-ready:
			return l.given(a), nil
		case <-tick.C:
			relieve()
		case <-ctx.Done():
			l.leave(a)
			return 0, context.Cause(ctx)
		}
	}
}

// ask gives octets at once, or queues a and returns the channel to wait for.
func (l *ledger) ask(a *account, n int64) (int64, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.closed {
		return 0, nil
	}
	n = min(n, a.want-a.held)
	if (a.held > 0 || l.waiting.Len() == 0) && l.can(a, n) {
		l.give(a, n)
		return n, nil
	}
	a.asks, a.ready = n, make(chan struct{})
	a.place = l.waiting.PushBack(a)
	return 0, a.ready
}

// try gives a n octets now, or reports that they cannot be had.
func (l *ledger) try(a *account, n int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting.Len() > 0 || !l.can(a, n) {
		return false
	}
	l.give(a, n)
	return true
}

// given says what a's wait has ended with.
func (l *ledger) given(a *account) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.closed {
		return 0
	}
	return a.asks
}

// leave takes a out of the queue. Octets given in the same moment stay a's until it is
// closed.
func (l *ledger) leave(a *account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.place != nil {
		l.waiting.Remove(a.place)
		a.place = nil
		l.serve()
	}
}

// seal says that a needs no more: what it holds will come back by itself.
func (l *ledger) seal(a *account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !a.sealed {
		a.sealed = true
		l.growing -= a.held
		l.serve()
	}
}

// close gives back all that a holds and ends its wait. It may be called again.
func (l *ledger) close(a *account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !a.sealed {
		l.growing -= a.held
	}
	l.used -= a.held
	a.held, a.sealed, a.closed = 0, true, true
	if a.place != nil {
		l.waiting.Remove(a.place)
		a.place = nil
		close(a.ready)
	}
	l.serve()
}

// can is the rule of the type's comment. The caller holds mu.
func (l *ledger) can(a *account, n int64) bool {
	free := l.capacity - l.lent
	return a.want-a.held <= free-l.growing && n <= free-l.used
}

func (l *ledger) give(a *account, n int64) {
	a.held += n
	l.used += n
	l.growing += n
}

// serve gives to those who wait what can be given now. The caller holds mu.
func (l *ledger) serve() {
	passed := false // one who came earlier is still waiting
	for e := l.waiting.Front(); e != nil; {
		a, next := e.Value.(*account), e.Next()
		switch {
		case passed && a.held == 0: // never overtakes
		case l.can(a, a.asks):
			l.waiting.Remove(e)
			a.place = nil
			l.give(a, a.asks)
			close(a.ready)
		default:
			passed = true
		}
		e = next
	}
}

// lend gives n octets that no part needs, of a quarter of the capacity at most, or reports
// that there are none. No part may want more than another quarter.
func (l *ledger) lend(n int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	quarter := l.capacity / 4
	if l.waiting.Len() > 0 || l.lent+n > quarter || l.used+l.lent+n > l.capacity-quarter {
		return false
	}
	l.lent += n
	return true
}

// repay ends the loan of n octets.
func (l *ledger) repay(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lent -= n
	l.serve()
}

// crowded tells whether more than three quarters are in use.
func (l *ledger) crowded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used+l.lent > l.capacity/4*3
}

// scarce tells whether anyone waits.
func (l *ledger) scarce() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting.Len() > 0
}

// inUse is the number of octets held or lent.
func (l *ledger) inUse() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used + l.lent
}
