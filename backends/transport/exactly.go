package transport

import (
	"context"
	"io"
)

// Exactly reads want octets of body, a range of an object. The reader ends in io.EOF only
// after all of them, in io.ErrUnexpectedEOF if there are fewer, and in ctx's cause once
// that has ended, whatever is still in some buffer. It does not go on where body breaks
// off: package readahead does. One goroutine uses it.
func Exactly(ctx context.Context, body io.ReadCloser, want int64) io.ReadCloser {
	return &exact{ctx: ctx, body: body, left: want}
}

type exact struct {
	ctx  context.Context
	body io.ReadCloser
	left int64
}

func (e *exact) Read(p []byte) (int, error) {
	switch {
	case e.ctx.Err() != nil:
		return 0, context.Cause(e.ctx)
	case e.left == 0:
		return 0, io.EOF
	}
	n, err := e.body.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	switch {
	case err == nil:
		return n, nil
	case e.left == 0:
		return n, io.EOF // all is there, whatever became of the connection
	case e.ctx.Err() != nil:
		return n, context.Cause(e.ctx)
	case err == io.EOF:
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

func (e *exact) Close() error { return e.body.Close() }
