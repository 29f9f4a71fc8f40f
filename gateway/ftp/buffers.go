package ftp

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// smallBuffer is what a transfer begins with and a slow one has, in octets: a thousand of
	// them hold 8 MiB, and most files of devices end within the passes that a fast one makes
	// with it.
	smallBuffer = 8 << 10
	// largeBuffer is what a fast transfer has. Twice as much saves no time that can be measured.
	largeBuffer = 128 << 10
	// mostLarge is how many large buffers are lent at a time. A burst makes slow transfers
	// look fast, and those that waited for the store all at once; a transfer that gets none
	// does with what it has.
	mostLarge = 64
	// recordRoom is what largeBuffer may grow by as TLS records: at most 256 octets each with
	// any cipher that crypto/tls has.
	recordRoom = largeBuffer / maxRecord * 256
	// maxRecord is the most that a TLS record carries (RFC 8446 §5.1).
	maxRecord = 16 << 10

	// fastPasses is how often in a row a buffer was filled, each time within fastPass, when a
	// transfer is fast: more than a burst. One pass of more than slowPass shows that it is not.
	fastPasses = 32
	fastPass   = 10 * time.Millisecond
	slowPass   = 200 * time.Millisecond
)

// buffer is memory of one of two sizes.
type buffer struct{ octets []byte }

// buffers are those that no transfer uses. Its methods may be called from any goroutine.
type buffers struct {
	small, large sync.Pool
	lent         atomic.Int32 // large ones
}

func newBuffers() *buffers {
	return &buffers{
		small: sync.Pool{New: func() any { return &buffer{make([]byte, smallBuffer)} }},
		large: sync.Pool{New: func() any { return &buffer{make([]byte, largeBuffer+recordRoom)} }},
	}
}

// takeSmall lends a buffer of smallBuffer.
func (b *buffers) takeSmall() *buffer {
	lent, _ := b.small.Get().(*buffer) // it holds nothing else
	return lent
}

// takeLarge lends a buffer of largeBuffer and recordRoom, or nil while there are enough.
func (b *buffers) takeLarge() *buffer {
	if b.lent.Add(1) > mostLarge {
		b.lent.Add(-1)
		return nil
	}
	lent, _ := b.large.Get().(*buffer) // it holds nothing else
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
		b.lent.Add(-1)
	}
}

// lease is the buffer of a transfer, which is as large as the transfer is fast. One
// goroutine uses it.
type lease struct {
	from *buffers
	held *buffer
	fast int // passes in a row
}

func (b *buffers) lease() lease { return lease{from: b, held: b.takeSmall()} }

// octets is the buffer for the next pass.
func (l *lease) octets() []byte { return l.held.octets[:min(len(l.held.octets), largeBuffer)] }

// passed tells how many octets of the buffer were filled, and how long it took until they
// had been handed on.
func (l *lease) passed(n int, took time.Duration) {
	small := len(l.held.octets) == smallBuffer
	switch {
	case small && n == smallBuffer && took < fastPass:
		if l.fast++; l.fast == fastPasses {
			l.swap(l.from.takeLarge())
		}
	case small:
		l.fast = 0
	case took > slowPass:
		l.swap(l.from.takeSmall())
	}
}

// swap goes on with another buffer, if there is one.
func (l *lease) swap(next *buffer) {
	l.fast = 0
	if next != nil {
		l.end()
		l.held = next
	}
}

// end gives the buffer back.
func (l *lease) end() { l.from.give(l.held) }
