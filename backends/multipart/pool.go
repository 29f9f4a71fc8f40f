package multipart

import (
	"runtime"
	"sync"
	"time"

	"causeway/backends"
)

const (
	// slabSize is how many octets are asked of the system at a time.
	slabSize = 4 << 20
	// idleTime is how long memory that nothing used is kept for what comes next. A chunk
	// that went back to the system costs some 30 µs when it is used again.
	idleTime = time.Second
)

// pool hands out chunks and takes them back. Its memory is not the garbage collector's,
// which would let as much garbage gather beside it as there is of it, and find out late
// what is free: what the process has of memory is what parts hold, and what they held in
// the last seconds. It is safe for concurrent use.
type pool struct {
	slab func(n int) ([]byte, error) // n octets of memory

	mu     sync.Mutex
	warm   []*chunk // in memory, last used last
	cold   []*chunk // given back to the system, or never used
	unused int      // so many of warm, from the first on, lay there since trim looked
	timed  bool     // trim will be called
}

// get hands out a chunk of arbitrary content. ErrUnavailable if the system has no more
// memory.
func (p *pool) get() (*chunk, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.warm) - 1; n >= 0 {
		c := p.warm[n]
		p.warm, p.unused = p.warm[:n], min(p.unused, n)
		return c, nil
	}
	if len(p.cold) == 0 {
		if err := p.expand(); err != nil {
			return nil, err
		}
	}
	n := len(p.cold) - 1
	c := p.cold[n]
	p.cold = p.cold[:n]
	return c, nil
}

// expand gets a slab from the system, for as long as p is used. The caller holds mu.
func (p *pool) expand() error {
	slab, err := p.slab(slabSize)
	if err != nil {
		return &backends.Error{Op: "write", Kind: backends.ErrUnavailable, Err: err}
	}
	runtime.AddCleanup(p, unmap, slab)
	// The first of the slab is handed out first: what is used lies together.
	for at := len(slab) - chunkSize; at >= 0; at -= chunkSize {
		p.cold = append(p.cold, (*chunk)(slab[at:]))
	}
	return nil
}

// put takes chunks back.
func (p *pool) put(chunks ...*chunk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warm = append(p.warm, chunks...)
	if !p.timed && len(p.warm) > 0 {
		p.timed = true
		time.AfterFunc(idleTime, p.trim)
	}
}

// trim gives back to the system what nothing has used since it was called last, and has
// itself called again while there may be more.
func (p *pool) trim() {
	idle := p.idle()
	for _, c := range idle {
		discard(c[:])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cold = append(p.cold, idle...)
}

// idle takes what trim gives back out of warm, so that nobody uses it meanwhile.
func (p *pool) idle() []*chunk {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := append([]*chunk(nil), p.warm[:p.unused]...)
	p.warm = append(p.warm[:0], p.warm[p.unused:]...)
	p.unused = len(p.warm)
	if p.timed = len(p.warm) > 0; p.timed {
		time.AfterFunc(idleTime, p.trim)
	}
	return idle
}
