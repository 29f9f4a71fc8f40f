// Package metered is a decorator over [backends.Backend] that reports each call of a store:
// which it was, how long it took, and how it ended. It counts calls of the store contract
// that reach the store, not requests on the wire: an upload in parts is one commit. The
// octets of uploads and downloads are not timed, since their clients set the pace.
//
// Its central type is [Backend].
package metered

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"causeway/backends"
)

// Operation is a call of the store contract.
type Operation string

// The operations. What a store has not is not reported.
const (
	Stat     Operation = "stat"
	List     Operation = "list"
	Open     Operation = "open"
	Create   Operation = "create"
	Resume   Operation = "resume" // a Create that goes on with a parked upload
	Append   Operation = "append" // a Create that goes on with an object
	Commit   Operation = "commit"
	Park     Operation = "park"
	Abort    Operation = "abort" // not after a commit or a park that has ended the upload
	Delete   Operation = "delete"
	Copy     Operation = "copy"
	Move     Operation = "move"
	MoveTree Operation = "movetree"
	Parked   Operation = "parked"
	Discard  Operation = "discard"
	Sweep    Operation = "sweep"
	Space    Operation = "space"
	Sum      Operation = "sum"
)

// Report is told of a call that has ended. It is called from many goroutines and must not
// wait.
type Report func(op Operation, took time.Duration, err error)

// Kind is the kind of an error of a store in a word, one of a few: "ok" for none.
func Kind(err error) string {
	if err == nil {
		return "ok"
	}
	for _, k := range kinds() {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	return "other"
}

// kind is a kind of error with its name.
type kind struct {
	err  error
	name string
}

// kinds are searched from the top: what we gave up ourselves is no fault of the store, and
// a refusal that is told as an absence is a refusal.
func kinds() []kind {
	return []kind{
		{context.Canceled, "cancelled"},
		{fs.ErrPermission, "permission"},
		{fs.ErrNotExist, "not_exist"},
		{fs.ErrExist, "exist"},
		{fs.ErrInvalid, "invalid"},
		{errors.ErrUnsupported, "unsupported"},
		{backends.ErrChanged, "changed"},
		{backends.ErrBusy, "busy"},
		{backends.ErrQuota, "quota"},
		{backends.ErrRange, "range"},
		{backends.ErrUnavailable, "unavailable"},
	}
}

// Backend reports the calls of next. It is a [backends.Backend], [backends.Copier],
// [backends.Mover], [backends.TreeMover], [backends.Parker], [backends.Sweeper],
// [backends.Peeker], [backends.Spacer] and [backends.Summer]. All methods may be called from any goroutine.
type Backend struct {
	next    backends.Backend
	report  Report
	retried func()
}

// New decorates next. retried is called, as report is, for each request to the store that is
// made again.
func New(next backends.Backend, report Report, retried func()) *Backend {
	return &Backend{next, report, retried}
}

// watched has requests that are made again told.
func (b *Backend) watched(ctx context.Context) context.Context {
	return backends.WithRetries(ctx, b.retried)
}

// tell reports a call that began at a time.
func (b *Backend) tell(op Operation, began time.Time, err error) {
	b.report(op, time.Since(began), err)
}

// tellIfThere is tell, but not where the store has no such thing.
func (b *Backend) tellIfThere(op Operation, began time.Time, err error) {
	if !errors.Is(err, errors.ErrUnsupported) {
		b.tell(op, began, err)
	}
}

// Stat is [backends.Backend.Stat].
func (b *Backend) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	began := time.Now()
	obj, err := b.next.Stat(b.watched(ctx), key, o)
	b.tell(Stat, began, err)
	return obj, err
}

// List is [backends.Backend.List].
func (b *Backend) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	began := time.Now()
	page, err := b.next.List(b.watched(ctx), q)
	b.tell(List, began, err)
	return page, err
}

// Open is [backends.Backend.Open].
func (b *Backend) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	began := time.Now()
	r, err := b.next.Open(b.watched(ctx), key, o)
	b.tell(Open, began, err)
	return r, err
}

// Delete is [backends.Backend.Delete].
func (b *Backend) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	began := time.Now()
	err := b.next.Delete(b.watched(ctx), key, o)
	b.tell(Delete, began, err)
	return err
}

// Create is [backends.Backend.Create].
func (b *Backend) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	began := time.Now()
	next, err := b.next.Create(b.watched(ctx), key, o)
	b.tell(creation(o), began, err)
	if err != nil {
		return nil, err
	}
	return &upload{next: next, store: b}, nil
}

func creation(o backends.CreateOptions) Operation {
	switch {
	case o.Resume != "":
		return Resume
	case o.At > 0:
		return Append
	}
	return Create
}
