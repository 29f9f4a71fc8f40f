package readthrough

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"causeway/backends"
)

// gone is where the tombstones are, at the root of the front: of each directory's names below
// a prefix of their own, so that they list in the order of the directory.
const gone = backends.Reserved + "/gone/"

// maxName is the longest name in octets that a tombstone's key has room for.
const maxName = backends.MaxKey - len(gone) - 2*16 - len("/")

// graves is what the tombstones of the names in directory dir begin with.
func graves(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return gone + hex.EncodeToString(sum[:16]) + "/"
}

// grave is the tombstone of key. That of a marker is the directory's.
func grave(key string) string {
	dir, name := split(key)
	return graves(dir) + name
}

// Gone tells whether what is behind a key was deleted or renamed away in a front, so that a
// version of that time must not come to the front again. The key begins with prefix; what is
// above that has no tombstones. It asks the store through own, which no cache may be before.
func Gone(ctx context.Context, own backends.Backend, prefix, key string, written time.Time) (bool, error) {
	// Where nothing was ever deleted this one question is enough.
	page, err := own.List(ctx, backends.Query{Prefix: gone, Limit: 1, Fresh: true})
	if err != nil || len(page.Objects) == 0 && page.Next == "" {
		return false, err
	}
	l := look{routes: NewRoutes(own, Options{}), front: own, route: Route{Prefix: prefix}, key: key}
	return l.hidden(ctx, written)
}

// entomb makes the tombstone of the key durable: of a file of which a version of that time is behind,
// zero if that is not known, or of all that is in a directory. Where a file's and a directory's
// cannot be both, as on a file system, the older goes: what is behind has one kind only.
func (l look) entomb(ctx context.Context, written time.Time) error {
	r := l.routes
	var o backends.CreateOptions
	// The clock behind may be ahead of the front's. What is newer than its tombstone comes up.
	if written.After(r.now().Add(-time.Minute)) {
		o.Metadata = map[string]string{backends.MetaModTime: backends.FormatModTime(written)}
	}
	stone, says := grave(l.key), l.epitaph()
	err := put(ctx, r.own, stone, says, o)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	other, isDir := strings.CutSuffix(stone, "/")
	if !isDir {
		other = stone + "/"
	}
	if err := r.own.Delete(ctx, other, backends.DeleteOptions{}); err != nil {
		return err
	}
	return put(ctx, r.own, stone, says, o)
}

// put writes a small object.
func put(ctx context.Context, b backends.Backend, key, content string, o backends.CreateOptions) error {
	o.Size = int64(len(content))
	u, err := b.Create(ctx, key, o)
	if err != nil {
		return err
	}
	defer u.Abort() //nolint:errcheck // after Commit it does nothing; before, the first error is the one to tell
	if content != "" {
		if _, err := io.WriteString(u, content); err != nil {
			return err
		}
	}
	_, err = u.Commit()
	return err
}

// hidden tells whether a tombstone hides a version of that time: the key's own, or one of the
// directories that it is in.
func (l look) hidden(ctx context.Context, written time.Time) (bool, error) {
	keys := append(l.dirs(), l.key)
	found := make([]bool, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	for i, key := range keys {
		group.Go(func() (err error) {
			found[i], err = l.buried(ctx, key, written)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return false, err
	}
	return slices.Contains(found, true), nil
}

// dirs are the directories on the route that the key is in.
func (l look) dirs() []string {
	var dirs []string
	for dir, _ := split(l.key); len(dir) >= max(len(l.route.Prefix), 1); dir, _ = split(dir) {
		dirs = append(dirs, dir)
	}
	return dirs
}

// buried tells whether there is a tombstone of key which hides a version of that time. That of
// a directory hides all that is in it.
func (l look) buried(ctx context.Context, key string, written time.Time) (bool, error) {
	stone, err := l.stone(ctx, grave(key))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, doubt("stat", key, err)
	case marker(key):
		return true, nil
	}
	return l.routes.hides(ctx, stone, written)
}

// stone describes the tombstone of that key.
func (l look) stone(ctx context.Context, key string) (backends.Object, error) {
	if !l.fresh {
		return l.routes.own.Stat(ctx, key, backends.StatOptions{})
	}
	page, err := l.routes.own.List(ctx, backends.Query{Prefix: key, Limit: 1, Fresh: true})
	if err == nil && (len(page.Objects) == 0 || page.Objects[0].Key != key) {
		err = &backends.Error{Op: "stat", Key: key, Kind: fs.ErrNotExist}
	}
	if err != nil {
		return backends.Object{}, err
	}
	return page.Objects[0], nil
}

// hides tells whether the tombstone of a file is no older than a version of that time.
func (r *Routes) hides(ctx context.Context, stone backends.Object, written time.Time) (bool, error) {
	if !written.After(stone.Since()) || !written.After(stone.Time()) {
		return true, nil
	}
	if !stone.Partial {
		return false, nil
	}
	stone, err := r.own.Stat(ctx, stone.Key, backends.StatOptions{Complete: true})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, doubt("stat", stone.Key, err)
	}
	return err == nil && !written.After(stone.Time()), nil
}
