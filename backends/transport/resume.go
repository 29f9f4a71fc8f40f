package transport

import (
	"context"
	"io"
)

const (
	// maxFailures is how often in a row a body may break off with less than progress
	// octets in between before its reader gives up.
	maxFailures = 3
	progress    = 1 << 20
)

// Resume reads want octets of one version of an object, of which first is the beginning.
// When a body fails or ends early, open continues after the octets that were read. The
// reader ends in io.EOF only after all octets, and in ctx's error once that has ended,
// whatever is still in some buffer. One goroutine uses it.
func Resume(ctx context.Context, first io.ReadCloser, want int64, open func(skip int64) (io.ReadCloser, error)) io.ReadCloser {
	return &resumed{ctx: ctx, body: first, want: want, open: open}
}

type resumed struct {
	ctx       context.Context
	body      io.ReadCloser // nil after a failure
	had, want int64
	open      func(skip int64) (io.ReadCloser, error)
	failures  int
	failedAt  int64
}

func (r *resumed) Read(p []byte) (int, error) {
	for {
		if r.ctx.Err() != nil {
			return 0, context.Cause(r.ctx)
		}
		if r.had == r.want {
			return 0, io.EOF
		}
		if r.body == nil {
			body, err := r.open(r.had)
			if err != nil {
				return 0, err
			}
			r.body = body
		}
		n, err := r.body.Read(p[:min(int64(len(p)), r.want-r.had)])
		r.had += int64(n)
		if err != nil && r.had < r.want {
			err = r.broken(err)
		} else {
			err = nil
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// broken drops the body. Its error is nil if another one may be opened.
func (r *resumed) broken(err error) error {
	_ = r.body.Close() // it has failed already
	r.body = nil
	if r.had-r.failedAt >= progress {
		r.failures = 0
	}
	r.failures, r.failedAt = r.failures+1, r.had
	if r.failures <= maxFailures {
		return nil
	}
	if err == io.EOF { //nolint:errorlint // readers return io.EOF itself
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *resumed) Close() error {
	if r.body == nil {
		return nil
	}
	return r.body.Close()
}
