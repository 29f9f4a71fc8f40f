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
	if err == nil && !exists {
		exists, err = at.parkedBelow(ctx)
	}
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
// credentials may not look, it knows what this session has stored itself. Who may write
// there is told of a parked upload that is newer than the file. Whatever else may not be
// seen is not there: fs.ErrNotExist.
func (f *FS) Stat(ctx context.Context, p ftp.Path, o ftp.StatOptions) (ftp.Entry, error) {
	at, err := f.find("stat", p)
	switch {
	case err != nil:
		return ftp.Entry{}, err
	case at.fixed:
		return at.dirEntry(), nil
	case at.mount == nil:
		return ftp.Entry{}, refuse("stat", p, fs.ErrNotExist)
	}
	var e ftp.Entry
	a := answer{path: p}
	blind := at.rights&(List|Read) == 0
	if blind {
		e, err = f.statBlind(ctx, at, &a)
	} else {
		e, err = f.stat(ctx, at, o, &a)
	}
	switch a.size = e.Size; {
	case err == nil && !e.Dir, errors.Is(err, fs.ErrNotExist) && !blind:
		f.told.set(a)
	default:
		f.told.forget(p) // the client has learnt nothing of what is there
	}
	return e, err
}

// stat is Stat for an account that may look. It notes in a what it has found.
func (f *FS) stat(ctx context.Context, at place, o ftp.StatOptions, a *answer) (ftp.Entry, error) {
	var found *backends.Object
	obj, err := at.store.Stat(ctx, at.key, backends.StatOptions{Complete: o.Complete})
	switch {
	case err == nil:
		found = &obj
	case !invisible(err):
		return ftp.Entry{}, translate(err)
	case knownDir(at):
		return at.dirEntry(), nil
	}
	upload, parkedErr := at.resumable(ctx, found)
	switch {
	case parkedErr != nil:
		return ftp.Entry{}, parkedErr
	case upload != nil:
		a.parked, a.version = true, upload.ID
		return at.parkedEntry(*upload, found), nil
	case found != nil:
		a.version = obj.ETag
		return at.entry(obj), nil
	case !errors.Is(err, fs.ErrPermission):
		a.version = nothing
	}
	return f.statDir(ctx, at, err)
}

// statDir is Stat where no file can be seen; the store has said why.
func (f *FS) statDir(ctx context.Context, at place, why error) (ftp.Entry, error) {
	dir, err := isDir(ctx, at)
	if err == nil && !dir {
		dir, err = at.parkedBelow(ctx)
	}
	switch {
	case dir:
		return at.dirEntry(), nil
	case errors.Is(why, fs.ErrPermission) || errors.Is(err, fs.ErrPermission):
		// Only to credentials that are blind: where they see, what is gone is gone.
		return f.own(at.path)
	case err != nil:
		return ftp.Entry{}, translate(err)
	}
	return ftp.Entry{}, refuse("stat", at.path, fs.ErrNotExist)
}

// statBlind is Stat for an account that may not look: it sees what it has to know to go on
// with an upload, and its own.
func (f *FS) statBlind(ctx context.Context, at place, a *answer) (ftp.Entry, error) {
	found, err := at.parked(ctx, backends.ParkedQuery{})
	if err != nil {
		return ftp.Entry{}, err
	}
	if len(found) > 0 {
		obj, err := at.present(ctx, backends.StatOptions{})
		switch {
		case err != nil:
			return ftp.Entry{}, err
		case at.precedes(found[0], obj):
			a.parked, a.version = true, found[0].ID
			return at.parkedEntry(found[0], nil), nil
		}
	}
	return f.own(at.path)
}

// present is the object of the file at, nil if there is none that the credentials may see.
func (at place) present(ctx context.Context, o backends.StatOptions) (*backends.Object, error) {
	obj, err := at.store.Stat(ctx, at.key, o)
	switch {
	case err == nil:
		return &obj, nil
	case invisible(err):
		return nil, nil
	}
	return nil, translate(err)
}

// own describes what this session has stored as p.
func (f *FS) own(p ftp.Path) (ftp.Entry, error) {
	if e, ok := f.recent.get(p); ok {
		return e, nil
	}
	return ftp.Entry{}, refuse("stat", p, fs.ErrNotExist)
}
