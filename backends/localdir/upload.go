package localdir

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"causeway/backends"
)

// Create is [backends.Backend.Create]. What can be refused before the data is refused
// here: keys that cannot be, and names whose parent is a file.
func (s *Store) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if err := s.vacant(ctx, key); err != nil {
		return nil, fail("create", key, err)
	}
	u := &upload{ctx: ctx, store: s, key: key, conditions: conditions{o.IfMatch, o.IfAbsent}, metadata: o.Metadata}
	if strings.HasSuffix(key, "/") {
		return u, nil
	}
	err := s.exclusively(ctx, u.begin)
	if err != nil {
		return nil, fail("create", key, err)
	}
	return u, nil
}

// upload is a file that has no name yet but its own. Of a marker it has none.
type upload struct {
	ctx        context.Context
	store      *Store
	key        string
	conditions conditions
	metadata   map[string]string

	file *os.File // locked as long as it is open, so that removeOrphans lets it be
	temp string   // its path
	over bool
}

// begin makes the file. The store is locked, or another process could take the file for
// an orphan before it is locked.
func (u *upload) begin() error {
	temp := own + "/" + rand.Text()
	f, err := u.store.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	u.file, u.temp = f, temp
	if _, err := tryLock(f); err != nil {
		_ = u.discard() // the lock's error is the one to tell
		return err
	}
	return nil
}

func (u *upload) Write(p []byte) (int, error) {
	if err := u.usable(); err != nil {
		return 0, fail("write", u.key, err)
	}
	if u.file == nil {
		if len(p) > 0 {
			return 0, fail("write", u.key, fs.ErrInvalid) // a directory has no content
		}
		return 0, nil
	}
	n, err := u.file.Write(p)
	if err != nil {
		return n, fail("write", u.key, err)
	}
	return n, nil
}

// Commit makes the content durable, then the name. ErrUnavailable if only the last failed:
// the object is there, whole, but a crash of the machine may bring back what it replaced.
func (u *upload) Commit() (backends.Object, error) {
	if err := u.usable(); err != nil {
		return backends.Object{}, fail("commit", u.key, err)
	}
	obj, err := u.publish()
	if err != nil {
		_ = u.discard() // the first error is the one to tell
		return backends.Object{}, fail("commit", u.key, err)
	}
	return obj, nil
}

func (u *upload) publish() (backends.Object, error) {
	if u.file == nil {
		u.over = true
		return u.store.makeMarker(u.ctx, u.key, u.conditions)
	}
	if err := u.store.root.Chtimes(u.temp, time.Time{}, modTime(u.metadata)); err != nil {
		return backends.Object{}, err
	}
	if err := u.file.Sync(); err != nil {
		return backends.Object{}, err
	}
	obj, err := u.store.rename(u.ctx, u.temp, u.key, u.conditions)
	if err != nil {
		return backends.Object{}, err
	}
	u.over = true
	return obj, unsure(u.file.Close())
}

// Park is backends.Upload's.
func (u *upload) Park() (int64, error) {
	return 0, errors.Join(&backends.Error{Op: "park", Key: u.key, Kind: errors.ErrUnsupported}, u.Abort())
}

func (u *upload) Abort() error {
	if u.over {
		return nil
	}
	if err := u.discard(); err != nil {
		return fail("abort", u.key, err)
	}
	return nil
}

// discard ends the upload and removes its file.
func (u *upload) discard() error {
	if u.over || u.file == nil {
		u.over = true
		return nil
	}
	u.over = true
	err := u.store.root.Remove(u.temp)
	if closeErr := u.file.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (u *upload) usable() error {
	if u.over {
		return fs.ErrClosed
	}
	return u.ctx.Err()
}

// removeOrphans removes the files of uploads whose process has died. A live process, this
// one included, holds the locks of its own.
func (s *Store) removeOrphans(ctx context.Context) error {
	names, err := fs.ReadDir(s.root.FS(), own)
	if isMissing(err) || len(names) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return s.exclusively(ctx, func() error {
		for _, entry := range names {
			if err := s.removeOrphan(own + "/" + entry.Name()); err != nil && !isMissing(err) {
				return err
			}
		}
		return nil
	})
}

func (s *Store) removeOrphan(temp string) error {
	f, err := s.root.OpenFile(temp, os.O_RDWR|nonBlock, 0)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it is about to be removed, or another's
	free, err := tryLock(f)
	if err != nil || !free {
		return err
	}
	return s.root.Remove(temp)
}
