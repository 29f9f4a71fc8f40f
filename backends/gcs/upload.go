package gcs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"causeway/backends"
	"causeway/backends/multipart"
	"causeway/backends/transport"
)

// partsPrefix is where the parts of open uploads are, each below the id of its upload.
const partsPrefix = backends.Reserved + "/parts/"

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
	return partSizes{first: 16 << 20, most: 5 << 30, count: 10_000, inFlight: 3}
}

// Create is [backends.Backend.Create].
func (s *Store) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if err := check("create", key); err != nil {
		return nil, err
	}
	c, err := conditionOf("create", key, o.IfMatch, o.IfAbsent)
	if err != nil {
		return nil, err
	}
	id := rand.Text()
	u := &upload{store: s, key: key, id: id, condition: c, parts: make(map[int]part), names: make(map[string]struct{})}
	u.properties = storage.ObjectAttrs{ContentType: o.ContentType, Metadata: stamped(o.Metadata, id)}
	if u.properties.ContentType == "" {
		u.properties.ContentType = defaultType
	}
	return multipart.New(ctx, u, s.budget, multipart.Options{
		PartSize: s.parts.first, MaxPartSize: s.parts.most, MaxParts: s.parts.count,
		InFlight: s.parts.inFlight, Pause: s.parts.pause, Size: o.Size, Key: key,
	}), nil
}

// upload is the multipart.Target of one upload.
type upload struct {
	store      *Store
	key        string
	id         string // random
	condition  condition
	properties storage.ObjectAttrs

	mu    sync.Mutex
	parts map[int]part        // by number; what is stored
	names map[string]struct{} // of all objects that were written on the way, or may have been
}

// part is a component object.
type part struct {
	name string
	size int64
	crc  uint32
}

// Put is multipart.Target's.
func (u *upload) Put(ctx context.Context, body *multipart.Body) (backends.Object, error) {
	to := u.condition.on(u.store.bucket.Object(u.key))
	return u.publish(ctx, func(ctx context.Context) (*storage.ObjectAttrs, error) {
		return insert(ctx, to, u.properties, body)
	})
}

// Start is multipart.Target's: there is nothing to begin.
func (u *upload) Start(context.Context) error { return nil }

// Part is multipart.Target's.
func (u *upload) Part(ctx context.Context, n int, body *multipart.Body) error {
	p := part{name: u.name(0, n), size: body.Size(), crc: body.CRC32C()}
	u.note(p.name)
	err := u.store.retry(ctx, func() error {
		_, err := insert(ctx, u.store.bucket.Object(p.name), storage.ObjectAttrs{ContentType: defaultType}, body)
		return err
	})
	if err != nil {
		return failure("write", u.key, condition{}, u.insertError(err))
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts[n] = p
	return nil
}

// Complete is multipart.Target's.
func (u *upload) Complete(ctx context.Context, parts int) (backends.Object, error) {
	u.mu.Lock()
	list := make([]part, 0, parts)
	for n := 1; n <= parts; n++ {
		list = append(list, u.parts[n])
	}
	u.mu.Unlock()
	list, err := u.fold(ctx, list)
	if err != nil {
		return backends.Object{}, failure("commit", u.key, condition{}, u.insertError(err))
	}
	to := u.condition.on(u.store.bucket.Object(u.key))
	o, err := u.publish(ctx, func(ctx context.Context) (*storage.ObjectAttrs, error) {
		return u.compose(ctx, to, u.properties, list)
	})
	if err == nil {
		u.tidy(ctx)
	}
	return o, err
}

// tidy deletes the parts of an object that is durable, whatever becomes of them: what is
// left when the store is in trouble is below partsPrefix for a janitor, and the client is
// not kept waiting.
func (u *upload) tidy(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, tidyTime)
	defer cancel()
	_ = u.discard(ctx) // see above
}

// Keep is multipart.Target's.
func (u *upload) Keep(context.Context, int, *multipart.Body) (int64, error) {
	return 0, &backends.Error{Op: "park", Key: u.key, Kind: errors.ErrUnsupported}
}

// Abort is multipart.Target's.
func (u *upload) Abort(ctx context.Context) error {
	return failure("abort", u.key, condition{}, u.discard(ctx))
}

// publish makes the request that makes the object visible, and settles lost answers by the
// upload's id.
func (u *upload) publish(ctx context.Context, send func(context.Context) (*storage.ObjectAttrs, error)) (backends.Object, error) {
	once := transport.Once[*storage.ObjectAttrs]{
		Send: send, Transient: transient,
		Mine: func(ctx context.Context) (*storage.ObjectAttrs, bool) {
			a, err := u.store.bucket.Object(u.key).Attrs(ctx)
			return a, err == nil && a.Metadata[uploadKey] == u.id
		},
	}
	a, err := once.Settle(ctx)
	if err != nil {
		return backends.Object{}, failure("commit", u.key, u.condition, u.insertError(err))
	}
	u.store.reached.Store(true)
	return describe(a), nil
}

// insertError puts right what the general map cannot know of a request that writes.
func (u *upload) insertError(err error) error {
	var answer *googleapi.Error
	if !errors.As(err, &answer) {
		return err
	}
	switch {
	case answer.Code == http.StatusBadRequest:
		// The name was checked; what is left is content that was damaged on its way.
		return &backends.Error{Op: "commit", Key: u.key, Kind: backends.ErrUnavailable, Err: err}
	case answer.Code == http.StatusNotFound && u.condition.generation != 0:
		// A condition on an object that is gone.
		return &backends.Error{Op: "commit", Key: u.key, Kind: backends.ErrChanged, Err: err}
	case answer.Code == http.StatusNotFound:
		// Nothing else can be missing where something new is written.
		return fmt.Errorf("%w: %w", storage.ErrBucketNotExist, err)
	}
	return err
}

// insert writes an object by one request. The service refuses content that does not have
// the declared checksum; it is sent once more then, since it has it here.
func insert(ctx context.Context, to *storage.ObjectHandle, as storage.ObjectAttrs, body *multipart.Body) (*storage.ObjectAttrs, error) {
	a, err := insertOnce(ctx, to, as, body)
	if errors.Is(kind(condition{}, err), fs.ErrInvalid) {
		a, err = insertOnce(ctx, to, as, body)
	}
	return a, err
}

func insertOnce(ctx context.Context, to *storage.ObjectHandle, as storage.ObjectAttrs, body *multipart.Body) (*storage.ObjectAttrs, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a Writer that was given up must not commit what it has
	w := to.NewWriter(ctx)
	w.ChunkSize = 0
	w.ContentType, w.Metadata = as.ContentType, as.Metadata
	w.SendCRC32C, w.CRC32C = true, body.CRC32C()
	if _, err := io.Copy(w, body.Reader()); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return w.Attrs(), nil
}

// note remembers an object that is about to be written.
func (u *upload) note(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.names[name] = struct{}{}
}

// name is that of the object n of a level: parts are level 0, what is composed of them
// level 1, and so on.
func (u *upload) name(level, n int) string {
	return fmt.Sprintf("%s%s/%d-%05d", partsPrefix, u.id, level, n)
}
