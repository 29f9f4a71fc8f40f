package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"causeway/backends"
	"causeway/backends/ftp/ftpclient"
)

// A read that breaks off is gone on with where it was, on another connection: so often
// without an octet more, after pauses of which each is twice the one before. All together
// they are 16 s: as long as a server takes to be started again.
const (
	maxRetries = 6
	firstPause = 250 * time.Millisecond
)

// Open is [backends.Backend.Open]. A version is told by size and time, once more at its end.
func (s *Store) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r, err := s.open(ctx, key, o)
	if err != nil {
		return nil, fail("open", key, err)
	}
	return &backends.Reader{Object: r.obj, ReadCloser: r}, nil
}

func (s *Store) open(ctx context.Context, key string, o backends.OpenOptions) (*reader, error) {
	name, err := s.path(key)
	if err != nil {
		return nil, err
	}
	r := &reader{ctx: ctx, store: s, name: name, at: o.Offset}
	err = s.read(ctx, func(c *ftpclient.Conn) error {
		r.obj, err = lookOn(ctx, c, key, name)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !matches(o.IfMatch, r.obj):
		return nil, backends.ErrChanged
	case o.Offset > r.obj.Size:
		return nil, backends.ErrRange
	}
	r.end = r.obj.Size
	if o.Length > 0 && o.Length < r.end-o.Offset {
		r.end = o.Offset + o.Length
	}
	if r.at == r.end {
		return r, nil
	}
	for {
		err := r.begin()
		if err == nil {
			return r, nil
		}
		if !r.stale {
			return nil, err
		}
		s.pool.dropIdle()
	}
}

// reader is a file being read. It holds a connection from begin to stop.
type reader struct {
	ctx     context.Context
	store   *Store
	name    string
	obj     backends.Object
	at, end int64 // the next octet, and the one after the last that is wanted
	retries int   // since the last octet that came

	conn  *conn
	data  *ftpclient.Download
	stale bool  // an idle connection turned out to be dead
	err   error // of the last Read
}

// begin asks for the octets from at on.
func (r *reader) begin() error {
	c, err := r.store.pool.take(r.ctx)
	if err != nil {
		r.stale = false
		return err
	}
	r.conn = c
	r.data, err = retrieve(r.ctx, c.Conn, r.name, r.at)
	if err != nil {
		r.stale = c.reused && !c.Usable() && r.ctx.Err() == nil
		r.stop()
	}
	return err
}

// retrieve passes over the octets before the offset where the server cannot.
func retrieve(ctx context.Context, c *ftpclient.Conn, name string, offset int64) (*ftpclient.Download, error) {
	d, err := c.Retrieve(ctx, name, offset)
	if offset == 0 || !errors.Is(err, errors.ErrUnsupported) {
		return d, err
	}
	if d, err = c.Retrieve(ctx, name, 0); err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, d, offset); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// stop gives the connection back.
func (r *reader) stop() {
	if r.data != nil {
		_ = r.data.Close() // what it would tell Read has told
		r.data = nil
	}
	if r.conn != nil {
		r.store.pool.put(r.conn)
		r.conn = nil
	}
}

// Close gives the connection back.
func (r *reader) Close() error {
	r.stop()
	if r.err == nil {
		r.err = io.ErrClosedPipe
	}
	return nil
}

// Read gives what is left, and io.EOF only when the server has said that it was all.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 || r.err != nil {
		return 0, r.err
	}
	n, err := r.some(p)
	if err != nil {
		r.stop()
		if !errors.Is(err, io.EOF) {
			err = fail("read", r.obj.Key, err)
		}
		r.err = err
	}
	return n, err
}

// some reads some octets. Where the whole rest is wanted, its end has to come too: a file
// that grows meanwhile is another version.
func (r *reader) some(p []byte) (int, error) {
	for {
		if r.data == nil || r.at == r.end && r.end < r.obj.Size {
			return 0, io.EOF // an empty range, or the end of one within the file
		}
		want := p
		if r.at == r.end {
			want = make([]byte, 1)
		}
		n, err := r.data.Read(want[:min(int64(len(want)), max(1, r.end-r.at))])
		if r.at == r.end && n > 0 {
			return 0, backends.ErrChanged
		}
		if n > 0 {
			r.at += int64(n)
			r.retries = 0
			return n, nil // the error comes again
		}
		switch {
		case errors.Is(err, io.EOF) && r.at == r.end:
			return 0, r.ending()
		case errors.Is(err, io.EOF):
			err = fmt.Errorf("the server has ended the file at octet %d of %d", r.at, r.end)
		case err == nil:
			continue
		}
		if err := r.again(err); err != nil {
			return 0, err
		}
	}
}

// ending is io.EOF if the file is still the version that was opened. FTP servers write over a
// file in its place, so what came may have the size of one version and octets of two. One that
// is gone by now was whole, as far as can be told.
func (r *reader) ending() error {
	now, err := lookOn(r.ctx, r.conn.Conn, r.obj.Key, r.name)
	if err != nil && !r.conn.Usable() {
		r.stop()
		now, err = r.store.look(r.ctx, r.obj.Key)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return io.EOF
	case err != nil:
		return err
	case now.ETag != r.obj.ETag:
		return backends.ErrChanged
	}
	return io.EOF
}

// again goes on with the same version on another connection, after the error that has ended
// the last one.
func (r *reader) again(cause error) error {
	for {
		r.stop()
		if r.retries == maxRetries || r.ctx.Err() != nil {
			return cause
		}
		if err := wait(r.ctx, firstPause<<r.retries); err != nil {
			return cause
		}
		r.retries++
		now, err := r.store.look(r.ctx, r.obj.Key)
		if err == nil && now.ETag != r.obj.ETag {
			return backends.ErrChanged
		}
		if err == nil {
			err = r.begin()
		}
		if err == nil {
			return nil
		}
		if kindOf(err) != backends.ErrUnavailable { //nolint:errorlint // a kind, as it is
			return err
		}
	}
}

// wait pauses, unless the context ends before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
