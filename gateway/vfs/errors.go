package vfs

import (
	"errors"
	"fmt"
	"io/fs"

	"causeway/backends"
	"causeway/gateway/ftp"
)

// translate adds to an error of a store the kind that the engine knows it by. The store's
// own text stays, for the log. The kinds of io/fs and errors.ErrUnsupported are common to
// both.
func translate(err error) error {
	kinds := [...]struct{ store, engine error }{
		{backends.ErrChanged, ftp.ErrChanged},
		{backends.ErrBusy, ftp.ErrBusy},
		{backends.ErrQuota, ftp.ErrQuota},
		{backends.ErrRange, ftp.ErrRestart},
		{backends.ErrUnavailable, ftp.ErrUnavailable},
	}
	for _, kind := range kinds {
		if errors.Is(err, kind.store) {
			return fmt.Errorf("%w: %w", kind.engine, err)
		}
	}
	return err
}

// refuse is an error that the store was not asked for.
func refuse(op string, p ftp.Path, kind error) error {
	return &fs.PathError{Op: op, Path: p.String(), Err: kind}
}
