package mem

import (
	"context"
	"errors"
	"io/fs"
	"maps"

	"causeway/backends"
)

// Create is [backends.Backend.Create].
func (s *Store) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if err := check(ctx, "create", key); err != nil {
		return nil, err
	}
	u := &upload{ctx: ctx, store: s, key: key, options: o}
	u.options.Metadata = maps.Clone(o.Metadata)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := u.begin(); err != nil {
		return nil, err
	}
	s.uploads[u] = struct{}{}
	return u, nil
}

// upload gathers the content until it is committed or parked.
type upload struct {
	ctx     context.Context
	store   *Store
	key     string
	options backends.CreateOptions
	content []byte // only ever appended to, so that records and objects may share it

	// Guarded by store.mu.
	record *record // nil until something is durable
	over   bool
}

// begin finds the octets that are kept. The lock is held.
func (u *upload) begin() error {
	switch {
	case u.options.Resume != "":
		return u.resume()
	case u.options.At != 0:
		return u.follow()
	}
	return nil
}

// follow begins with the first octets of the object. The lock is held.
func (u *upload) follow() error {
	from, err := u.store.getLocked("create", u.key, u.options.IfMatch)
	if err != nil {
		return err
	}
	at := u.options.At
	if at < 0 || at > from.Size {
		return &backends.Error{Op: "create", Key: u.key, Kind: backends.ErrRange}
	}
	u.content, u.options.IfMatch = from.content[:at:at], from.ETag
	return nil
}

func (u *upload) Write(p []byte) (int, error) {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	if err := u.usable("write", u.key); err != nil {
		return 0, err
	}
	u.content = append(u.content, p...)
	u.store.keep(u)
	return len(p), nil
}

func (u *upload) Commit() (backends.Object, error) {
	obj, err := u.publish(u.key)
	for u.mayGoBy(err) {
		if obj, err = u.publish(u.options.Alternate()); err == nil {
			break
		}
	}
	if errors.Is(err, backends.ErrUnavailable) {
		return obj, err
	}
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	u.end()
	return obj, err
}

// mayGoBy tells whether the upload may be committed by another key after err.
func (u *upload) mayGoBy(err error) bool {
	inParts := u.store.partSize > 0 && int64(len(u.content)) > u.store.partSize
	return errors.Is(err, fs.ErrExist) && u.options.Alternate != nil && !inParts
}

// publish makes the content the object of key.
func (u *upload) publish(key string) (backends.Object, error) {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	if err := u.usable("commit", key); err != nil {
		return backends.Object{}, err
	}
	if u.lost() {
		return backends.Object{}, &backends.Error{Op: "commit", Key: key, Kind: backends.ErrChanged}
	}
	o := &object{content: u.content}
	o.ContentType, o.Metadata, o.Sums = u.options.ContentType, u.options.Metadata, sums(o.content)
	if err := u.store.put("commit", key, o, condition{u.options.IfMatch, u.options.IfAbsent}); err != nil {
		return backends.Object{}, err
	}
	return o.describe(), nil
}

func (u *upload) Abort() error {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	u.end()
	return nil
}

// end is how an upload ends of which nothing is parked. The lock is held.
func (u *upload) end() {
	if u.over {
		return
	}
	u.over = true
	delete(u.store.uploads, u)
	if u.owns() {
		delete(u.store.records, u.record.ID)
	}
}

// usable is asked before an upload goes on. The lock is held.
func (u *upload) usable(op, key string) error {
	if u.over {
		return &backends.Error{Op: op, Key: key, Kind: fs.ErrClosed}
	}
	return check(u.ctx, op, key)
}
