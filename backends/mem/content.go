package mem

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"

	"causeway/backends"
)

// Open is [backends.Backend.Open]. The Reader goes on with its version whatever happens
// to the key.
func (s *Store) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	if err := check(ctx, "open", key); err != nil {
		return nil, err
	}
	from, err := s.get("open", key, o.IfMatch)
	if err != nil {
		return nil, err
	}
	if o.Offset < 0 || o.Offset > from.Size {
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrRange}
	}
	content := from.content[o.Offset:]
	if o.Length > 0 && o.Length < int64(len(content)) {
		content = content[:o.Length]
	}
	r := &reader{ctx: ctx, key: key, content: bytes.NewReader(content)}
	return &backends.Reader{Object: from.describe(), ReadCloser: r}, nil
}

// reader reads one version until its ctx ends.
type reader struct {
	ctx     context.Context
	key     string
	content *bytes.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, &backends.Error{Op: "read", Key: r.key, Kind: backends.ErrUnavailable, Err: err}
	}
	if r.content == nil {
		return 0, &backends.Error{Op: "read", Key: r.key, Kind: fs.ErrClosed}
	}
	return r.content.Read(p)
}

func (r *reader) Close() error {
	r.content = nil
	return nil
}

// Create is [backends.Backend.Create].
func (s *Store) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if err := check(ctx, "create", key); err != nil {
		return nil, err
	}
	u := &upload{ctx: ctx, store: s, key: key, options: o}
	u.options.Metadata = maps.Clone(o.Metadata)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uploads[u] = struct{}{}
	return u, nil
}

// upload gathers the content until it is committed.
type upload struct {
	ctx     context.Context
	store   *Store
	key     string
	options backends.CreateOptions
	content bytes.Buffer
	over    bool
}

func (u *upload) Write(p []byte) (int, error) {
	if err := u.usable("write"); err != nil {
		return 0, err
	}
	return u.content.Write(p)
}

func (u *upload) Commit() (backends.Object, error) {
	if err := u.usable("commit"); err != nil {
		return backends.Object{}, err
	}
	u.over = true
	o := &object{content: u.content.Bytes()}
	o.ContentType, o.Metadata, o.Sums = u.options.ContentType, u.options.Metadata, sums(o.content)
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	delete(u.store.uploads, u)
	if err := u.store.put("commit", u.key, o, condition{u.options.IfMatch, u.options.IfAbsent}); err != nil {
		return backends.Object{}, err
	}
	return o.describe(), nil
}

// Park is backends.Upload's.
func (u *upload) Park() (int64, error) {
	return 0, errors.Join(&backends.Error{Op: "park", Key: u.key, Kind: errors.ErrUnsupported}, u.Abort())
}

func (u *upload) Abort() error {
	u.over = true
	u.content = bytes.Buffer{}
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	delete(u.store.uploads, u)
	return nil
}

func (u *upload) usable(op string) error {
	if u.over {
		return &backends.Error{Op: op, Key: u.key, Kind: fs.ErrClosed}
	}
	return check(u.ctx, op, u.key)
}
