package s3

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
	"causeway/backends/journal"
	"causeway/backends/multipart"
)

const (
	// saveTime bounds the writing of a record, with a tail of less than a part.
	saveTime = 12 * time.Second
	// tailTime bounds the last part that Park sends: less than it has, since without a
	// record the part would be lost, and those before it need not be.
	tailTime = 8 * time.Second
	// blindTime is how long no records are written after one could not be seen or removed
	// for lack of permission.
	blindTime = time.Hour
)

// Save is [journal.Store.Save] by one PutObject.
func (s *Store) Save(ctx context.Context, key string, body io.ReadSeeker, size int64) error {
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	if _, err := io.Copy(sum, body); err != nil {
		return &backends.Error{Op: "park", Key: key, Kind: backends.ErrUnavailable, Err: err}
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return &backends.Error{Op: "park", Key: key, Kind: backends.ErrUnavailable, Err: err}
	}
	ctx, cancel := bounded(ctx, saveTime)
	defer cancel()
	_, err := s.lean.put(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, Body: body, ContentLength: aws.Int64(size), ChecksumCRC32C: content{crc: sum.Sum32()}.sum(),
	})
	if err != nil {
		return failed(ctx, call{op: "park", key: key}, err)
	}
	return nil
}

// record is what others have to know to go on with the upload.
func (w *writing) record() journal.Record {
	return journal.Record{
		Native: aws.ToString(w.upload), Before: w.chain.String(), IfMatch: w.o.IfMatch, IfAbsent: w.o.IfAbsent,
		ContentType: w.o.ContentType, Metadata: w.o.Metadata, Tag: w.o.Tag,
	}
}

// noteDown writes the record of an upload that has begun. Where it cannot be written, by
// the credentials or the server, the upload goes on without.
func (w *writing) noteDown(ctx context.Context) error {
	if w.unrecorded = w.blinded(); w.unrecorded {
		return nil
	}
	var err error
	if w.entry != nil { // resumed from a tail alone
		err = w.entry.Update(ctx, w.record(), w.tail)
	} else {
		w.entry, err = w.journal.Begin(ctx, w.key, w.record())
	}
	if w.unrecorded = unwritable(err); w.unrecorded {
		return nil
	}
	return err
}

// unwritable tells whether a record never can be written.
func unwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, fs.ErrExist)
}

// forget removes the record of an upload that has become an object, and before that the
// parts of one that became it by one request. What it leaves the janitor finds, or it is
// worthless.
func (w *writing) forget(ctx context.Context) {
	if w.entry == nil {
		return
	}
	defer w.entry.Leave()
	ctx, cancel := bounded(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if w.upload != nil && !w.doubted.Load() && w.end(ctx, w.key, *w.upload) != nil {
		return
	}
	_ = w.denied(w.entry.End(ctx)) // see above
}

// denied is err, which is noted if the credentials may write records and neither see nor
// remove them: then they are better not written, since nobody would.
func (s *Store) denied(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		s.blind.Store(time.Now().Add(blindTime).UnixNano())
	}
	return err
}

// blinded tells whether that was so lately.
func (s *Store) blinded() bool { return time.Now().UnixNano() < s.blind.Load() }

// owned is ErrChanged if another has taken the upload, or ended it.
func (w *writing) owned(ctx context.Context) error {
	if w.entry == nil {
		return nil
	}
	owned, err := w.entry.Owned(ctx)
	switch {
	case errors.Is(w.denied(err), fs.ErrPermission): // nor can others with these credentials have seen it
		return nil
	case err == nil && !owned:
		return &backends.Error{Op: "write", Key: w.key, Kind: backends.ErrChanged, Err: errors.New("another has gone on with the upload")}
	}
	return err
}

// sole tells whether nobody else can have completed the upload.
func (w *writing) sole(ctx context.Context) bool {
	return len(w.chain.Spans) == 0 && w.chain.Next == 1 && w.owned(ctx) == nil
}

// Keep is [multipart.Target.Keep]: the multipart upload stays open, and a tail too small for
// a part is put into the record.
func (t *target) Keep(ctx context.Context, n int, tail *multipart.Body) (int64, error) {
	size, err := t.keepParts(ctx, n, tail)
	if t.entry != nil && err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.entry.Leave()
	}
	return size, err
}

func (t *target) keepParts(ctx context.Context, n int, tail *multipart.Body) (int64, error) {
	if there, err := t.stands(ctx); err != nil || !there {
		return 0, err
	}
	parts := t.first(n)
	kept, rest := t.followed(parts), tail.Reader()
	switch {
	case len(kept) < n: // the tail does not follow them
		rest = io.NewSectionReader(rest, 0, 0)
	case tail.Size() >= t.least:
		p, err := t.sendTail(ctx, n+1, tail)
		if err != nil && (len(kept) == 0 || t.unrecorded) {
			return 0, err
		}
		if err == nil {
			kept = append(kept, p)
		}
		rest = io.NewSectionReader(rest, 0, 0)
	}
	size := octets(kept) + rest.Size()
	if size == 0 {
		return 0, nil
	}
	return size, t.park(ctx, kept, size, rest)
}

// stands tells whether the upload is there to be parked. It may have become an object by a
// request whose answer was lost.
func (t *target) stands(ctx context.Context) (bool, error) {
	if t.unrecorded {
		return false, t.unsupported()
	}
	err := t.owned(ctx)
	if t.entry == nil {
		_, err = t.journal.List(ctx, backends.ParkedQuery{Prefix: t.key, Direct: true})
	}
	switch {
	case errors.Is(t.denied(err), fs.ErrPermission), t.blinded(): // nobody would see the record
		return false, t.unsupported()
	case err != nil:
		return false, err
	}
	if !t.doubted.Load() || t.upload == nil {
		return true, nil
	}
	_, err = t.listParts(ctx, t.key, *t.upload)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return true, err
}

func (t *target) unsupported() error {
	return &backends.Error{Op: "park", Key: t.key, Kind: errors.ErrUnsupported}
}

// followed are the parts that others can follow: all before the first that is too small,
// which the last one of a file may be.
func (s *Store) followed(parts []part) []part {
	for i, p := range parts {
		if p.size < s.least {
			return parts[:i]
		}
	}
	return parts
}

// sendTail stores the tail as part n.
func (t *target) sendTail(ctx context.Context, n int, tail *multipart.Body) (part, error) {
	if t.upload == nil {
		if err := t.start(ctx); err != nil {
			return part{}, err
		}
	}
	if t.unrecorded {
		return part{}, t.unsupported()
	}
	ctx, cancel := bounded(ctx, tailTime)
	defer cancel()
	if err := t.send(ctx, n, t.chain.Next+n-t.head-1, tail); err != nil {
		return part{}, err
	}
	return t.first(n)[n-1], nil
}

// park writes the record of size octets in parts and tail.
func (t *target) park(ctx context.Context, parts []part, size int64, tail *io.SectionReader) error {
	t.chain = t.chain.after(parts, max(t.chain.Next, t.top+1))
	if t.entry == nil {
		t.entry = t.journal.Draft(t.key, t.record())
	}
	t.entry.Revise(t.record())
	err := t.entry.Park(ctx, size, tail)
	if unwritable(err) {
		t.unrecorded = true
		return errors.Join(t.unsupported(), err)
	}
	return err
}
