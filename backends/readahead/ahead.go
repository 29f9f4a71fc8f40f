package readahead

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"time"

	"causeway/backends"
)

// ahead reads the octets up to stop: those before next.end by next, which is given one
// range after another.
type ahead struct {
	next   *reader
	pool   *Pool
	stop   int64
	queue  []*fetch // of the ranges that follow, without a gap
	width  int      // requests to have under way: 0 is one for all the rest, 1 none that is new
	pace   pace     // since the last judgement
	window int64    // octets from the last judgement to the next
	proof  int64    // octets that it takes to read ahead
	alone  float64  // what one request brought, in octets a second
	sum    sum
}

// sum is the CRC32C of a whole object, of which what is read in ranges says nothing.
type sum struct {
	known       bool
	read, whole uint32
}

// summed is the content of a whole object that knows what its checksum has to be, and what
// it is so far.
type summed interface {
	CRC32C() (sofar, whole uint32, ok bool)
}

// castagnoli is read only.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("the content and the checksum that the store names do not fit")

func (a *ahead) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := a.next.ctx.Err(); err != nil {
		return 0, a.next.broken(context.Cause(a.next.ctx))
	}
	begun := time.Now()
	if a.next.at == a.next.end && a.next.end < a.stop {
		if err := a.advance(); err != nil {
			return 0, err
		}
	}
	n, err := a.next.Read(p)
	a.pace.add(n, begun)
	a.check(p[:n])
	if a.pace.moved >= a.window {
		a.judge()
	}
	return n, err
}

// check goes on with the checksum that the first request would have checked. If it is wrong
// the read ends in that after its last octet.
func (a *ahead) check(p []byte) {
	if !a.sum.known || len(p) == 0 {
		return
	}
	a.sum.read = crc32.Update(a.sum.read, castagnoli, p)
	if a.next.at == a.stop && a.sum.read != a.sum.whole {
		a.next.failed = a.next.broken(errDamaged)
	}
}

// judge decides how to go on, by how it went since the last time.
func (a *ahead) judge() {
	rate, starved := a.pace.rate(), a.pace.starved()
	a.pace.restart()
	switch {
	case a.width == 0:
		if starved && a.stop-a.next.at >= worth {
			a.alone = rate
			a.begin()
		}
	case a.width > 1 && rate < gain*a.alone:
		a.width = 1
	case a.width > 1 && starved:
		a.width = min(2*a.width, most)
		a.launch()
	}
	if a.width > 0 {
		a.window = int64(a.width) * piece
	}
}

// begin fetches ahead of what next is to read meanwhile.
func (a *ahead) begin() {
	a.width = 3
	a.next.end = a.next.at + piece
	a.launch()
	if len(a.queue) == 0 { // no memory
		a.width, a.next.end = 0, a.stop
	}
}

// launch fetches what may be under way beside next, as far as there is memory.
func (a *ahead) launch() {
	for len(a.queue) < a.width-1 {
		from := a.next.end
		if n := len(a.queue); n > 0 {
			from = a.queue[n-1].end
		}
		size := min(piece, a.stop-from)
		if size == 0 {
			return
		}
		f := newFetch(a.next.ctx, a.next.version, a.pool.lender, from, size, min(leastPiece, size))
		if f == nil {
			return
		}
		a.queue = append(a.queue, f)
	}
}

// advance gives next the range that follows.
func (a *ahead) advance() error {
	r := a.next
	longer := r.reach > r.end
	switch {
	case len(a.queue) == 0:
		return a.rest()
	case !a.queue[0].lost():
	case longer:
		return a.rest()
	default:
		a.width = 1
	}
	if !longer {
		if err := r.finish(); err != io.EOF { //nolint:errorlint // readers return io.EOF itself
			return err
		}
	}
	a.keepSum()
	_ = r.content.Close() // it was read as far as it is wanted
	f := a.queue[0]
	a.queue = a.queue[1:]
	r.content, r.failed, r.end, r.reach = f, nil, f.end, f.end
	a.launch()
	return nil
}

// keepSum takes over what the content knows of the checksum of all.
func (a *ahead) keepSum() {
	opened, ok := a.next.content.(*backends.Reader)
	if !ok {
		return
	}
	if c, ok := opened.ReadCloser.(summed); ok && !a.sum.known {
		a.sum.read, a.sum.whole, a.sum.known = c.CRC32C()
	}
}

// rest has next read all that follows by one request: the one that it reads from already, if
// that goes on.
func (a *ahead) rest() error {
	a.drop()
	a.width, a.proof = 0, 2*a.proof
	a.window = a.proof
	a.pace.restart()
	r := a.next
	if r.reach > r.end {
		r.end = r.reach
		return nil
	}
	if err := r.finish(); err != io.EOF { //nolint:errorlint // readers return io.EOF itself
		return err
	}
	r.end = a.stop
	r.failed = r.reopen() // Read recovers from it
	return nil
}

// drop ends all that is fetched, at once.
func (a *ahead) drop() {
	for _, f := range a.queue {
		f.cancel()
	}
	for _, f := range a.queue {
		_ = f.Close() // it never fails
	}
	a.queue = nil
}

func (a *ahead) Close() error {
	a.drop()
	return a.next.Close()
}
