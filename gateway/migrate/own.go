package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"causeway/backends"
)

// sign has an upload say what it is a copy of, where the target keeps that.
func (m *migration) sign(o *backends.CreateOptions, p pair) {
	if !m.Signs {
		return
	}
	if o.Metadata == nil {
		o.Metadata = make(map[string]string)
	}
	o.Metadata[backends.MetaCopyOf] = m.version(p)
}

// owns tells whether what is at the target is a copy of the pair's source. Where it cannot say so
// itself it is taken for one by its size and time.
func (m *migration) owns(p pair, there backends.Object) bool {
	if m.Signs {
		return there.Size == p.from.Size && there.Metadata[backends.MetaCopyOf] == m.version(p)
	}
	return there.Size == p.from.Size && there.Time().Unix() == p.from.Time().Unix()
}

// remove deletes a copy, unless somebody has replaced it, also when the run is ended. An ETag
// alone does not tell: on S3 a client's file of the same content has the same.
func (m *migration) remove(ctx context.Context, p pair, made backends.Object) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	err := repeat(ctx, func() error {
		if m.Signs && !p.directory() {
			there, err := m.To.stat(ctx, p.name)
			if err != nil || there == nil || there.ETag != made.ETag || !m.owns(p, *there) {
				return err
			}
		}
		return m.To.Store.Delete(ctx, m.To.Prefix+p.name, backends.DeleteOptions{IfMatch: made.ETag})
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, backends.ErrChanged) {
		return nil
	}
	return err
}

// commitError is that of a commit that the target may have done all the same.
type commitError struct {
	error
	resumed bool // an upload that another run, or another try, has begun
}

func (e commitError) Unwrap() error { return e.error }

// doubt is what is not known of the commits of one file.
type doubt struct {
	any     bool // one may have been done though the target has not said so
	resumed bool // what it made has not been compared with the source's checksum
	pair    pair // of the last such commit: what is looked at later may name the version otherwise
}

func (d *doubt) note(p pair, err error) {
	var commit commitError
	if errors.As(err, &commit) {
		*d = doubt{any: true, resumed: d.resumed || commit.resumed, pair: p}
	}
}

// errUnsure: who could tell whose file it is would have to have seen it written.
var errUnsure = errors.New("the target has what may be a copy of what was deleted there, or a client's file")

// afterDoubt is the outcome where a commit may have been done though the target has not said so:
// v and err, unless there is a copy. That is kept or taken away as any other.
func (m *migration) afterDoubt(ctx context.Context, d doubt, v Outcome, err error) (Outcome, error) {
	p := d.pair
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	there, lookErr := m.To.stat(look, p.name)
	switch {
	case lookErr != nil:
		return Failed, errors.Join(err, lookErr)
	case p.directory(), there == nil, !m.owns(p, *there):
		return v, err
	case !m.Signs:
		return m.unsure(look, p, v, err)
	case v == Vanished:
		// What was copied before that stays, unless nothing is left to compare it with.
		if is, goneErr := m.unless(look, p, v); is == v && goneErr == nil && !d.resumed {
			return v, err
		}
		return v, m.remove(ctx, p, *there)
	}
	if d.resumed || m.Verify == VerifyFull {
		if err := m.compare(ctx, p, there.ETag); err != nil {
			if !errors.Is(err, errDiffers) {
				err = fmt.Errorf("%w: %v", errUnverified, err) //nolint:errorlint // as in verified
			}
			return outcomeOf(err), errors.Join(err, m.remove(ctx, p, *there))
		}
	}
	is, keepErr := m.keep(ctx, p, *there)
	if is == Copied && v == Changed {
		return v, err
	}
	return is, keepErr
}

// unsure is afterDoubt where a copy cannot be told from a client's file.
func (m *migration) unsure(ctx context.Context, p pair, v Outcome, err error) (Outcome, error) {
	switch is, goneErr := m.unless(ctx, p, Copied); {
	case goneErr != nil:
		return Failed, errors.Join(err, goneErr)
	case is == Deleted:
		return Failed, errors.Join(err, errUnsure)
	case v == Same:
		return Copied, nil
	}
	return v, err
}

func outcomeOf(err error) Outcome {
	if errors.Is(err, errDiffers) {
		return Differs
	}
	return Failed
}
