package gcs

import (
	"context"
	"errors"
	"hash/crc32"
	"io"

	"cloud.google.com/go/storage"

	"causeway/backends"
	"causeway/backends/journal"
	"causeway/backends/multipart"
	"causeway/backends/readahead"
)

// extend begins an upload with the first octets of the object that is there. All of it is
// composed with what follows; a beginning of it, which the service cannot cut off, is read
// and written again, and may be as large as a part.
func (s *Store) extend(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	c, err := conditionOf("create", key, o.IfMatch, false)
	if err != nil {
		return nil, err
	}
	a, err := s.object(ctx, key, c.generation)
	switch {
	case err != nil:
		return nil, err
	case o.At > a.Size:
		return nil, &backends.Error{Op: "create", Key: key, Kind: backends.ErrRange}
	case o.At < a.Size && o.At > s.parts.first:
		return nil, &backends.Error{Op: "create", Key: key, Kind: errors.ErrUnsupported}
	}
	o.IfMatch, o.IfAbsent = etag(a.Generation), false
	u, err := s.upload(key, o)
	if err != nil {
		return nil, err
	}
	u.follow(a)
	u.least = o.At
	if o.At == a.Size {
		u.lineage.object = a.Size
		u.parts[1] = headOf(a)
		return u.open(ctx, multipart.Head{Parts: 1, Size: a.Size}), nil
	}
	upload := u.open(ctx, multipart.Head{})
	if err := s.repeat(ctx, upload, key, o); err != nil {
		return nil, errors.Join(err, upload.Abort())
	}
	return upload, nil
}

// follow takes over the properties of the object that goes on in this upload, but for what
// was given, and the time that a client has set for what it was before.
func (u *upload) follow(a *storage.ObjectAttrs) {
	o := &u.options // and so in the record
	if o.Metadata == nil {
		o.Metadata = shown(a.Metadata)
		delete(o.Metadata, backends.MetaModTime)
	}
	if o.ContentType == "" {
		o.ContentType = a.ContentType
	}
	u.properties = propertiesOf(a, stamped(o.Metadata, u.lineage.attempt))
	u.properties.ContentType = o.ContentType
}

// headOf is the object that is appended to, as the first part: that very version.
func headOf(a *storage.ObjectAttrs) part {
	return part{name: a.Name, generation: a.Generation, size: a.Size, crc: a.CRC32C}
}

// repeat writes the first octets of an object once more.
func (s *Store) repeat(ctx context.Context, to io.Writer, key string, o backends.CreateOptions) error {
	r, err := readahead.Open(ctx, s, key, backends.OpenOptions{Length: o.At, IfMatch: o.IfMatch})
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // it was only read
	_, err = io.Copy(to, r)
	return err
}

// resume begins an upload with the first octets of a parked one, and takes its place.
func (s *Store) resume(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	f, err := s.find(ctx, key, o.Resume)
	if err != nil {
		return nil, err
	}
	n, end := whole(f.parts, o.At)
	rest := o.At - end
	// Within the last part, the tail of what arrived, the beginning is stored once more.
	tail := n == len(f.parts)-1 && f.parts[n].attempt != "" && f.parts[n].size <= s.parts.first
	if rest > 0 && !tail {
		return nil, &backends.Error{Op: "create", Key: key, Kind: backends.ErrRange}
	}
	u, err := s.upload(key, inherit(o, f.record))
	if err != nil {
		return nil, err
	}
	if err := u.pin(ctx, f); err != nil {
		return nil, err
	}
	if o.At == 0 {
		if err := s.discard(ctx, f); err != nil {
			return nil, err
		}
		return u.open(ctx, multipart.Head{}), nil
	}
	u.adopt(f, n)
	if rest > 0 {
		n++
		if err := u.cut(ctx, n, f.parts[n-1], rest); err != nil {
			return nil, err
		}
	}
	return u.take(ctx, f, multipart.Head{Parts: n, Size: o.At})
}

// inherit is o with what the upload was begun with, but for what is set anew.
func inherit(o backends.CreateOptions, r journal.Record) backends.CreateOptions {
	if o.IfMatch == "" && !o.IfAbsent {
		o.IfMatch, o.IfAbsent = r.IfMatch, r.IfAbsent
	}
	if o.ContentType == "" {
		o.ContentType = r.ContentType
	}
	if o.Metadata == nil {
		o.Metadata = r.Metadata
	}
	return o
}

// pin looks whether the object is still what the upload was begun on. If not, what was
// begun is of no use to anybody and discarded.
func (u *upload) pin(ctx context.Context, f found) error {
	if f.record.IfMatch == "" {
		return nil
	}
	c, err := conditionOf("create", u.key, f.record.IfMatch, false)
	if err != nil {
		return err
	}
	a, err := u.store.object(ctx, u.key, c.generation)
	if errors.Is(err, backends.ErrChanged) {
		return errors.Join(err, u.store.discard(ctx, f))
	}
	if err != nil || f.lineage.object == 0 {
		return err
	}
	u.follow(a)
	u.least = a.Size
	u.parts[1] = headOf(a)
	return nil
}

// adopt goes on with the first n parts of another upload.
func (u *upload) adopt(f found, n int) {
	u.lineage = f.lineage.next(u.lineage.attempt, f.parts[:n])
	u.inherited = true
	for i, p := range f.parts[:n] {
		if p.attempt != "" {
			u.parts[i+1] = p
		}
	}
}

// take makes the upload this one's own.
func (u *upload) take(ctx context.Context, f found, head multipart.Head) (backends.Upload, error) {
	entry, err := u.store.journal.Take(ctx, f.Parked, u.record())
	if err != nil {
		return nil, err
	}
	u.entry, u.begun = entry, true
	return u.open(ctx, head), nil
}

// cut stores the first octets of a part as part n.
func (u *upload) cut(ctx context.Context, n int, from part, length int64) error {
	p := u.part(n, length, 0)
	err := u.store.retry(ctx, func() (err error) {
		p.crc, err = u.copyOf(ctx, p, from)
		return err
	})
	if err != nil {
		return failure("create", u.key, condition{}, insertError(u.key, condition{}, err))
	}
	u.have(n, p)
	return nil
}

// copyOf stores p, which is the beginning of another part, and returns its checksum. All
// of that part is read, since the checksum that it arrived with is that of the whole.
func (u *upload) copyOf(ctx context.Context, p, from part) (uint32, error) {
	r, err := readahead.Open(ctx, u.store, from.name, backends.OpenOptions{})
	if err != nil {
		return 0, err
	}
	defer r.Close() //nolint:errcheck // it was only read
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a Writer that was given up must not commit what it has
	w := writer(ctx, u.store.bucket.Object(p.name), u.component())
	sum := crc32.New(castagnoli)
	if _, err := io.CopyN(io.MultiWriter(w, sum), r, p.size); err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return 0, err
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	p.crc = sum.Sum32()
	_, err = verified(w.Attrs(), p)
	return p.crc, err
}
