package multipart

import (
	"context"
	"errors"
	"fmt"
	"time"

	"causeway/backends"
)

const (
	// abortTime and parkTime bound an Abort and a Park, whatever the upload's own context
	// says.
	abortTime = 30 * time.Second
	parkTime  = 30 * time.Second
	// landTime is how long Park waits for parts that are under way. What is left of
	// parkTime suffices to write down what has arrived.
	landTime = 15 * time.Second
	// followable is how many octets a part has in any store that others may follow.
	followable = 5 << 20
)

var (
	errAborted = errors.New("upload was aborted")
	errParked  = errors.New("upload was parked")
)

// Commit makes the object visible: by one request if it ended inside the first part,
// otherwise when all parts are stored. If it fails nothing is left behind, unless the store
// is unavailable: then Park keeps what is stored, and nobody has to send that again.
func (u *Upload) Commit() (backends.Object, error) {
	if u.ended {
		return backends.Object{}, errEnded
	}
	obj, err := u.finish()
	if err == nil {
		u.end(nil)
		u.part.close()
		return obj, nil
	}
	err = u.fail(err)
	if errors.Is(err, backends.ErrUnavailable) {
		u.failed = true
		return backends.Object{}, err
	}
	if left := u.Abort(); left != nil {
		// Only the text: its kind must not be taken for that of the commit.
		err = fmt.Errorf("%w (and then: %v)", err, left) //nolint:errorlint // see above
	}
	return backends.Object{}, err
}

// Flush is [backends.Flusher.Flush]. What others could not go on after, were the upload to be
// parked, waits for Commit, and so does a file that may be one request.
func (u *Upload) Flush() error {
	if u.ended || u.ctx.Err() != nil || u.sent == 0 || u.part.size < min(u.part.limit, followable) {
		return nil
	}
	if err := u.flush(); err != nil {
		return u.fail(err)
	}
	return nil
}

func (u *Upload) finish() (backends.Object, error) {
	if u.ctx.Err() != nil {
		return backends.Object{}, context.Cause(u.ctx)
	}
	if u.sent == 0 {
		u.part.seal()
		var obj backends.Object
		err := u.o.Turns.send(u.ctx, u.part, func() (err error) {
			obj, err = u.target.Put(u.ctx, u.part)
			return err
		})
		return obj, err
	}
	if u.part.size > 0 {
		if err := u.flush(); err != nil {
			return backends.Object{}, err
		}
	}
	for u.inFlight > 0 && u.ctx.Err() == nil {
		u.reap(u.ctx)
	}
	if u.ctx.Err() != nil {
		return backends.Object{}, context.Cause(u.ctx)
	}
	var obj backends.Object
	err := u.o.Turns.end(u.ctx, func() (err error) {
		obj, err = u.target.Complete(u.ctx, u.sent)
		return err
	})
	return obj, err
}

// Park keeps what arrived for a later upload, and returns how many octets that is. What
// is under way is waited for, half of the time; a part that does not arrive is lost with
// all that follows it. It takes 30 s at most, whatever has become of the upload's context.
func (u *Upload) Park() (int64, error) {
	if u.ended {
		return 0, errEnded
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.parent), parkTime)
	defer cancel()
	// Memory of a part that still grows is kept from others, who cannot wait for this.
	u.part.seal()
	u.land(ctx)
	if u.made(ctx) {
		return 0, u.abort(ctx)
	}
	size, err := u.keep(ctx)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return 0, errors.Join(err, u.abort(ctx))
	case err == nil && size == 0:
		return 0, u.abort(ctx)
	}
	u.part.close()
	return size, err
}

// made tells whether there is nothing to keep since a Commit that has failed has made the
// object, as far as can be told; by one small request it may have in any case.
func (u *Upload) made(ctx context.Context) bool {
	if !u.failed || !u.holds {
		return u.failed
	}
	made, err := u.target.Made(ctx)
	return made && err == nil
}

// land waits for the parts under way and gives up those that take too long, so that none
// can arrive while the target writes down which have.
func (u *Upload) land(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, landTime)
	defer cancel()
	for u.inFlight > 0 && ctx.Err() == nil {
		u.reap(ctx)
	}
	u.end(errParked)
}

// keep has the target keep the parts up to the first that is missing, and what follows
// them if that is the part being filled.
func (u *Upload) keep(ctx context.Context) (int64, error) {
	if u.offset+u.part.size <= u.o.Least {
		return 0, nil
	}
	tail := u.part
	if u.kept < u.sent {
		tail = newBody(u.budget, 0, u.o) // empty, and so holds nothing
	}
	if u.kept == 0 && tail.size == 0 {
		return 0, nil
	}
	u.holds = true
	return u.target.Keep(ctx, u.kept, tail)
}

// Abort ends the upload with nothing visible and nothing stored, within 30 s whatever
// has become of its context. Parts in flight are cancelled and waited for. After Commit,
// Park or another Abort it does nothing.
func (u *Upload) Abort() error {
	if u.ended {
		return nil
	}
	u.end(errAborted)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.parent), abortTime)
	defer cancel()
	return u.abort(ctx)
}

// abort gives up what the store holds, and the part being filled.
func (u *Upload) abort(ctx context.Context) error {
	u.part.close()
	if !u.holds {
		return nil
	}
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

// end makes the upload over, once nothing of it is under way. The part being filled is
// still to be closed.
func (u *Upload) end(cause error) {
	u.ended = true
	u.cancel(cause)
	u.stop(cause)
	for u.inFlight > 0 {
		u.note(<-u.done)
	}
}
