package gcs

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"cloud.google.com/go/storage"

	"causeway/backends"
	"causeway/backends/journal"
	"causeway/backends/multipart"
)

// tidyTime bounds what happens between the commit of a large upload and its answer: ample
// for 10,000 parts.
const tidyTime = 30 * time.Second

// partSizes are the limits of uploads in parts.
type partSizes struct {
	first, most int64 // octets of one part
	count       int   // parts of one upload
	inFlight    int
	pause       time.Duration // as in multipart.Options
}

// defaultParts: any size and number may be composed, up to objects of 5 TiB. Parts are
// requests that cost money (class A), so they are larger than elsewhere, and there are
// few enough to be deleted again.
func defaultParts() partSizes {
	return partSizes{first: 16 << 20, most: 5 << 30, count: 10_000, inFlight: 6}
}

// Create is [backends.Backend.Create].
func (s *Store) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if err := check("create", key); err != nil {
		return nil, err
	}
	switch {
	case o.At < 0:
		return nil, &backends.Error{Op: "create", Key: key, Kind: backends.ErrRange}
	case o.Resume != "":
		return s.resume(ctx, key, o)
	case o.At > 0:
		return s.extend(ctx, key, o)
	}
	u, err := s.upload(key, o)
	if err != nil {
		return nil, err
	}
	return u.open(ctx, multipart.Head{}), nil
}

// upload is the multipart.Target of one upload.
type upload struct {
	store      *Store
	key        string
	options    backends.CreateOptions // as they were given
	condition  condition
	lineage    lineage
	properties storage.ObjectAttrs
	inherited  bool  // others may have stored parts before
	least      int64 // octets of the object that are kept, which alone are not worth parking

	// beginning is held while the record is written. entry is nil before that, and where
	// that is not allowed.
	beginning sync.Mutex
	begun     bool
	entry     *journal.Entry
	over      bool // what was written on the way was deleted

	mu    sync.Mutex
	parts map[int]part        // by number; what is stored
	names map[string]struct{} // of all objects that this attempt has written on the way, or may have
}

// upload makes an upload that begins with nothing.
func (s *Store) upload(key string, o backends.CreateOptions) (*upload, error) {
	c, err := conditionOf("create", key, o.IfMatch, o.IfAbsent)
	if err != nil {
		return nil, err
	}
	id := rand.Text()
	u := &upload{
		store: s, key: key, options: o, condition: c, lineage: lineage{folder: rand.Text(), attempt: id},
		parts: make(map[int]part), names: make(map[string]struct{}),
	}
	u.properties = storage.ObjectAttrs{ContentType: o.ContentType, Metadata: stamped(o.Metadata, id)}
	if u.properties.ContentType == "" {
		u.properties.ContentType = defaultType
	}
	return u, nil
}

// open begins to take octets.
func (u *upload) open(ctx context.Context, head multipart.Head) *multipart.Upload {
	sizes := u.store.parts
	return multipart.New(ctx, u, u.store.budget, multipart.Options{
		PartSize: sizes.first, MaxPartSize: sizes.most, MaxParts: sizes.count,
		InFlight: sizes.inFlight, Pause: sizes.pause, Size: u.options.Size, Key: u.key, Head: head,
		Least: u.least, Turns: u.store.turns, Steps: u.options.Tag != "",
	})
}

// Put is multipart.Target's.
func (u *upload) Put(ctx context.Context, body *multipart.Body) (backends.Object, error) {
	return u.publish(ctx, func(ctx context.Context, to *storage.ObjectHandle) (*storage.ObjectAttrs, error) {
		return insert(ctx, to, u.properties, octets{body.Reader(), body.CRC32C()})
	})
}

// Start is multipart.Target's: the first part begins it.
func (u *upload) Start(context.Context) error { return nil }

// Part is multipart.Target's.
func (u *upload) Part(ctx context.Context, n int, body *multipart.Body) error {
	if err := u.begin(ctx); err != nil {
		return err
	}
	if n%holdEvery == 0 {
		if err := u.hold(ctx); err != nil {
			return err
		}
	}
	p := u.part(n, body.Size(), body.CRC32C())
	err := u.store.retry(ctx, func() error {
		_, err := insert(ctx, u.store.bucket.Object(p.name), u.component(), octets{body.Reader(), p.crc})
		return err
	})
	if err != nil {
		return failure("write", u.key, condition{}, insertError(u.key, condition{}, err))
	}
	u.have(n, p)
	return nil
}

// part is part n, which is about to be stored.
func (u *upload) part(n int, size int64, crc uint32) part {
	p := part{name: u.lineage.name(u.lineage.attempt, 0, n), attempt: u.lineage.attempt, size: size, crc: crc}
	u.note(p.name)
	return p
}

// component are the properties of objects that are written on the way. All that are
// composed into one must be of one storage class.
func (u *upload) component() storage.ObjectAttrs {
	return storage.ObjectAttrs{ContentType: defaultType, StorageClass: u.properties.StorageClass}
}

// have remembers a part that is stored.
func (u *upload) have(n int, p part) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts[n] = p
}

// note remembers an object that is about to be written.
func (u *upload) note(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.names[name] = struct{}{}
}

// stored are parts 1 to n.
func (u *upload) stored(n int) []part {
	u.mu.Lock()
	defer u.mu.Unlock()
	list := make([]part, n)
	for i := range list {
		list[i] = u.parts[i+1]
	}
	return list
}

// Complete is multipart.Target's.
func (u *upload) Complete(ctx context.Context, parts int) (backends.Object, error) {
	if err := u.hold(ctx); err != nil {
		return backends.Object{}, err
	}
	list, err := u.fold(ctx, u.stored(parts))
	if err != nil {
		return backends.Object{}, failure("commit", u.key, condition{}, insertError(u.key, condition{}, err))
	}
	o, err := u.publish(ctx, func(ctx context.Context, to *storage.ObjectHandle) (*storage.ObjectAttrs, error) {
		return u.compose(ctx, to, u.properties, list)
	})
	if err == nil {
		u.tidy(ctx)
	}
	return o, err
}

// tidy deletes what was written on the way to an object that is durable, whatever becomes
// of it: what is left when the store is in trouble has its record for a janitor, and the
// client is not kept waiting.
func (u *upload) tidy(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	_ = u.end(ctx) // see above
}

// Made is multipart.Target's.
func (u *upload) Made(ctx context.Context) (bool, error) {
	a, err := u.store.bucket.Object(u.key).Attrs(ctx)
	if isNotExist(err) {
		return false, nil
	}
	return err == nil && a.Metadata[uploadKey] == u.lineage.attempt, failure("commit", u.key, condition{}, err)
}

// Abort is multipart.Target's.
func (u *upload) Abort(ctx context.Context) error {
	err := u.hold(ctx)
	switch {
	case errors.Is(err, backends.ErrChanged):
		err = u.forsake(ctx)
	case err == nil:
		err = u.end(ctx)
	default:
		u.entry.Leave()
	}
	return failure("abort", u.key, condition{}, err)
}
