package ftp

import (
	"sync"
	"time"
)

const (
	// smallBuffer is what a transfer begins with and a slow one has, in octets: a thousand of
	// them hold 20 MiB. A TLS record does not fill it, so an upload under TLS, which is read
	// record by record, never outgrows it.
	smallBuffer = 20 << 10
	// largeBuffer is what a fast transfer has. Twice as much saves no time that can be measured.
	largeBuffer = 128 << 10
	// recordRoom is what largeBuffer may grow by as TLS records: at most 256 octets each with
	// any cipher that crypto/tls has.
	recordRoom = largeBuffer / maxRecord * 256
	// maxRecord is the most that a TLS record carries (RFC 8446 §5.1).
	maxRecord = 16 << 10

	// fastPasses is how often in a row a buffer was filled, each time within fastPass, when a
	// transfer is fast: more than a burst. One pass of more than slowPass shows that it is not.
	fastPasses = 8
	fastPass   = 10 * time.Millisecond
	slowPass   = 200 * time.Millisecond
)

// buffer is memory of one of two sizes.
type buffer struct{ octets []byte }

// buffers are those that no transfer uses. Its methods may be called from any goroutine.
type buffers struct{ small, large sync.Pool }

func newBuffers() *buffers {
	return &buffers{
		small: sync.Pool{New: func() any { return &buffer{make([]byte, smallBuffer)} }},
		large: sync.Pool{New: func() any { return &buffer{make([]byte, largeBuffer+recordRoom)} }},
	}
}

// take lends a buffer of size smallBuffer, or of largeBuffer and recordRoom for any other.
func (b *buffers) take(size int) *buffer {
	pool := &b.large
	if size == smallBuffer {
		pool = &b.small
	}
	lent, _ := pool.Get().(*buffer) // it holds nothing else
	return lent
}

// give takes a buffer back; nil is none.
func (b *buffers) give(lent *buffer) {
	switch {
	case lent == nil:
	case len(lent.octets) == smallBuffer:
		b.small.Put(lent)
	default:
		b.large.Put(lent)
	}
}

// lease is the buffer of a transfer, which is as large as the transfer is fast. One
// goroutine uses it.
type lease struct {
	from *buffers
	held *buffer
	fast int // passes in a row
}

func (b *buffers) lease() lease { return lease{from: b, held: b.take(smallBuffer)} }

// octets is the buffer for the next pass.
func (l *lease) octets() []byte { return l.held.octets[:min(len(l.held.octets), largeBuffer)] }

// passed tells how many octets of the buffer were filled, and how long it took until they
// had been handed on.
func (l *lease) passed(n int, took time.Duration) {
	small := len(l.held.octets) == smallBuffer
	switch {
	case small && n == smallBuffer && took < fastPass:
		if l.fast++; l.fast == fastPasses {
			l.swap(largeBuffer)
		}
	case small:
		l.fast = 0
	case took > slowPass:
		l.swap(smallBuffer)
	}
}

func (l *lease) swap(size int) {
	l.end()
	l.held, l.fast = l.from.take(size), 0
}

// end gives the buffer back.
func (l *lease) end() { l.from.give(l.held) }
