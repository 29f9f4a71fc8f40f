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

const (
	// maxChunk is the most octets that are read at once.
	maxChunk = 256 << 10
	// large is from how many octets on a file is gone on with where a run has ended: the
	// first part of an upload, of which nothing is lost that is not sent again soon.
	large = 8 << 20
)

// transfer copies one version of the source, on the condition that the target is still as it
// was seen. It has the checksum that the source tells, if it does.
func (m *migration) transfer(ctx context.Context, p pair, told sum) (backends.Object, error) {
	u, at, err := m.resume(ctx, p)
	if err != nil {
		return backends.Object{}, err
	}
	w := &writing{m: m, p: p, upload: u, at: at, sum: told}
	defer w.abort()
	made, err := w.run(ctx)
	if err != nil {
		w.park(err)
		return backends.Object{}, err
	}
	if w.begun() && w.sum.known() {
		err = m.verified(ctx, p, made, w.sum)
	}
	return made, err
}

// errDeleted: the file was deleted at the target while it was read.
var errDeleted = errors.New("deleted at the target")

// writing is one file on its way.
type writing struct {
	m      *migration
	p      pair
	upload backends.Upload // nil until it is known what is to be written
	at     int64           // octets that the target had before
	sum    sum             // of the whole, that the source tells
}

// begun tells whether another run, or another try, has brought the first octets.
func (w *writing) begun() bool { return w.at > 0 }

// run reads the source and makes the object.
func (w *writing) run(ctx context.Context) (backends.Object, error) {
	p := w.p
	r, err := w.m.From.Store.Open(ctx, w.m.From.Prefix+p.name, backends.OpenOptions{Offset: w.at, IfMatch: p.from.ETag})
	if err != nil {
		return backends.Object{}, sourceError{err}
	}
	defer r.Close() //nolint:errcheck // it was only read
	if w.upload == nil {
		o := p.options(r.Object)
		o.Tag = w.m.tag(p)
		w.m.sign(&o, p)
		if w.upload, err = w.m.To.Store.Create(ctx, w.m.To.Prefix+p.name, o); err != nil {
			return backends.Object{}, err
		}
	}
	w.sum.unlessKnown(w.m.kept(r.Object))
	var in io.Reader = &source{ctx: ctx, m: w.m, r: r}
	if !w.begun() {
		in = w.sum.over(in)
	}
	left := r.Object.Size - w.at
	n, err := io.Copy(w.upload, io.LimitReader(in, left+1))
	if err != nil {
		return backends.Object{}, err
	}
	if n != left {
		return backends.Object{}, sourceError{&backends.Error{Op: "read", Key: r.Object.Key, Kind: backends.ErrChanged, Err: fmt.Errorf("%d octets came of %d", n, left)}}
	}
	if !w.begun() {
		if err := w.sum.judge(); err != nil {
			return backends.Object{}, w.m.unlessChanged(ctx, p, err)
		}
	}
	// A copy is seen until the look after it. What was deleted while it was read is not seen at all.
	if v, err := w.m.unless(ctx, p, Copied); err != nil {
		return backends.Object{}, err
	} else if v == Deleted {
		return backends.Object{}, errDeleted
	}
	obj, err := w.upload.Commit()
	if errors.Is(err, backends.ErrUnavailable) {
		err = commitError{err, w.begun()}
	}
	if err == nil && obj.Size != r.Object.Size {
		err = w.m.undo(ctx, p, obj, fmt.Errorf("%w: the target has %d octets of %d", errDiffers, obj.Size, r.Object.Size))
	}
	return obj, err
}

// park keeps what has come of a large file, if the version that it is of is still wanted.
func (w *writing) park(err error) {
	var of sourceError
	passed := errors.As(err, &of) && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, backends.ErrChanged))
	if w.upload != nil && w.m.tag(w.p) != "" && !passed && !errors.Is(err, errDiffers) && !errors.Is(err, errDeleted) {
		_, _ = w.upload.Park() // what it cannot keep is sent again; err is the one to tell
	}
}

func (w *writing) abort() {
	if w.upload != nil {
		_ = w.upload.Abort() // after Commit or Park it does nothing; before, the first error is the one to tell
	}
}

// conditions are what an upload is for: the version that is there, and none other.
func (p pair) conditions() backends.CreateOptions {
	o := backends.CreateOptions{Size: p.from.Size, IfAbsent: p.to == nil}
	if p.to != nil {
		o.IfMatch = p.to.ETag
	}
	return o
}

// options are those of the upload of a source.
func (p pair) options(from backends.Object) backends.CreateOptions {
	o := p.conditions()
	o.ContentType = from.ContentType
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
