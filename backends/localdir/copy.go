package localdir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"causeway/backends"
)

// Copy is [backends.Copier.Copy]; the kernel copies, and shares the blocks where the file
// system can. errors.ErrUnsupported for markers.
func (s *Store) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if err := files(dst, src); err != nil {
		return backends.Object{}, fail("copy", dst, err)
	}
	if dst == src {
		return s.transfer(ctx, "copy", dst, src, o)
	}
	from, err := s.Open(ctx, src, backends.OpenOptions{IfMatch: o.SourceIfMatch})
	if err != nil {
		return backends.Object{}, err
	}
	defer from.Close() //nolint:errcheck // it was only read
	if o.Metadata == nil {
		o.Metadata = from.Object.Metadata
	}
	to, err := s.Create(ctx, dst, backends.CreateOptions{IfMatch: o.IfMatch, IfAbsent: o.IfAbsent, Metadata: o.Metadata})
	if err != nil {
		return backends.Object{}, err
	}
	defer to.Abort() //nolint:errcheck // after Commit it does nothing; before, the first error is the one to tell
	if err := from.ReadCloser.(*reader).copyTo(ctx, to.(*upload).file); err != nil {
		return backends.Object{}, fail("copy", dst, err)
	}
	return to.Commit()
}

// Move is [backends.Mover.Move], an atomic rename. With IfAbsent a crash may leave both
// names. errors.ErrUnsupported for markers, which would take along what is in them.
func (s *Store) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if err := files(dst, src); err != nil {
		return backends.Object{}, fail("move", dst, err)
	}
	return s.transfer(ctx, "move", dst, src, o)
}

// files refuses keys that cannot be, and markers.
func files(keys ...string) error {
	for _, key := range keys {
		if _, err := filePath(key); err != nil {
			return err
		}
	}
	for _, key := range keys {
		if strings.HasSuffix(key, "/") {
			return errors.ErrUnsupported
		}
	}
	return nil
}

// transfer is what Move does, and Copy of a file onto itself.
func (s *Store) transfer(ctx context.Context, op, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	var obj backends.Object
	err := s.exclusively(ctx, func() (err error) {
		obj, err = s.transferLocked(ctx, dst, src, o)
		return err
	})
	if err == nil {
		// The new name first: after a crash both may be there, never neither.
		err = errors.Join(s.syncParent(dst), s.syncParent(src))
	}
	if err != nil {
		return backends.Object{}, fail(op, dst, err)
	}
	return obj, nil
}

func (s *Store) transferLocked(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	p, err := s.find(ctx, src)
	if err != nil {
		return backends.Object{}, err
	}
	defer p.close()
	from, err := p.object()
	if err != nil {
		return backends.Object{}, err
	}
	if o.SourceIfMatch != "" && o.SourceIfMatch != etag(from) {
		return backends.Object{}, backends.ErrChanged
	}
	to, err := s.present(ctx, dst)
	if err != nil {
		return backends.Object{}, err
	}
	if err := (conditions{o.IfMatch, o.IfAbsent}).hold(to); err != nil {
		return backends.Object{}, err
	}
	if o.Metadata != nil {
		if err := p.setTime(modTime(o.Metadata)); err != nil {
			return backends.Object{}, err
		}
	}
	if dst == src {
		info, err := p.object()
		if err != nil {
			return backends.Object{}, err
		}
		return describe(dst, info), nil
	}
	return s.renameObject(dst, src, p, from, to)
}

// renameObject renames the file at p, which is src, to dst, which is to if that is not nil.
func (s *Store) renameObject(dst, src string, p *place, from, to fs.FileInfo) (backends.Object, error) {
	name, err := filePath(src)
	if err != nil {
		return backends.Object{}, err
	}
	obj, err := s.replace(name, dst, to)
	if err != nil || to == nil || !os.SameFile(from, to) {
		return obj, err
	}
	// Both were names of one file: hard links that someone else has made, where a rename
	// does nothing, or one name where case is folded, which now reads as the other.
	if linked, err := p.listed(); err != nil || !linked {
		return obj, unsure(err)
	}
	if err := p.dir.Remove(p.name); err != nil {
		return backends.Object{}, unsure(err)
	}
	info, err := s.root.Lstat(filepath.FromSlash(dst)) // its ETag has changed with its links
	if err != nil {
		return backends.Object{}, unsure(err)
	}
	return describe(dst, info), nil
}

// listed tells whether the name at p is in its directory, letter for letter.
func (p *place) listed() (bool, error) {
	dir, err := p.dir.Open(".")
	if err != nil {
		return false, err
	}
	defer dir.Close() //nolint:errcheck // it is only read
	for {
		names, err := dir.Readdirnames(batch)
		if slices.Contains(names, p.name) {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// setTime sets the modification time of the file at p, durably. errors.ErrUnsupported,
// and the old time stays, if the file system cannot keep it: ext4 ends in 1901 and 2446,
// the system call's nanoseconds in 1677 and 2262.
func (p *place) setTime(t time.Time) error {
	if !time.Unix(0, t.UnixNano()).Equal(t) {
		return errors.ErrUnsupported
	}
	before, err := p.dir.Lstat(p.name)
	if err != nil {
		return err
	}
	if err := p.dir.Chtimes(p.name, time.Time{}, t); err != nil {
		return err
	}
	f, after, err := p.open()
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it is only synced
	if after.ModTime().Unix() != t.Unix() {
		return errors.Join(errors.ErrUnsupported, p.dir.Chtimes(p.name, time.Time{}, before.ModTime()))
	}
	return f.Sync()
}
