package localdir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"causeway/backends"
)

// parkPatience is how long Park waits for the prefix of an append.
const parkPatience = 20 * time.Second

// Park is [backends.Upload.Park]. What it keeps is durable.
func (u *upload) Park() (int64, error) {
	switch {
	case u.over && u.failed: // there is nothing left to keep
		return 0, nil
	case u.over:
		return 0, fail("park", u.key, fs.ErrClosed)
	}
	size, err := u.park()
	if err != nil {
		return 0, fail("park", u.key, err)
	}
	return size, nil
}

func (u *upload) park() (int64, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), parkPatience)
	defer cancel()
	nothing := u.size == 0 || u.size == u.kept && !u.recorded // beside what is in the object
	if u.file == nil || nothing || u.prefix.wait(ctx) != nil {
		return 0, u.discard() // an append begins anew where the object ends
	}
	if err := u.file.Sync(); err != nil {
		return 0, errors.Join(err, u.fallBack())
	}
	parked := u.record
	parked.Boot, parked.Synced = u.store.boot, u.size
	if err := u.store.keep(u.id, parked); err != nil {
		if u.recorded {
			return 0, errors.Join(err, u.release()) // one record or the other will do while the machine runs
		}
		u.recorded = true // perhaps
		return 0, errors.Join(err, u.discard())
	}
	return u.size, u.release()
}

// fallBack keeps what was durable before: after a sync that failed, nobody knows what the
// disk has of the rest, and it may still read as if all were well.
func (u *upload) fallBack() error {
	if u.record.Synced == 0 || u.file.Truncate(u.record.Synced) != nil {
		return u.discard()
	}
	return u.release()
}

// release ends the upload and leaves it parked.
func (u *upload) release() error {
	u.over = true
	err := u.file.Close()
	u.store.live.Delete(u.id)
	return err
}

// seize opens the file of an upload that nobody is writing, and locks it. The store is
// locked. fs.ErrNotExist if it is gone; ErrBusy if somebody is.
func (s *Store) seize(id string) (*os.File, error) {
	if !isID(id) {
		return nil, fs.ErrNotExist
	}
	if _, live := s.live.Load(id); live {
		return nil, backends.ErrBusy
	}
	f, err := s.root.OpenFile(tempName(id), os.O_WRONLY|nonBlock, 0)
	if err != nil {
		return nil, err
	}
	free, err := tryLock(f)
	if err == nil && !free {
		err = backends.ErrBusy
	}
	if err == nil {
		err = s.stillNamed(f, id) // an abort does not lock the store
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

// stillNamed tells whether f is the file of the upload, or what was it.
func (s *Store) stillNamed(f *os.File, id string) error {
	named, err := s.root.Lstat(tempName(id))
	if err != nil {
		return err
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(named, opened) {
		err = fs.ErrNotExist
	}
	return err
}

// resume goes on with a parked upload.
func (u *upload) resume(ctx context.Context, o backends.CreateOptions) error {
	err := u.store.exclusively(ctx, func() (err error) {
		if u.file, err = u.store.seize(o.Resume); err == nil {
			u.store.live.Store(o.Resume, nil)
		}
		return err
	})
	if err != nil {
		return err
	}
	u.id = o.Resume
	if err := u.adopt(o); err != nil {
		return errors.Join(err, u.release())
	}
	return nil
}

// adopt cuts the file of a parked upload and makes its record that of the new one.
func (u *upload) adopt(o backends.CreateOptions) error {
	r, err := u.store.load(recordName(u.id, u.key))
	if err != nil {
		return err
	}
	info, err := u.file.Stat()
	if err != nil {
		return err
	}
	size := u.store.durable(r, info)
	switch {
	case size == 0 || linked(info) || r.Key != u.key:
		return fs.ErrNotExist
	case o.At < 0 || o.At > size:
		return backends.ErrRange
	}
	if err := u.cut(info.Size(), size); err != nil { // what follows is what a crash has left
		return err
	}
	// The record first: once other octets follow the cut, none of those it knew do.
	r = r.with(o)
	r.Boot, r.Synced = u.store.boot, min(r.Synced, o.At)
	if err := u.store.keep(u.id, r); err != nil {
		return err
	}
	if err := u.cut(size, o.At); err != nil {
		return err
	}
	u.record, u.recorded, u.size, u.kept = r, true, o.At, o.At
	_, err = u.file.Seek(o.At, io.SeekStart)
	return err
}

// with is the record as another attempt goes on with it.
func (r record) with(o backends.CreateOptions) record {
	if o.IfMatch != "" {
		r.IfMatch = o.IfMatch
	}
	if o.IfAbsent {
		r.IfAbsent = true
	}
	if o.Metadata != nil {
		r.Metadata = o.Metadata
	}
	if o.Tag != "" {
		r.Tag = o.Tag
	}
	return r
}

// cut makes the file shorter, if it has to be: it would become newer by it.
func (u *upload) cut(from, to int64) error {
	if from == to {
		return nil
	}
	return u.file.Truncate(to)
}

// Parked is [backends.Parker.Parked]. A page is of at most 1,000 records that were read.
func (s *Store) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	if err := s.listers.enter(ctx); err != nil {
		return backends.ParkedPage{}, fail("park", q.Prefix, err)
	}
	defer s.listers.leave()
	page, err := s.parked(ctx, q)
	if err != nil && !isMissing(err) {
		return backends.ParkedPage{}, fail("park", q.Prefix, err)
	}
	return page, nil
}

func (s *Store) parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	var page backends.ParkedPage
	at, err := s.enter(own + "/")
	if err != nil {
		return page, err
	}
	defer at.Close() //nolint:errcheck // it is only looked through
	w := &window{position: position{from: q.Token}, limit: windowSize, more: true}
	for read := 0; ; {
		name, err := w.next(ctx, at)
		if err != nil || name == "" {
			return page, err
		}
		id, dir, ok := parseRecordName(name)
		if _, live := s.live.Load(id); !ok || live || q.Direct && dir != dirSum(q.Prefix) {
			continue
		}
		if read++; read > pageSize {
			page.Next = name
			return page, nil
		}
		p, err := s.describeParked(id, name)
		if isMissing(err) || errors.Is(err, errors.ErrUnsupported) {
			continue // it has just ended, or is none of ours
		}
		if err != nil {
			return page, err
		}
		if strings.HasPrefix(p.Key, q.Prefix) {
			page.Uploads = append(page.Uploads, p)
		}
	}
}

// describeParked is what can be resumed of an upload. fs.ErrNotExist if nothing can.
func (s *Store) describeParked(id, name string) (backends.Parked, error) {
	r, err := s.load(own + "/" + name)
	if err != nil {
		return backends.Parked{}, err
	}
	info, err := s.root.Lstat(tempName(id))
	if err != nil {
		return backends.Parked{}, err
	}
	p := backends.Parked{ID: id, Key: r.Key, Size: s.durable(r, info), ModTime: info.ModTime().UTC(), Tag: r.Tag}
	if p.Size == 0 || linked(info) {
		return backends.Parked{}, fs.ErrNotExist
	}
	return p, nil
}

// Discard is [backends.Parker.Discard]. ErrBusy also if another process is writing it.
func (s *Store) Discard(ctx context.Context, p backends.Parked) error {
	err := s.exclusively(ctx, func() error {
		f, err := s.seize(p.ID)
		if isMissing(err) {
			return nil // a record without it is removed when the store is opened
		}
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // it is being removed
		return s.forget(tempName(p.ID), recordName(p.ID, p.Key))
	})
	if err != nil {
		return fail("park", p.Key, err)
	}
	return nil
}

// forget removes files of an upload that may be there, in this order: a record without
// its file is worth nothing, a file without its record neither.
func (s *Store) forget(names ...string) error {
	for _, name := range names {
		if err := s.root.Remove(name); err != nil && !isMissing(err) {
			return err
		}
	}
	return nil
}
