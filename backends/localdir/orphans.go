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
	entries, err := fs.ReadDir(s.root.FS(), own)
	if isMissing(err) || len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	uploads := make(map[string][]string) // names by what they begin with, the id
	for _, entry := range entries {
		id, _, _ := strings.Cut(entry.Name(), ".")
		uploads[id] = append(uploads[id], entry.Name())
	}
	return s.exclusively(ctx, func() error {
		for id, names := range uploads {
			if err := s.removeOrphan(id, names); err != nil {
				return err
			}
		}
		return nil
	})
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
