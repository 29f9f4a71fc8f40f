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

// maxAlternates is how many other names are tried at a commit.
const maxAlternates = 100

// Create is [backends.Backend.Create]. What can be refused before the data is refused
// here: keys that cannot be, and names whose parent is a file.
func (s *Store) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := s.create(ctx, key, o)
	if err != nil {
		return nil, fail("create", key, err)
	}
	return u, nil
}

func (s *Store) create(ctx context.Context, key string, o backends.CreateOptions) (*upload, error) {
	if err := s.vacant(ctx, key); err != nil {
		return nil, err
	}
	first := record{Version: recordVersion, Key: key, Boot: s.boot}
	u := &upload{ctx: ctx, store: s, key: key, record: first.with(o), alternate: o.Alternate}
	switch {
	case o.Resume != "":
		return u, u.resume(ctx, o)
	case strings.HasSuffix(key, "/"):
		return u, nil
	}
	if err := s.exclusively(ctx, u.begin); err != nil {
		return nil, err
	}
	if o.At == 0 {
		return u, nil
	}
	if err := u.append(ctx, o); err != nil {
		return nil, errors.Join(err, u.discard())
	}
	return u, nil
}

// upload is a file that has no name yet but its own. Of a marker it has none.
type upload struct {
	ctx       context.Context
	store     *Store
	key       string
	alternate func() string
	record    record
	recorded  bool // the record is in the store
	prefix    *prefix

	file   *os.File // locked as long as it is open, so that others let it be
	id     string
	size   int64 // octets, with those that Create has kept
	kept   int64
	failed bool // Commit has
	over   bool
}

// begin makes the file. The store is locked, or another process could take the file for
// an orphan before it is locked.
func (u *upload) begin() error {
	u.id = rand.Text()
	f, err := u.store.root.OpenFile(tempName(u.id), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	u.file = f
	u.store.live.Store(u.id, nil)
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
	u.size += int64(n)
	if err != nil {
		return n, fail("write", u.key, err)
	}
	u.note()
	return n, nil
}

// note writes the record of an upload that is worth it, so that it outlives this process.
// If it cannot be written now, the next Write tries again: that is no reason to end what
// may well be completed.
func (u *upload) note() {
	if u.recorded || u.size-u.kept < recordFrom || u.store.boot == "" || !u.prefix.over() {
		return
	}
	u.recorded = u.store.note(u.id, u.record) == nil
}

// Commit makes the content durable, then the name. ErrUnavailable if only the last failed:
// the object is there, whole, but a crash of the machine may bring back what it replaced.
func (u *upload) Commit() (backends.Object, error) {
	if err := u.usable(); err != nil {
		return backends.Object{}, fail("commit", u.key, err)
	}
	obj, err := u.publish()
	if err != nil {
		u.failed = true
		if !u.mayPark(err) {
			_ = u.discard() // the commit's error is the one to tell
		}
		return backends.Object{}, fail("commit", u.key, err)
	}
	return obj, nil
}

func (u *upload) publish() (backends.Object, error) {
	if u.file == nil {
		u.over = true
		return u.store.makeMarker(u.ctx, u.key, u.conditions())
	}
	if err := u.prefix.wait(u.ctx); err != nil {
		return backends.Object{}, err
	}
	if err := u.flush(); err != nil {
		return backends.Object{}, err
	}
	obj, err := u.rename()
	if err != nil {
		return backends.Object{}, err
	}
	if u.recorded {
		_ = u.store.forget(recordName(u.id, u.key)) // without its file it means nothing
	}
	return obj, unsure(u.release())
}

func (u *upload) conditions() conditions { return conditions{u.record.IfMatch, u.record.IfAbsent} }

// flush gives the file its time and makes it durable.
func (u *upload) flush() error {
	set := modTime(u.record.Metadata)
	if u.recorded {
		// Found parked, its time tells when it was written, until it is as good as done.
		if err := u.file.Sync(); err != nil {
			return err
		}
	}
	if err := u.store.root.Chtimes(tempName(u.id), time.Time{}, set); err != nil {
		return err
	}
	return u.file.Sync()
}

// rename gives the file the name of the key, or one of the others that will do.
func (u *upload) rename() (backends.Object, error) {
	key := u.key
	for range maxAlternates {
		obj, err := u.store.rename(u.ctx, tempName(u.id), key, u.conditions())
		if err == nil || !u.record.IfAbsent || u.alternate == nil || !errors.Is(kind(err), fs.ErrExist) {
			return obj, err
		}
		key = u.alternate()
	}
	return backends.Object{}, fs.ErrExist
}

// mayPark tells whether an upload whose commit has failed can be parked: that may be for
// the moment only, and it has not become the object.
func (u *upload) mayPark(err error) bool {
	if u.over || u.file == nil || !errors.Is(kind(err), backends.ErrUnavailable) || u.store.stillNamed(u.file, u.id) != nil {
		return false
	}
	info, err := u.file.Stat()
	// It may have been given the time that the object was to have.
	return err == nil && !linked(info) && u.store.root.Chtimes(tempName(u.id), time.Time{}, time.Now()) == nil
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

// discard ends the upload and removes its files.
func (u *upload) discard() error {
	if u.over || u.file == nil {
		u.over = true
		return nil
	}
	u.prefix.stop()
	names := []string{tempName(u.id)}
	if u.recorded {
		names = append(names, recordName(u.id, u.key))
	}
	err := u.store.forget(names...)
	return errors.Join(err, u.release())
}

func (u *upload) usable() error {
	if u.over {
		return fs.ErrClosed
	}
	return u.ctx.Err()
}
