package readahead

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"causeway/backends"
)

const (
	// piece is how much is asked for at a time when reading ahead, in octets: at 40 MB/s
	// and 50 ms of waiting for the first octet a connection works four fifths of the time.
	piece = 8 << 20
	// leastPiece is what is worth a request of its own where memory is short.
	leastPiece = 1 << 20
	// most is how many requests are under way for one reader.
	most = 6
	// forgetting is the share that a store's best latency grows by with each answer that is
	// no better, so that some 20 of them are believed.
	forgetting = 8
	// worth is how much of an object is to come where reading ahead begins.
	worth = 3 * piece
)

// Pool is what all reads of a process that read ahead share. Its methods may be called from
// any goroutine. A nil Pool reads nothing ahead.
type Pool struct {
	lender Lender
	moved  atomic.Int64 // octets of all readers so far

	mu        sync.Mutex
	latencies map[backends.Backend]time.Duration // to an answer, at best
}

// NewPool makes a Pool that reads ahead into what l lends, and not at all while it lends
// nothing.
func NewPool(l Lender) *Pool {
	return &Pool{lender: l, latencies: make(map[backends.Backend]time.Duration)}
}

// Open is [Open] for a client that may be faster than one request to the store. The first
// request is the same, for all that is wanted, and a client that is no faster than it, or a
// store that answers at once, is served by it to the end. Otherwise ranges of 8 MiB are
// fetched ahead, each pinned to the same version: at first one, up to five while that makes
// the client wait less. The first request's connection is dropped then, with what is on its
// way on it: at most what the connection's receive window takes, once for all the read,
// unless it fell back to one request and began again, each time after twice as many octets.
//
// One version is read as by Open, also where ranges fail; but ErrChanged, if it was replaced,
// comes for what one long request might still have read. The reader holds lent memory until
// Close, but of what nobody reads for 20 s no more than 8 MiB.
//
// b is comparable, and one of few.
func (p *Pool) Open(ctx context.Context, b backends.Backend, key string, o backends.OpenOptions) (*backends.Reader, error) {
	if p == nil {
		return Open(ctx, b, key, o)
	}
	begun := time.Now()
	opened, err := b.Open(ctx, key, o)
	if err != nil {
		return nil, err
	}
	latency := p.latency(b, time.Since(begun))
	r := newReader(ctx, b, key, opened, o)
	if latency < leastLatency || r.end-r.at < worth || whole(opened) {
		return &backends.Reader{Object: opened.Object, ReadCloser: r}, nil
	}
	a := &ahead{next: r, pool: p, stop: r.end, pace: pace{total: &p.moved}, window: evidence, proof: evidence}
	a.pace.restart()
	return &backends.Reader{Object: opened.Object, ReadCloser: a}, nil
}

// whole tells whether content is to be read by one request, because it is of use to others than
// its reader if it is read to its end.
func whole(r *backends.Reader) bool {
	_, ok := r.ReadCloser.(interface{ Whole() })
	return ok
}

// latency is how soon the store answers when nothing keeps it or the gateway, after one
// more answer: the least of late, because what is near is slow as well when it is busy, but
// what is far is never quick.
func (p *Pool) latency(b backends.Backend, answer time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	best, known := p.latencies[b]
	if best += best / forgetting; !known || answer < best {
		best = answer
	}
	p.latencies[b] = best
	return best
}
