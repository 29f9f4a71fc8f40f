package readahead_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"causeway/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	kib = 1 << 10
	mib = 1 << 20
)

// line is a store at the far end of a long line. It has one object, "k", and each
// connection to it has a rate of its own.
type line struct {
	backends.Backend // nil: nothing but Open is asked for

	size    int64
	latency time.Duration
	rate    int64 // octets a second of one connection
	shared  bool  // or of all together

	talkative bool // ranges go on to the end of the object

	// trouble, if set, decides what becomes of a request: the error of Open, if after is
	// negative, or of a Read after so many octets; nil for none.
	trouble func(o backends.OpenOptions) (after int64, err error)

	mu       sync.Mutex
	version  int
	requests []backends.OpenOptions
	open     int // connections
	busiest  int // most connections at a time
	sent     int64
}

// far is a line of 50 ms and 40 MB/s.
func far(size int64) *line { return &line{size: size, latency: 50 * time.Millisecond, rate: 40e6} }

func (l *line) etag() string { return fmt.Sprint("v", l.version) }

// replace makes the object another one, of the same content. Connections go on with the
// one that they were opened for.
func (l *line) replace() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.version++
}

func (l *line) asked() []backends.OpenOptions {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]backends.OpenOptions(nil), l.requests...)
}

func (l *line) Open(ctx context.Context, _ string, o backends.OpenOptions) (*backends.Reader, error) {
	after, err := l.ask(o)
	if late := pause(ctx, l.latency); late != nil {
		return nil, late
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil && after < 0:
		return nil, err
	case o.IfMatch != "" && o.IfMatch != l.etag():
		return nil, &backends.Error{Op: "open", Key: "k", Kind: backends.ErrChanged}
	}
	l.open++
	l.busiest = max(l.busiest, l.open)
	c := &conn{ctx: ctx, line: l, at: o.Offset, end: l.size, after: l.size, err: io.EOF}
	if o.Length > 0 && !l.talkative {
		c.end = min(c.end, o.Offset+o.Length)
	}
	if err != nil {
		c.after, c.err = after, err
	}
	return &backends.Reader{Object: backends.Object{Key: "k", Size: l.size, ETag: l.etag()}, ReadCloser: c}, nil
}

func (l *line) ask(o backends.OpenOptions) (after int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, o)
	if l.trouble == nil {
		return 0, nil
	}
	return l.trouble(o)
}

// takes is how long n octets take on one connection.
func (l *line) takes(n int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := time.Duration(n) * time.Second / time.Duration(l.rate)
	if l.shared {
		d *= time.Duration(l.open)
	}
	return d
}

// conn is one connection.
type conn struct {
	ctx     context.Context
	line    *line
	at, end int64
	after   int64 // octets before err
	err     error
	closed  bool
}

func (c *conn) Read(p []byte) (int, error) {
	p = p[:min(int64(len(p)), c.end-c.at, c.after, 64*kib)]
	switch {
	case c.at == c.end:
		return 0, io.EOF
	case c.after == 0:
		return 0, c.err
	}
	if err := pause(c.ctx, c.line.takes(len(p))); err != nil {
		return 0, err
	}
	fill(p, c.at)
	c.at, c.after = c.at+int64(len(p)), c.after-int64(len(p))
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	c.line.sent += int64(len(p))
	return len(p), nil
}

func (c *conn) Close() error {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if !c.closed {
		c.line.open--
	}
	c.closed = true
	return nil
}

// pause waits, as all that a store does, no longer than for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return &backends.Error{Op: "read", Key: "k", Kind: backends.ErrUnavailable, Err: ctx.Err()}
	}
}

// period is that of the content: a prime, so that no part of it is like another that
// begins at some round number.
const period = 65521

// block is the content from any multiple of period on, read only.
var block = func() []byte {
	p := make([]byte, period)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range p {
		p[i] = byte(random.Uint32())
	}
	return p
}()

// fill is the content from at on.
func fill(p []byte, at int64) {
	for len(p) > 0 {
		n := copy(p, block[at%period:])
		p, at = p[n:], at+int64(n)
	}
}

// same tells whether p is the content from at on.
func same(p []byte, at int64) bool {
	for len(p) > 0 {
		part := block[at%period:]
		n := min(len(p), len(part))
		if !bytes.Equal(p[:n], part[:n]) {
			return false
		}
		p, at = p[n:], at+int64(n)
	}
	return true
}

// bank lends so many chunks at most.
type bank struct {
	limit int

	mu     sync.Mutex
	lent   map[*byte]struct{}
	most   int // lent at a time
	wrongs int // returned without having been lent
}

func (b *bank) Lend() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lent) == b.limit {
		return nil
	}
	p := make([]byte, 64*kib)
	if b.lent == nil {
		b.lent = make(map[*byte]struct{})
	}
	b.lent[&p[0]] = struct{}{}
	b.most = max(b.most, len(b.lent))
	return p
}

func (b *bank) Return(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.lent[&p[0]]; !ok {
		b.wrongs++
	}
	delete(b.lent, &p[0])
	clear(p) // who still reads it reads what is wrong
}

// held is how many octets are lent.
func (b *bank) held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.lent) * 64 * kib
}
