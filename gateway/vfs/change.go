package vfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"time"

	"causeway/backends"
	"causeway/gateway/ftp"
)

// Delete is [ftp.FS.Delete]. It needs Delete. Who may write there deletes a parked upload
// that is newer than the file, and then the file is there as it was. The directory stays,
// even if this was the last of its files.
func (f *FS) Delete(ctx context.Context, p ftp.Path) error {
	at, err := f.file("delete", p, Delete)
	if err != nil {
		return err
	}
	var obj *backends.Object
	found, err := at.store.Stat(ctx, at.key, backends.StatOptions{})
	switch {
	case err == nil:
		obj = &found
	case !invisible(err):
		return translate(err)
	}
	blind := errors.Is(err, fs.ErrPermission) // who may not look may yet delete
	parked, err := at.parked(ctx, backends.ParkedQuery{})
	if err == nil && len(parked) > 0 {
		// What another gateway has ended meanwhile must not be taken for the file.
		parked, err = at.parked(ctx, backends.ParkedQuery{Fresh: true})
	}
	switch {
	case err != nil:
		return err
	case obj == nil && !blind && len(parked) == 0:
		return noFile(ctx, "delete", at)
	}
	// Those that are older than the file go as well, before it: they would come up in its place.
	if err := at.discard(ctx, parked); err != nil {
		return err
	}
	if len(parked) == 0 || !at.precedes(parked[0], obj) {
		if err := at.store.Delete(ctx, at.key, backends.DeleteOptions{}); err != nil {
			return translate(err)
		}
	}
	f.told.forget(p)
	f.recent.remove(p)
	f.keep(ctx, f.parent(at))
	return nil
}

// keepTimeout bounds the look at a directory and the writing of its marker.
const keepTimeout = 10 * time.Second

// keep writes the marker of a directory from which something was taken, if nothing else
// is left of it, or the store cannot tell, also for a client that has gone since. What was
// asked for is done by then, so a failure is no more than logged.
func (f *FS) keep(ctx context.Context, dir place) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
	defer cancel()
	exists, err := isDir(ctx, dir)
	if err == nil && !exists || errors.Is(err, backends.ErrUnavailable) {
		err = mark(ctx, dir, backends.CreateOptions{})
	}
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		f.logOf(ctx).Warn("directory is not kept", "path", dir.path.String(), "err", err)
	}
}

// mark writes the marker of a directory.
func mark(ctx context.Context, dir place, o backends.CreateOptions) error {
	o.ContentType = "application/x-directory"
	u, err := dir.store.Create(ctx, dir.dir(), o)
	if err != nil {
		return err
	}
	defer u.Abort() //nolint:errcheck // after Commit it does nothing; before, the first error is the one to tell
	_, err = u.Commit()
	return err
}

// Mkdir is [ftp.FS.Mkdir]. It needs Mkdir. Directories on the way need not exist.
func (f *FS) Mkdir(ctx context.Context, p ftp.Path) error {
	at, err := f.find("mkdir", p)
	switch {
	case err != nil:
		return err
	case at.fixed:
		return refuse("mkdir", p, fs.ErrExist)
	case at.mount == nil || !at.rights.has(Mkdir), at.denies(p):
		return refuse("mkdir", p, fs.ErrPermission)
	case len(at.dir()) > backends.MaxKey:
		return refuse("mkdir", p, fs.ErrInvalid)
	}
	exists, err := isDir(ctx, at)
	switch {
	case exists:
		return refuse("mkdir", p, fs.ErrExist)
	case err != nil && !errors.Is(err, fs.ErrPermission):
		return translate(err)
	}
	if err := vacant(ctx, "mkdir", at); err != nil {
		return err
	}
	return translate(mark(ctx, at, backends.CreateOptions{IfAbsent: true}))
}

// Rmdir is [ftp.FS.Rmdir]. It needs Delete. Keys that no listing shows count, and for who
// may write there, parked uploads: nothing is deleted but the marker.
func (f *FS) Rmdir(ctx context.Context, p ftp.Path) error {
	at, err := f.find("rmdir", p)
	switch {
	case err != nil:
		return err
	case at.fixed || at.mount == nil || !at.rights.has(Delete):
		return refuse("rmdir", p, fs.ErrPermission)
	}
	marker, others, err := contents(ctx, at)
	parked := false
	if err == nil && !others {
		parked, err = at.parkedBelow(ctx)
	}
	switch {
	case err != nil:
		return translate(err)
	case others || parked:
		return refuse("rmdir", p, ftp.ErrNotEmpty)
	case !marker:
		return noDir(ctx, at)
	}
	err = at.store.Delete(ctx, at.dir(), backends.DeleteOptions{})
	switch {
	case errors.Is(err, fs.ErrExist): // what is no object is in it, such as a link on a file system
		return fmt.Errorf("%w: %w", ftp.ErrNotEmpty, err)
	case err != nil:
		return translate(err)
	}
	f.keep(ctx, f.parent(at))
	return nil
}

// contents tells whether a directory has a marker, and anything else.
func contents(ctx context.Context, at place) (marker, others bool, err error) {
	q := backends.Query{Prefix: at.dir(), Limit: 2}
	for {
		page, err := at.store.List(ctx, q)
		if err != nil {
			return false, false, err
		}
		for _, o := range page.Objects {
			if o.Key != at.dir() {
				return marker, true, nil
			}
			marker = true
		}
		if q.Token = page.Next; q.Token == "" {
			return marker, false, nil
		}
	}
}

// noDir is the error for a path where there is no directory: ftp.ErrNotDir if there is a
// file, else fs.ErrNotExist.
func noDir(ctx context.Context, at place) error {
	err := vacant(ctx, "rmdir", at)
	switch {
	case errors.Is(err, fs.ErrExist):
		return refuse("rmdir", at.path, ftp.ErrNotDir)
	case err != nil:
		return err
	}
	return refuse("rmdir", at.path, fs.ErrNotExist)
}

// SetTime is [ftp.FS.SetTime]. It needs Write and Overwrite, and means the session's own
// upload where both files were kept. errors.ErrUnsupported where
// the store cannot change an object's metadata, or not with the gateway's credentials.
func (f *FS) SetTime(ctx context.Context, p ftp.Path, t time.Time) error {
	at, err := f.file("set time", f.recent.stored(p), Write|Overwrite)
	if err != nil {
		return err
	}
	obj, err := at.store.Stat(ctx, at.key, backends.StatOptions{Complete: true})
	switch {
	case err != nil && invisible(err):
		return noFile(ctx, "set time", at)
	case err != nil:
		return translate(err)
	}
	// Not by backends.Copy, which would send all of the object to and fro for a date.
	copier, ok := at.store.(backends.Copier)
	if !ok {
		return refuse("set time", p, errors.ErrUnsupported)
	}
	metadata := map[string]string{}
	maps.Copy(metadata, obj.Metadata)
	metadata[backends.MetaModTime] = backends.FormatModTime(t)
	delete(metadata, backends.MetaCopyOf) // it is the client's now
	f.told.forget(at.path)
	_, err = copier.Copy(ctx, at.key, at.key, backends.CopyOptions{SourceIfMatch: obj.ETag, Metadata: metadata})
	if errors.Is(err, fs.ErrPermission) {
		return refuse("set time", p, errors.ErrUnsupported)
	}
	return translate(err)
}
