package vfs

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"causeway/backends"
	"causeway/backends/readahead"
	"causeway/gateway/ftp"
)

// Rename is [ftp.FS.Rename]. The source needs Rename, and when it leaves its mount also
// Read and Delete: otherwise an account could fetch by way of another mount what it may
// not fetch here. The target needs Write. Where there is a file already it is what an
// upload would meet: replaced, given Overwrite, or a reason to refuse, or left beside. A
// directory takes no name that anything has.
//
// Where both files were kept, a session's own upload goes by the name that it was sent to.
func (f *FS) Rename(ctx context.Context, from ftp.Path) (func(context.Context, ftp.Path) error, error) {
	src, err := f.find("rename", f.recent.stored(from))
	switch {
	case err != nil:
		return nil, err
	case src.fixed || src.mount == nil || !src.rights.has(Rename):
		return nil, refuse("rename", from, fs.ErrPermission)
	}
	obj, err := src.store.Stat(ctx, src.key, backends.StatOptions{})
	switch {
	case err != nil && invisible(err):
		if err = noFile(ctx, "rename", src); errors.Is(err, ftp.ErrIsDir) {
			return func(ctx context.Context, to ftp.Path) error { return f.renameDir(ctx, src, to) }, nil
		}
		return nil, err
	case err != nil:
		return nil, translate(err)
	}
	return func(ctx context.Context, to ftp.Path) error { return f.rename(ctx, src, obj, to) }, nil
}

// destination is where a rename of src leads.
func (f *FS) destination(src place, to ftp.Path) (place, error) {
	dst, err := f.file("rename", to, Write)
	if err == nil && dst.mount != src.mount && !src.rights.has(Read|Delete) {
		err = refuse("rename", to, fs.ErrPermission)
	}
	return dst, err
}

// rename ends a rename of the version obj of src.
func (f *FS) rename(ctx context.Context, src place, obj backends.Object, to ftp.Path) error {
	dst, err := f.destination(src, to)
	switch {
	case err != nil:
		return err
	case dst.bucket == src.bucket && dst.key == src.key:
		return nil // onto itself, maybe by another mount
	}
	t, err := f.take(ctx, "rename", dst)
	if err != nil {
		return err
	}
	defer t.done()
	moved, atOnce, err := t.move(ctx, src, obj)
	if err != nil {
		return translate(err)
	}
	f.told.forget(src.path)
	f.told.forget(dst.path)
	at, err := dst.sibling(moved.Key)
	if err != nil {
		return err
	}
	if at.path != dst.path {
		f.logOf(ctx).Info("file keeps another name than it was given", "from", src.path.String(), "to", dst.path.String(), "path", at.path.String())
	}
	f.names.filled(at.name())
	kept := atOnce && at.key == t.key && moved.ModTime.Equal(obj.ModTime)
	if kept || f.names.history(t.name()).parked != t.begun.parked {
		// By its time the file may seem older than what has been parked until now, here or,
		// unheard of, by another gateway.
		t.older = f.parkedNow(ctx, t.place)
	}
	f.supersede(ctx, t.place, t.older)
	f.bury(ctx, src, obj)
	f.recent.move(src.path, file{path: at.path, asked: dst.path, entry: at.entry(moved)})
	if dir := f.parent(src); dst.bucket != src.bucket || !strings.HasPrefix(dst.key, dir.dir()) {
		f.keep(ctx, dir)
	}
	return nil
}

// maxAlternates is how many names are tried beside one that is taken.
const maxAlternates = 8

// move gives t's name to the version obj of src, or one of its alternates if it turns out
// to be taken. It tells whether the store has renamed it at once.
func (t target) move(ctx context.Context, src place, obj backends.Object) (moved backends.Object, atOnce bool, err error) {
	o := backends.CopyOptions{SourceIfMatch: obj.ETag, IfAbsent: t.absent}
	moved, atOnce, err = src.moveTo(ctx, t.place, o)
	for range maxAlternates {
		if t.alternate == nil || !errors.Is(err, fs.ErrExist) {
			break
		}
		t.key = t.alternate()
		moved, atOnce, err = src.moveTo(ctx, t.place, o)
	}
	moved.Key = t.key
	return moved, atOnce, err
}

// moveTo is [backends.Move], to another store as well.
func (src place) moveTo(ctx context.Context, dst place, o backends.CopyOptions) (moved backends.Object, atOnce bool, err error) {
	if dst.bucket == src.bucket {
		return backends.Move(ctx, src.store, dst.key, src.key, o)
	}
	if moved, err = carry(ctx, src, dst, o); err != nil {
		return backends.Object{}, false, err
	}
	return moved, false, src.store.Delete(ctx, src.key, backends.DeleteOptions{IfMatch: o.SourceIfMatch})
}

// copyTo is [backends.Copy], to another store as well.
func (src place) copyTo(ctx context.Context, dst place, o backends.CopyOptions) (backends.Object, error) {
	if dst.bucket == src.bucket {
		return backends.Copy(ctx, src.store, dst.key, src.key, o)
	}
	return carry(ctx, src, dst, o)
}

// bury ends the uploads parked under the name of a file that has left it and was newer:
// they would come up in its place.
func (f *FS) bury(ctx context.Context, src place, obj backends.Object) {
	f.supersede(ctx, src, slices.DeleteFunc(f.superseded(ctx, src), func(p backends.Parked) bool {
		return !p.ModTime.Before(obj.ModTime)
	}))
}

// carry copies a file to another store.
func carry(ctx context.Context, src, dst place, o backends.CopyOptions) (backends.Object, error) {
	r, err := readahead.Open(ctx, src.store, src.key, backends.OpenOptions{IfMatch: o.SourceIfMatch})
	if err != nil {
		return backends.Object{}, err
	}
	defer r.Close() //nolint:errcheck // it was read to its end, or has failed already
	return backends.Transfer(ctx, dst.store, dst.key, r, backends.CreateOptions{
		IfAbsent:    o.IfAbsent,
		Size:        r.Object.Size,
		ContentType: r.Object.ContentType,
		Metadata:    r.Object.Metadata,
	})
}
