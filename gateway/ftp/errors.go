package ftp

import (
	"errors"
	"fmt"
	"io/fs"
)

// The kinds of error that an [FS] returns, beside fs.ErrNotExist, fs.ErrExist,
// fs.ErrPermission, fs.ErrInvalid and errors.ErrUnsupported. One function of this
// package turns them into replies.
var (
	// ErrChanged: the file was replaced or deleted by someone else meanwhile.
	ErrChanged = errors.New("file was changed meanwhile")
	// ErrBusy: the path is being written here.
	ErrBusy = errors.New("file is being written")
	// ErrQuota: a limit on size, count or space.
	ErrQuota = errors.New("over a size or count limit")
	// ErrTooMany: a directory holds more than may be renamed.
	ErrTooMany = errors.New("too much in the directory")
	// ErrUnavailable: the store is throttling, failing or not answering; later may be better.
	ErrUnavailable = errors.New("storage unavailable")
	// ErrRestart: the restart point is past the end of the file, or cannot be taken.
	ErrRestart = errors.New("bad restart point")

	// ErrNotEmpty is the fs.ErrExist of RMD.
	ErrNotEmpty = fmt.Errorf("directory not empty: %w", fs.ErrExist)
	// ErrIsDir is the fs.ErrExist of a directory where a file is wanted.
	ErrIsDir = fmt.Errorf("is a directory: %w", fs.ErrExist)
	// ErrNotDir is the fs.ErrNotExist of a file where a directory is wanted.
	ErrNotDir = fmt.Errorf("not a directory: %w", fs.ErrNotExist)
)
