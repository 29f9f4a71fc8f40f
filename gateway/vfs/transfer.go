package vfs

import (
	"context"
	"io"

	"causeway/backends"
	"causeway/backends/readahead"
	"causeway/gateway/ftp"
)

// Retrieve is [ftp.FS.Retrieve]. It needs Read, and asks for the object by its exact key,
// so a file whose name is a directory's as well can be read.
func (f *FS) Retrieve(ctx context.Context, p ftp.Path, o ftp.RetrieveOptions) (*ftp.Download, error) {
	at, err := f.file("retrieve", p, Read)
	if err != nil {
		return nil, err
	}
	r, err := readahead.Open(ctx, at.store, at.key, backends.OpenOptions{Offset: o.Offset, Length: o.Length})
	if err != nil {
		return nil, translate(err)
	}
	return &ftp.Download{Size: r.Object.Size, ReadCloser: download{r}}, nil
}

// download is a Reader whose errors are the engine's.
type download struct{ next *backends.Reader }

func (d download) Read(p []byte) (int, error) {
	n, err := d.next.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // a wrapped EOF is a failure, and must not become the end
		err = translate(err)
	}
	return n, err
}

func (d download) Close() error { return translate(d.next.Close()) }

// Store is [ftp.FS.Store]. It needs Write, and Overwrite where there is a file already,
// which is looked for only without that right. Directories on the way need not exist.
func (f *FS) Store(ctx context.Context, p ftp.Path, o ftp.StoreOptions) (ftp.Upload, ftp.Policy, error) {
	at, err := f.file("store", p, Write)
	if err != nil {
		return nil, ftp.Policy{}, err
	}
	absent, err := f.mayTake(ctx, "store", at)
	if err != nil {
		return nil, ftp.Policy{}, err
	}
	if o.Unique && !absent {
		if err := vacant(ctx, "store", at); err != nil {
			return nil, ftp.Policy{}, err
		}
		absent = true
	}
	next, err := at.store.Create(ctx, at.key, backends.CreateOptions{
		IfAbsent:    absent,
		Size:        o.Size,
		ContentType: contentType(p.Base()),
	})
	if err != nil {
		return nil, ftp.Policy{}, translate(err)
	}
	return &upload{next: next, fs: f, at: at}, at.uploads, nil
}

// mayTake checks what is at the name that a file shall get, and tells whether the write
// must be on the condition that there is none. A directory of that name is refused if it
// is known without a request.
func (f *FS) mayTake(ctx context.Context, op string, at place) (ifAbsent bool, err error) {
	if knownDir(at) {
		return false, refuse(op, at.path, ftp.ErrIsDir)
	}
	if at.rights.has(Overwrite) {
		return false, nil
	}
	return true, vacant(ctx, op, at)
}

// upload is an upload whose errors are the engine's, and that is remembered once it is done.
type upload struct {
	next backends.Upload
	fs   *FS
	at   place
}

func (u *upload) Write(p []byte) (int, error) {
	n, err := u.next.Write(p)
	return n, translate(err)
}

func (u *upload) Commit() (ftp.Entry, error) {
	obj, err := u.next.Commit()
	if err != nil {
		return ftp.Entry{}, translate(err)
	}
	e := u.at.entry(obj)
	u.fs.recent.add(u.at.path, e)
	return e, nil
}

func (u *upload) Park() (int64, error) {
	size, err := u.next.Park()
	return size, translate(err)
}

func (u *upload) Abort() error { return translate(u.next.Abort()) }
