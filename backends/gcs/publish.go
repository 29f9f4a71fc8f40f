package gcs

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net/http"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"causeway/backends"
	"causeway/backends/transport"
)

// alternates is how many other keys are tried when one is taken. They are random names: a
// second one is hardly ever needed.
const alternates = 16

// writing makes the request that makes an object visible under a name.
type writing func(context.Context, *storage.ObjectHandle) (*storage.ObjectAttrs, error)

// publish makes the object visible: by its key, or if that is taken and others are given,
// by one of those.
func (u *upload) publish(ctx context.Context, send writing) (backends.Object, error) {
	o, err := u.publishAs(ctx, u.key, send)
	for range alternates {
		if u.options.Alternate == nil || !errors.Is(err, fs.ErrExist) {
			break
		}
		key := u.options.Alternate()
		if err := check("commit", key); err != nil {
			return backends.Object{}, err
		}
		o, err = u.publishAs(ctx, key, send)
	}
	return o, err
}

// publishAs settles lost answers by the attempt's random name, which is in the object's
// metadata.
func (u *upload) publishAs(ctx context.Context, key string, send writing) (backends.Object, error) {
	h := u.store.bucket.Object(key)
	once := transport.Once[*storage.ObjectAttrs]{
		Send: func(ctx context.Context) (*storage.ObjectAttrs, error) {
			return send(ctx, u.condition.on(h))
		},
		Transient: transient,
		Mine: func(ctx context.Context) (*storage.ObjectAttrs, bool) {
			a, err := h.Attrs(ctx)
			return a, err == nil && a.Metadata[uploadKey] == u.lineage.attempt
		},
	}
	a, err := once.Settle(ctx)
	if err != nil {
		return backends.Object{}, failure("commit", key, u.condition, insertError(key, u.condition, err))
	}
	u.store.reached.Store(true)
	return describe(a), nil
}

// insertError puts right what the general map cannot know of a request that writes, with a
// condition on its destination.
func insertError(key string, c condition, err error) error {
	var answer *googleapi.Error
	var known *backends.Error
	if !errors.As(err, &answer) || errors.As(err, &known) {
		return err
	}
	switch {
	case answer.Code == http.StatusBadRequest:
		// The name was checked; what is left is content that was damaged on its way.
		return &backends.Error{Op: "commit", Key: key, Kind: backends.ErrUnavailable, Err: err}
	case answer.Code == http.StatusNotFound && c.generation != 0:
		// A condition on an object that is gone.
		return &backends.Error{Op: "commit", Key: key, Kind: backends.ErrChanged, Err: err}
	case answer.Code == http.StatusNotFound:
		// Nothing else can be missing where something new is written.
		return fmt.Errorf("%w: %w", storage.ErrBucketNotExist, err)
	}
	return err
}

// octets are the content of one request, with its checksum.
type octets struct {
	io.ReadSeeker
	crc uint32
}

// insert writes an object by one request. The service refuses content that does not have
// the declared checksum; it is sent once more then, since it has it here.
func insert(ctx context.Context, to *storage.ObjectHandle, as storage.ObjectAttrs, content octets) (*storage.ObjectAttrs, error) {
	a, err := insertOnce(ctx, to, as, content)
	if errors.Is(kind(condition{}, err), fs.ErrInvalid) {
		a, err = insertOnce(ctx, to, as, content)
	}
	return a, err
}

func insertOnce(ctx context.Context, to *storage.ObjectHandle, as storage.ObjectAttrs, content octets) (*storage.ObjectAttrs, error) {
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a Writer that was given up must not commit what it has
	w := writer(ctx, to, as)
	w.SendCRC32C, w.CRC32C = true, content.crc
	n, err := io.Copy(w, content.ReadSeeker)
	if err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return verified(w.Attrs(), part{name: w.Name, size: n, crc: content.crc})
}

// verified is an object that was written, if the service has it as it was sent. It says so
// by itself, but servers that imitate it may not look.
func verified(a *storage.ObjectAttrs, want part) (*storage.ObjectAttrs, error) {
	if a.Size != want.size || a.CRC32C != want.crc {
		return nil, &backends.Error{Op: "write", Key: want.name, Kind: backends.ErrUnavailable, Err: errDamaged}
	}
	return a, nil
}

// writer streams an object in one request. Cancelling ctx before Close leaves no object.
func writer(ctx context.Context, to *storage.ObjectHandle, as storage.ObjectAttrs) *storage.Writer {
	w := to.NewWriter(ctx)
	w.ChunkSize = 0
	as.Name = w.Name
	w.ObjectAttrs = as
	return w
}

// Save is journal.Store's.
func (s *Store) Save(ctx context.Context, key string, content io.ReadSeeker, size int64) error {
	sum := crc32.New(castagnoli)
	if n, err := io.Copy(sum, content); err != nil || n != size {
		return &backends.Error{Op: "write", Key: key, Kind: backends.ErrUnavailable, Err: errors.Join(err, io.ErrUnexpectedEOF)}
	}
	err := s.retry(ctx, func() error {
		_, err := insert(ctx, s.bucket.Object(key), storage.ObjectAttrs{ContentType: defaultType}, octets{content, sum.Sum32()})
		return err
	})
	if err != nil {
		return failure("write", key, condition{}, insertError(key, condition{}, err))
	}
	return nil
}
