// Package localdir is the embedded store: a directory of the local file system that
// behaves like a bucket. Keys are file paths below it, one to one, so other programs see
// the files as they are and may change them. It is not a store for several machines:
// conditions hold between processes of one machine only (they share a lock by flock).
//
// How it differs from a cloud:
//   - It is a tree. "a" beside "a/b" is refused with fs.ErrExist. The marker "dir/" is the
//     directory itself: it exists as soon as it is needed, stays when it becomes empty, and
//     its delete does nothing while there are keys in it, and fails with fs.ErrExist if
//     there is nothing in it but what is no object.
//   - Keys with an empty, "." or ".." segment, or one of more than 255 bytes, are refused with fs.ErrInvalid.
//   - Names that are not UTF-8 are listed, but there is no other way to them.
//   - Only regular files and directories are objects. Symbolic links, devices and the like
//     are neither listed nor read, followed or replaced; nothing outside the directory can
//     be reached through it, not even while links are being changed.
//   - Of metadata only backends.MetaModTime is kept, as the file's modification time, which
//     every file has; content types and checksums are not.
//   - An ETag names inode, size and times of a file. It changes also when a program changes
//     the file's mode, owner or links.
//   - On file systems that fold case or normalise Unicode, keys that differ in that alone
//     are one.
//
// What a write has changed is made durable before it returns. If that fails after the
// change has been made, the error is ErrUnavailable: everyone sees the change, whole, but a
// crash of the machine may undo it, also as a whole.
//
// Uploads are files below .causeway/localdir until their commit renames them. One that is
// parked, or whose process has died after a megabyte or more, has a record beside it and
// can be resumed at any octet; the next [New] removes the others. A crash of the machine
// leaves of an upload what was parked.
//
// Its central type is [Store].
package localdir

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"causeway/backends"
)

// own is the directory for what is neither an object nor seen by anyone: open uploads.
// Its lock is that of the store.
const own = backends.Reserved + "/localdir"

// maxSegment is the longest name in bytes that file systems take. A file system with a
// lower limit says so at the commit.
const maxSegment = 255

// Store is a [backends.Backend], [backends.Copier], [backends.Mover],
// [backends.TreeMover], [backends.Parker] and [backends.Spacer]. All its methods may be called from any goroutine.
type Store struct {
	root     *os.Root
	lock     lock
	listings atomic.Uint64 // how many have begun
	listers  slots
	windows  windows
	live     sync.Map             // ids of the uploads that are open here
	boot     string               // as a record has it
	syncDir  func(*os.Root) error // makes the names in a directory durable
}

// New opens the store in dir, which is made if it is missing. The caller closes it.
func New(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{root: root, lock: newLock(), listers: make(slots, maxListers), boot: boot(), syncDir: syncDir}
	if err := s.removeOrphans(context.Background()); err != nil {
		_ = root.Close() // nothing was written
		return nil, err
	}
	return s, nil
}

// Close gives the directory back. Uploads that are open lose it.
func (s *Store) Close() error { return s.root.Close() }

// Stat is [backends.Backend.Stat]; its answer is always complete.
func (s *Store) Stat(ctx context.Context, key string, _ backends.StatOptions) (backends.Object, error) {
	p, err := s.find(ctx, key)
	if err != nil {
		return backends.Object{}, fail("stat", key, err)
	}
	defer p.close()
	info, err := p.object()
	if err != nil {
		return backends.Object{}, fail("stat", key, err)
	}
	return describe(key, info), nil
}

// Delete is [backends.Backend.Delete].
func (s *Store) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	err := s.exclusively(ctx, func() error { return s.remove(ctx, key, o) })
	if err == nil {
		err = s.syncParent(key)
	}
	if err != nil {
		return fail("delete", key, err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, key string, o backends.DeleteOptions) error {
	p, err := s.find(ctx, key)
	if isMissing(err) {
		return unmatched(o.IfMatch)
	}
	if err != nil {
		return err
	}
	defer p.close()
	info, err := p.object()
	if isMissing(err) {
		return unmatched(o.IfMatch)
	}
	if err != nil {
		return err
	}
	if o.IfMatch != "" && o.IfMatch != etag(info) {
		return backends.ErrChanged
	}
	err = p.dir.Remove(p.name)
	if info.IsDir() && isNotEmpty(err) {
		return s.inUse(ctx, key)
	}
	return err
}

// inUse is the outcome of a delete of the marker of a directory that is not empty. Where
// it holds other keys, it is there for them, as in any store. But fs.ErrExist where it
// holds only what is no object, or a directory that nobody can see into would stay for
// ever after a delete that was said to have succeeded.
func (s *Store) inUse(ctx context.Context, marker string) error {
	if marker == backends.Reserved+"/" {
		return nil // the store's own is in it
	}
	page, err := s.List(ctx, backends.Query{Prefix: marker, Limit: 2})
	if err == nil && len(page.Objects) == 1 && page.Next == "" {
		return syscall.ENOTEMPTY
	}
	return err
}

// unmatched is the outcome of a delete of what is not there.
func unmatched(ifMatch string) error {
	if ifMatch != "" {
		return backends.ErrChanged
	}
	return nil
}

// Space is [backends.Spacer.Space]: what an unprivileged process may still write.
func (s *Store) Space(context.Context) (int64, error) {
	dir, err := s.root.Open(".")
	if err != nil {
		return 0, fail("space", "", err)
	}
	defer dir.Close() //nolint:errcheck // it was only looked at
	n, err := space(dir)
	if err != nil {
		return 0, fail("space", "", err)
	}
	return n, nil
}

// place is where a key's file or directory is, or would be.
type place struct {
	dir    *os.Root // its parent
	name   string   // in dir
	marker bool     // the key is that of a directory
}

func (p *place) close() { _ = p.dir.Close() } // it was only looked through

// filePath returns the file path of key, without the slash of a marker.
func filePath(key string) (string, error) {
	if !backends.ValidKey(key) {
		return "", fs.ErrInvalid
	}
	name, err := filepath.Localize(strings.TrimSuffix(key, "/")) //nolint:misspell // the library's spelling
	if err != nil || name == "." || strings.HasPrefix(key+"/", own+"/") {
		return "", fs.ErrInvalid
	}
	for segment := range strings.SplitSeq(key, "/") {
		if len(segment) > maxSegment {
			return "", fs.ErrInvalid
		}
	}
	return name, nil
}

// find goes to the place of key. It fails as missing where a parent is not a directory.
func (s *Store) find(ctx context.Context, key string) (*place, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := filePath(key); err != nil {
		return nil, err
	}
	parent, name := path.Split(strings.TrimSuffix(key, "/"))
	dir, err := s.enter(parent)
	if err != nil {
		return nil, err
	}
	return &place{dir: dir, name: name, marker: strings.HasSuffix(key, "/")}, nil
}

// enter opens a directory, "" or ending in "/", one segment after another, so that no
// symbolic link is followed on the way. The caller closes it.
func (s *Store) enter(dir string) (*os.Root, error) {
	at, err := s.root.OpenRoot(".")
	if err != nil {
		return nil, err
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		if dir == "" {
			break
		}
		next, err := descend(at, segment)
		_ = at.Close() // it was only looked through
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// descend opens a directory of at that is no link to one.
func descend(at *os.Root, segment string) (*os.Root, error) {
	info, err := at.Lstat(segment)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errNotDir
	}
	next, err := at.OpenRoot(segment)
	if err != nil {
		return nil, err
	}
	if opened, err := next.Stat("."); err != nil || !os.SameFile(info, opened) {
		_ = next.Close() // it was swapped under our hands, perhaps for a link
		return nil, errNotDir
	}
	return next, nil
}

// object describes the regular file, or for a marker the directory, at p.
func (p *place) object() (fs.FileInfo, error) {
	info, err := p.dir.Lstat(p.name)
	if err != nil {
		return nil, err
	}
	if !isObject(info, p.marker) {
		return nil, fs.ErrNotExist
	}
	return info, nil
}

// isObject tells whether info is that of a marker's directory, or another key's file.
func isObject(info fs.FileInfo, marker bool) bool {
	return marker && info.IsDir() || !marker && info.Mode().IsRegular()
}

// describe is what info says of the object.
func describe(key string, info fs.FileInfo) backends.Object {
	modified := info.ModTime().UTC()
	o := backends.Object{Key: key, ETag: etag(info), ModTime: modified}
	if info.IsDir() { // its size and time are those of what is in it
		return o
	}
	o.Size, o.Stored = info.Size(), changed(info)
	o.Metadata = map[string]string{backends.MetaModTime: backends.FormatModTime(modified)}
	return o
}

// modTime is the file's time for the metadata given, or else now.
func modTime(metadata map[string]string) time.Time {
	if t, ok := backends.ParseModTime(metadata[backends.MetaModTime]); ok {
		return t
	}
	return time.Now()
}
