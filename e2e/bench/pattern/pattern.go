// Package pattern is the content of every file that the benchmarks move: one block of
// octets that look random, over and over, so that making, keeping and checking a file of
// any size costs next to nothing. It is no generator of random data. Its central type is
// [Pattern].
package pattern

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
)

// Block is after how many octets the content repeats.
const Block = 1 << 20

// Pattern is the content. All Patterns are alike. Any number of goroutines may use one.
type Pattern struct {
	twice []byte // so that a block from any offset lies in one piece
}

// New makes the content.
func New() *Pattern {
	p := &Pattern{twice: make([]byte, 2*Block)}
	_, _ = rand.NewChaCha8([32]byte{}).Read(p.twice[:Block]) // never fails
	copy(p.twice[Block:], p.twice)
	return p
}

// At returns the next Block octets from offset on. They must not be changed.
func (p *Pattern) At(offset int64) []byte {
	i := offset % Block
	return p.twice[i : i+Block : i+Block]
}

// Check compares octets with what belongs at the offset.
func (p *Pattern) Check(offset int64, got []byte) error {
	for len(got) > 0 {
		want := p.At(offset)
		want = want[:min(len(want), len(got))]
		if !bytes.Equal(got[:len(want)], want) {
			return fmt.Errorf("wrong content within %d octets from %d on", len(want), offset)
		}
		got, offset = got[len(want):], offset+int64(len(want))
	}
	return nil
}

// Reader returns size octets from offset on. It can seek, so that a request that sends
// them can be repeated.
func (p *Pattern) Reader(offset, size int64) *io.SectionReader {
	return io.NewSectionReader(readerAt{p}, offset, size)
}

// readerAt is the content without an end.
type readerAt struct{ p *Pattern }

func (r readerAt) ReadAt(b []byte, offset int64) (int, error) {
	n := 0
	for n < len(b) {
		n += copy(b[n:], r.p.At(offset+int64(n)))
	}
	return n, nil
}
