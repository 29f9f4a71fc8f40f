package backendtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"causeway/backends"
)

// Recorder is a decorator that writes down the calls of a store, one line each, for
// golden transcripts and request budgets:
//
//	stat a/b [complete]
//	list a/ [delimiter] [limit=N] [more]      more: a later page
//	open a/b [offset=N] [length=N] [if-match]
//	create a/b [if-match] [if-absent] [size=N]
//	commit a/b N                              N octets were written
//	abort a/b                                 not after a commit that went well
//	delete a/b [if-match]
//	copy a/b -> c/d [source-if-match] [if-match] [if-absent] [metadata]
//	move a/b -> c/d …                         as copy
//	space
//
// A line is written when the call is made, whatever comes of it; a copy or move that the
// store has not is composed of other calls and leaves no line of its own. All its methods
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

// Requests counts those of the lines that cost a request to a store: all but create and
// abort. (An upload of several parts costs one for each, which a store's own tests count.)
func Requests(calls []string) int {
	n := 0
	for _, call := range calls {
		if verb, _, _ := strings.Cut(call, " "); verb != "create" && verb != "abort" {
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

// Create is [backends.Backend.Create].
func (r *Recorder) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	r.record("create", key, when(o.IfMatch, "if-match"), when(o.IfAbsent, "if-absent"), when(o.Size, "size="))
	next, err := r.next.Create(ctx, key, o)
	if err != nil {
		return nil, err
	}
	return &recordedUpload{next: next, recorder: r, key: key}, nil
}

type recordedUpload struct {
	next      backends.Upload
	recorder  *Recorder
	key       string
	written   int64
	committed bool
}

func (u *recordedUpload) Write(p []byte) (int, error) {
	n, err := u.next.Write(p)
	u.written += int64(n)
	return n, err
}

func (u *recordedUpload) Commit() (backends.Object, error) {
	u.recorder.record("commit", u.key, fmt.Sprint(u.written))
	obj, err := u.next.Commit()
	u.committed = err == nil
	return obj, err
}

func (u *recordedUpload) Park() (int64, error) {
	u.recorder.record("park", u.key, fmt.Sprint(u.written))
	size, err := u.next.Park()
	u.committed = true
	return size, err
}

func (u *recordedUpload) Abort() error {
	if !u.committed {
		u.recorder.record("abort", u.key)
	}
	return u.next.Abort()
}
