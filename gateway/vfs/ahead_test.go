package vfs_test

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/backends/readahead"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// distant is a store that is far away: its answers take 50 ms, and their contents come at
// 40 MB/s.
type distant struct{ backends.Backend }

func (d distant) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	time.Sleep(50 * time.Millisecond)
	r, err := d.Backend.Open(ctx, key, o)
	if err == nil {
		r.ReadCloser = trickle{r.ReadCloser}
	}
	return r, err
}

type trickle struct{ io.ReadCloser }

func (t trickle) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	time.Sleep(time.Duration(n) * time.Second / 40e6)
	return n, err
}

// lender lends without a limit.
type lender struct {
	mu          sync.Mutex
	lent, loans int
}

func (l *lender) Lend() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lent++
	l.loans++
	return make([]byte, 64<<10)
}

func (l *lender) Return([]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lent--
}

// TestS20_FarFilesAreReadAhead: those that are retrieved, and those that a rename carries
// to another store.
func TestS20_FarFilesAreReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := bytes.Repeat([]byte("0123456789abcde"), 2<<20)
		one, two, l := newBucket(mem.Options{}), newBucket(mem.Options{}), &lender{}
		one.fill("f", string(content))
		v := newView(t,
			vfs.Mount{Path: "/one", Store: distant{one}, Rights: all, Reads: readahead.NewPool(l)},
			vfs.Mount{Path: "/two", Store: two.calls, Rights: all})
		d, err := v.Retrieve(v.ctx, path(t, "/one/f"), ftp.RetrieveOptions{Offset: 7})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(d)
		if err != nil || !bytes.Equal(got, content[7:]) {
			t.Errorf("read %d octets of %d, %v", len(got), len(content)-7, err)
		}
		if err := d.Close(); err != nil || l.loans == 0 || l.lent != 0 {
			t.Errorf("%v; %d of %d chunks are still lent", err, l.lent, l.loans)
		}
		l.loans = 0
		v.want(v.rename("/one/f", "/two/f"), "ok")
		if l.loans == 0 || l.lent != 0 {
			t.Errorf("renamed; %d of %d chunks are still lent", l.lent, l.loans)
		}
	})
}
