package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"causeway/backends"
	"causeway/backends/ftp/ftpclient"
)

const (
	// maxAlternates is how many other names are tried at a commit.
	maxAlternates = 100
	// maxAhead is how far the time of a file may be made to run ahead of when it was written.
	maxAhead = time.Minute
	// clearing is how long it may take to remove what an upload has left.
	clearing = 30 * time.Second
)

var errOver = errors.New("the upload is over")

// Create is [backends.Backend.Create]. The server is asked for a connection when there is
// something to send, which is held until the upload ends.
func (s *Store) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	name, err := s.path(key)
	if err == nil && (o.Resume != "" || o.At > 0 && cap(s.appends) == 0) {
		err = errors.ErrUnsupported
	}
	if err != nil {
		return nil, fail("create", key, err)
	}
	u := &upload{ctx: ctx, store: s, key: key, name: name, options: o}
	if o.At == 0 {
		return u, nil
	}
	if err := u.keep(); err != nil {
		return nil, fail("create", key, errors.Join(err, u.Abort()))
	}
	return u, nil
}

// upload is a file on its way, under a name of its own. Of a marker there is none.
type upload struct {
	ctx     context.Context
	store   *Store
	key     string
	name    string // its path
	options backends.CreateOptions

	conn *conn             // while the upload is under way
	data *ftpclient.Upload // while octets may follow
	part string            // the path of what has been sent; "" if there is none
	size int64
	over bool
}

// marker tells the key of a directory.
func (u *upload) marker() bool { return strings.HasSuffix(u.key, "/") }

// Write sends the octets. Nothing is kept of p.
func (u *upload) Write(p []byte) (int, error) {
	n, err := u.write(p)
	if err != nil {
		return n, fail("write", u.key, err)
	}
	return n, nil
}

func (u *upload) write(p []byte) (int, error) {
	switch {
	case u.over:
		return 0, errOver
	case len(p) == 0:
		return 0, nil
	case u.marker():
		return 0, fs.ErrInvalid // a directory has no content
	}
	if err := u.begin(); err != nil {
		return 0, err
	}
	n, err := u.data.Write(p)
	u.size += int64(n)
	return n, err
}

// begin opens the file, and makes the directories on the way to it.
func (u *upload) begin() error {
	if err := u.ctx.Err(); err != nil || u.data != nil {
		return err
	}
	if u.conn == nil {
		c, err := u.store.pool.takeChecked(u.ctx)
		if err != nil {
			return err
		}
		u.conn = c
	}
	u.part = partName(u.name)
	data, err := u.conn.Store(u.ctx, u.part)
	if err != nil && u.conn.Usable() {
		// What servers say of a directory that is not there differs, so it is made.
		if err := u.store.parents(u.ctx, u.conn.Conn, u.name); err != nil {
			return err
		}
		data, err = u.conn.Store(u.ctx, u.part)
	}
	u.data = data
	return err
}

// keep begins with octets of the object that is there, which FTP cannot copy: they come and
// go again.
func (u *upload) keep() error {
	o := u.options
	select {
	case u.store.appends <- struct{}{}:
		defer func() { <-u.store.appends }()
	case <-u.ctx.Done():
		return u.ctx.Err()
	}
	r, err := u.store.open(u.ctx, u.key, backends.OpenOptions{IfMatch: o.IfMatch})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return backends.ErrChanged
	case err != nil:
		return err
	}
	defer r.Close() //nolint:errcheck // it was only read
	if o.At > r.obj.Size {
		return backends.ErrRange
	}
	_, err = io.CopyN(u, r, o.At)
	return err
}

// parents makes the directories above a path, as far as they are not there. The store's own
// is not made: it may be that the disk is missing which has it.
func (s *Store) parents(ctx context.Context, c *ftpclient.Conn, name string) error {
	dir := path.Dir(name)
	if len(dir) <= len(s.root) || dir == "/" {
		return nil
	}
	e, err := c.Stat(ctx, dir)
	switch {
	case err == nil && e.Dir:
		return nil
	case err == nil:
		return fs.ErrExist // a file
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := s.parents(ctx, c, dir); err != nil {
		return err
	}
	return s.makeDirectory(ctx, c, dir)
}

// makeDirectory makes one that another may be making too.
func (s *Store) makeDirectory(ctx context.Context, c *ftpclient.Conn, dir string) error {
	err := c.Mkdir(ctx, dir)
	if err == nil || !c.Usable() {
		return err
	}
	switch e, statErr := c.Stat(ctx, dir); {
	case statErr == nil && e.Dir:
		return nil
	case statErr == nil:
		return fs.ErrExist
	}
	return err
}

// Commit checks what the server has, and gives it its name.
func (u *upload) Commit() (backends.Object, error) {
	if u.over {
		return backends.Object{}, fail("commit", u.key, errOver)
	}
	obj, err := u.commit()
	if err != nil {
		return backends.Object{}, fail("commit", u.key, err)
	}
	u.over, u.part = true, ""
	u.release()
	return obj, nil
}

func (u *upload) commit() (backends.Object, error) {
	if u.marker() {
		return u.commitMarker()
	}
	if err := u.begin(); err != nil {
		return backends.Object{}, err
	}
	if err := u.data.Commit(); err != nil {
		return backends.Object{}, err
	}
	sent, err := lookOn(u.ctx, u.conn.Conn, u.key, u.part)
	if err != nil {
		return backends.Object{}, opaque{fmt.Errorf("what was sent cannot be looked at: %w", err)}
	}
	if sent.Size != u.size {
		return backends.Object{}, fmt.Errorf("of %d octets that were sent the server has %d", u.size, sent.Size)
	}
	key := u.key
	for tried := 0; ; tried++ {
		obj, err := u.place(key, sent)
		if !errors.Is(err, fs.ErrExist) || u.options.Alternate == nil || tried == maxAlternates {
			return obj, err
		}
		key = u.options.Alternate()
	}
}

// place gives what was sent the name of the key, if it may have it.
func (u *upload) place(key string, sent backends.Object) (backends.Object, error) {
	name, err := u.store.path(key)
	if err != nil {
		return backends.Object{}, err
	}
	defer u.store.locks.lock(key)()
	ctx, c := u.ctx, u.conn.Conn
	old, err := u.vacant(key, name)
	if err != nil {
		return backends.Object{}, err
	}
	sent, err = u.dated(sent, old)
	if err != nil {
		return backends.Object{}, err
	}
	sent.Key = key
	if key != u.key {
		if err := u.store.parents(ctx, c, name); err != nil {
			return backends.Object{}, err
		}
	}
	if err := c.Rename(ctx, u.part, name); err != nil && !u.renamed(name, sent) {
		return backends.Object{}, err
	}
	return sent, nil
}

// vacant is what a path holds now, if the upload may replace it; the zero Object if it is
// free.
func (u *upload) vacant(key, name string) (backends.Object, error) {
	e, err := u.conn.Stat(u.ctx, name)
	o := u.options
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.IfMatch != "":
		return backends.Object{}, backends.ErrChanged
	case errors.Is(err, fs.ErrNotExist):
		return backends.Object{}, nil
	case err != nil:
		return backends.Object{}, err
	case e.Dir, o.IfAbsent:
		return backends.Object{}, fs.ErrExist
	}
	old := describe(key, factsOf(e))
	if !matches(o.IfMatch, old) {
		return backends.Object{}, backends.ErrChanged
	}
	return old, nil
}

// dated gives what was sent the time that it shall have: the client's, or one that it does
// not share with what it replaces, or nobody could tell the two apart.
func (u *upload) dated(sent, old backends.Object) (backends.Object, error) {
	want, set := backends.ParseModTime(u.options.Metadata[backends.MetaModTime])
	if gap := old.ModTime.Sub(sent.ModTime); !set && old.Size == sent.Size && 0 <= gap && gap < maxAhead {
		want, set = old.ModTime.Add(time.Second), true
	}
	if !set {
		return sent, nil
	}
	ctx, c := u.ctx, u.conn.Conn
	if err := c.SetTime(ctx, u.part, want); err != nil {
		if c.Usable() {
			return sent, nil // the server will not; the content is worth having all the same
		}
		return backends.Object{}, err
	}
	return lookOn(ctx, c, u.key, u.part)
}

// renamed tells whether a rename that has failed has happened all the same, its answer lost
// with the connection.
func (u *upload) renamed(name string, sent backends.Object) bool {
	if u.conn.Usable() || u.ctx.Err() != nil {
		return false
	}
	u.release()
	happened := false
	err := u.store.read(u.ctx, func(c *ftpclient.Conn) error {
		_, err := c.Stat(u.ctx, u.part)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		now, err := lookOn(u.ctx, c, sent.Key, name)
		happened = err == nil && now.ETag == sent.ETag
		return err
	})
	return err == nil && happened
}

// commitMarker makes a directory.
func (u *upload) commitMarker() (obj backends.Object, err error) {
	defer u.store.locks.lock(u.key)()
	err = u.store.change(u.ctx, func(c *ftpclient.Conn) error {
		e, err := c.Stat(u.ctx, u.name)
		switch {
		case err == nil && (!e.Dir || u.options.IfAbsent):
			return fs.ErrExist
		case err == nil:
		case !errors.Is(err, fs.ErrNotExist):
			return err
		case u.options.IfMatch != "":
			return backends.ErrChanged
		default:
			if err := u.store.parents(u.ctx, c, u.name); err != nil {
				return err
			}
			if err := u.store.makeDirectory(u.ctx, c, u.name); err != nil {
				return err
			}
		}
		obj, err = lookOn(u.ctx, c, u.key, u.name)
		return err
	})
	return obj, err
}

// release gives the connection back.
func (u *upload) release() {
	if u.data != nil {
		u.data.Abort()
		u.data = nil
	}
	if u.conn != nil {
		u.store.pool.put(u.conn)
		u.conn = nil
	}
}

// Park aborts the upload: FTP has no place for what is not whole.
func (u *upload) Park() (int64, error) {
	if u.over {
		return 0, fail("park", u.key, errOver)
	}
	return 0, errors.Join(fail("park", u.key, errors.ErrUnsupported), u.Abort())
}

// Abort removes what was sent.
func (u *upload) Abort() error {
	u.over = true
	u.release()
	if u.part == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), clearing)
	defer cancel()
	err := u.store.change(ctx, func(c *ftpclient.Conn) error { return gone(c.Delete(ctx, u.part)) })
	if err != nil {
		return fail("abort", u.key, err)
	}
	u.part = ""
	return nil
}
