package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Rename moves a file or directory. What is at the new name may be replaced or may be a
// reason to refuse: servers differ.
func (c *Conn) Rename(ctx context.Context, from, to string) error {
	if err := errors.Join(checkPath(from), checkPath(to)); err != nil {
		return err
	}
	r, err := c.command(ctx, "RNFR", from)
	if err != nil {
		return err
	}
	if !r.intermediate() {
		return c.explain(ctx, from, r.failed("RNFR", from))
	}
	_, err = c.expect2xx(ctx, "RNTO", to)
	return err
}

// Delete removes a file.
func (c *Conn) Delete(ctx context.Context, path string) error { return c.change(ctx, "DELE", path) }

// Mkdir makes a directory; its parent must be there.
func (c *Conn) Mkdir(ctx context.Context, path string) error {
	if err := checkPath(path); err != nil {
		return err
	}
	_, err := c.expect2xx(ctx, "MKD", path)
	return err
}

// Rmdir removes an empty directory.
func (c *Conn) Rmdir(ctx context.Context, path string) error { return c.change(ctx, "RMD", path) }

func (c *Conn) change(ctx context.Context, verb, path string) error {
	if err := checkPath(path); err != nil {
		return err
	}
	_, err := c.expect2xx(ctx, verb, path)
	return c.explain(ctx, path, err)
}

// timeVerb is a way to set a file's time.
type timeVerb struct {
	verb   string
	args   func(path, stamp string) []string
	verify bool // servers take the same words for something else
}

// timeVerbs are the ways to set a file's time, the best first: MFMT
// (draft-somers-ftp-mfxx), MDTM with a time, and the two forms of SITE UTIME.
var timeVerbs = []timeVerb{
	{verb: "MFMT", args: func(path, stamp string) []string { return []string{stamp, path} }},
	{verb: "MDTM", args: func(path, stamp string) []string { return []string{stamp, path} }},
	{verb: "SITE UTIME", args: func(path, stamp string) []string { return []string{stamp, path} }, verify: true},
	{verb: "SITE UTIME", args: func(path, stamp string) []string { return []string{path, stamp, stamp, stamp, "UTC"} }, verify: true},
}

// SetTime sets the time of a file's last change, to the second.
// errors.ErrUnsupported if the server has no way to.
func (c *Conn) SetTime(ctx context.Context, path string, t time.Time) error {
	if err := checkPath(path); err != nil {
		return err
	}
	stamp := t.UTC().Format(stampLayout)
	for len(c.times) > 0 {
		way := c.times[0]
		r, err := c.command(ctx, way.verb, way.args(path, stamp)...)
		switch {
		case err != nil:
			return err
		case r.code/100 == 4:
			return r.failed(way.verb, way.args(path, stamp)...)
		case r.positive() && (!way.verify || c.hasTime(ctx, path, t)):
			return nil
		case r.code == 550:
			// The file, or the whole argument taken for its name.
			err := c.explain(ctx, path, r.failed(way.verb, way.args(path, stamp)...))
			if way.verb == "MFMT" || errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		c.times = c.times[1:]
	}
	return fmt.Errorf("setting the time of a file: %w", errors.ErrUnsupported)
}

// hasTime tells whether the file has the time now.
func (c *Conn) hasTime(ctx context.Context, path string, t time.Time) bool {
	e, err := c.Stat(ctx, path)
	return err == nil && e.ModTime.Equal(t.Truncate(time.Second))
}
