package gcs

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sync/errgroup"

	"causeway/backends"
	"causeway/backends/journal"
	"causeway/backends/multipart"
)

// worthless is how old a record without parts must be to be removed: a writer elsewhere
// may be about to store the first, and of an append the first takes as long as its client.
const worthless = 48 * time.Hour

// Keep is multipart.Target's. The tail becomes a part.
func (u *upload) Keep(ctx context.Context, parts int, tail *multipart.Body) (int64, error) {
	size, err := u.keep(ctx, parts, tail)
	if err != nil && u.entry != nil {
		u.entry.Leave()
	}
	if errors.Is(err, backends.ErrChanged) {
		err = errors.Join(err, u.forsake(ctx))
	}
	return size, failure("park", u.key, condition{}, err)
}

func (u *upload) keep(ctx context.Context, parts int, tail *multipart.Body) (int64, error) {
	if err := u.begin(ctx); err != nil {
		return 0, err
	}
	if u.entry == nil {
		return 0, &backends.Error{Op: "park", Key: u.key, Kind: errors.ErrUnsupported}
	}
	if parts > 0 { // otherwise there was nothing to take
		if err := u.hold(ctx); err != nil {
			return 0, err
		}
	}
	if tail.Size() > 0 {
		parts++
		if err := u.Part(ctx, parts, tail); err != nil {
			return 0, err
		}
	}
	n := size(u.stored(parts))
	return n, u.entry.Park(ctx, n, nil)
}

// found is an upload that the journal knows, with what of it is there.
type found struct {
	journal.Upload // Size and ModTime are those of the parts
	record         journal.Record
	lineage        lineage
	parts          []part    // that count
	object         time.Time // when it became an object, zero if it did not
}

// published tells whether the upload has been an object for that long: what its writer has
// not deleted by then it never will.
func (f found) published(ago time.Duration) bool {
	return !f.object.IsZero() && time.Since(f.object) > ago
}

// find looks for an upload to be resumed. fs.ErrNotExist if there is nothing to go on
// with, backends.ErrBusy if this process is writing it.
func (s *Store) find(ctx context.Context, key, id string) (found, error) {
	u, err := s.journal.Lookup(id)
	switch {
	case err != nil:
		return found{}, err
	case u.Key != key:
		return found{}, gone(key)
	case u.Live:
		return found{}, &backends.Error{Op: "create", Key: key, Kind: backends.ErrBusy}
	}
	f, err := s.measure(ctx, u, time.Now().Add(-worthless))
	return f, failure("create", key, condition{}, err)
}

// measure finds out what is there of an upload. fs.ErrNotExist if that is nothing to go on
// with; it is ended then, unless its writer may be at work, who has written after that time.
func (s *Store) measure(ctx context.Context, u journal.Upload, after time.Time) (found, error) {
	f, err := s.load(ctx, u)
	if err != nil {
		return f, err
	}
	stored, err := s.stored(ctx, f.lineage)
	if err != nil {
		return f, err
	}
	f.parts = f.lineage.chain(stored)
	for _, p := range stored {
		if p.stored.After(f.ModTime) && u.Size < 0 {
			f.ModTime = p.stored
		}
	}
	there, err := s.worth(ctx, &f)
	if err != nil || there {
		return f, err
	}
	if u.Size >= 0 || f.published(tidyTime) || f.ModTime.Before(after) {
		err = s.discard(ctx, f)
	}
	return f, errors.Join(gone(u.Key), err)
}

// load reads the record of an upload.
func (s *Store) load(ctx context.Context, u journal.Upload) (found, error) {
	record, tail, written, err := s.journal.Load(ctx, u.ID)
	if err != nil {
		return found{}, err
	}
	_ = tail.Close() // it has none
	f := found{Upload: u, record: record}
	f.ModTime = written
	f.lineage, err = lineageOf(u.ID, record)
	return f, err
}

// worth tells whether there is anything to go on with, and sets what that is: all that was
// parked, or what the writer has stored who did not come so far, unless that is an object
// by now.
func (s *Store) worth(ctx context.Context, f *found) (bool, error) {
	if f.Size >= 0 {
		n, end := whole(f.parts, f.Size)
		f.parts = f.parts[:n]
		return n > 0 && end == f.Size, nil
	}
	f.Size = size(f.parts)
	there := len(f.parts) > 0 && f.parts[len(f.parts)-1].attempt != ""
	a, err := s.attrs(ctx, f.Key)
	switch {
	case isNotExist(err):
		return there, nil
	case err == nil && a.Metadata[uploadKey] == f.lineage.attempt:
		f.object = a.Created
		return false, nil
	}
	return there, err
}

// Parked is [backends.Parker.Parked]. Each upload whose gateway has died costs three
// requests more.
func (s *Store) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	page, err := s.journal.List(ctx, q)
	if err != nil {
		return backends.ParkedPage{}, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	sizes := make([]backends.Parked, len(page.Uploads))
	for i, u := range page.Uploads {
		switch {
		case u.Live:
		case u.Size >= 0:
			sizes[i] = u.Parked
		default:
			group.Go(func() (err error) {
				sizes[i], err = s.orphan(ctx, u)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return backends.ParkedPage{}, failure("park", q.Prefix, condition{}, err)
	}
	out := backends.ParkedPage{Next: page.Next}
	for _, p := range sizes {
		if p.ID != "" {
			out.Uploads = append(out.Uploads, p)
		}
	}
	return out, nil
}

// orphan is an upload that was not parked, the zero value if there is nothing of it to go
// on with.
func (s *Store) orphan(ctx context.Context, u journal.Upload) (backends.Parked, error) {
	f, err := s.measure(ctx, u, time.Now().Add(-worthless))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported) {
		return backends.Parked{}, nil
	}
	return f.Parked, err
}

// Discard is [backends.Parker.Discard].
func (s *Store) Discard(ctx context.Context, p backends.Parked) error {
	u, err := s.journal.Lookup(p.ID)
	if err == nil && u.Live {
		return &backends.Error{Op: "park", Key: p.Key, Kind: backends.ErrBusy}
	}
	var f found
	if err == nil {
		f, err = s.load(ctx, u)
	}
	if err == nil {
		err = s.discard(ctx, f)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return failure("park", p.Key, condition{}, err)
}

// discard deletes what is there of an upload, and last its record. If there are other
// records of the upload, whose writer may be at work, only the record.
func (s *Store) discard(ctx context.Context, f found) error {
	claimed, err := s.claimed(ctx, f.Key, f.lineage, f.ID)
	if err == nil && !claimed {
		err = s.empty(ctx, f.lineage)
	}
	if err == nil {
		err = s.remove(ctx, f.ID, condition{})
	}
	return failure("park", f.Key, condition{}, err)
}

// claimedTries is how often claimed looks while records are replaced under its eyes.
const claimedTries = 3

// claimed tells whether any record of key, but for one, is of the same upload. A record
// that is gone when it is read may have been replaced by its writer, who has parked the
// upload, or by another who has resumed it: then it looks again.
func (s *Store) claimed(ctx context.Context, key string, l lineage, except string) (bool, error) {
	for try := 1; ; try++ {
		claimed, err := s.claimedNow(ctx, key, l, except)
		if try == claimedTries && errors.Is(err, fs.ErrNotExist) {
			return false, &backends.Error{Op: "park", Key: key, Kind: backends.ErrUnavailable, Err: err}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return claimed, err
		}
	}
}

// claimedNow is claimed by one look. fs.ErrNotExist if a record went meanwhile.
func (s *Store) claimedNow(ctx context.Context, key string, l lineage, except string) (bool, error) {
	for u, err := range s.records(ctx, backends.ParkedQuery{Prefix: key, Direct: true}) {
		if err != nil {
			return false, err
		}
		if u.Key != key || u.ID == except {
			continue
		}
		f, err := s.load(ctx, u)
		if err == nil && f.lineage.folder == l.folder {
			return true, nil
		}
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return false, err
		}
	}
	return false, nil
}
