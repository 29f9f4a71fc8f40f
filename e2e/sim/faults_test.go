package sim

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"causeway/backends"
)

// fault is what befalls a call of the store.
type fault int

const (
	none   fault = iota
	slow         // it takes its time
	failed       // nothing happens
	late         // it happens, and its answer is lost
	hung         // nothing happens, and nothing is said until the store's own time-out
)

// patience is how long a store's own time-outs are.
const patience = 30 * time.Second

// faulty is the store as one gateway process has it: it fails at random, and once the
// process has been killed, for ever.
type faulty struct {
	*world
	next *ledger
	dead chan struct{} // closed when the process is killed
}

// strike makes a call, or what befalls it.
func strike[T any](ctx context.Context, f *faulty, verb, key string, call func() (T, error)) (T, error) {
	var zero T
	what, d, err := f.roll(verb)
	if verb == "park" || verb == "abort" {
		ctx = context.WithoutCancel(ctx)
	}
	switch {
	case what == hung:
		d = patience
		fallthrough
	case what == slow:
		if !f.wait(ctx, d) {
			return zero, &backends.Error{Op: verb, Key: key, Kind: backends.ErrUnavailable, Err: ctx.Err()}
		}
	}
	select {
	case <-f.dead:
		return zero, &backends.Error{Op: verb, Key: key, Kind: backends.ErrUnavailable}
	default:
	}
	switch what {
	case failed, hung:
		return zero, &backends.Error{Op: verb, Key: key, Kind: err}
	case late:
		if result, err := call(); err != nil {
			return result, err
		}
		return zero, &backends.Error{Op: verb, Key: key, Kind: backends.ErrUnavailable, Err: errLost}
	}
	return call()
}

// errLost is the cause of a fault after the fact.
var errLost = errors.New("the answer was lost")

// wait tells whether d has passed before the context or the process ended.
func (f *faulty) wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-f.dead:
	}
	return false
}

// roll draws what befalls a call.
func (w *world) roll(verb string) (what fault, d time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.draw(1000) >= w.trouble {
		return none, 0, nil
	}
	w.faults++
	d = time.Duration(w.draw(5000)) * time.Millisecond
	what = fault(1 + w.draw(4))
	err = backends.ErrUnavailable
	if w.draw(4) == 0 {
		err = w.refusal(verb)
	}
	if verb == "abort" && what > slow {
		what = late // to fail at it is not allowed
	}
	return what, d, err
}

// refusal is an error of another kind than ErrUnavailable that a store may give to a verb.
func (w *world) refusal(verb string) error {
	switch {
	case verb == "park":
		return errors.ErrUnsupported
	case verb != "write" && w.draw(2) == 0:
		w.denied = w.ticks
		return fs.ErrPermission
	case verb == "create" || verb == "write" || verb == "commit":
		return backends.ErrQuota
	}
	return backends.ErrUnavailable
}

func (f *faulty) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	return strike(ctx, f, "stat", key, func() (backends.Object, error) { return f.next.Stat(ctx, key, o) })
}

func (f *faulty) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	return strike(ctx, f, "list", q.Prefix, func() (backends.Page, error) { return f.next.List(ctx, q) })
}

func (f *faulty) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	_, err := strike(ctx, f, "delete", key, func() (struct{}, error) { return struct{}{}, f.next.Delete(ctx, key, o) })
	return err
}

func (f *faulty) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	return strike(ctx, f, "copy", dst, func() (backends.Object, error) { return f.next.Copy(ctx, dst, src, o) })
}

func (f *faulty) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	return strike(ctx, f, "move", dst, func() (backends.Object, error) { return f.next.Move(ctx, dst, src, o) })
}

func (f *faulty) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	return strike(ctx, f, "parked", q.Prefix, func() (backends.ParkedPage, error) { return f.next.Parked(ctx, q) })
}

func (f *faulty) Discard(ctx context.Context, p backends.Parked) error {
	_, err := strike(ctx, f, "discard", p.Key, func() (struct{}, error) { return struct{}{}, f.next.Discard(ctx, p) })
	return err
}

// Open is [backends.Backend.Open]; what it opens may end too early, with a word or without.
func (f *faulty) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r, err := strike(ctx, f, "open", key, func() (*backends.Reader, error) { return f.next.Open(ctx, key, o) })
	if err != nil {
		return nil, err
	}
	r.ReadCloser = &faultyReader{ctx: ctx, faulty: f, key: key, next: r.ReadCloser}
	return r, nil
}

type faultyReader struct {
	*faulty
	ctx  context.Context
	key  string
	next io.ReadCloser
	cut  bool
}

func (r *faultyReader) Read(p []byte) (int, error) {
	if r.cut {
		return 0, io.EOF
	}
	n, err := strike(r.ctx, r.faulty, "read", r.key, func() (int, error) { return r.next.Read(p[:min(len(p), 200)]) })
	if errors.Is(err, errLost) {
		r.cut = true // the content ends without a word
		return 0, io.EOF
	}
	return n, err
}

func (r *faultyReader) Close() error { return r.next.Close() }

// Create is [backends.Backend.Create]. An upload of which nobody is told ends as the store
// would end it.
func (f *faulty) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	var made backends.Upload
	_, err := strike(ctx, f, "create", key, func() (_ struct{}, err error) {
		made, err = f.next.Create(ctx, key, o)
		return struct{}{}, err
	})
	switch {
	case errors.Is(err, errLost) && o.Resume != "":
		_, parkErr := made.Park()
		return nil, errors.Join(err, parkErr)
	case errors.Is(err, errLost):
		return nil, errors.Join(err, made.Abort())
	case err != nil:
		return nil, err
	}
	return &faultyUpload{ctx: ctx, faulty: f, key: key, next: made}, nil
}

type faultyUpload struct {
	*faulty
	ctx  context.Context
	key  string
	next backends.Upload
	made bool // the object, and nobody has heard of it
}

func (u *faultyUpload) Write(p []byte) (int, error) {
	return strike(u.ctx, u.faulty, "write", u.key, func() (int, error) { return u.next.Write(p) })
}

func (u *faultyUpload) Commit() (backends.Object, error) {
	obj, err := strike(u.ctx, u.faulty, "commit", u.key, u.next.Commit)
	if u.made = errors.Is(err, errLost); u.made {
		u.doubt(u.next)
	}
	return obj, err
}

// doubt notes that the client may be told the upload had failed.
func (w *world) doubt(next backends.Upload) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u, ok := next.(*upload); ok && u.op != nil {
		u.op.doubtful = true
		w.seen["stored and its answer lost"]++
	}
}

func (u *faultyUpload) Park() (int64, error) {
	if u.made {
		return 0, nil
	}
	return strike(u.ctx, u.faulty, "park", u.key, u.next.Park)
}

func (u *faultyUpload) Abort() error {
	_, err := strike(u.ctx, u.faulty, "abort", u.key, func() (struct{}, error) { return struct{}{}, u.next.Abort() })
	return err
}
