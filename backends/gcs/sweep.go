package gcs

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"strings"
	"time"

	"causeway/backends"
	"causeway/backends/journal"
)

// maxStrays bounds the parts that one sweep takes on; of the upload that goes beyond it, all
// are taken.
const maxStrays = 10_000

// unrecorded begins the folder of an upload that has no record: it can have none, or may
// not. Nothing tells whether its writer is at work, but that all clients have stored another
// part in unrecordedTime.
const (
	unrecorded     = "1" // in no random name
	unrecordedTime = 7 * 24 * time.Hour
)

// Sweep is [backends.Sweeper.Sweep]. A part that was on its way when its gateway was killed
// may land when its upload has ended, record and all. Its name tells that it is a part; that
// no record names its folder tells that nobody can want it any more. Nor can anybody want
// what a record does name where the parts before it are missing. It is a request per
// thousand parts there are, and where some are old enough, two for each record.
func (s *Store) Sweep(ctx context.Context, before time.Time) (int, error) {
	strays, err := s.outdated(ctx, before)
	w := sweep{store: s, before: before, strays: strays}
	// Records are replaced while they are listed, and pages show different moments. To
	// escape both looks a record would have to move across a seam of pages in each.
	for look := 0; look < 2 && err == nil && len(w.strays) > 0; look++ {
		err = w.acquit(ctx)
	}
	for _, names := range w.strays {
		if err != nil {
			break
		}
		if err = s.removeAll(ctx, names); err == nil {
			w.swept += len(names)
		}
	}
	return w.swept, failure("sweep", partsPrefix, condition{}, err)
}

// folders are names of parts, by the folder of their upload.
type folders map[string][]string

// outdated are the folders in which no part is of that time or later.
func (s *Store) outdated(ctx context.Context, before time.Time) (folders, error) {
	found, total := make(folders), 0
	old := func(folder string, created time.Time) bool {
		limit := before
		if rested := time.Now().Add(-unrecordedTime); strings.HasPrefix(folder, unrecorded) && rested.Before(before) {
			limit = rested
		}
		return !created.IsZero() && created.Before(limit)
	}
	q := backends.Query{Prefix: partsPrefix}
	for last, young := "", false; ; {
		page, err := s.page(ctx, q, "Name", "Created")
		if err != nil {
			return nil, err
		}
		for _, a := range page.attrs {
			folder, ok := ownerOf(a.Name)
			if ok && folder != last {
				if total += len(found[last]); total >= maxStrays {
					return found, nil
				}
				last, young = folder, false
			}
			if young = young || !old(folder, a.Created); young {
				delete(found, last)
			} else if ok {
				found[folder] = append(found[folder], a.Name)
			}
		}
		switch page.next {
		case "":
			return found, nil
		case q.Token:
			return nil, &backends.Error{Op: "list", Key: q.Prefix, Kind: backends.ErrUnavailable, Err: errCircle}
		}
		q.Token = page.next
	}
}

// ownerOf is the folder of the upload whose part it is; false for an object that no upload has written.
func ownerOf(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, partsPrefix)
	folder, file, _ := strings.Cut(rest, "/")
	words := strings.Split(file, "-") // see lineage.name
	return folder, ok && plain(strings.TrimPrefix(folder, unrecorded)) && len(words) == 3 && plain(words[0]) && number(words[1]) && number(words[2])
}

func number(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// sweep is the state of one.
type sweep struct {
	store  *Store
	before time.Time
	strays folders // that no record names, as far as is known
	swept  int     // objects
}

// acquit takes from the strays the folders that records name.
func (w *sweep) acquit(ctx context.Context) error {
	for u, err := range w.store.records(ctx, backends.ParkedQuery{}) {
		if err == nil {
			err = w.spare(ctx, u)
		}
		// It may have been replaced by another of the same key, which was passed already.
		for try := 1; errors.Is(err, fs.ErrNotExist); try++ {
			if try > claimedTries {
				return &backends.Error{Op: "sweep", Key: u.Key, Kind: backends.ErrUnavailable, Err: err}
			}
			err = w.spareAll(ctx, u.Key)
		}
		if err != nil || len(w.strays) == 0 {
			return err
		}
	}
	return nil
}

// spareAll takes from the strays the folders that records of key name. fs.ErrNotExist if
// one went meanwhile.
func (w *sweep) spareAll(ctx context.Context, key string) error {
	for u, err := range w.store.records(ctx, backends.ParkedQuery{Prefix: key, Direct: true}) {
		if err == nil && u.Key == key {
			err = w.spare(ctx, u)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// spare takes from the strays the folder that a record names. If a later version of the
// gateway has written it, that could be any. fs.ErrNotExist if it is gone.
func (w *sweep) spare(ctx context.Context, u journal.Upload) error {
	f, err := w.store.load(ctx, u)
	if errors.Is(err, errors.ErrUnsupported) {
		clear(w.strays)
		return nil
	}
	names := w.strays[f.lineage.folder]
	if err != nil || names == nil {
		return err
	}
	delete(w.strays, f.lineage.folder)
	if u.Live || !u.Open {
		return nil
	}
	_, err = w.store.measure(ctx, u, w.before)
	if errors.Is(err, fs.ErrNotExist) {
		w.swept += len(names) // unless another record names them as well
		err = nil
	}
	return err
}

// records yields the records that fit q. An error is the last that is yielded.
func (s *Store) records(ctx context.Context, q backends.ParkedQuery) iter.Seq2[journal.Upload, error] {
	return func(yield func(journal.Upload, error) bool) {
		for {
			page, err := s.journal.List(ctx, q)
			if err != nil {
				yield(journal.Upload{}, err)
				return
			}
			for _, u := range page.Uploads {
				if !yield(u, nil) {
					return
				}
			}
			if q.Token = page.Next; q.Token == "" {
				return
			}
		}
	}
}

var _ backends.Sweeper = (*Store)(nil)
