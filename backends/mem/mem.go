// Package mem is a store in memory: the reference of the store contract, for tests. It
// keeps the whole contract of [backends.Backend] with native copies and moves and parked
// uploads, can be made as meagre as a cloud (small pages, listings without metadata,
// uploads in parts), and can die ([Store.Crash]). It is not for production: contents live
// as long as the process, without a limit.
//
// Its central type is [Store].
package mem

import (
	"context"
	"crypto/md5" //nolint:gosec // a checksum to show, as S3's ETag; not a protection
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"causeway/backends"
)

// Options make a Store poorer than it is. The zero value is a good store.
type Options struct {
	PageSize int              // most entries on a page, 0 for 1,000
	Partial  bool             // listings tell neither metadata nor checksums, as S3's
	Now      func() time.Time // the store's clock, nil for time.Now

	// PartSize is how many octets of an upload become durable at a time: what a crash
	// leaves, and a parked upload's resumption, are cut there, and an upload longer than a
	// part cannot change its key. 0 is a store that keeps every octet and cuts anywhere.
	PartSize int64
}

// Store is what one process has of a bucket: a [backends.Backend], [backends.Copier],
// [backends.Mover] and [backends.Parker]. All its methods may be called from any
// goroutine.
type Store struct {
	*bucket
	uploads map[*upload]struct{} // that this process is writing; guarded by bucket.mu
}

// bucket is what outlives a process.
type bucket struct {
	pageSize int
	partial  bool
	partSize int64
	now      func() time.Time

	mu      sync.RWMutex
	objects []*object          // by key
	version uint64             // of the last write
	records map[string]*record // by id: uploads of which something is durable
	begun   uint64             // records that there have been
}

// object is one version. It never changes, so readers need no lock.
type object struct {
	backends.Object
	content []byte
}

// New makes an empty bucket and the Store of its first process.
func New(o Options) *Store {
	b := &bucket{pageSize: o.PageSize, partial: o.Partial, partSize: o.PartSize, now: o.Now, records: make(map[string]*record)}
	if b.pageSize == 0 {
		b.pageSize = 1000
	}
	if b.now == nil {
		b.now = time.Now
	}
	return &Store{bucket: b, uploads: make(map[*upload]struct{})}
}

// Reopen returns the Store that another process has of the same bucket.
func (s *Store) Reopen() *Store {
	return &Store{bucket: s.bucket, uploads: make(map[*upload]struct{})}
}

// Crash ends what this process is writing as a process does that is killed: nothing is
// said to the bucket, which keeps what was durable. The uploads answer fs.ErrClosed from
// then on. The Store goes on as that of the process started next.
func (s *Store) Crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for u := range s.uploads {
		u.over = true
		if u.owns() {
			u.record.writer = nil
		}
	}
	clear(s.uploads)
}

// Uploads returns the keys of the uploads that are on their way or parked, each as often
// as there are: what remains to be paid for.
func (s *Store) Uploads() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var keys []string
	for u := range s.uploads {
		if u.record == nil {
			keys = append(keys, u.key)
		}
	}
	for _, r := range s.records {
		keys = append(keys, r.Key)
	}
	slices.Sort(keys)
	return keys
}

// Stat is [backends.Backend.Stat]; its answer is always complete.
func (s *Store) Stat(ctx context.Context, key string, _ backends.StatOptions) (backends.Object, error) {
	if err := check(ctx, "stat", key); err != nil {
		return backends.Object{}, err
	}
	o, err := s.get("stat", key, "")
	if err != nil {
		return backends.Object{}, err
	}
	return o.describe(), nil
}

// Delete is [backends.Backend.Delete].
func (s *Store) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if err := check(ctx, "delete", key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := s.find(key)
	if o.IfMatch != "" && (!found || s.objects[i].ETag != o.IfMatch) {
		return &backends.Error{Op: "delete", Key: key, Kind: backends.ErrChanged}
	}
	if found {
		s.objects = slices.Delete(s.objects, i, i+1)
	}
	return nil
}

// Copy is [backends.Copier.Copy].
func (s *Store) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	return s.copy(ctx, "copy", dst, src, o)
}

// Move is [backends.Mover.Move]. To move an object onto itself is to copy it onto itself.
func (s *Store) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	return s.copy(ctx, "move", dst, src, o)
}

// copy is both, which differ in the fate of the source.
func (s *Store) copy(ctx context.Context, op, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if err := check(ctx, op, dst); err != nil {
		return backends.Object{}, err
	}
	if err := check(ctx, op, src); err != nil {
		return backends.Object{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from, err := s.getLocked(op, src, o.SourceIfMatch)
	if err != nil {
		return backends.Object{}, err
	}
	to := &object{Object: from.describe(), content: from.content}
	if o.Metadata != nil {
		to.Metadata = maps.Clone(o.Metadata)
	}
	if err := s.put(op, dst, to, condition{o.IfMatch, o.IfAbsent}); err != nil {
		return backends.Object{}, err
	}
	if i, found := s.find(src); found && op == "move" && dst != src {
		s.objects = slices.Delete(s.objects, i, i+1)
	}
	return to.describe(), nil
}

// condition is what must hold of the object that a write replaces.
type condition struct {
	ifMatch  string
	ifAbsent bool
}

// put makes o the object of key, with a new ETag and the present time. b.mu is held.
func (b *bucket) put(op, key string, o *object, c condition) error {
	i, found := b.find(key)
	if c.ifAbsent && found {
		return &backends.Error{Op: op, Key: key, Kind: fs.ErrExist}
	}
	if c.ifMatch != "" && (!found || b.objects[i].ETag != c.ifMatch) {
		return &backends.Error{Op: op, Key: key, Kind: backends.ErrChanged}
	}
	b.version++
	o.Key, o.Size, o.ModTime = key, int64(len(o.content)), b.now().UTC()
	o.ETag = strconv.FormatUint(b.version, 16)
	if found {
		b.objects[i] = o
	} else {
		b.objects = slices.Insert(b.objects, i, o)
	}
	return nil
}

// get returns the present version of key's object, which must be etag if that is set.
func (b *bucket) get(op, key, etag string) (*object, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.getLocked(op, key, etag)
}

func (b *bucket) getLocked(op, key, etag string) (*object, error) {
	i, found := b.find(key)
	if !found {
		return nil, &backends.Error{Op: op, Key: key, Kind: fs.ErrNotExist}
	}
	if etag != "" && b.objects[i].ETag != etag {
		return nil, &backends.Error{Op: op, Key: key, Kind: backends.ErrChanged}
	}
	return b.objects[i], nil
}

// find returns where the object of key is, or would be inserted.
func (b *bucket) find(key string) (int, bool) {
	return slices.BinarySearchFunc(b.objects, key, func(o *object, key string) int {
		return strings.Compare(o.Key, key)
	})
}

// describe copies the description, so that its caller may change the maps.
func (o *object) describe() backends.Object {
	d := o.Object
	d.Metadata, d.Sums = maps.Clone(d.Metadata), maps.Clone(d.Sums)
	return d
}

// sums are the checksums that the store keeps.
func sums(content []byte) map[backends.Sum][]byte {
	sum := md5.Sum(content) //nolint:gosec // see the import
	return map[backends.Sum][]byte{backends.MD5: sum[:]}
}

// check is what every verb looks at first: whether ctx goes on and key can be one.
func check(ctx context.Context, op, key string) error {
	if err := ctx.Err(); err != nil {
		return &backends.Error{Op: op, Key: key, Kind: backends.ErrUnavailable, Err: err}
	}
	if !backends.ValidKey(key) {
		return &backends.Error{Op: op, Key: key, Kind: fs.ErrInvalid}
	}
	return nil
}
