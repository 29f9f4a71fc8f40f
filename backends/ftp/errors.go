package ftp

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"causeway/backends"
	"causeway/backends/ftp/ftpclient"
)

// fail makes the store's error of one of a connection, of the pool, or of the store's own.
func fail(op, key string, err error) error {
	var edge *backends.Error
	if errors.As(err, &edge) {
		return err
	}
	kind := kindOf(err)
	if err == kind { //nolint:errorlint // the kind alone has no cause to tell
		return &backends.Error{Op: op, Key: key, Kind: kind}
	}
	return &backends.Error{Op: op, Key: key, Kind: kind, Err: opaque{err}}
}

// opaque is an error that does not tell the kind of what it is the cause of: a refused login
// is no permission that a file lacks. That the caller has given up can be seen.
type opaque struct{ err error }

func (o opaque) Error() string { return o.err.Error() }

func (o opaque) Is(target error) bool {
	return (target == context.Canceled || target == context.DeadlineExceeded) && errors.Is(o.err, target)
}

func (o opaque) As(target any) bool { return errors.As(o.err, target) }

// kindOf is the kind of an error.
func kindOf(err error) error {
	var hidden opaque
	if errors.As(err, &hidden) {
		return backends.ErrUnavailable
	}
	var reply *ftpclient.ReplyError
	if errors.As(err, &reply) {
		switch reply.Code {
		case 452, 552: // no room, over the allocation (RFC 959 §4.2.2)
			return backends.ErrQuota
		case 530, 532: // not logged in: nothing is known of any file
			return backends.ErrUnavailable
		case 553: // name not allowed; but servers also say so of a STOR in what is not there
			if strings.HasPrefix(reply.Command, "RNTO ") {
				return fs.ErrInvalid
			}
		}
	}
	for _, kind := range []error{
		ftpclient.ErrTemporary, backends.ErrChanged, backends.ErrRange, fs.ErrNotExist, fs.ErrExist, fs.ErrInvalid, errors.ErrUnsupported, fs.ErrPermission,
	} {
		if errors.Is(err, kind) {
			if kind == ftpclient.ErrTemporary { //nolint:errorlint // one of the list
				return backends.ErrUnavailable
			}
			return kind
		}
	}
	if reply != nil && reply.Code/100 == 5 {
		return fs.ErrPermission // it will not, whatever the reason
	}
	return backends.ErrUnavailable
}
