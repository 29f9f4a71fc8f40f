package vfs

import (
	"context"
	"errors"

	"causeway/gateway/ftp"
)

// renameDir ends a rename of the directory src.
func (f *FS) renameDir(_ context.Context, src place, _ ftp.Path) error {
	return refuse("rename", src.path, errors.ErrUnsupported)
}
