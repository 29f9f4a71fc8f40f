package localdir

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"causeway/backends"
)

// swaps is how often a file may be replaced while it is being opened.
const swaps = 5

// Open is [backends.Backend.Open]. The Reader keeps the file that it has opened, whatever
// becomes of its name; a file that another program writes to meanwhile ends in ErrChanged.
func (s *Store) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r, err := s.open(ctx, key, o)
	if err != nil {
		return nil, fail("open", key, err)
	}
	return r, nil
}

func (s *Store) open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	p, err := s.find(ctx, key)
	if err != nil {
		return nil, err
	}
	defer p.close()
	f, info, err := p.open()
	if err != nil {
		return nil, err
	}
	obj := describe(key, info)
	r := &reader{ctx: ctx, key: key, file: f, info: info, left: obj.Size - o.Offset}
	if o.Length > 0 {
		r.left = min(r.left, o.Length)
	}
	switch {
	case o.IfMatch != "" && o.IfMatch != obj.ETag:
		err = backends.ErrChanged
	case o.Offset < 0 || o.Offset > obj.Size:
		err = backends.ErrRange
	default:
		_, err = f.Seek(o.Offset, io.SeekStart)
	}
	if err != nil {
		_ = f.Close() // nothing was read
		return nil, err
	}
	if p.marker {
		_ = f.Close() // nothing will be read
		return &backends.Reader{Object: obj, ReadCloser: io.NopCloser(bytes.NewReader(nil))}, nil
	}
	return &backends.Reader{Object: obj, ReadCloser: r}, nil
}

// open opens the object at p: the very file that was seen to be no link.
func (p *place) open() (*os.File, fs.FileInfo, error) {
	for range swaps {
		seen, err := p.object()
		if err != nil {
			return nil, nil, err
		}
		f, err := p.dir.OpenFile(p.name, os.O_RDONLY|nonBlock, 0)
		if err != nil {
			return nil, nil, err
		}
		info, err := f.Stat()
		if err == nil && os.SameFile(seen, info) {
			return f, info, nil
		}
		_ = f.Close() // it was replaced, perhaps by a link
		if err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, backends.ErrUnavailable
}

// reader reads a range of one file until its ctx ends.
type reader struct {
	ctx  context.Context
	key  string
	file *os.File
	info fs.FileInfo // when it was opened
	left int64       // octets of the range
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, fail("read", r.key, err)
	}
	if r.left == 0 {
		if err := r.unchanged(); err != nil {
			return 0, fail("read", r.key, err)
		}
		return 0, io.EOF
	}
	n, err := r.file.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = backends.ErrChanged // it has become shorter
	}
	if err != nil {
		return n, fail("read", r.key, err)
	}
	return n, nil
}

// unchanged tells whether what was read is one version. The change time is left out,
// since it also changes when the file loses its name.
func (r *reader) unchanged() error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != r.info.Size() || !info.ModTime().Equal(r.info.ModTime()) {
		return backends.ErrChanged
	}
	return nil
}

func (r *reader) Close() error {
	if err := r.file.Close(); err != nil {
		return fail("read", r.key, err)
	}
	return nil
}
