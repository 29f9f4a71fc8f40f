package ftpclient

import (
	"context"
	"errors"
	"io"
	"net"
)

// Retrieve opens the file from the offset in octets on. The context bounds the whole
// download. Errors match fs.ErrNotExist, fs.ErrPermission and the others of [ReplyError];
// an offset past the end is whatever the server makes of it, often an empty file.
func (c *Conn) Retrieve(ctx context.Context, path string, offset int64) (*Download, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	d, err := c.transfer(ctx, offset, "RETR", path)
	if err != nil {
		return nil, c.explain(ctx, path, err)
	}
	return &Download{data: d}, nil
}

// Download is the content of a file. Read gives io.EOF only when the server has said that
// it sent all, and its reason if it has not. One goroutine uses it.
type Download struct {
	data *data
	end  error
}

func (d *Download) Read(p []byte) (int, error) {
	if d.end != nil {
		return 0, d.end
	}
	n, err := d.data.Read(p)
	if errors.Is(err, io.EOF) {
		if r, replyErr := d.data.finish(); replyErr != nil {
			err = replyErr
		} else if !r.positive() {
			err = r.failed("RETR", d.data.words...)
		}
	}
	if err != nil {
		d.end = err
	}
	return n, err
}

// Close ends the download, also in mid-file; whether the Conn is still good is for
// [Conn.Usable] to tell. It gives the error of an earlier Read again, if that was not io.EOF.
func (d *Download) Close() error {
	if d.end == nil {
		d.end = net.ErrClosed
		d.data.abandon()
		return nil
	}
	if errors.Is(d.end, io.EOF) || errors.Is(d.end, net.ErrClosed) {
		return nil
	}
	return d.end
}

// Store opens the file for writing. What was there is replaced from this moment on, and
// what is sent is seen by others as it comes: callers take a temporary name. The context
// bounds the whole upload.
func (c *Conn) Store(ctx context.Context, path string) (*Upload, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	d, err := c.transfer(ctx, 0, "STOR", path)
	if err != nil {
		return nil, err
	}
	return &Upload{data: d}, nil
}

// Upload is a file being sent. It is ended by Commit or Abort. One goroutine uses it.
type Upload struct {
	data  *data
	ended error
}

// Write sends the next octets.
func (u *Upload) Write(p []byte) (int, error) {
	if u.ended != nil {
		return 0, u.ended
	}
	n, err := u.data.Write(p)
	if err != nil {
		u.ended = err
	}
	return n, err
}

// Commit says that the file is complete, and gives nil if the server has it whole.
func (u *Upload) Commit() error {
	if u.ended != nil {
		return u.ended
	}
	u.ended = net.ErrClosed
	r, err := u.data.finish()
	if err == nil && !r.positive() {
		err = r.failed("STOR", u.data.words...)
	}
	return err
}

// Abort breaks the upload off; what has come stays at the server under its name. After
// Commit it does nothing.
func (u *Upload) Abort() {
	if u.ended == nil {
		u.ended = net.ErrClosed
		u.data.abandon()
	}
}
