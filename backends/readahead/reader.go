package readahead

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"causeway/backends"
)

const (
	// patience is how long a read that has broken off is taken up again without an octet
	// coming of it, less than the stall that a client would give up at. It bounds all that
	// a store does meanwhile, with all its own tries and time limits.
	patience = 30 * time.Second
	// The delays before each try.
	firstDelay = 100 * time.Millisecond
	lastDelay  = 5 * time.Second
)

// reader reads the octets from at to end of one version.
type reader struct {
	version
	ctx     context.Context
	content io.ReadCloser
	at, end int64
	reach   int64  // where content ends, which may be past end
	failed  error  // of content, after which it is of no use
	outage  outage // the last one, in whose context content was opened
}

// newReader reads on in what was opened with o.
func newReader(ctx context.Context, b backends.Backend, key string, opened *backends.Reader, o backends.OpenOptions) *reader {
	r := &reader{version: version{b, opened.Object}, ctx: ctx, content: opened, at: o.Offset, end: opened.Object.Size}
	r.object.Key = key
	if o.Length > 0 {
		r.end = min(r.end, o.Offset+o.Length)
	}
	r.reach = r.end
	return r
}

// outage is the time from a failure to the next octet.
type outage struct {
	ctx   context.Context // of all that is opened again; ends with patience
	end   context.CancelFunc
	timer *time.Timer // patience; nil when octets have come
	tries int
	why   error // the last failure that was the store's own
}

func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if r.at == r.end {
			return 0, r.finish()
		}
		if r.failed == nil {
			var n int
			n, r.failed = r.content.Read(p[:min(int64(len(p)), r.end-r.at)])
			if n > 0 {
				r.at += int64(n)
				r.outage.over()
				return n, nil
			}
		}
		if err := r.recover(); err != nil {
			return 0, err
		}
	}
}

// finish returns io.EOF if the content ends here as well.
func (r *reader) finish() error {
	if r.failed == nil {
		r.failed = r.ending(r.content, r.end)
	}
	return r.failed
}

// recover opens the content again after a failure that may pass, and returns other ones.
func (r *reader) recover() error {
	if errors.Is(r.failed, io.EOF) || errors.Is(r.failed, io.ErrUnexpectedEOF) {
		r.failed = r.broken(fmt.Errorf("content ended at octet %d of %d", r.at, r.end))
	}
	for errors.Is(r.failed, backends.ErrUnavailable) {
		if err := r.wait(); err != nil {
			return err
		}
		if r.failed = r.reopen(); r.failed == nil {
			return nil
		}
	}
	return r.failed
}

// wait waits before the next try, between half and all of a delay that doubles, so that
// readers which failed together do not come back together.
func (r *reader) wait() error {
	o := &r.outage
	if o.timer == nil {
		o.begin(r.ctx)
	}
	if o.ctx.Err() == nil {
		o.why = r.failed
	}
	delay := min(firstDelay<<o.tries, lastDelay)
	o.tries++
	timer := time.NewTimer(delay/2 + rand.N(delay/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-o.ctx.Done():
	}
	if r.ctx.Err() != nil {
		return r.broken(context.Cause(r.ctx))
	}
	return r.broken(fmt.Errorf("the store did not come back in %v after: %w", patience, o.why))
}

func (o *outage) begin(ctx context.Context) {
	if o.end != nil {
		o.end() // what was opened in the last one has failed
	}
	*o = outage{}
	o.ctx, o.end = context.WithCancel(ctx)
	o.timer = time.AfterFunc(patience, o.end)
}

// over notes that the store is back. What was opened is still being read.
func (o *outage) over() {
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
}

// reopen replaces the content by one that begins where it stopped.
func (r *reader) reopen() error {
	ctx := r.ctx
	if r.outage.timer != nil {
		ctx = r.outage.ctx
	}
	again, err := r.open(ctx, r.at, r.end)
	if err != nil {
		return err
	}
	_ = r.content.Close() // it is of no use any more
	r.content, r.reach = again, r.end
	return nil
}

func (r *reader) Close() error {
	err := r.content.Close()
	r.outage.over()
	if r.outage.end != nil {
		r.outage.end()
	}
	return err
}
