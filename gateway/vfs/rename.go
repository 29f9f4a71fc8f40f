package vfs

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"causeway/backends"
	"causeway/backends/readahead"
	"causeway/gateway/ftp"
)

// Rename is [ftp.FS.Rename]. The source needs Rename, and when the file leaves its mount
// also Read and Delete: otherwise an account could fetch by way of another mount what it
// may not fetch here. The target needs Write, and Overwrite if there is a file already.
// Directories cannot be renamed: errors.ErrUnsupported.
func (f *FS) Rename(ctx context.Context, from ftp.Path) (func(context.Context, ftp.Path) error, error) {
	src, err := f.find("rename", from)
	switch {
	case err != nil:
		return nil, err
	case src.fixed || src.mount == nil || !src.rights.has(Rename):
		return nil, refuse("rename", from, fs.ErrPermission)
	}
	obj, err := src.store.Stat(ctx, src.key, backends.StatOptions{})
	switch {
	case err != nil && invisible(err):
		err = noFile(ctx, "rename", src)
		if errors.Is(err, ftp.ErrIsDir) {
			err = refuse("rename", from, errors.ErrUnsupported)
		}
		return nil, err
	case err != nil:
		return nil, translate(err)
	}
	return func(ctx context.Context, to ftp.Path) error { return f.rename(ctx, src, obj, to) }, nil
}

// rename ends a rename of the version obj of src.
func (f *FS) rename(ctx context.Context, src place, obj backends.Object, to ftp.Path) error {
	dst, err := f.file("rename", to, Write)
	switch {
	case err != nil:
		return err
	case dst.mount != src.mount && !src.rights.has(Read|Delete):
		return refuse("rename", to, fs.ErrPermission)
	case dst.bucket == src.bucket && dst.key == src.key:
		return nil // onto itself, maybe by another mount
	}
	absent, err := f.mayTake(ctx, "rename", dst)
	if err != nil {
		return err
	}
	var moved backends.Object
	if dst.bucket == src.bucket {
		moved, err = backends.Move(ctx, src.store, dst.key, src.key, backends.CopyOptions{SourceIfMatch: obj.ETag, IfAbsent: absent})
	} else {
		moved, err = carry(ctx, src, dst, backends.CopyOptions{SourceIfMatch: obj.ETag, IfAbsent: absent})
	}
	if err != nil {
		return translate(err)
	}
	f.recent.move(src.path, dst.path, dst.entry(moved))
	if dir := f.parent(src); dst.bucket != src.bucket || !strings.HasPrefix(dst.key, dir.dir()) {
		f.keep(ctx, dir)
	}
	return nil
}

// carry moves a file to another store. The source goes only when the target is durable.
func carry(ctx context.Context, src, dst place, o backends.CopyOptions) (backends.Object, error) {
	r, err := readahead.Open(ctx, src.store, src.key, backends.OpenOptions{IfMatch: o.SourceIfMatch})
	if err != nil {
		return backends.Object{}, err
	}
	defer r.Close() //nolint:errcheck // it was read to its end, or has failed already
	moved, err := backends.Transfer(ctx, dst.store, dst.key, r, backends.CreateOptions{
		IfAbsent:    o.IfAbsent,
		Size:        r.Object.Size,
		ContentType: r.Object.ContentType,
		Metadata:    r.Object.Metadata,
	})
	if err != nil {
		return backends.Object{}, err
	}
	return moved, src.store.Delete(ctx, src.key, backends.DeleteOptions{IfMatch: o.SourceIfMatch})
}
