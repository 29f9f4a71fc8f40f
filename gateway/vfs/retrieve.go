package vfs

import (
	"context"
	"io"

	"causeway/backends"
	"causeway/gateway/ftp"
)

// Retrieve is [ftp.FS.Retrieve]. It needs Read, and asks for the object by its exact key,
// so a file whose name is a directory's as well can be read.
func (f *FS) Retrieve(ctx context.Context, p ftp.Path, o ftp.RetrieveOptions) (*ftp.Download, error) {
	at, err := f.file("retrieve", p, Read)
	if err != nil {
		return nil, err
	}
	r, err := at.reads.Open(ctx, at.store, at.key, backends.OpenOptions{Offset: o.Offset, Length: o.Length})
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
