package mem

import (
	"bytes"
	"context"
	"io/fs"

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
