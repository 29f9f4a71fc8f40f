//go:build e2e

package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/readahead"
)

// distant is a store at the end of a line of 20 ms and 80 MB/s for each connection.
type distant struct{ *Store }

func (d distant) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	time.Sleep(20 * time.Millisecond)
	r, err := d.Store.Open(ctx, key, o)
	if err == nil {
		r.ReadCloser = trickle{r.ReadCloser}
	}
	return r, err
}

type trickle struct{ io.ReadCloser }

func (t trickle) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	time.Sleep(time.Duration(n) * time.Second / 80e6)
	return n, err
}

// TestS20_ServerIsReadAhead: the server under test keeps ranges to one version.
func TestS20_ServerIsReadAhead(t *testing.T) {
	s := serverStore(t)
	content := make([]byte, 40<<20)
	rand.Read(content)
	put := func() {
		u, err := s.Create(t.Context(), "k", backends.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer u.Abort()
		if _, err := u.Write(content); err != nil {
			t.Fatal(err)
		}
		if _, err := u.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	put()
	pool := readahead.NewPool(s.budget)
	for _, replaced := range []bool{false, true} {
		r, err := pool.Open(t.Context(), distant{s}, "k", backends.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 20<<20) // past the first request
		if _, err := io.ReadFull(r, got); err != nil {
			t.Fatal(err)
		}
		if lent, _ := s.budget.Used(); lent == 0 {
			t.Error("nothing was read ahead")
		}
		if replaced {
			content[0]++
			put()
		}
		rest, err := io.ReadAll(r)
		got = append(got, rest...)
		if replaced && !errors.Is(err, backends.ErrChanged) || !replaced && (err != nil || !bytes.Equal(got, content)) {
			t.Errorf("replaced: %v; %d octets, %v", replaced, len(got), err)
		}
		if r.Close() != nil {
			t.Error("not closed")
		}
		if lent, _ := s.budget.Used(); lent != 0 {
			t.Errorf("%d octets are still lent", lent)
		}
	}
}
