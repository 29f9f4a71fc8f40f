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
	// abortTime and parkTime bound an Abort and a Park, whatever the upload's own context
	// says.
	abortTime = 30 * time.Second
	parkTime  = 30 * time.Second
)

var (
	errAborted = errors.New("upload was aborted")
	errParked  = errors.New("upload was parked")
	errEnded   = &backends.Error{Op: "write", Kind: fs.ErrClosed}
)

// Upload is one object on its way through a [Target]. It is a backends.Upload: one
// goroutine uses it at a time, and it ends by Commit, Park or Abort, after which no
// goroutine of its own runs and all of its budget is back.
type Upload struct {
	parent context.Context
	// ctx bounds the upload within parent; the first failure of a part is its cause.
	ctx    context.Context
	cancel context.CancelCauseFunc
	// sending outlasts both, so that Park finds what is under way stored.
	sending context.Context
	stop    context.CancelCauseFunc

	target Target
	budget *Budget
	o      Options
	sizes  sizes

	part    *Body // being filled
	offset  int64 // of part
	sent    int   // the last part given to send
	started bool  // Target.Start was called, whatever came of it, or need not be
	ended   bool  // by Commit, Park or Abort

	inFlight int
	done     chan sent        // what has returned
	kept     int              // parts 1 to kept are stored
	stored   map[int]struct{} // parts after these that are stored
	unsure   bool             // a part has failed, and may have arrived all the same
}

// sent is the outcome of sending parts.
type sent struct {
	first, last int
	err         error
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
	for u.inFlight >= u.width() && u.ctx.Err() == nil {
		u.reap(u.ctx)
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

// reap waits until one part has returned, or ctx ends.
func (u *Upload) reap(ctx context.Context) {
	select {
	case s := <-u.done:
		u.note(s)
	case <-ctx.Done():
	}
}

// note takes down what has become of parts.
func (u *Upload) note(s sent) {
	u.inFlight--
	if s.err != nil {
		u.unsure = true
		return
	}
	for n := s.first; n <= s.last; n++ {
		u.stored[n] = struct{}{}
	}
	for {
		if _, ok := u.stored[u.kept+1]; !ok {
			return
		}
		u.kept++
		delete(u.stored, u.kept)
	}
}

// send stores one part in a goroutine of its own, which reap waits for.
func (u *Upload) send(n int, body *Body) {
	err := u.repeat(n, body)
	body.close()
	if err != nil {
		u.cancel(err)
	}
	u.done <- sent{n, n, err}
}

// makeHead stores what precedes the octets that are written, like send.
func (u *Upload) makeHead() {
	err := u.o.Head.Make(u.sending)
	if err != nil {
		u.cancel(err)
	}
	u.done <- sent{1, u.o.Head.Parts, err}
}

// repeat stores one part, again if the store was unavailable.
func (u *Upload) repeat(n int, body *Body) error {
	for try := 1; ; try++ {
		err := u.target.Part(u.sending, n, body)
		if try == tries || !errors.Is(err, backends.ErrUnavailable) {
			return err
		}
		if !rest(u.sending, u.o.Pause<<(try-1)) {
			return err
		}
	}
}

// Commit makes the object visible: by one request if it ended inside the first part,
// otherwise when all parts are stored. If it fails nothing is left behind, but where the
// store is unavailable, what it has stored is kept: nobody has to send that again.
func (u *Upload) Commit() (backends.Object, error) {
	if u.ended {
		return backends.Object{}, errEnded
	}
	obj, err := u.finish()
	if err == nil {
		u.end(nil)
		return obj, nil
	}
	err = u.fail(err)
	var left error
	if u.sent > 0 && errors.Is(err, backends.ErrUnavailable) {
		_, left = u.Park()
	} else {
		left = u.Abort()
	}
	if left != nil {
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
		return u.target.Put(u.ctx, u.part)
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
	return u.target.Complete(u.ctx, u.sent)
}

// end releases what the upload holds, once nothing of it is under way.
func (u *Upload) end(cause error) {
	u.ended = true
	u.cancel(cause)
	u.stop(cause)
	for u.inFlight > 0 {
		u.note(<-u.done)
	}
	u.part.close()
}

// Park keeps what arrived for a later upload, and returns how many octets that is. What
// is under way is waited for; a part that failed and all that follows it is lost. It takes
// 30 s at most, whatever has become of the upload's context.
func (u *Upload) Park() (int64, error) {
	if u.ended {
		return 0, errEnded
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.parent), parkTime)
	defer cancel()
	for u.inFlight > 0 && ctx.Err() == nil {
		u.reap(ctx)
	}
	size, err := u.keep(ctx)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return 0, errors.Join(err, u.Abort())
	case err == nil && size == 0:
		return 0, u.Abort()
	}
	u.end(errParked)
	return size, err
}

// keep has the target keep the parts up to the first that is missing, and what follows
// them if that is the part being filled.
func (u *Upload) keep(ctx context.Context) (int64, error) {
	tail := u.part
	if u.kept < u.sent {
		tail = newBody(u.budget, 0, u.o)
	}
	tail.seal()
	if u.kept == 0 && tail.size == 0 {
		return 0, nil
	}
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
	if !u.started {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.parent), abortTime)
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
