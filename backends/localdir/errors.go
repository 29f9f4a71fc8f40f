package localdir

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"causeway/backends"
)

// errNotDir is a parent that is a file or a link. What is below it does not exist.
const errNotDir = syscall.ENOTDIR

// fail makes err the store's own, of the kind that it is.
func fail(op, key string, err error) error {
	return &backends.Error{Op: op, Key: key, Kind: kind(err), Err: err}
}

// kind maps what the operating system says, which is the fault of the caller, of the
// disk, or of the moment.
func kind(err error) error {
	for _, k := range []error{backends.ErrChanged, backends.ErrBusy, backends.ErrRange, backends.ErrUnavailable, errors.ErrUnsupported} {
		if errors.Is(err, k) {
			return k
		}
	}
	for _, row := range []struct {
		kind   error
		causes []error
	}{
		{backends.ErrUnavailable, []error{context.Canceled, context.DeadlineExceeded}},
		{backends.ErrQuota, []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}},
		{fs.ErrInvalid, []error{fs.ErrInvalid, syscall.EINVAL, syscall.ENAMETOOLONG, syscall.EILSEQ}},
		{fs.ErrNotExist, []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.ELOOP}},
		{fs.ErrExist, []error{fs.ErrExist, syscall.EISDIR, syscall.ENOTEMPTY}},
		{fs.ErrPermission, []error{fs.ErrPermission, syscall.EROFS}},
		{fs.ErrClosed, []error{fs.ErrClosed}},
		{errors.ErrUnsupported, []error{syscall.EXDEV}},
	} {
		for _, cause := range row.causes {
			if errors.Is(err, cause) {
				return row.kind
			}
		}
	}
	return backends.ErrUnavailable
}

// unsure is the error of a step that failed after the change had been made, when it is too
// late to say that nothing was done.
func unsure(err error) error {
	if err == nil {
		return nil
	}
	return errors.Join(backends.ErrUnavailable, err)
}

// isMissing tells errors that mean that there is nothing under a key.
func isMissing(err error) bool { return err != nil && errors.Is(kind(err), fs.ErrNotExist) }

// isNotEmpty tells why a directory could not be removed. (POSIX allows either.)
func isNotEmpty(err error) bool {
	return errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST)
}
