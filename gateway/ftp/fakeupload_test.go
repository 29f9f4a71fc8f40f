package ftp

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
)

// current is what uploads go on with and SIZE tells of: what is parked, else the file.
func (f *fakeFS) current(p Path) ([]byte, bool) {
	if b, ok := f.parked[p]; ok {
		return b, true
	}
	b, ok := f.files[p]
	return b, ok
}

func (f *fakeFS) Store(ctx context.Context, p Path, o StoreOptions) (Upload, Policy, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.entry(p)
	switch {
	case err == nil && e.Dir:
		return nil, Policy{}, ErrIsDir
	case err == nil && o.Unique:
		return nil, Policy{}, fs.ErrExist
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, Policy{}, err
	case !f.dirs[p.Parent()]:
		return nil, Policy{}, fs.ErrNotExist
	}
	before, _ := f.current(p)
	if o.Offset > int64(len(before)) {
		return nil, Policy{}, ErrRestart
	}
	if !o.Append {
		before = before[:o.Offset]
	}
	f.uploads++
	_, parked := f.parked[p]
	return &fakeUpload{ctx: ctx, fs: f, path: p, before: slices.Clone(before), resumed: parked && o.continues()}, f.policy, nil
}

// fakeUpload fails, panics or blocks as the name of its file tells.
type fakeUpload struct {
	ctx     context.Context
	fs      *fakeFS
	path    Path
	before  []byte // kept of what was there
	resumed bool   // and that had been parked
	buf     bytes.Buffer
	done    bool
}

func (u *fakeUpload) Write(p []byte) (int, error) {
	switch u.path.Base() {
	case "full":
		return 0, ErrQuota
	case "half":
		if u.buf.Len() > 0 {
			return 0, ErrUnavailable
		}
	case "stuck":
		<-u.ctx.Done()
		return 0, errors.Join(ErrUnavailable, context.Cause(u.ctx))
	case "bad-write":
		panic("fault of an upload")
	}
	return u.buf.Write(p)
}

func (u *fakeUpload) content() []byte { return append(u.before, u.buf.Bytes()...) }

func (u *fakeUpload) Park() (int64, error) {
	switch u.path.Base() {
	case "bad-park":
		panic("fault of an upload")
	case "never":
		return 0, errors.Join(errors.ErrUnsupported, u.Abort())
	}
	if u.buf.Len() == 0 && !u.resumed {
		return 0, u.Abort()
	}
	u.fs.mu.Lock()
	defer u.fs.mu.Unlock()
	u.end()
	u.fs.parked[u.path] = u.content()
	return int64(len(u.content())), nil
}

func (u *fakeUpload) Flush() error {
	u.fs.mu.Lock()
	defer u.fs.mu.Unlock()
	u.fs.flushed++
	return nil
}

func (u *fakeUpload) Commit() (Entry, error) {
	if u.fs.hold != nil {
		close(u.fs.holding)
		<-u.fs.hold
	}
	if err := u.ctx.Err(); err != nil {
		return Entry{}, errors.Join(err, u.Abort())
	}
	u.fs.mu.Lock()
	defer u.fs.mu.Unlock()
	if u.path.Base() == "lost" {
		return Entry{}, ErrUnavailable
	}
	u.end()
	at := u.path
	switch u.path.Base() {
	case "bad-commit":
		panic("fault of an upload")
	case "both":
		at = mustPath("/both-2")
	}
	delete(u.fs.parked, u.path)
	u.fs.files[at] = u.content()
	e, err := u.fs.entry(at)
	e.Version = "v1"
	return e, err
}

func (u *fakeUpload) Abort() error {
	u.fs.mu.Lock()
	defer u.fs.mu.Unlock()
	if u.done {
		return nil
	}
	u.end()
	u.fs.aborted++
	if u.resumed {
		delete(u.fs.parked, u.path)
	}
	return nil
}

func (u *fakeUpload) end() {
	u.fs.uploads--
	u.done = true
}
