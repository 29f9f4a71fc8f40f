package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// The kinds of error, beside fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid (a path that
// cannot be sent) and errors.ErrUnsupported (the server cannot do that).
var (
	// ErrTemporary: a reply of 4xx, or the connection failed. Worth trying again later, on
	// another Conn.
	ErrTemporary = errors.New("temporary failure of the FTP server")
	// ErrProtocol: the server said what is no FTP, or too much. The Conn is of no use any more.
	ErrProtocol = errors.New("the FTP server does not speak FTP")
	// ErrIncomplete: the server said that a listing is not whole.
	ErrIncomplete = errors.New("the FTP server's listing is not whole")
)

// ReplyError is a reply that was not the wanted one. It matches ErrTemporary (4xx),
// fs.ErrPermission (530, 532, 533, 553, and 550 where the file is there), fs.ErrNotExist
// (550 where a second look did not find it) and errors.ErrUnsupported (500, 502, 504).
type ReplyError struct {
	Command string // the verb and the path; never a password
	Code    int    // three digits
	Text    string // what the server says, its lines joined by spaces; for the operator alone; "" to PASS where that has the password in it

	kind error // what a second look showed, or nil
}

func (e *ReplyError) Error() string {
	return fmt.Sprintf("%s: %d %s", e.Command, e.Code, e.Text)
}

// Is tells the kind of error.
func (e *ReplyError) Is(target error) bool {
	switch {
	case target == e.kind && target != nil:
		return true
	case target == ErrTemporary:
		return e.Code/100 == 4
	case target == fs.ErrPermission:
		return e.Code == 530 || e.Code == 532 || e.Code == 533 || e.Code == 553 || e.Code == 550 && e.deniedByText()
	case target == errors.ErrUnsupported:
		return e.Code == 500 || e.Code == 502 || e.Code == 504
	}
	return false
}

// deniedByText tells that the system's own words for a missing right are in a reply of 550,
// whose code says nothing. Nobody relies on them: without them there is the second look.
func (e *ReplyError) deniedByText() bool {
	text := strings.ToLower(e.Text)
	return strings.Contains(text, "permission denied") || strings.Contains(text, "operation not permitted") || strings.Contains(text, "access is denied")
}

// SaysMissing tells that the system's own words for what is not there are in the reply.
func (e *ReplyError) SaysMissing() bool {
	text := strings.ToLower(e.Text)
	return strings.Contains(text, "no such file") || strings.Contains(text, "not a directory")
}

// connError is a failure of a connection. It matches ErrTemporary unless the caller's
// context ended it, or the server's certificate is not believed.
type connError struct {
	op  string
	err error
}

func (e *connError) Error() string { return e.op + ": " + e.err.Error() }
func (e *connError) Unwrap() error { return e.err }

// errHungUp is in the place of io.EOF: whoever reads a listing or a file must not take the end of
// a connection for the end of that.
var errHungUp = errors.New("the server has closed the connection")

func (e *connError) Is(target error) bool {
	return target == ErrTemporary && !errors.Is(e.err, context.Canceled) && !errors.Is(e.err, context.DeadlineExceeded) && !distrusted(e.err)
}
