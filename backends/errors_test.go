package backends_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"causeway/backends"
)

// TestOutageIsNoAnswer: what kept a store from answering says nothing of the object, whatever
// else it means.
func TestOutageIsNoAnswer(t *testing.T) {
	answers := []error{
		fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, errors.ErrUnsupported,
		backends.ErrChanged, backends.ErrBusy, backends.ErrQuota, backends.ErrRange, io.EOF, io.ErrUnexpectedEOF,
	}
	causes := append([]error{
		&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)}, // a firewall
		&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EPERM)},
		&fs.PathError{Op: "open", Path: "token", Err: syscall.ENOENT},
		syscall.EOPNOTSUPP,
		&backends.Error{Op: "stat", Kind: fs.ErrNotExist, Err: fs.ErrPermission},
	}, answers...)
	for _, cause := range causes {
		var err error = &backends.Error{Op: "list", Key: "k", Kind: backends.ErrUnavailable, Err: cause}
		for _, err := range []error{err, fmt.Errorf("again: %w", err), &backends.Error{Kind: backends.ErrUnavailable, Err: err}} {
			if !errors.Is(err, backends.ErrUnavailable) {
				t.Errorf("%v: not an outage", err)
			}
			for _, answer := range answers {
				if errors.Is(err, answer) {
					t.Errorf("%v: also %q", err, answer)
				}
			}
		}
		if got, want := err.Error(), fmt.Sprintf("list \"k\": store unavailable: %v", cause); got != want {
			t.Errorf("text %q, want %q", got, want)
		}
	}
}

// TestErrorKeepsItsCause where that is no answer, and a kind that was made of another on purpose.
func TestErrorKeepsItsCause(t *testing.T) {
	own := errors.New("own")
	cause := &net.OpError{Op: "dial", Err: errors.Join(context.Canceled, context.DeadlineExceeded, own, syscall.EACCES)}
	err := &backends.Error{Op: "list", Kind: backends.ErrUnavailable, Err: cause}
	for _, want := range []error{context.Canceled, context.DeadlineExceeded, own, cause, syscall.EACCES} {
		if !errors.Is(err, want) {
			t.Errorf("%v: not %q", err, want)
		}
	}
	var dial *net.OpError
	if !errors.As(err, &dial) || dial != cause {
		t.Errorf("%v: the cause's own type is %v", err, dial)
	}
	refused := &backends.Error{Op: "stat", Kind: fs.ErrNotExist, Err: fs.ErrPermission}
	if !errors.Is(refused, fs.ErrNotExist) || !errors.Is(refused, fs.ErrPermission) {
		t.Errorf("%v: not both", refused)
	}
}
