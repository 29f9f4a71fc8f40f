package vfs

import (
	"context"
	"errors"
	"io/fs"

	"causeway/backends"
	"causeway/gateway/ftp"
)

// Enter is [ftp.FS.Enter], by at most one request; so a file is not told from nothing.
// A directory that the account, or the gateway's own credentials, may not look into can
// always be entered: a drop box works for clients that change into it first, and tells
// nothing of what is there.
func (f *FS) Enter(ctx context.Context, dir ftp.Path) error {
	at, err := f.find("enter", dir)
	switch {
	case err != nil:
		return err
	case at.fixed:
		return nil
	case at.mount == nil:
		return refuse("enter", dir, fs.ErrNotExist)
	case !at.rights.has(List):
		return nil
	}
	exists, err := isDir(ctx, at)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil
	case err != nil:
		return translate(err)
	case !exists:
		return refuse("enter", dir, fs.ErrNotExist)
	}
	return nil
}

// Stat is [ftp.FS.Stat]. It needs List or Read; without them, and where the gateway's own
// credentials may not look, it knows what this session has stored itself. Whatever else
// may not be seen is not there: fs.ErrNotExist.
func (f *FS) Stat(ctx context.Context, p ftp.Path, o ftp.StatOptions) (ftp.Entry, error) {
	at, err := f.find("stat", p)
	switch {
	case err != nil:
		return ftp.Entry{}, err
	case at.fixed:
		return at.dirEntry(), nil
	case at.mount == nil:
		return ftp.Entry{}, refuse("stat", p, fs.ErrNotExist)
	case at.rights&(List|Read) == 0:
		return f.own(p)
	}
	obj, err := at.store.Stat(ctx, at.key, backends.StatOptions{Complete: o.Complete})
	if err == nil {
		return at.entry(obj), nil
	}
	if !invisible(err) {
		return ftp.Entry{}, translate(err)
	}
	dir, dirErr := isDir(ctx, at)
	switch {
	case dir:
		return at.dirEntry(), nil
	case errors.Is(err, fs.ErrPermission) || errors.Is(dirErr, fs.ErrPermission):
		// Only to credentials that are blind: where they see, what is gone is gone.
		return f.own(p)
	case dirErr != nil:
		return ftp.Entry{}, translate(dirErr)
	}
	return ftp.Entry{}, refuse("stat", p, fs.ErrNotExist)
}

// own describes what this session has stored as p.
func (f *FS) own(p ftp.Path) (ftp.Entry, error) {
	if e, ok := f.recent.get(p); ok {
		return e, nil
	}
	return ftp.Entry{}, refuse("stat", p, fs.ErrNotExist)
}

// Space is [ftp.FS.Space]. What may not be entered has no space to tell of.
func (f *FS) Space(ctx context.Context, dir ftp.Path) (int64, error) {
	if err := f.Enter(ctx, dir); err != nil {
		return 0, err
	}
	at, err := f.find("space", dir)
	switch {
	case err != nil:
		return 0, err
	case at.mount == nil:
		return 0, refuse("space", dir, errors.ErrUnsupported)
	}
	n, err := backends.Space(ctx, at.store)
	return n, translate(err)
}
