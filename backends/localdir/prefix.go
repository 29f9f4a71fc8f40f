package localdir

import (
	"context"
	"errors"
	"io"
	"os"

	"causeway/backends"
)

// copyChunk is how many octets are copied between two looks at the context.
const copyChunk = 64 << 20

// prefix is the copying of the octets of an object that an append keeps, from file to file
// beside the receiving of those that follow. Nil for other uploads.
type prefix struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done
}

// append makes the upload one that follows the first octets of the object that is there.
// The context of the upload does not end the copying: Park needs it after that.
func (u *upload) append(ctx context.Context, o backends.CreateOptions) error {
	from, err := u.store.open(ctx, u.key, backends.OpenOptions{Length: o.At, IfMatch: o.IfMatch})
	if err != nil {
		return err
	}
	if o.At < 0 || o.At > from.Object.Size {
		_ = from.Close() // nothing was read
		return backends.ErrRange
	}
	to, err := u.store.root.OpenFile(tempName(u.id), os.O_WRONLY, 0)
	if err == nil {
		_, err = u.file.Seek(o.At, io.SeekStart)
	}
	if err != nil {
		_ = from.Close() // nothing was read
		return err
	}
	u.record.IfMatch = from.Object.ETag
	u.size, u.kept = o.At, o.At
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	u.prefix = &prefix{cancel: cancel, done: make(chan struct{})}
	go u.prefix.copy(ctx, to, from.ReadCloser.(*reader))
	return nil
}

func (p *prefix) copy(ctx context.Context, to *os.File, from *reader) {
	defer close(p.done)
	defer from.Close() //nolint:errcheck // it was only read
	p.err = errors.Join(from.copyTo(ctx, to), to.Close())
}

// over tells whether nothing is left to be copied, without a wait.
func (p *prefix) over() bool {
	if p == nil {
		return true
	}
	select {
	case <-p.done:
		return p.err == nil
	default:
		return false
	}
}

// wait returns when all is copied.
func (p *prefix) wait(ctx context.Context) error {
	if p == nil {
		return nil
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends the copying, which takes no longer than a chunk does.
func (p *prefix) stop() {
	if p != nil {
		p.cancel()
		<-p.done
	}
}

// copyTo writes all of the range to a file. The kernel copies, and shares the blocks where
// the file system can.
func (r *reader) copyTo(ctx context.Context, to *os.File) error {
	for r.left > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.CopyN(to, r.file, min(r.left, copyChunk))
		r.left -= n
		if errors.Is(err, io.EOF) {
			return backends.ErrChanged // it has become shorter
		}
		if err != nil {
			return err
		}
	}
	return r.unchanged()
}
