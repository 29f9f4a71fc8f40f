package localdir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"

	"causeway/backends"
)

// conditions are what must hold of the object that a new one replaces.
type conditions struct {
	ifMatch  string
	ifAbsent bool
}

// hold tells whether they do; present is nil if there is no object.
func (c conditions) hold(present fs.FileInfo) error {
	if c.ifAbsent && present != nil {
		return fs.ErrExist
	}
	if c.ifMatch != "" && (present == nil || etag(present) != c.ifMatch) {
		return backends.ErrChanged
	}
	return nil
}

// vacant tells whether key has a place for an object, with or without one in it now.
// fs.ErrExist where a parent is not a directory, or something that is no object has the
// name.
func (s *Store) vacant(ctx context.Context, key string) error {
	_, err := s.present(ctx, key)
	return err
}

// present describes the object of key, nil if there is none, under the same conditions.
func (s *Store) present(ctx context.Context, key string) (fs.FileInfo, error) {
	p, err := s.find(ctx, key)
	switch {
	case errors.Is(err, errNotDir):
		return nil, fs.ErrExist
	case isMissing(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	defer p.close()
	info, err := p.dir.Lstat(p.name)
	if isMissing(err) {
		return nil, nil
	}
	if err == nil && !isObject(info, p.marker) {
		return nil, fs.ErrExist
	}
	return info, err
}

// rename gives the file at temp the name of key, which is durable when it returns.
func (s *Store) rename(ctx context.Context, temp, key string, c conditions) (obj backends.Object, err error) {
	err = s.exclusively(ctx, func() error {
		present, err := s.present(ctx, key)
		if err != nil {
			return err
		}
		if err := c.hold(present); err != nil {
			return err
		}
		obj, err = s.replace(temp, key, present)
		return err
	})
	if err != nil {
		return backends.Object{}, err
	}
	return obj, s.syncParent(key)
}

// replace renames from, a file path, to key, whose present file was looked at. The store
// is locked; the new name is made durable when it no longer is, so that commits flush
// side by side.
func (s *Store) replace(from, key string, present fs.FileInfo) (backends.Object, error) {
	dir, err := s.makeParents(key)
	if err != nil {
		return backends.Object{}, err
	}
	defer dir.Close() //nolint:errcheck // it was only looked through
	to, err := filePath(key)
	if err != nil {
		return backends.Object{}, err
	}
	if present == nil {
		err = s.renameFree(from, to)
	} else {
		err = s.root.Rename(from, to)
	}
	if err != nil {
		return backends.Object{}, err
	}
	info, err := dir.Lstat(path.Base(key))
	if err != nil {
		return backends.Object{}, unsure(err)
	}
	return describe(key, info), nil
}

// renameFree renames a file to a name that must not exist. Other programs do not take our
// lock, so where there are hard links they decide. But not where [linked] knows none: it
// keeps what has become an object from being resumed.
func (s *Store) renameFree(from, to string) error {
	if !knowsLinks {
		return s.root.Rename(from, to)
	}
	err := s.root.Link(from, to)
	switch {
	case err == nil:
		return unsure(s.root.Remove(from))
	case errors.Is(err, fs.ErrExist):
		return err
	default: // a file system without hard links; another reason stops the rename as well
		return s.root.Rename(from, to)
	}
}

// makeMarker makes the directory that is key, which is durable when it returns.
func (s *Store) makeMarker(ctx context.Context, key string, c conditions) (obj backends.Object, err error) {
	err = s.exclusively(ctx, func() error {
		present, err := s.present(ctx, key)
		if err != nil {
			return err
		}
		if err := c.hold(present); err != nil {
			return err
		}
		dir, err := s.makeParents(key) // the last of them is the directory
		if err != nil {
			return err
		}
		defer dir.Close() //nolint:errcheck // it was only looked at
		info, err := dir.Stat(".")
		if err == nil {
			obj = describe(key, info)
		}
		return err
	})
	return obj, err
}

// makeParents makes what is missing of the directories above key, durably, and opens the
// last. The caller closes it.
func (s *Store) makeParents(key string) (*os.Root, error) {
	at, err := s.root.OpenRoot(".")
	if err != nil {
		return nil, err
	}
	segments := strings.Split(key, "/")
	for _, segment := range segments[:len(segments)-1] {
		next, err := s.makeDir(at, segment)
		_ = at.Close() // it was only looked through, or is durable by now
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// makeDir opens a directory of at, which it makes durably if it is missing.
func (s *Store) makeDir(at *os.Root, segment string) (*os.Root, error) {
	err := at.Mkdir(segment, 0o777)
	if err == nil {
		err = unsure(s.syncDir(at))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	dir, err := descend(at, segment)
	if errors.Is(err, errNotDir) {
		return nil, fs.ErrExist
	}
	return dir, err
}

// syncParent makes the name of key durable, or that it is gone.
func (s *Store) syncParent(key string) error {
	parent, _ := path.Split(strings.TrimSuffix(key, "/"))
	dir, err := s.enter(parent)
	if isMissing(err) {
		return nil // it went, with all that was in it, since the store was unlocked
	}
	if err != nil {
		return unsure(err)
	}
	defer dir.Close() //nolint:errcheck // it is only synced
	return unsure(s.syncDir(dir))
}

// syncDir makes the names in dir durable.
func syncDir(dir *os.Root) error {
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it is only read
	return syncFile(f)
}
