package vfs

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"causeway/backends"
	"causeway/gateway/ftp"
)

// maxParked is how many parked uploads of a directory, or of a name, are looked at: more
// are an attack or a mistake, and shall not fill the memory.
const maxParked = 1000

// parkedUploads are what is parked and fits q, at most maxParked. None where the account may
// not write, and none where the gateway's own credentials may not look. What has nothing
// that is durable hides no file: it is the janitor's. What has a tag is not a client's.
func (at place) parkedUploads(ctx context.Context, q backends.ParkedQuery) ([]backends.Parked, error) {
	return at.parkedThat(ctx, q, func(backends.Parked) bool { return true })
}

// parkedThat is parkedUploads for those that fit; the others do not count.
func (at place) parkedThat(ctx context.Context, q backends.ParkedQuery, fit func(backends.Parked) bool) ([]backends.Parked, error) {
	if !at.rights.has(Write) {
		return nil, nil
	}
	var found []backends.Parked
	for p, err := range backends.ParkedUploads(ctx, at.store, q) {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return nil, nil
		case err != nil:
			return nil, translate(err)
		case p.Size == 0, p.Tag != "", !fit(p):
			continue
		}
		if found = append(found, p); len(found) == maxParked {
			break
		}
	}
	return found, nil
}

// parked are the parked uploads of the file at, the newest first.
func (at place) parked(ctx context.Context, q backends.ParkedQuery) ([]backends.Parked, error) {
	q.Prefix, q.Direct = at.key, true
	found, err := at.parkedThat(ctx, q, func(p backends.Parked) bool { return p.Key == at.key })
	slices.SortFunc(found, newestFirst)
	return found, err
}

// newestFirst compares parked uploads. Those of one moment have an order as well, so that
// what SIZE tells of is what is resumed.
func newestFirst(a, b backends.Parked) int {
	return cmp.Or(b.ModTime.Compare(a.ModTime), cmp.Compare(b.Size, a.Size), cmp.Compare(a.ID, b.ID))
}

// parkedBelow tells whether any upload to the directory at, or below it, is parked.
func (at place) parkedBelow(ctx context.Context) (bool, error) {
	if !at.rights.has(Write) {
		return false, nil
	}
	for p, err := range backends.ParkedUploads(ctx, at.store, backends.ParkedQuery{Prefix: at.dir()}) {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return false, nil
		case err == nil && (p.Size == 0 || p.Tag != ""): // as in parkedUploads
			continue
		}
		return err == nil, translate(err)
	}
	return false, nil
}

// precedes tells whether a parked upload goes before the object of its name, nil if there
// is none, for who may write there: it is what has been written last. Where the object may
// not be replaced, nothing can come of the upload.
func (at place) precedes(p backends.Parked, obj *backends.Object) bool {
	return at.rights.has(Write) && (obj == nil || at.replaces() && !obj.ModTime.After(p.ModTime))
}

// resumable is the parked upload that goes before the object obj of the file at, nil if
// there is none.
func (at place) resumable(ctx context.Context, obj *backends.Object) (*backends.Parked, error) {
	if obj != nil && !at.replaces() {
		return nil, nil
	}
	found, err := at.parked(ctx, backends.ParkedQuery{})
	if err != nil || len(found) == 0 || !at.precedes(found[0], obj) {
		return nil, err
	}
	return &found[0], nil
}

// discard ends parked uploads.
func (at place) discard(ctx context.Context, uploads []backends.Parked) error {
	for _, p := range uploads {
		if err := backends.Discard(ctx, at.store, p); err != nil {
			return translate(err)
		}
	}
	return nil
}

// openFor is how long ago the last octets of an upload that nobody has parked may have been
// stored, for another gateway to be writing it still: more than the slowest lines take
// for a part, and than the hour in which Azure's records tell that a writer lives.
const openFor = 2 * time.Hour

// running tells whether another gateway may be writing an upload at this moment.
func running(p backends.Parked) bool { return p.Open && time.Since(p.ModTime) < openFor }

// supersede ends uploads that were parked before a newer file or upload took their name.
// That is done by then, so a failure is no more than logged: the janitor ends them as well,
// and those that may still be running.
func (f *FS) supersede(ctx context.Context, at place, uploads []backends.Parked) {
	uploads = slices.DeleteFunc(slices.Clone(uploads), running)
	if len(uploads) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
	defer cancel()
	if err := at.discard(ctx, uploads); err != nil && !errors.Is(err, ftp.ErrBusy) {
		f.logOf(ctx).Warn("superseded upload stays parked", "path", at.path.String(), "err", err)
	}
}

// parkedEntry describes the file at by the parked upload that goes before obj, nil if
// there is no object.
func (at place) parkedEntry(p backends.Parked, obj *backends.Object) ftp.Entry {
	e := ftp.Entry{
		Name:    at.path.Base(),
		Size:    p.Size,
		ModTime: p.ModTime,
		Perm:    ftp.PermAppend | ftp.PermWrite | at.rights.perm([]facts{{Delete, ftp.PermDelete}}),
		Unique:  at.unique(at.key),
	}
	if obj != nil {
		e.Perm |= at.ofFile()
	}
	if at.denies(at.path) {
		e.Perm &^= ftp.PermAppend | ftp.PermWrite
	}
	return e
}
