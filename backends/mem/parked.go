package mem

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"causeway/backends"
)

// record is what the bucket keeps of an upload.
type record struct {
	backends.Parked
	options backends.CreateOptions
	content []byte
	writer  *upload // nil if it is parked, or its process has died
}

// owns tells whether the upload has a record, and nobody has taken it. The lock is held.
func (u *upload) owns() bool {
	return u.record != nil && u.store.records[u.record.ID] == u.record
}

// lost tells whether somebody has resumed or discarded the upload. The lock is held.
func (u *upload) lost() bool { return u.record != nil && !u.owns() }

// keep makes the whole parts of what u has durable. The lock is held.
func (b *bucket) keep(u *upload) {
	if n := b.floor(int64(len(u.content))); u.record == nil && n > 0 || u.owns() && n > u.record.Size {
		b.save(u, n)
	}
}

// save makes the first n octets of u durable. The lock is held.
func (b *bucket) save(u *upload, n int64) {
	if u.record == nil {
		b.begun++
		u.record = &record{options: u.options, writer: u}
		u.record.ID, u.record.Key, u.record.Tag = fmt.Sprintf("%016x", b.begun), u.key, u.options.Tag
		b.records[u.record.ID] = u.record
	}
	u.record.content, u.record.Size, u.record.ModTime = u.content[:n:n], n, b.now().UTC()
	u.record.Open = true
}

// floor is how many of n octets are in whole parts.
func (b *bucket) floor(n int64) int64 {
	if b.partSize == 0 {
		return n
	}
	return n - n%b.partSize
}

// resume begins with the first octets of a parked upload and takes its place. The lock is
// held.
func (u *upload) resume() error {
	o, s := u.options, u.store
	r := s.records[o.Resume]
	fail := func(kind error) error { return &backends.Error{Op: "create", Key: u.key, Kind: kind} }
	switch {
	case r == nil || r.Key != u.key:
		return fail(fs.ErrNotExist)
	case s.writes(r):
		return fail(backends.ErrBusy)
	case o.At < 0 || o.At > r.Size, o.At < s.floor(r.Size) && o.At != s.floor(o.At):
		return fail(backends.ErrRange)
	}
	delete(s.records, r.ID)
	u.inherit(r.options)
	u.content = r.content[:o.At:o.At]
	if n := s.floor(o.At); n > 0 {
		s.save(u, n)
		u.record.ModTime = r.ModTime
	}
	return nil
}

// inherit takes over what the upload was begun with, but for what is set anew.
func (u *upload) inherit(before backends.CreateOptions) {
	o := &u.options
	if o.IfMatch == "" && !o.IfAbsent {
		o.IfMatch, o.IfAbsent = before.IfMatch, before.IfAbsent
	}
	if o.ContentType == "" {
		o.ContentType = before.ContentType
	}
	if o.Metadata == nil {
		o.Metadata = maps.Clone(before.Metadata)
	}
	o.Tag = before.Tag
}

// writes tells whether this process is writing the upload of r. The lock is held.
func (s *Store) writes(r *record) bool { return r.writer != nil && r.writer.store == s }

// Park is backends.Upload's.
func (u *upload) Park() (int64, error) {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	switch {
	case u.over:
		return 0, &backends.Error{Op: "park", Key: u.key, Kind: fs.ErrClosed}
	case u.lost():
		u.end()
		return 0, &backends.Error{Op: "park", Key: u.key, Kind: backends.ErrChanged}
	case len(u.content) == 0, u.options.Resume == "" && int64(len(u.content)) == u.options.At:
		u.end()
		return 0, nil
	}
	u.store.save(u, int64(len(u.content)))
	u.record.Open, u.record.writer = false, nil
	u.over = true
	delete(u.store.uploads, u)
	return u.record.Size, nil
}

// Parked is [backends.Parker.Parked]. Its token is the last id of the page.
func (s *Store) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	if err := ctx.Err(); err != nil {
		return backends.ParkedPage{}, &backends.Error{Op: "park", Key: q.Prefix, Kind: backends.ErrUnavailable, Err: err}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var page backends.ParkedPage
	for _, id := range slices.Sorted(maps.Keys(s.records)) {
		r := s.records[id]
		if id <= q.Token || !q.Matches(r.Key) || s.writes(r) {
			continue
		}
		if n := len(page.Uploads); n == s.pageSize {
			page.Next = page.Uploads[n-1].ID
			break
		}
		page.Uploads = append(page.Uploads, r.Parked)
	}
	return page, nil
}

// Discard is [backends.Parker.Discard].
func (s *Store) Discard(ctx context.Context, p backends.Parked) error {
	if err := check(ctx, "park", p.Key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.records[p.ID]; r != nil && s.writes(r) {
		return &backends.Error{Op: "park", Key: p.Key, Kind: backends.ErrBusy}
	}
	delete(s.records, p.ID)
	return nil
}
