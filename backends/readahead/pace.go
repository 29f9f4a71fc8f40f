package readahead

import (
	"sync/atomic"
	"time"
)

const (
	// leastLatency is the time to the answer below which a connection is not what limits a
	// read: more of them would share the same disks, processors or line.
	leastLatency = 5 * time.Millisecond
	// evidence is how many octets tell whether a read is limited by its one request.
	evidence = 4 << 20
	// ample is what all readers together may get, in octets a second, before more requests
	// are of no use: then the gateway is as busy as it gets.
	ample = 256 << 20
	// gain is how much faster than one request several have to be.
	gain = 1.25
)

// pace measures a stretch of a read.
type pace struct {
	total  *atomic.Int64 // octets of all readers, counted here too
	since  time.Time
	before int64         // total at since
	moved  int64         // octets since then
	waited time.Duration // of the time since then, for the store
}

func (p *pace) restart() {
	*p = pace{total: p.total, since: time.Now(), before: p.total.Load()}
}

// add counts a read of n octets that began at begun.
func (p *pace) add(n int, begun time.Time) {
	p.moved += int64(n)
	p.total.Add(int64(n))
	p.waited += time.Since(begun)
}

// rate is how fast this reader gets octets, in octets a second.
func (p *pace) rate() float64 { return float64(p.moved) / time.Since(p.since).Seconds() }

// starved tells whether the client waits for the store, rather than the other way round,
// and the gateway has something left for it.
func (p *pace) starved() bool {
	took := time.Since(p.since)
	all := float64(p.total.Load()-p.before) / took.Seconds()
	return p.waited > took/2 && all < ample
}
