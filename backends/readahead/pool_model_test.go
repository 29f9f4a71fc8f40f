package readahead_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"causeway/backends"
	"causeway/backends/readahead"
)

// plan is a read of a store in trouble by a client of some kind.
type plan struct {
	o       backends.OpenOptions
	size    int64
	rate    int64
	chunks  int // that are lent
	buffer  int
	seed    uint64
	faulty  int // of 100 requests
	slow    int // of 100 reads of the client, by up to 200 ms
	stop    int64
	cancels bool // at stop, rather than to close
}

func drawPlan(r *rapid.T) plan {
	p := plan{
		size:    rapid.Int64Range(0, 80*mib).Draw(r, "size"),
		rate:    rapid.SampledFrom([]int64{10e6, 40e6, 200e6}).Draw(r, "rate"),
		chunks:  rapid.SampledFrom([]int{0, 20, 200, 5000}).Draw(r, "chunks"),
		buffer:  rapid.SampledFrom([]int{4 * kib, 64 * kib, 100_000, mib}).Draw(r, "buffer"),
		seed:    rapid.Uint64().Draw(r, "seed"),
		faulty:  rapid.SampledFrom([]int{0, 10, 50}).Draw(r, "faulty"),
		slow:    rapid.SampledFrom([]int{0, 0, 1, 20}).Draw(r, "slow"),
		cancels: rapid.Bool().Draw(r, "cancels"),
	}
	p.o.Offset = rapid.SampledFrom([]int64{0, p.size / 3}).Draw(r, "offset")
	p.o.Length = rapid.SampledFrom([]int64{0, 1, p.size / 2, p.size}).Draw(r, "length")
	p.stop = rapid.SampledFrom([]int64{p.size + 1, p.size / 4, p.size / 10}).Draw(r, "stop")
	return p
}

// end is the octet after the last.
func (p plan) end() int64 {
	if p.o.Length > 0 {
		return min(p.size, p.o.Offset+p.o.Length)
	}
	return p.size
}

// store is a line that fails in all the ways that may pass.
func (p plan) store() *line {
	l := far(p.size)
	l.rate = p.rate
	random := rand.New(rand.NewPCG(p.seed, 1))
	l.trouble = func(o backends.OpenOptions) (int64, error) {
		if len(l.requests) == 1 || random.IntN(100) >= p.faulty {
			return 0, nil
		}
		after := random.Int64N(8*mib) - mib
		if after < 0 {
			return after, errStore
		}
		return after, []error{errStore, io.EOF, io.ErrUnexpectedEOF}[random.IntN(3)]
	}
	return l
}

// TestS21_AnyReadAhead: whatever the range, the memory, the client and the troubles of the
// store, the octets are those of the object, each once and in order, and nothing is left
// behind, whenever the read is closed.
func TestS21_AnyReadAhead(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := drawPlan(r)
		var err error
		synctest.Test(t, func(t *testing.T) { err = p.run(t.Context()) })
		if err != nil {
			r.Fatal(err)
		}
	})
}

// run reads as planned, and tells what is wrong.
func (p plan) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, b := p.store(), &bank{limit: p.chunks}
	r, err := readahead.NewPool(b).Open(ctx, l, "k", p.o)
	if err != nil {
		return err
	}
	switch at, err := p.read(r, cancel); {
	case err == io.EOF && at != p.end(): //nolint:errorlint // that very error
		return fmt.Errorf("ended at %d of %d", at, p.end())
	case err != nil && err != io.EOF: //nolint:errorlint // as above
		return fmt.Errorf("at %d: %w", at, err)
	}
	err = r.Close()
	if l.open != 0 || b.held() != 0 || b.wrongs != 0 {
		err = errors.Join(err, fmt.Errorf("left behind: %d connections, %d octets; %d wrongly returned", l.open, b.held(), b.wrongs))
	}
	if b.most > p.chunks {
		err = errors.Join(err, fmt.Errorf("%d chunks were lent of %d", b.most, p.chunks))
	}
	return err
}

// read reads up to where the plan stops, or to io.EOF, and returns how far it came.
func (p plan) read(r io.Reader, cancel func()) (at int64, err error) {
	random := rand.New(rand.NewPCG(p.seed, 2))
	buffer := make([]byte, p.buffer)
	for at = p.o.Offset; err == nil && at-p.o.Offset < p.stop; {
		var n int
		n, err = r.Read(buffer)
		if !same(buffer[:n], at) {
			return at, fmt.Errorf("wrong octets within %d", n)
		}
		at += int64(n)
		if random.IntN(100) < p.slow {
			time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
		}
	}
	if err == nil && p.cancels {
		cancel()
		if _, err = r.Read(buffer); at < p.end() && !errors.Is(err, context.Canceled) {
			return at, fmt.Errorf("cancelled: %w", err)
		}
		err = nil
	}
	return at, err
}
