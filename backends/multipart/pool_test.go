package multipart

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
)

func newPool() *pool { return &pool{slab: mapped} }

// chunksOf takes n chunks, and fills each with octets of its own.
func chunksOf(t *testing.T, p *pool, n int) []*chunk {
	t.Helper()
	var chunks []*chunk
	for i := range n {
		c, err := p.get()
		if err != nil {
			t.Fatal(err)
		}
		for at := range c {
			c[at] = byte(i + 1)
		}
		chunks = append(chunks, c)
	}
	return chunks
}

// kept is what p has in memory, and whether it will look for what is idle.
func kept(p *pool) (warm []*chunk, timed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.warm), p.timed
}

// TestPoolHandsOutEachChunkOnce: also over the end of a slab, and after some came back.
func TestPoolHandsOutEachChunkOnce(t *testing.T) {
	p := newPool()
	const slab = slabSize / chunkSize
	chunks := chunksOf(t, p, slab+1)
	p.put(chunks[:3]...)
	chunks = append(chunks[3:], chunksOf(t, p, 5)...)
	seen := make(map[*chunk]bool)
	for _, c := range chunks {
		if seen[c] {
			t.Error("a chunk was handed out twice")
		}
		seen[c] = true
		for i := range c {
			if c[i] != c[0] {
				t.Fatalf("octet %d of a chunk is another chunk's", i)
			}
		}
	}
	if n := len(p.warm) + len(p.cold) + len(chunks); n != 2*slab {
		t.Errorf("%d chunks of 2 slabs", n)
	}
}

// TestS51_IdleMemoryGoesBack: to the system, once nothing has used it for a while; what is
// used again and again stays.
func TestS51_IdleMemoryGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool()
		p.put(chunksOf(t, p, 10)...)
		for range 10 {
			time.Sleep(idleTime / 2)
			p.put(chunksOf(t, p, 3)...)
		}
		used, timed := kept(p)
		if len(used) != 3 || !timed {
			t.Errorf("%d chunks are kept where 3 are used; looked for more: %t", len(used), timed)
		}
		time.Sleep(2*idleTime + 1)
		if idle, timed := kept(p); len(idle) != 0 || timed {
			t.Errorf("%d chunks are kept where none is used; looked for more: %t", len(idle), timed)
		}
		if again := chunksOf(t, p, 3); !slices.Contains(used, again[0]) {
			t.Error("what went back to the system is not used first")
		}
	})
}

// TestNoMemory: a system that has no more fails the upload that needs it, not the process.
func TestNoMemory(t *testing.T) {
	b := NewBudget(mib, nil)
	b.chunks.slab = func(int) ([]byte, error) { return nil, syscall.ENOMEM }
	if p := b.Lend(); p != nil {
		t.Error("lent what is not there")
	}
	f := &fake{}
	_, err := send(t.Context(), f, b, Options{PartSize: 64 * kib, MaxPartSize: mib, MaxParts: 10}, pattern(kib))
	if !errors.Is(err, backends.ErrUnavailable) || !errors.Is(err, syscall.ENOMEM) {
		t.Errorf("upload: %v", err)
	}
	wantReturned(t, b)
}

// TestNoMemoryWhileRelieving: a part that got no more than some of the memory for what was
// written can still be moved to the spool.
func TestNoMemoryWhileRelieving(t *testing.T) {
	spool, err := NewSpool(t.TempDir(), mib)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBudget(16*mib, spool)
	few := false
	b.chunks.slab = func(int) ([]byte, error) {
		if few {
			return nil, syscall.ENOMEM
		}
		few = true
		return mapped(3 * chunkSize)
	}
	body := newBody(b, mib, Options{})
	body.granted = mib
	p := pattern(mib)
	if _, err := body.fill(p[:kib]); err != nil {
		t.Fatal(err)
	}
	if _, err := body.fill(p[kib:]); !errors.Is(err, syscall.ENOMEM) {
		t.Fatalf("filled: %v", err)
	}
	if !body.spill() {
		t.Error("the part was not moved to the spool")
	}
	if got, err := io.ReadAll(body.Reader()); !bytes.Equal(got, p[:kib]) || err != nil {
		t.Errorf("%d octets are left of %d, %v", len(got), kib, err)
	}
	body.close()
	wantReturned(t, b)
}
