package multipart

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"time"

	"causeway/backends"
)

const (
	// tries is how often a part is sent at least before the upload fails, however long each
	// takes up to giveUpTime; quick failures go on for tryPauses times [Options.Pause], which
	// is 8 s. The retries of the store's own client, if it has any, are inside.
	tries      = 3
	tryPauses  = 40
	giveUpTime = 45 * time.Second
	// longest is the longest pause before a part is tried again, in [Options.Pause].
	longest = 10
	// defaultPause is [Options.Pause] unless it is set.
	defaultPause = 200 * time.Millisecond
	// usual is how many parts are in flight for one upload where nothing calls for more.
	usual = 4
	// ample is what a store takes of one upload, in octets a second, where more parts in
	// flight would share the same line, disks or processors.
	ample = 256 << 20
)

var errEnded = &backends.Error{Op: "write", Kind: fs.ErrClosed}

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

	part    *Body     // being filled
	offset  int64     // of part
	sent    int       // the last part given to send
	begun   time.Time // when the first was
	started bool      // Target.Start was called, whatever came of it, or need not be
	holds   bool      // Target.Abort may have something to give up
	failed  bool      // Commit has, and the store may be there again for Park
	ended   bool      // by Commit, Park or Abort

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
		if u.sent+1 >= u.o.MaxParts {
			return 0, u.tooLarge()
		}
		// Not before there is an octet for the next part: a file of exactly one
		// part is one request, and no last part is empty.
		if err := u.flush(); err != nil {
			return 0, err
		}
		if err := u.step(); err != nil {
			return 0, err
		}
	}
	k := min(int64(len(p)), u.part.left())
	return int(k), u.part.write(u.ctx, p[:k])
}

// step waits until all is stored that was sent, where that is asked for.
func (u *Upload) step() error {
	for u.o.Steps && u.inFlight > 0 && u.ctx.Err() == nil {
		u.reap(u.ctx)
	}
	return context.Cause(u.ctx)
}

// Pending is what was written and not sent as a part yet. It is valid until the next call
// of another method.
func (u *Upload) Pending() *io.SectionReader { return u.part.Reader() }

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
		u.started, u.holds = true, true
		if err := u.o.Turns.end(u.ctx, func() error { return u.target.Start(u.ctx) }); err != nil {
			return err
		}
	}
	for u.inFlight >= u.width() && u.ctx.Err() == nil {
		u.reap(u.ctx)
	}
	if u.ctx.Err() != nil {
		return context.Cause(u.ctx)
	}
	if u.begun.IsZero() {
		u.begun = time.Now()
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

// width is how much may be in flight now. Parts in flight for one upload are memory that
// others wait for; a head being made is none.
func (u *Upload) width() int {
	n := min(u.o.InFlight, usual)
	switch {
	case u.budget.crowded():
		n = 1
	case u.starved():
		n = u.o.InFlight
	}
	if u.kept < u.o.Head.Parts {
		n++
	}
	return n
}

// starved tells whether the sender waits for a store that is far away, and not for one that
// is busy, while others leave half of the budget. Only who has a part in flight for each of
// the usual ones asks.
func (u *Upload) starved() bool {
	landed := u.sent - u.o.Head.Parts - u.inFlight
	if landed <= 0 || u.budget.memory.inUse() > u.budget.memory.capacity/2 {
		return false
	}
	// As if all that is in flight had landed now: the first part alone tells no rate.
	return float64(u.offset-u.o.Head.Size) < ample*time.Since(u.begun).Seconds()
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
	var begun time.Time // of the first try: waiting for a turn is none
	for try, pause := 1, u.o.Pause; ; try, pause = try+1, min(2*pause, longest*u.o.Pause) {
		err := u.o.Turns.send(u.sending, body, func() error {
			if try == 1 {
				begun = time.Now()
			}
			return u.target.Part(u.sending, n, body)
		})
		if !errors.Is(err, backends.ErrUnavailable) {
			return err
		}
		if took := time.Since(begun); took > giveUpTime || try >= tries && took > tryPauses*u.o.Pause {
			return err
		}
		// Random, so that the parts of many uploads do not come back in step.
		if !rest(u.sending, pause/2+rand.N(pause)) {
			return err
		}
		backends.Retried(u.sending)
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
