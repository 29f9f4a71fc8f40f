package backends

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// The kinds of error of a store, beside fs.ErrNotExist, fs.ErrExist, fs.ErrPermission,
// fs.ErrInvalid (the key cannot be one) and errors.ErrUnsupported.
var (
	// ErrChanged: a condition on an ETag did not hold; the object was replaced or deleted.
	ErrChanged = errors.New("object was changed")
	// ErrBusy: another writer holds the key.
	ErrBusy = errors.New("object is being written")
	// ErrQuota: a limit on size, count or space, ours or the store's.
	ErrQuota = errors.New("over a size or count limit")
	// ErrRange: the offset is past the end of the object.
	ErrRange = errors.New("offset past the end of the object")
	// ErrUnavailable: throttled, an answer of 5xx, or no answer. Worth trying again later.
	ErrUnavailable = errors.New("store unavailable")
)

// Error is a failure at the store's edge: it matches its Kind and its cause with
// errors.Is and errors.As, and its text is for the operator alone. Where the Kind is
// ErrUnavailable no other kind of its cause matches, nor an end of data: EACCES of a
// connection that a firewall forbids says nothing of the object.
type Error struct {
	Op   string // the verb: "stat", "list", "open", "read", "create", "write", "commit", "park", "abort", "delete", "copy", "move"
	Key  string // or the prefix
	Kind error  // one of the kinds above
	Err  error  // the SDK's own error, may be nil
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s %q: %v", e.Op, e.Key, e.Kind)
	}
	return fmt.Sprintf("%s %q: %v: %v", e.Op, e.Key, e.Kind, e.Err)
}

func (e *Error) Unwrap() []error {
	switch {
	case e.Err == nil:
		return []error{e.Kind}
	case errors.Is(e.Kind, ErrUnavailable):
		return []error{e.Kind, outage{e.Err}}
	}
	return []error{e.Kind, e.Err}
}

// outage is the cause of an ErrUnavailable: all that it is but a kind.
type outage struct{ err error }

func (o outage) Error() string { return o.err.Error() }

func (o outage) Is(target error) bool {
	return !slices.Contains(answers(), target) && errors.Is(o.err, target)
}

func (o outage) As(target any) bool { return errors.As(o.err, target) }

// answers are the kinds that say something of an object, and the ends of data.
func answers() []error {
	return []error{
		fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, errors.ErrUnsupported,
		ErrChanged, ErrBusy, ErrQuota, ErrRange, io.EOF, io.ErrUnexpectedEOF,
	}
}
