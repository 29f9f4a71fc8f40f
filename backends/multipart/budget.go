package multipart

import (
	"container/list"
	"context"
	"sync"
	"time"
)

const (
	// chunkSize is the unit of memory in octets: what the smallest upload costs, and
	// what its last part wastes at most.
	chunkSize = 64 << 10
	// maxStride is the most that a part takes at once, so that filling a large part
	// does not mean a visit to the ledger for each chunk.
	maxStride = 1 << 20
	// patience is how long an upload waits for memory before the part that has been
	// growing longest is moved to the spool, if it is older than this itself.
	patience = time.Second
)

type chunk [chunkSize]byte

// Budget is the memory for parts that all uploads of all stores of the process share,
// with an optional spool behind it. When it is spent, uploads wait; none waits for ever,
// since a part that holds memory can always be finished (see ledger). It is safe for
// concurrent use.
type Budget struct {
	memory ledger
	spool  *Spool
	chunks pool

	mu      sync.Mutex
	growing list.List // of *Body in memory, oldest first; only where there is a spool
}

// NewBudget makes a budget of so many octets. spool may be nil. A part is at most a
// quarter of the budget, or where there is a spool may be as large as that. Without a
// spool, senders that stall can hold all of the memory until they are given up, and a
// budget below four times a store's least part size makes its larger uploads fail.
func NewBudget(bytes int64, spool *Spool) *Budget {
	return &Budget{
		memory: ledger{capacity: max(bytes/chunkSize, 4) * chunkSize},
		spool:  spool,
		chunks: pool{slab: mapped},
	}
}

// Used is the octets of memory and of disk that parts and loans hold now, for metrics. Both
// are zero when no upload is open and nothing is lent.
func (b *Budget) Used() (memory, disk int64) {
	if b.spool != nil {
		disk = b.spool.space.inUse()
	}
	return b.memory.inUse(), disk
}

// Capacity is the most octets of memory and of disk that [Budget.Used] can come to.
func (b *Budget) Capacity() (memory, disk int64) {
	if b.spool != nil {
		disk = b.spool.space.capacity
	}
	return b.memory.capacity, disk
}

// Lend gives 64 KiB of memory to read ahead into, of arbitrary content, or nil while uploads
// need what there is. It never waits. All loans together are at most a quarter of the
// budget, and no upload ever waits for one to come back. The borrower keeps b for as long
// as it uses what it was lent, and ends each loan by one Return.
func (b *Budget) Lend() []byte {
	if !b.memory.lend(chunkSize) {
		return nil
	}
	c, err := b.chunks.get()
	if err != nil {
		b.memory.repay(chunkSize)
		return nil
	}
	return c[:]
}

// Return ends the loan of p, a result of [Budget.Lend] that is not nil, as long as it was.
// Nobody may use it any more.
func (b *Budget) Return(p []byte) {
	b.chunks.put((*chunk)(p))
	b.memory.repay(chunkSize)
}

// largest is the largest part in octets that is kept in memory.
func (b *Budget) largest() int64 { return b.memory.capacity / 4 / chunkSize * chunkSize }

// crowded tells whether uploads should keep few parts in flight.
func (b *Budget) crowded() bool { return b.memory.crowded() }

// take gives memory for the next octets of body.
func (b *Budget) take(ctx context.Context, body *Body, n int64) (int64, error) {
	return b.memory.take(ctx, &body.memory, n, b.relieve)
}

// watch makes a growing body one that relieve may move to the spool.
func (b *Budget) watch(body *Body) {
	if b.spool == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if body.place == nil {
		body.since = time.Now()
		body.place = b.growing.PushBack(body)
	}
}

// unwatch ends watch. It may be called again.
func (b *Budget) unwatch(body *Body) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if body.place != nil {
		b.growing.Remove(body.place)
		body.place = nil
	}
}

// relieve moves the parts that have been growing longest to the spool until nobody waits,
// so that slow senders do not keep memory from fast ones. Where the spool has no room,
// nothing happens and those who wait go on waiting.
func (b *Budget) relieve() {
	for b.memory.scarce() {
		body := b.oldest()
		if body == nil || !body.spill() {
			return
		}
	}
}

// oldest is the part to be moved to the spool, no longer watched, or nil.
func (b *Budget) oldest() *Body {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.growing.Front()
	if e == nil || time.Since(e.Value.(*Body).since) < patience {
		return nil
	}
	body := b.growing.Remove(e).(*Body)
	body.place = nil
	return body
}
