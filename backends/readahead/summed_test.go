package readahead_test

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"testing"
	"testing/synctest"

	"causeway/backends"
	"causeway/backends/readahead"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// summing is a store that knows the CRC32C of its object, as GCS does, or a wrong one.
type summing struct {
	backends.Backend
	whole uint32
}

func (s *summing) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r, err := s.Backend.Open(ctx, key, o)
	if err == nil && o.Offset == 0 && o.Length == 0 {
		r.ReadCloser = &summed{ReadCloser: r.ReadCloser, whole: s.whole}
	}
	return r, err
}

type summed struct {
	io.ReadCloser
	read, whole uint32
}

func (s *summed) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.read = crc32.Update(s.read, castagnoli, p[:n])
	return n, err
}

func (s *summed) CRC32C() (sofar, whole uint32, ok bool) { return s.read, s.whole, true }

// TestS21_ChecksumOfWhatIsReadAhead: the checksum of the whole object, which no range can
// have checked, is checked all the same, if nothing is left out.
func TestS21_ChecksumOfWhatIsReadAhead(t *testing.T) {
	const size = 64 * mib
	content := make([]byte, size)
	fill(content, 0)
	right := crc32.Checksum(content, castagnoli)
	for name, c := range map[string]struct {
		whole uint32
		o     backends.OpenOptions
		want  error
	}{
		"right":       {right, backends.OpenOptions{}, nil},
		"damaged":     {right + 1, backends.OpenOptions{}, backends.ErrUnavailable},
		"not all":     {right + 1, backends.OpenOptions{Offset: mib}, nil},
		"not the end": {right + 1, backends.OpenOptions{Length: size - mib}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := far(size)
				r, err := readahead.NewPool(ample()).Open(t.Context(), &summing{l, c.whole}, "k", c.o)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				n, err := io.Copy(io.Discard, r)
				want := size - c.o.Offset
				if c.o.Length > 0 {
					want = c.o.Length
				}
				if !errors.Is(err, c.want) || n != want || len(l.asked()) < 3 {
					t.Errorf("%d octets by %d requests, %v", n, len(l.asked()), err)
				}
				if _, again := r.Read(make([]byte, 1)); c.want != nil && !errors.Is(again, c.want) {
					t.Errorf("read on: %v", again)
				}
			})
		})
	}
}
