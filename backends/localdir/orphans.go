package localdir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"causeway/backends"
)

// removeOrphans removes the files of uploads that can neither end nor be resumed. A live
// process, this one included, holds the locks of its own.
func (s *Store) removeOrphans(ctx context.Context) error {
	seen, err := s.leftovers()
	if err != nil || len(seen) == 0 {
		return err
	}
	return s.exclusively(ctx, func() error { return s.removeUnlocked(seen) })
}

// leftovers are the names of the files of all uploads, by what they begin with, the id. The
// names of anything else are left out: another program may have put it there.
func (s *Store) leftovers() (map[string][]string, error) {
	entries, err := fs.ReadDir(s.root.FS(), own)
	if err != nil && !isMissing(err) {
		return nil, err
	}
	uploads := make(map[string][]string)
	for _, entry := range entries {
		name := entry.Name()
		id, _, _ := strings.Cut(name, ".")
		_, _, isRecord := parseRecordName(name)
		if entry.Type().IsRegular() && isID(id) && (isRecord || name == id || name == id+draft) {
			uploads[id] = append(uploads[id], name)
		}
	}
	return uploads, nil
}

// removeUnlocked is removeOrphans for uploads that were seen. The store is locked. Who parks
// an upload writes its record before letting go of the lock: so what counts are the names
// that are there after the lock was found to be free.
func (s *Store) removeUnlocked(seen map[string][]string) error {
	for id := range seen {
		f, err := s.seize(id)
		switch {
		case err == nil:
			_ = f.Close() // it was only looked at
		case errors.Is(err, backends.ErrBusy):
			delete(seen, id)
		case !isMissing(err):
			return err
		}
	}
	now, err := s.leftovers()
	if err != nil {
		return err
	}
	for id := range seen {
		if err := s.removeOrphan(id, now[id]); err != nil {
			return err
		}
	}
	return nil
}

// removeOrphan removes what cannot be resumed of the files of one upload.
func (s *Store) removeOrphan(id string, names []string) error {
	f, err := s.seize(id)
	if errors.Is(err, backends.ErrBusy) {
		return nil
	}
	if err != nil && !isMissing(err) {
		return err
	}
	if err == nil {
		defer f.Close() //nolint:errcheck // it is about to be removed, or was only looked at
	}
	for _, name := range names {
		worth, err := s.resumable(f, id, name)
		if err != nil {
			return err
		}
		if worth {
			return s.forget(tempName(id) + draft)
		}
	}
	for _, name := range names {
		if err := s.forget(own + "/" + name); err != nil {
			return err
		}
	}
	return nil
}

// resumable tells whether name is the record of an upload, whose file is f, that can be
// resumed, or that a later version of the gateway may understand.
func (s *Store) resumable(f *os.File, id, name string) (bool, error) {
	if _, _, ok := parseRecordName(name); f == nil || !ok {
		return false, nil
	}
	_, err := s.describeParked(id, name)
	switch {
	case err == nil || errors.Is(err, errors.ErrUnsupported):
		return true, nil
	case isMissing(err):
		return false, nil
	default:
		return false, err
	}
}
