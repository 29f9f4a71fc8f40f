package backendtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/backends"
)

// Recorder is a decorator that writes down the calls of a store, one line each, for
// golden transcripts and request budgets:
//
//	stat a/b [complete]
//	list a/ [delimiter] [limit=N] [more]      more: a later page
//	open a/b [offset=N] [length=N] [if-match]
//	create a/b [resume] [at=N] [if-match] [if-absent] [size=N]
//	commit a/b N                              N octets were written
//	park a/b N
//	abort a/b                                 not after a commit that went well, nor after a park
//	delete a/b [if-match]
//	copy a/b -> c/d [source-if-match] [if-match] [if-absent] [metadata]
//	move a/b -> c/d …                         as copy
//	movetree a/ -> c/
//	parked a/ [direct] [fresh] [more]
//	discard a/b
//	sweep
//	space
//
// A line is written when the call is made, whatever comes of it; what the store has not
// leaves no line, such as a copy that is composed of other calls. All its methods
// may be called from any goroutine.
type Recorder struct {
	next backends.Backend

	mu    sync.Mutex
	calls []string
}

// NewRecorder returns a Recorder of the calls that reach next.
func NewRecorder(next backends.Backend) *Recorder { return &Recorder{next: next} }

// Take returns the lines written since the last Take.
func (r *Recorder) Take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}

// Requests counts those of the lines that cost a request to a store: all but abort, and
// create where it keeps nothing that is there already. (A store may need several for one
// call, as for an upload in parts or to resume one, which its own tests count.)
func Requests(calls []string) int {
	n := 0
	for _, call := range calls {
		words := strings.Fields(call)
		keeps := slices.Contains(words, "resume") || slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "at=") })
		if words[0] != "abort" && (words[0] != "create" || keeps) {
			n++
		}
	}
	return n
}

// record writes one line: the words that are not empty.
func (r *Recorder) record(words ...string) {
	line := strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, line)
}

// when returns word if the value beside it is not zero, after which it is shown if word
// ends in "=".
func when[T comparable](value T, word string) string {
	var zero T
	switch {
	case value == zero:
		return ""
	case strings.HasSuffix(word, "="):
		return fmt.Sprint(word, value)
	}
	return word
}

// Stat is [backends.Backend.Stat].
func (r *Recorder) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	r.record("stat", key, when(o.Complete, "complete"))
	return r.next.Stat(ctx, key, o)
}

// List is [backends.Backend.List].
func (r *Recorder) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	r.record("list", q.Prefix, when(q.Delimiter, "delimiter"), when(q.Limit, "limit="), when(q.Token, "more"))
	return r.next.List(ctx, q)
}

// Open is [backends.Backend.Open].
func (r *Recorder) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r.record("open", key, when(o.Offset, "offset="), when(o.Length, "length="), when(o.IfMatch, "if-match"))
	return r.next.Open(ctx, key, o)
}

// Delete is [backends.Backend.Delete].
func (r *Recorder) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	r.record("delete", key, when(o.IfMatch, "if-match"))
	return r.next.Delete(ctx, key, o)
}

// Copy is [backends.Copier.Copy].
func (r *Recorder) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	next, ok := r.next.(backends.Copier)
	if !ok {
		return backends.Object{}, errors.ErrUnsupported
	}
	obj, err := next.Copy(ctx, dst, src, o)
	if !errors.Is(err, errors.ErrUnsupported) {
		r.recordCopy("copy", dst, src, o)
	}
	return obj, err
}

// Move is [backends.Mover.Move].
func (r *Recorder) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	next, ok := r.next.(backends.Mover)
	if !ok {
		return backends.Object{}, errors.ErrUnsupported
	}
	obj, err := next.Move(ctx, dst, src, o)
	if !errors.Is(err, errors.ErrUnsupported) {
		r.recordCopy("move", dst, src, o)
	}
	return obj, err
}

func (r *Recorder) recordCopy(verb, dst, src string, o backends.CopyOptions) {
	r.record(verb, src, "->", dst, when(o.SourceIfMatch, "source-if-match"), when(o.IfMatch, "if-match"),
		when(o.IfAbsent, "if-absent"), when(o.Metadata != nil, "metadata"))
}

// MoveTree is [backends.TreeMover.MoveTree].
func (r *Recorder) MoveTree(ctx context.Context, dst, src string) error {
	next, ok := r.next.(backends.TreeMover)
	if !ok {
		return errors.ErrUnsupported
	}
	err := next.MoveTree(ctx, dst, src)
	if !errors.Is(err, errors.ErrUnsupported) {
		r.record("movetree", src, "->", dst)
	}
	return err
}

// Parked is [backends.Parker.Parked].
func (r *Recorder) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	next, ok := r.next.(backends.Parker)
	if !ok {
		return backends.ParkedPage{}, errors.ErrUnsupported
	}
	page, err := next.Parked(ctx, q)
	if !errors.Is(err, errors.ErrUnsupported) {
		r.record("parked", q.Prefix, when(q.Direct, "direct"), when(q.Fresh, "fresh"), when(q.Token, "more"))
	}
	return page, err
}

// Discard is [backends.Parker.Discard].
func (r *Recorder) Discard(ctx context.Context, p backends.Parked) error {
	err := backends.Discard(ctx, r.next, p)
	if !errors.Is(err, errors.ErrUnsupported) {
		r.record("discard", p.Key)
	}
	return err
}

// Sweep is [backends.Sweeper.Sweep].
func (r *Recorder) Sweep(ctx context.Context, before time.Time) (int, error) {
	if _, ok := r.next.(backends.Sweeper); ok {
		r.record("sweep")
	}
	return backends.Sweep(ctx, r.next, before)
}

// PeekPrefix is [backends.Peeker.PeekPrefix]; it is no request and leaves no line.
func (r *Recorder) PeekPrefix(prefix string) (exists, known bool) {
	return backends.PeekPrefix(r.next, prefix)
}

// Space is [backends.Spacer.Space].
func (r *Recorder) Space(ctx context.Context) (int64, error) {
	n, err := backends.Space(ctx, r.next)
	if !errors.Is(err, errors.ErrUnsupported) {
		r.record("space")
	}
	return n, err
}

// Sum is [backends.Summer.Sum].
func (r *Recorder) Sum(ctx context.Context, key string, want []backends.Sum) (backends.Sum, []byte, error) {
	algorithm, sum, err := backends.SumOf(ctx, r.next, key, want)
	if !errors.Is(err, errors.ErrUnsupported) {
		r.record("sum", key)
	}
	return algorithm, sum, err
}

// Create is [backends.Backend.Create].
func (r *Recorder) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	r.record("create", key, when(o.Resume, "resume"), when(o.At, "at="),
		when(o.IfMatch, "if-match"), when(o.IfAbsent, "if-absent"), when(o.Size, "size="))
	next, err := r.next.Create(ctx, key, o)
	if err != nil {
		return nil, err
	}
	return &recordedUpload{next: next, recorder: r, key: key}, nil
}
