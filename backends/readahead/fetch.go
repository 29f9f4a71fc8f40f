package readahead

import (
	"context"
	"errors"
	"sync"
	"time"
)

// chunkSize is what a Lender lends at a time, in octets.
const chunkSize = 64 << 10

// hold is how long lent memory is held from which nobody takes anything; twice that at
// most. Who reads ahead is quicker than this by far, and who stopped shall not keep from
// others what makes them quick.
const hold = 10 * time.Second

// Lender lends memory without waiting. Its methods may be called from any goroutine.
type Lender interface {
	// Lend returns 64 KiB that are the caller's until Return, or nil if there are none to
	// spare.
	Lend() []byte
	// Return takes back what Lend has returned.
	Return(chunk []byte)
}

var errForgotten = errors.New("what was read ahead was given up, since nobody took it")

// fetch is the content of one range, read into lent memory by a goroutine of its own as
// fast as the store sends it. One goroutine reads and closes it.
type fetch struct {
	version
	first, end int64
	lender     Lender
	cancel     context.CancelFunc
	done       chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex
	more   sync.Cond
	chunks [][]byte // of the whole range; nil where they were returned
	filled int64    // octets that have come, counted from first
	taken  int64    // of these, read
	err    error    // what follows them; nil while more may come
}

// newFetch begins to fetch up to size octets from first on, as many as memory is lent for;
// nil if that is for less than least.
func newFetch(ctx context.Context, v version, l Lender, first, size, least int64) *fetch {
	f := &fetch{version: v, first: first, lender: l, done: make(chan struct{})}
	f.more.L = &f.mu
	for held := int64(0); held < size; held += chunkSize {
		chunk := l.Lend()
		if chunk == nil {
			break
		}
		f.chunks = append(f.chunks, chunk)
	}
	size = min(size, int64(len(f.chunks))*chunkSize)
	if size < least {
		f.release(0)
		return nil
	}
	f.end = first + size
	ctx, f.cancel = context.WithCancel(ctx)
	go f.run(ctx)
	return f
}

// run fetches, and then holds what is there until it is taken or given up.
func (f *fetch) run(ctx context.Context) {
	defer close(f.done)
	f.stop(f.fill(ctx))
	for taken := int64(-1); f.held(&taken); {
		select {
		case <-time.After(hold):
		case <-ctx.Done():
			return
		}
	}
}

// fill fetches the range and returns what follows its octets: io.EOF if it ends where it
// should.
func (f *fetch) fill(ctx context.Context) error {
	content, err := f.open(ctx, f.first, f.end)
	if err != nil {
		return err
	}
	defer content.Close() //nolint:errcheck // what it had to say it has said at its end
	for at := int64(0); at < f.end-f.first; {
		n, err := content.Read(f.room(at))
		at += int64(n)
		f.add(n)
		if err != nil {
			return err
		}
	}
	return f.ending(content, f.end)
}

// room is where the octets from at on go, as many as are next to each other. It is the
// goroutine's until add.
func (f *fetch) room(at int64) []byte {
	return f.chunks[at/chunkSize][at%chunkSize : min(chunkSize, f.end-f.first-at/chunkSize*chunkSize)]
}

// add makes n octets more readable.
func (f *fetch) add(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filled += int64(n)
	f.more.Signal()
}

// stop notes what follows the octets that have come, and returns the memory that is not
// needed for them.
func (f *fetch) stop(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	f.release(int((f.filled + chunkSize - 1) / chunkSize))
	f.more.Signal()
}

// held reports whether memory is still held for what has come. It gives up what nobody has
// taken from since the last call, at which so much was taken.
func (f *fetch) held(taken *int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taken == *taken {
		f.release(0)
		f.filled, f.err = f.taken, f.broken(errForgotten)
	}
	*taken = f.taken
	return f.taken < f.filled
}

// release returns the memory from a chunk on. The caller holds mu, or is alone.
func (f *fetch) release(from int) {
	for i := from; i < len(f.chunks); i++ {
		if f.chunks[i] != nil {
			f.lender.Return(f.chunks[i])
			f.chunks[i] = nil
		}
	}
}

// Read waits until something has come. Its error is what the store's reader ended in.
func (f *fetch) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wait()
	n := 0
	for n < len(p) && f.taken < f.filled {
		i, at := f.taken/chunkSize, f.taken%chunkSize
		k := copy(p[n:], f.chunks[i][at:min(chunkSize, f.filled-i*chunkSize)])
		n, f.taken = n+k, f.taken+int64(k)
		if f.taken%chunkSize == 0 || f.taken == f.end-f.first {
			f.lender.Return(f.chunks[i])
			f.chunks[i] = nil
		}
	}
	if n == 0 {
		return 0, f.err
	}
	return n, nil
}

// lost waits until something has come, and reports whether there is nothing but an error.
func (f *fetch) lost() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wait()
	return f.taken == f.filled
}

// wait waits until there is something to read, be it an error. The caller holds mu.
func (f *fetch) wait() {
	for f.taken == f.filled && f.err == nil {
		f.more.Wait()
	}
}

// Close ends the fetch, whose request it cancels, and returns all memory.
func (f *fetch) Close() error {
	f.cancel()
	<-f.done
	f.release(0)
	return nil
}
