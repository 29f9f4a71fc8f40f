package migrate

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"causeway/backends"
)

// sourceError is a failure of the source. What is no such error of a transfer is the target's.
type sourceError struct{ error }

func (e sourceError) Unwrap() error { return e.error }

// settle brings one file over and tells what has become of it; v is how the sides differ.
func (m *migration) settle(ctx context.Context, p pair, v Outcome) {
	v, err := m.bring(ctx, &p, v)
	if ctx.Err() == nil {
		m.settled(p, v, err)
	}
}

// maxLooks is how often the target may change while a file is brought over.
const maxLooks = 5

// bring copies until the target has what the source has. A source that changes while it is
// read is read once more.
func (m *migration) bring(ctx context.Context, p *pair, v Outcome) (Outcome, error) {
	var d doubt
	v, err := m.tryOut(ctx, p, v, &d)
	if d.any && v != Copied {
		return m.afterDoubt(ctx, d, v, err)
	}
	return v, err
}

// tryOut is bring as far as the target's answers go.
func (m *migration) tryOut(ctx context.Context, p *pair, v Outcome, d *doubt) (Outcome, error) {
	changed := false
	for look := 1; ; look++ {
		done, err := m.attempt(ctx, *p, v, d)
		var source sourceError
		ofSource := errors.As(err, &source)
		switch {
		case err == nil:
			return done, nil
		case errors.Is(err, errDiffers):
			return Differs, err
		case ofSource && errors.Is(err, fs.ErrNotExist):
			return Vanished, nil
		case ofSource && errors.Is(err, backends.ErrChanged) && changed:
			return Changed, nil
		case ofSource && errors.Is(err, backends.ErrChanged):
			changed = true
		case look < maxLooks && (errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, backends.ErrChanged)):
		default:
			return Failed, err
		}
		if v, err = m.lookAgain(ctx, p); err != nil || p.from == nil {
			return v, err
		}
	}
}

// attempt copies a file, or compares it, if v asks for that.
func (m *migration) attempt(ctx context.Context, p pair, v Outcome, d *doubt) (Outcome, error) {
	switch {
	case v == Same && m.Verify == VerifyFull && !p.directory():
		return v, m.compare(ctx, p, p.to.ETag)
	case !v.copies():
		return v, nil
	}
	if v, err := m.unless(ctx, p, v); v == Deleted || err != nil {
		return v, err
	}
	made, err := m.bringOver(ctx, p, d)
	switch {
	case errors.Is(err, errDeleted):
		return Deleted, nil
	case err != nil:
		return Failed, err
	}
	if m.Verify == VerifyFull && !p.directory() {
		if err := m.compare(ctx, p, made.ETag); err != nil {
			return Failed, m.undo(ctx, p, made, err)
		}
	}
	return m.keep(ctx, p, made)
}

// bringOver copies a file, or makes a directory.
func (m *migration) bringOver(ctx context.Context, p pair, d *doubt) (made backends.Object, err error) {
	var told sum
	if !p.directory() {
		err = repeat(ctx, func() (err error) {
			told, err = m.sumOf(ctx, p)
			return err
		})
	}
	if err != nil {
		return made, err
	}
	err = repeat(ctx, func() (err error) {
		if p.directory() {
			made, err = m.mark(ctx, p)
		} else {
			made, err = m.transfer(ctx, p, told)
		}
		d.note(p, err)
		return err
	})
	return made, err
}

// unless is the outcome v of a file that the target lacks, or Deleted if it was deleted there.
func (m *migration) unless(ctx context.Context, p pair, v Outcome) (Outcome, error) {
	if m.Gone == nil {
		return v, nil
	}
	gone := false
	err := repeat(ctx, func() (err error) {
		gone, err = m.Gone(ctx, p.name, *p.from)
		return err
	})
	switch {
	case err != nil:
		return Failed, err
	case gone:
		return Deleted, nil
	}
	return v, nil
}

// lastLook bounds the look after a copy, also when the run is ended meanwhile.
const lastLook = time.Minute

// keep is the outcome of a copy. One that was made while a client deleted the file is taken
// away again: the client's note of that comes before its deletion, so that either sees the other.
// So is one of which that cannot be known: the next run would take it for the client's.
func (m *migration) keep(ctx context.Context, p pair, made backends.Object) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	v, err := m.unless(ctx, p, Copied)
	if v == Copied || made.ETag == "" { // no ETag: a directory that somebody else has made
		return v, err
	}
	if removeErr := m.remove(ctx, p, made); removeErr != nil {
		return Failed, errors.Join(err, removeErr)
	}
	return v, err
}

// undo takes away a copy that is not right, as err tells. What cannot be compared stays: the
// next run compares it.
func (m *migration) undo(ctx context.Context, p pair, made backends.Object, err error) error {
	if errors.Is(err, errDiffers) {
		err = errors.Join(err, m.remove(ctx, p, made))
	}
	return err
}

// lookAgain asks both sides what is there by now.
func (m *migration) lookAgain(ctx context.Context, p *pair) (Outcome, error) {
	var err error
	if p.from, err = m.From.stat(ctx, p.name); err != nil {
		return Failed, err
	}
	if p.from == nil {
		return Vanished, nil
	}
	if p.to, err = m.To.stat(ctx, p.name); err != nil {
		return Failed, err
	}
	return m.judge(*p), nil
}

// stat is nil if there is nothing.
func (t Tree) stat(ctx context.Context, name string) (*backends.Object, error) {
	var obj backends.Object
	err := repeat(ctx, func() (err error) {
		obj, err = t.Store.Stat(ctx, t.Prefix+name, backends.StatOptions{Complete: true})
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil //nolint:nilnil // it is as the comment says
	case err != nil:
		return nil, err
	}
	return &obj, nil
}

// mark makes an empty directory.
func (m *migration) mark(ctx context.Context, p pair) (backends.Object, error) {
	u, err := m.To.Store.Create(ctx, m.To.Prefix+p.name, backends.CreateOptions{IfAbsent: true})
	if err != nil {
		return backends.Object{}, err
	}
	defer u.Abort() //nolint:errcheck // after Commit it does nothing
	obj, err := u.Commit()
	if errors.Is(err, fs.ErrExist) {
		return backends.Object{}, nil
	}
	return obj, err
}
