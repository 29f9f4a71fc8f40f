package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"

	"causeway/backends"
	"causeway/gateway/names"
)

// maxChunk is the most octets that are read at once.
const maxChunk = 256 << 10

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
	changed := false
	for look := 1; ; look++ {
		if !v.copies() {
			return v, nil
		}
		if v, err := m.unless(ctx, *p, v); v == Deleted || err != nil {
			return v, err
		}
		var made backends.Object
		err := repeat(ctx, func() (err error) {
			made, err = m.transfer(ctx, *p)
			return err
		})
		var source sourceError
		ofSource := errors.As(err, &source)
		switch {
		case err == nil:
			return m.keep(ctx, *p, made)
		case ofSource && errors.Is(err, fs.ErrNotExist):
			return Vanished, nil
		case ofSource && errors.Is(err, backends.ErrChanged) && changed:
			return Changed, nil
		case ofSource && errors.Is(err, backends.ErrChanged):
			changed = true
		case (errors.Is(err, fs.ErrExist) || errors.Is(err, backends.ErrChanged)) && look < maxLooks:
		default:
			return Failed, err
		}
		if v, err = m.lookAgain(ctx, p); err != nil {
			return Failed, err
		}
	}
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

// keep is the outcome of a copy. One that was made while a client deleted the file is taken
// away again: the client's note of that comes before its deletion, so that either sees the other.
func (m *migration) keep(ctx context.Context, p pair, made backends.Object) (Outcome, error) {
	v, err := m.unless(ctx, p, Copied)
	if v != Deleted || made.ETag == "" { // no ETag: a directory that somebody else has made
		return v, err
	}
	err = repeat(ctx, func() error {
		return m.To.Store.Delete(ctx, m.To.Prefix+p.name, backends.DeleteOptions{IfMatch: made.ETag})
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, backends.ErrChanged) {
		return Failed, err
	}
	return Deleted, nil
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
		obj, err = t.Store.Stat(ctx, t.Prefix+name, backends.StatOptions{})
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

// transfer copies one version of the source, on the condition that the target is still as it
// was seen.
func (m *migration) transfer(ctx context.Context, p pair) (backends.Object, error) {
	if p.directory() {
		return m.mark(ctx, p)
	}
	r, err := m.From.Store.Open(ctx, m.From.Prefix+p.name, backends.OpenOptions{IfMatch: p.from.ETag})
	if err != nil {
		return backends.Object{}, sourceError{err}
	}
	defer r.Close() //nolint:errcheck // it was only read
	u, err := m.To.Store.Create(ctx, m.To.Prefix+p.name, p.options(r.Object))
	if err != nil {
		return backends.Object{}, err
	}
	defer u.Abort() //nolint:errcheck // after Commit it does nothing; before, the first error is the one to tell
	n, err := io.Copy(u, io.LimitReader(&source{ctx: ctx, m: m, r: r}, r.Object.Size+1))
	if err != nil {
		return backends.Object{}, err
	}
	if n != r.Object.Size {
		return backends.Object{}, sourceError{&backends.Error{Op: "read", Key: r.Object.Key, Kind: backends.ErrChanged, Err: fmt.Errorf("%d octets came of %d", n, r.Object.Size)}}
	}
	obj, err := u.Commit()
	if err == nil && obj.Size != n {
		err = fmt.Errorf("the target has %d octets of %d", obj.Size, n)
	}
	return obj, err
}

// mark makes an empty directory.
func (m *migration) mark(ctx context.Context, p pair) (backends.Object, error) {
	u, err := m.To.Store.Create(ctx, m.To.Prefix+p.name, backends.CreateOptions{IfAbsent: true})
	if err != nil {
		return backends.Object{}, err
	}
	defer u.Abort() //nolint:errcheck // as in transfer
	obj, err := u.Commit()
	if errors.Is(err, fs.ErrExist) {
		return backends.Object{}, nil
	}
	return obj, err
}

// options are those of the upload of a source.
func (p pair) options(from backends.Object) backends.CreateOptions {
	o := backends.CreateOptions{Size: from.Size, ContentType: from.ContentType, IfAbsent: p.to == nil}
	if p.to != nil {
		o.IfMatch = p.to.ETag
	}
	if o.ContentType == "" {
		o.ContentType = names.ContentType(p.name)
	}
	if t := from.Time(); !t.IsZero() {
		o.Metadata = maps.Clone(from.Metadata)
		if o.Metadata == nil {
			o.Metadata = make(map[string]string)
		}
		o.Metadata[backends.MetaModTime] = backends.FormatModTime(t)
	}
	return o
}

// source reads an object at the pace of all.
type source struct {
	ctx context.Context
	m   *migration
	r   io.Reader
}

func (s *source) Read(p []byte) (int, error) {
	if s.m.pace != nil {
		p = p[:min(len(p), s.m.pace.Burst())]
	}
	n, err := s.r.Read(p)
	if s.m.Progress != nil {
		s.m.Progress(int64(n))
	}
	if s.m.pace != nil && n > 0 {
		if slow := s.m.pace.WaitN(s.ctx, n); slow != nil {
			return n, slow
		}
	}
	if err != nil && err != io.EOF {
		err = sourceError{err}
	}
	return n, err
}
