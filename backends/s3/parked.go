package s3

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"causeway/backends"
	"causeway/backends/journal"
)

const (
	// looks is how many records are looked into side by side.
	looks = 16
	// worthlessAfter is when a record without an upload is removed. Until then its writer
	// may be about to do that.
	worthlessAfter = time.Hour
	// endTries is how often an upload is ended whose parts may still be arriving.
	endTries = 3
)

// Parked is [backends.Parker.Parked]: one listing, and two requests more for each upload
// that was not parked. One that has nothing durable is told with a Size of 0.
func (s *Store) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	listed, err := s.journal.List(ctx, q)
	if err != nil {
		return backends.ParkedPage{}, err
	}
	found := make([]*backends.Parked, len(listed.Uploads))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(looks)
	for i, u := range listed.Uploads {
		switch {
		case u.Live:
		case u.Size >= 0:
			found[i] = &u.Parked
		default:
			group.Go(func() (err error) {
				found[i], err = s.unparked(ctx, u.Parked)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return backends.ParkedPage{}, err
	}
	page := backends.ParkedPage{Next: listed.Next}
	for _, p := range found {
		if p != nil {
			page.Uploads = append(page.Uploads, *p)
		}
	}
	return page, nil
}

// unparked tells of an upload whose writer has died, or is another gateway; nil if there is
// nothing to tell.
func (s *Store) unparked(ctx context.Context, p backends.Parked) (*backends.Parked, error) {
	r, tail, _, err := s.journal.Load(ctx, p.ID)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported) {
		return nil, nil //nolint:nilnil // it has just ended, or is of a later version
	}
	if err != nil {
		return nil, err
	}
	_ = tail.Close() // it was only read
	a, err := s.arrived(ctx, p, r)
	if errors.Is(err, fs.ErrNotExist) {
		if time.Since(p.ModTime) > worthlessAfter {
			err = s.bury(ctx, p.ID, p.Key, r)
		} else {
			err = nil
		}
		return nil, err
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, nil //nolint:nilnil // as above: it must not hide the others
	}
	if err != nil {
		return nil, err
	}
	p.Size = a.size()
	if a.last.After(p.ModTime) {
		p.ModTime = a.last
	}
	return &p, nil
}

// Discard is [backends.Parker.Discard]: the multipart upload ends, and then its record.
func (s *Store) Discard(ctx context.Context, p backends.Parked) error {
	u, err := s.journal.Lookup(p.ID)
	switch {
	case err != nil: // never was one
		return nil
	case u.Live:
		return &backends.Error{Op: "park", Key: p.Key, Kind: backends.ErrBusy}
	}
	r, tail, _, err := s.journal.Load(ctx, p.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_ = tail.Close() // it was only read
	return s.bury(ctx, p.ID, u.Key, r)
}

// bury ends the multipart upload of a record, and then removes that.
func (s *Store) bury(ctx context.Context, id, key string, r journal.Record) error {
	if r.Native != "" {
		if err := s.endAll(ctx, key, r.Native); err != nil {
			return err
		}
	}
	return s.Delete(ctx, id, backends.DeleteOptions{})
}

// endAll ends a multipart upload until the server says that it is gone: parts may have
// arrived late, from a writer that does not know yet.
func (s *Store) endAll(ctx context.Context, key, upload string) error {
	for try := 1; ; try++ {
		if err := s.end(ctx, key, upload); err != nil {
			return err
		}
		_, err := s.listParts(ctx, key, upload)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case try == endTries:
			return &backends.Error{Op: "abort", Key: key, Kind: backends.ErrUnavailable, Err: errors.New("parts go on arriving")}
		}
	}
}

// end ends a multipart upload. One that is not there has ended.
func (s *Store) end(ctx context.Context, key, upload string) error {
	ctx, cancel := bounded(ctx, quick)
	defer cancel()
	_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: &key, UploadId: &upload})
	if err != nil && !gone(err) {
		return failed(ctx, call{op: "abort", key: key}, err)
	}
	return nil
}

// listParts lists the parts of an upload in order of their numbers. fs.ErrNotExist if it
// has ended.
func (s *Store) listParts(ctx context.Context, key, upload string) ([]part, error) {
	ctx, cancel := bounded(ctx, listTime)
	defer cancel()
	in := &s3.ListPartsInput{Bucket: &s.bucket, Key: &key, UploadId: &upload}
	var parts []part
	for {
		out, err := s.client.ListParts(ctx, in, s.within(listTime))
		if err != nil {
			f := failed(ctx, call{op: "park", key: key}, err)
			if noUpload(err) {
				f = &backends.Error{Op: "park", Key: key, Kind: fs.ErrNotExist, Err: err}
			}
			return nil, f
		}
		for i := range out.Parts {
			p := &out.Parts[i]
			parts = append(parts, part{
				number: int(aws.ToInt32(p.PartNumber)), etag: aws.ToString(p.ETag), crc: aws.ToString(p.ChecksumCRC32C),
				size: aws.ToInt64(p.Size), time: utc(p.LastModified),
			})
		}
		if !aws.ToBool(out.IsTruncated) {
			return parts, nil
		}
		if n := len(parts); n == 0 || n > maxParts || aws.ToString(out.NextPartNumberMarker) == aws.ToString(in.PartNumberMarker) {
			return nil, &backends.Error{Op: "park", Key: key, Kind: backends.ErrUnavailable, Err: errors.New("the list of parts does not end")}
		}
		in.PartNumberMarker = out.NextPartNumberMarker
	}
}
