package vfs

import (
	"context"
	"errors"
	"io/fs"

	"causeway/backends"
	"causeway/gateway/ftp"
	"causeway/gateway/names"
)

// Store is [ftp.FS.Store]. It needs Write, and where there is a file already, which is
// looked for only if it must not be replaced, Overwrite and the mount's policy. What goes
// on with a file changes it and needs the same. Directories on the way need not exist.
func (f *FS) Store(ctx context.Context, p ftp.Path, o ftp.StoreOptions) (ftp.Upload, ftp.Policy, error) {
	at, err := f.file("store", p, Write)
	if err != nil {
		return nil, ftp.Policy{}, err
	}
	begin := f.begin
	if (o.Offset > 0 || o.Append) && !o.Unique {
		begin = f.resume
	}
	u, err := begin(ctx, at, o)
	if err != nil {
		return nil, ftp.Policy{}, err
	}
	return u, at.uploads, nil
}

// begin begins an upload from the first octet.
func (f *FS) begin(ctx context.Context, at place, o ftp.StoreOptions) (ftp.Upload, error) {
	f.told.forget(at.path)
	if err := at.fits(o.Size); err != nil {
		return nil, err
	}
	t, err := f.takeFor(ctx, at, o)
	if err != nil {
		return nil, err
	}
	u := f.newUpload(ctx, t.place, at.path)
	u.aside, u.older, u.done = t.aside, t.older, t.done
	u.next, err = t.store.Create(ctx, t.key, backends.CreateOptions{
		IfAbsent:    t.absent,
		Alternate:   t.alternate,
		Size:        o.Size,
		ContentType: names.ContentType(at.path.Base()),
	})
	if err != nil {
		t.done()
		return nil, translate(err)
	}
	return u, nil
}

// newUpload is an upload to at, which is reserved, before its store has heard of it.
func (f *FS) newUpload(ctx context.Context, at place, asked ftp.Path) *upload {
	u := &upload{fs: f, ctx: ctx, asked: asked, at: at, begun: f.names.history(at.name())}
	u.wroteAt = u.begun
	return u
}

// fits fails with ftp.ErrQuota for a file of more octets than one may have at a place.
func (at place) fits(octets int64) error {
	if at.fileLimit > 0 && octets > at.fileLimit {
		return refuse("store", at.path, ftp.ErrQuota)
	}
	return nil
}

func (f *FS) takeFor(ctx context.Context, at place, o ftp.StoreOptions) (target, error) {
	if o.Unique {
		return f.takeUnique(ctx, at)
	}
	return f.take(ctx, "store", at)
}

// upload is an upload whose errors are the engine's, and that is remembered once it is done.
type upload struct {
	next    backends.Upload
	fs      *FS
	ctx     context.Context // of the upload, to end by what it supersedes
	asked   ftp.Path        // that the client knows it by
	at      place           // that it has been begun for
	aside   bool            // which is another one
	appends bool            // it was to follow what is there, and there was nothing
	resumed bool            // it goes on with one that was parked
	wrote   bool
	size    int64   // octets, with those that were there
	begun   history // of the name when the upload began
	wroteAt history // and when it got its last octets
	older   []backends.Parked
	done    func() // gives the name free; nil once it was called
}

// Write takes nothing of what would make the file larger than the mount lets it be.
func (u *upload) Write(p []byte) (int, error) {
	if err := u.at.fits(u.size + int64(len(p))); err != nil {
		return 0, err
	}
	u.size += int64(len(p))
	if len(p) > 0 {
		u.wrote, u.wroteAt = true, u.fs.names.history(u.at.name())
	}
	n, err := u.next.Write(p)
	return n, translate(err)
}

// Flush is [backends.Flusher.Flush].
func (u *upload) Flush() error { return translate(backends.Flush(u.next)) }

func (u *upload) Commit() (ftp.Entry, error) {
	e, err := u.commit()
	if !errors.Is(err, ftp.ErrUnavailable) {
		u.release()
	}
	return e, err
}

func (u *upload) commit() (ftp.Entry, error) {
	parked := u.fs.names.history(u.at.name()).parked
	if parked != u.begun.parked {
		u.older = u.fs.superseded(u.ctx, u.at)
	}
	obj, err := u.next.Commit()
	switch {
	case u.appends && errors.Is(err, fs.ErrExist):
		return ftp.Entry{}, refuse("store", u.at.path, ftp.ErrChanged)
	case err != nil:
		return ftp.Entry{}, translate(err)
	}
	at := u.at
	if obj.Key != at.key {
		if at, err = u.at.sibling(obj.Key); err != nil {
			return ftp.Entry{}, err
		}
	}
	u.fs.names.filled(at.name())
	e := at.entry(obj)
	u.fs.recent.add(file{path: at.path, asked: u.asked, entry: e})
	if u.fs.names.history(u.at.name()).parked != parked { // while this was committed
		u.older = u.fs.parkedNow(u.ctx, u.at)
	}
	u.fs.supersede(u.ctx, u.at, u.older)
	return e, nil
}

// Park keeps nothing of an upload under a name that its client does not know: nobody would
// go on with it. Nor of one that has added nothing to an object: that would be its copy.
// Nor of one that is older than the file, which has taken the name since the last octets
// came: by the time of its parking, which may be minutes later, it would seem newer.
func (u *upload) Park() (int64, error) {
	defer u.release()
	if u.aside || u.overtaken() || !u.wrote && !u.resumed {
		return 0, translate(u.next.Abort())
	}
	size, err := u.next.Park()
	if err != nil || size == 0 {
		return size, translate(err)
	}
	u.fs.names.kept(u.at.name())
	if u.overtaken() { // while it was being parked, unseen by the file's commit
		u.fs.supersede(u.ctx, u.at, u.fs.parkedNow(u.ctx, u.at))
		return 0, nil
	}
	u.fs.supersede(u.ctx, u.at, u.older)
	return size, nil
}

// overtaken tells whether a file has taken the name since the upload's last octets came.
func (u *upload) overtaken() bool {
	return u.fs.names.history(u.at.name()).files != u.wroteAt.files
}

func (u *upload) Abort() error {
	defer u.release()
	return translate(u.next.Abort())
}

func (u *upload) release() {
	if u.done != nil {
		u.done()
		u.done = nil
	}
}
