package multipart

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"causeway/backends"
)

const (
	// tries is how often a part is sent before the upload fails, each time with the
	// retries of the store's own client inside.
	tries = 3
	// defaultPause is [Options.Pause] unless it is set.
	defaultPause = 200 * time.Millisecond
	// abortTime bounds an Abort, whatever the upload's own context says.
	abortTime = 30 * time.Second
)

var (
	errAborted = errors.New("upload was aborted")
	errEnded   = &backends.Error{Op: "write", Kind: fs.ErrClosed}
)

// Upload is one object on its way through a [Target]. It is a backends.Upload: one
// goroutine uses it at a time, and it ends by Commit or Abort, after which no goroutine
// of its own runs and all of its budget is back.
type Upload struct {
	parent context.Context
	// ctx bounds the upload within parent; the first failure of a part is its cause.
	ctx    context.Context
	cancel context.CancelCauseFunc

	target Target
	budget *Budget
	o      Options
	sizes  sizes

	part    *Body // being filled
	offset  int64 // of part
	sent    int   // parts given to send
	started bool  // Target.Start was called, whatever came of it
	ended   bool  // by Commit or Abort

	inFlight int
	done     chan error // of each part that has returned
	unsure   bool       // a part has failed, and may have arrived all the same
}

// Write takes the next octets. It blocks while the budget is spent or too many parts are
// in flight. ErrQuota past the largest object that fits in MaxParts.
func (u *Upload) Write(p []byte) (int, error) {
	if u.ended {
		return 0, errEnded
	}
	n := 0
	for n < len(p) {
		k, err := u.write(p[n:])
		if err != nil {
			return n, u.fail(err)
		}
		n += k
	}
	return n, nil
}

// write takes what fits in one part.
func (u *Upload) write(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	if u.part.left() == 0 {
		if u.sent+1 == u.o.MaxParts {
			return 0, u.tooLarge()
		}
		// Not before there is an octet for the next part: a file of exactly one
		// part is one request, and no last part is empty.
		if err := u.flush(); err != nil {
			return 0, err
		}
	}
	k := min(int64(len(p)), u.part.left())
	return int(k), u.part.write(u.ctx, p[:k])
}

// fail poisons the upload with its first error, and is that.
func (u *Upload) fail(err error) error {
	u.cancel(err)
	err = context.Cause(u.ctx)
	if err == context.Cause(u.parent) { //nolint:errorlint // that very error, which is of no kind
		return &backends.Error{Op: "write", Key: u.o.Key, Kind: backends.ErrUnavailable, Err: err}
	}
	return err
}

// flush sends the part that is full and begins the next one.
func (u *Upload) flush() error {
	u.part.seal()
	if !u.started {
		u.started = true
		if err := u.target.Start(u.ctx); err != nil {
			return err
		}
	}
	for u.inFlight >= u.width() {
		u.reap()
	}
	if u.ctx.Err() != nil {
		return context.Cause(u.ctx)
	}
	u.sent++
	u.inFlight++
	u.offset += u.part.size
	go u.send(u.sent, u.part)
	u.part = newBody(u.budget, u.sizes.of(u.sent+1, u.offset), u.o)
	return nil
}

func (u *Upload) tooLarge() error {
	return &backends.Error{Op: "write", Key: u.o.Key, Kind: backends.ErrQuota,
		Err: fmt.Errorf("larger than the %d octets that %d parts hold with these buffers", u.offset+u.part.size, u.o.MaxParts)}
}

// width is how many parts may be in flight now. Parts in flight for one upload are
// memory that others wait for.
func (u *Upload) width() int {
	if u.budget.crowded() {
		return 1
	}
	return u.o.InFlight
}

// reap waits until one part has returned.
func (u *Upload) reap() {
	if err := <-u.done; err != nil {
		u.unsure = true
	}
	u.inFlight--
}

// send stores one part in a goroutine of its own, which reap waits for.
func (u *Upload) send(n int, body *Body) {
	err := u.repeat(n, body)
	body.close()
	if err != nil {
		u.cancel(err)
	}
	u.done <- err
}

// repeat stores one part, again if the store was unavailable.
func (u *Upload) repeat(n int, body *Body) error {
	for try := 1; ; try++ {
		err := u.target.Part(u.ctx, n, body)
		if try == tries || !errors.Is(err, backends.ErrUnavailable) {
			return err
		}
		if !rest(u.ctx, u.o.Pause<<(try-1)) {
			return err
		}
	}
}

// Commit makes the object visible: by one request if it ended inside the first part,
// otherwise when all parts are stored. If it fails nothing is left behind.
func (u *Upload) Commit() (backends.Object, error) {
	if u.ended {
		return backends.Object{}, errEnded
	}
	obj, err := u.finish()
	if err == nil {
		u.ended = true
		u.cancel(nil)
		return obj, nil
	}
	err = u.fail(err)
	if left := u.Abort(); left != nil {
		// Only the text: its kind must not be taken for that of the commit.
		err = fmt.Errorf("%w (and then: %v)", err, left) //nolint:errorlint // see above
	}
	return backends.Object{}, err
}

func (u *Upload) finish() (backends.Object, error) {
	if u.ctx.Err() != nil {
		return backends.Object{}, context.Cause(u.ctx)
	}
	if u.sent == 0 {
		u.part.seal()
		defer u.part.close()
		return u.target.Put(u.ctx, u.part)
	}
	if err := u.flush(); err != nil {
		return backends.Object{}, err
	}
	for u.inFlight > 0 {
		u.reap()
	}
	if u.ctx.Err() != nil {
		return backends.Object{}, context.Cause(u.ctx)
	}
	return u.target.Complete(u.ctx, u.sent)
}

// Abort ends the upload with nothing visible and nothing stored, within 30 s whatever
// has become of its context. Parts in flight are cancelled and waited for. After Commit
// or another Abort it does nothing.
func (u *Upload) Abort() error {
	if u.ended {
		return nil
	}
	u.ended = true
	u.cancel(errAborted)
	for u.inFlight > 0 {
		u.reap()
	}
	u.part.close()
	if !u.started {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTime)
	defer cancel()
	err := u.giveUp(ctx)
	if u.unsure && err == nil {
		rest(ctx, u.o.Pause)
		err = u.giveUp(ctx)
	}
	return err
}

// giveUp aborts at the store, again after an error.
func (u *Upload) giveUp(ctx context.Context) error {
	for try := 1; ; try++ {
		err := u.target.Abort(ctx)
		if err == nil || try == tries {
			return err
		}
		if !rest(ctx, u.o.Pause<<(try-1)) {
			return err
		}
	}
}

// rest waits for d and reports false if ctx ended before.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
