package backendtest

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"causeway/backends"
)

// Fault is something that goes wrong with one call of a store, or with every one of a
// verb's.
type Fault struct {
	// Verb is the call: "stat", "list", "open", "read", "create", "write", "commit",
	// "park", "abort", "delete", "copy", "move", "movetree", "parked", "discard", "sweep" or
	// "space". "read" is a Reader as a whole.
	Verb string

	// Nth is which call of the verb, counted from 1 since the Fault was added; 0 for all.
	Nth int

	// Err is what the call returns. For "read", io.EOF is a content cut short without a
	// word. Not used with Hang.
	Err error

	// Hang makes the call wait until its context ends.
	Hang bool

	// After is how many octets a "read" delivers before the fault.
	After int64

	// Late lets the call happen and loses its answer.
	Late bool
}

// Faults is a decorator that makes calls of a store fail. All its methods may be called
// from any goroutine.
type Faults struct {
	next backends.Backend

	mu     sync.Mutex
	faults []*planned
}

// planned is a Fault and the number of calls that it has seen.
type planned struct {
	Fault
	calls int
}

// NewFaults returns a decorator of next without faults.
func NewFaults(next backends.Backend) *Faults { return &Faults{next: next} }

// Add plans one more fault. The first added that fits a call decides it.
func (f *Faults) Add(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &planned{Fault: fault})
}

// Clear takes all faults back.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// due counts a call and returns the fault that is planned for it, if any.
func (f *Faults) due(verb string) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found *Fault
	for _, p := range f.faults {
		if p.Verb != verb {
			continue
		}
		p.calls++
		if found == nil && (p.Nth == 0 || p.Nth == p.calls) {
			found = &p.Fault
		}
	}
	return found
}

// strike makes the call, or the fault that is planned for it.
func strike[T any](ctx context.Context, f *Faults, verb string, call func() (T, error)) (T, error) {
	var zero T
	fault := f.due(verb)
	switch {
	case fault == nil:
		return call()
	case fault.Late:
		if result, err := call(); err != nil {
			return result, err
		}
	}
	return zero, fault.happen(ctx)
}

// happen returns the fault's error, having waited for the end of ctx if it hangs.
func (f *Fault) happen(ctx context.Context) error {
	if !f.Hang {
		return f.Err
	}
	<-ctx.Done()
	return &backends.Error{Op: f.Verb, Kind: backends.ErrUnavailable, Err: ctx.Err()}
}

// Stat is [backends.Backend.Stat].
func (f *Faults) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	return strike(ctx, f, "stat", func() (backends.Object, error) { return f.next.Stat(ctx, key, o) })
}

// List is [backends.Backend.List].
func (f *Faults) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	return strike(ctx, f, "list", func() (backends.Page, error) { return f.next.List(ctx, q) })
}

// Delete is [backends.Backend.Delete].
func (f *Faults) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	_, err := strike(ctx, f, "delete", func() (struct{}, error) { return struct{}{}, f.next.Delete(ctx, key, o) })
	return err
}

// Copy is [backends.Copier.Copy].
func (f *Faults) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	next, ok := f.next.(backends.Copier)
	if !ok {
		return backends.Object{}, errors.ErrUnsupported
	}
	return strike(ctx, f, "copy", func() (backends.Object, error) { return next.Copy(ctx, dst, src, o) })
}

// Move is [backends.Mover.Move].
func (f *Faults) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	next, ok := f.next.(backends.Mover)
	if !ok {
		return backends.Object{}, errors.ErrUnsupported
	}
	return strike(ctx, f, "move", func() (backends.Object, error) { return next.Move(ctx, dst, src, o) })
}

// MoveTree is [backends.TreeMover.MoveTree].
func (f *Faults) MoveTree(ctx context.Context, dst, src string) error {
	next, ok := f.next.(backends.TreeMover)
	if !ok {
		return errors.ErrUnsupported
	}
	_, err := strike(ctx, f, "movetree", func() (struct{}, error) { return struct{}{}, next.MoveTree(ctx, dst, src) })
	return err
}

// Parked is [backends.Parker.Parked].
func (f *Faults) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	next, ok := f.next.(backends.Parker)
	if !ok {
		return backends.ParkedPage{}, errors.ErrUnsupported
	}
	return strike(ctx, f, "parked", func() (backends.ParkedPage, error) { return next.Parked(ctx, q) })
}

// Discard is [backends.Parker.Discard].
func (f *Faults) Discard(ctx context.Context, p backends.Parked) error {
	next, ok := f.next.(backends.Parker)
	if !ok {
		return errors.ErrUnsupported
	}
	_, err := strike(ctx, f, "discard", func() (struct{}, error) { return struct{}{}, next.Discard(ctx, p) })
	return err
}

// Sweep is [backends.Sweeper.Sweep].
func (f *Faults) Sweep(ctx context.Context, before time.Time) (int, error) {
	return strike(ctx, f, "sweep", func() (int, error) { return backends.Sweep(ctx, f.next, before) })
}

// PeekPrefix is [backends.Peeker.PeekPrefix]; it never fails.
func (f *Faults) PeekPrefix(prefix string) (exists, known bool) {
	return backends.PeekPrefix(f.next, prefix)
}

// Space is [backends.Spacer.Space].
func (f *Faults) Space(ctx context.Context) (int64, error) {
	return strike(ctx, f, "space", func() (int64, error) { return backends.Space(ctx, f.next) })
}

// Sum is [backends.Summer.Sum].
func (f *Faults) Sum(ctx context.Context, key string, want []backends.Sum) (algorithm backends.Sum, sum []byte, err error) {
	sum, err = strike(ctx, f, "sum", func() ([]byte, error) {
		var err error
		algorithm, sum, err = backends.SumOf(ctx, f.next, key, want)
		return sum, err
	})
	return algorithm, sum, err
}

// Open is [backends.Backend.Open]. With a fault of "read" planned, the Reader suffers it.
func (f *Faults) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r, err := strike(ctx, f, "open", func() (*backends.Reader, error) { return f.next.Open(ctx, key, o) })
	if err != nil {
		return nil, err
	}
	if fault := f.due("read"); fault != nil {
		r.ReadCloser = &faultyReader{ctx: ctx, next: r.ReadCloser, fault: fault, left: fault.After}
	}
	return r, nil
}

// faultyReader delivers some octets, then the fault.
type faultyReader struct {
	ctx   context.Context
	next  io.ReadCloser
	fault *Fault
	left  int64
}

func (r *faultyReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, r.fault.happen(r.ctx)
	}
	n, err := r.next.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	return n, err
}

func (r *faultyReader) Close() error { return r.next.Close() }

// Create is [backends.Backend.Create].
func (f *Faults) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	next, err := strike(ctx, f, "create", func() (backends.Upload, error) { return f.next.Create(ctx, key, o) })
	if err != nil {
		return nil, err
	}
	return &faultyUpload{ctx: ctx, next: next, faults: f}, nil
}

type faultyUpload struct {
	ctx    context.Context
	next   backends.Upload
	faults *Faults
	made   bool // the object, and nobody has heard of it
}

func (u *faultyUpload) Write(p []byte) (int, error) {
	return strike(u.ctx, u.faults, "write", func() (int, error) { return u.next.Write(p) })
}

// Flush is [backends.Flusher.Flush].
func (u *faultyUpload) Flush() error { return backends.Flush(u.next) }

func (u *faultyUpload) Commit() (backends.Object, error) {
	return strike(u.ctx, u.faults, "commit", func() (backends.Object, error) {
		obj, err := u.next.Commit()
		u.made = err == nil
		return obj, err
	})
}

func (u *faultyUpload) Park() (int64, error) {
	if u.made {
		return 0, nil
	}
	return strike(u.ctx, u.faults, "park", u.next.Park)
}

func (u *faultyUpload) Abort() error {
	_, err := strike(u.ctx, u.faults, "abort", func() (struct{}, error) { return struct{}{}, u.next.Abort() })
	return err
}
