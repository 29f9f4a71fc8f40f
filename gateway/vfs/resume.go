package vfs

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"causeway/backends"
	"causeway/gateway/ftp"
	"causeway/gateway/names"
)

// standing is what is there for an upload to go on with: a parked upload that goes before
// the object, or the object, or nothing.
type standing struct {
	at     place
	object *backends.Object
	parked *backends.Parked
	older  []backends.Parked // uploads parked under the name beside it
}

// size is how many octets are there.
func (s standing) size() int64 {
	switch {
	case s.parked != nil:
		return s.parked.Size
	case s.object != nil:
		return s.object.Size
	}
	return 0
}

// version names what is there.
func (s standing) version() string {
	switch {
	case s.parked != nil:
		return s.parked.ID
	case s.object != nil:
		return s.object.ETag
	}
	return nothing
}

// maxLooks is how often a parked upload may turn out to be gone before the client is told
// to come back.
const maxLooks = 3

// resume begins an upload that goes on with what is there.
func (f *FS) resume(ctx context.Context, at place, o ftp.StoreOptions) (ftp.Upload, error) {
	done, err := f.reserve("store", at)
	if err != nil {
		return nil, err
	}
	u, err := f.goOn(ctx, at, o)
	if err != nil {
		done()
		return nil, err
	}
	u.done = done
	return u, nil
}

func (f *FS) goOn(ctx context.Context, at place, o ftp.StoreOptions) (*upload, error) {
	told := f.told.take(at.path)
	var gone []string // ids
	for range maxLooks {
		s, err := at.standing(ctx, gone)
		if err != nil {
			return nil, err
		}
		switch {
		case told != nil && !told.fits(s, o):
			return nil, refuse("store", at.path, ftp.ErrChanged)
		case told == nil && o.Append && s.parked != nil && running(*s.parked):
			// Who has not asked how much is there does not mean to go on with it, and
			// would add to what another client may be sending.
			return nil, refuse("store", at.path, ftp.ErrBusy)
		}
		u, err := f.continueFrom(ctx, s, o)
		if s.parked == nil || !errors.Is(err, fs.ErrNotExist) {
			return u, err
		}
		gone = append(gone, s.parked.ID)
	}
	return nil, refuse("store", at.path, ftp.ErrChanged)
}

// fits tells whether a client that was told a goes on with s as it means to.
func (a answer) fits(s standing, o ftp.StoreOptions) bool {
	switch {
	case a.parked != (s.parked != nil), o.Append && a.size != s.size():
		return false
	}
	return a.version == "" || a.version == s.version()
}

// standing asks the store what is there: what is remembered may be too old to write after
// it. Parked uploads that are known to be gone do not count.
func (at place) standing(ctx context.Context, gone []string) (standing, error) {
	s := standing{at: at}
	obj, err := at.present(ctx, backends.StatOptions{Complete: true})
	if err != nil {
		return s, err
	}
	found, err := at.parked(ctx, backends.ParkedQuery{Fresh: true})
	if err != nil {
		return s, err
	}
	found = slices.DeleteFunc(found, func(p backends.Parked) bool { return slices.Contains(gone, p.ID) })
	s.object, s.older = obj, found
	if len(found) > 0 && at.precedes(found[0], obj) {
		s.parked, s.older = &found[0], found[1:]
	}
	return s, nil
}

// continueFrom begins the upload after the octets of s that shall be kept.
func (f *FS) continueFrom(ctx context.Context, s standing, o ftp.StoreOptions) (*upload, error) {
	keep := o.Offset
	if o.Append {
		keep = s.size()
	}
	u := f.newUpload(ctx, s.at, s.at.path)
	u.older, u.size = s.older, keep
	create := backends.CreateOptions{Size: o.Size, IfAbsent: !s.at.replaces()}
	if s.at.overwrite == KeepBoth {
		create.Alternate = s.at.another
	}
	switch {
	case keep > s.size():
		return nil, refuse("store", s.at.path, ftp.ErrRestart)
	case s.at.fits(max(keep, o.Size)) != nil:
		return nil, s.at.fits(max(keep, o.Size))
	case s.parked != nil:
		create.Resume, create.At, u.resumed = s.parked.ID, keep, true
	case s.object == nil:
		// Credentials that may not look see nothing of a file either: it must not be
		// replaced by what was to follow it.
		u.appends, create.IfAbsent, create.ContentType = true, true, names.ContentType(s.at.path.Base())
	case !s.at.replaces():
		return nil, refuse("store", s.at.path, fs.ErrExist)
	default:
		create.At, create.IfMatch, create.ContentType = keep, s.object.ETag, s.object.ContentType
		create.Metadata = untimed(s.object.Metadata)
	}
	var err error
	u.next, err = s.at.store.Create(ctx, s.at.key, create)
	if err != nil {
		return nil, translate(err)
	}
	return u, nil
}

// untimed is metadata without the time that a client has set, and without what it was a copy of:
// the content changes now.
func untimed(metadata map[string]string) map[string]string {
	rest := map[string]string{}
	maps.Copy(rest, metadata)
	delete(rest, backends.MetaModTime)
	delete(rest, backends.MetaCopyOf)
	return rest
}
