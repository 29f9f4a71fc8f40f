package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// Rename moves a file or directory. What is at the new name may be replaced or may be a
// reason to refuse: servers differ. Pure-FTPd writes "_" for a space at the end of the new
// name and calls that success: only Stat tells.
func (c *Conn) Rename(ctx context.Context, from, to string) error {
	if err := errors.Join(checkPath(from), checkPath(to)); err != nil {
		return err
	}
	if _, err := c.encode(to); err != nil { // ProFTPD answers nothing else between RNFR and RNTO
		return fmt.Errorf("RNTO: %w", err)
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
func timeVerbs() []timeVerb {
	stampFirst := func(path, stamp string) []string { return []string{stamp, path} }
	threeStamps := func(path, stamp string) []string { return []string{path, stamp, stamp, stamp, "UTC"} }
	return []timeVerb{
		{verb: "MFMT", args: stampFirst},
		{verb: "MDTM", args: stampFirst},
		{verb: "SITE UTIME", args: stampFirst, verify: true},
		{verb: "SITE UTIME", args: threeStamps, verify: true},
	}
}

// SetTime sets the time of a file's last change, to the second.
// errors.ErrUnsupported if the server has no way to.
func (c *Conn) SetTime(ctx context.Context, path string, t time.Time) error {
	if err := checkPath(path); err != nil {
		return err
	}
	if c.times == nil {
		c.times = timeVerbs()
		if c.features.MFMT {
			c.times = c.times[:1]
		}
	}
	err := fmt.Errorf("setting the time of a file: %w", errors.ErrUnsupported)
	for i := 0; i < len(c.times); {
		refused := c.setTime(ctx, c.times[i], path, t)
		switch {
		case refused == nil || c.broken || errors.Is(refused, ErrTemporary) || errors.Is(refused, fs.ErrNotExist):
			return refused
		case errors.Is(refused, errors.ErrUnsupported):
			c.times = slices.Delete(c.times, i, i+1)
		default: // the file, or a server that took all for its name
			err = refused
			i++
		}
	}
	return err
}

// setTime tries one way.
func (c *Conn) setTime(ctx context.Context, way timeVerb, path string, t time.Time) error {
	args := way.args(path, t.UTC().Format(stampLayout))
	r, err := c.command(ctx, way.verb, args...)
	switch {
	case err != nil:
		return err
	case !r.positive():
		return c.explain(ctx, path, r.failed(way.verb, args...))
	case way.verify && !c.hasTime(ctx, path, t):
		return fmt.Errorf("%s did something else: %w", way.verb, errors.ErrUnsupported)
	}
	return nil
}

// hasTime tells whether the file has the time now.
func (c *Conn) hasTime(ctx context.Context, path string, t time.Time) bool {
	e, err := c.Stat(ctx, path)
	return err == nil && e.ModTime.Equal(t.Truncate(time.Second))
}
