package ftpclient

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Stat tells about a file or directory, and follows links; the size of a file is known. By
// MLST; else by SIZE, MDTM and CWD, which tell no time of directories; else by listing the
// directory that it is in. fs.ErrNotExist if there is nothing, nothing that the user may know
// of, or nothing that could be fetched, such as a device; errors.ErrUnsupported if there is no
// way to the size.
func (c *Conn) Stat(ctx context.Context, name string) (Entry, error) {
	if err := checkPath(name); err != nil {
		return Entry{}, err
	}
	if c.features.MLST && !c.noMLST {
		e, err := c.mlst(ctx, name)
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			c.noMLST = true
		case err != nil || e.Dir || !e.Link && !e.linkMode && e.Size >= 0:
			return e.Entry, err
		}
	}
	return c.probe(ctx, name) // also for links to files: ProFTPD's MLST tells the size of the link
}

// mlst asks MLST, whose entry is in a line of its own within the reply.
func (c *Conn) mlst(ctx context.Context, name string) (rawEntry, error) {
	r, err := c.expect2xx(ctx, "MLST", name)
	if err != nil {
		return rawEntry{}, missing(err)
	}
	for _, line := range r.lines[1:] {
		line = strings.TrimLeft(line, " ")
		if !strings.Contains(line, "=") {
			continue
		}
		e, err := parseMLST([]byte(line))
		switch {
		case err == nil:
			e.Name = path.Base(name)
			return e, nil
		case errors.Is(err, errSpecial):
			return rawEntry{}, fmt.Errorf("MLST %s: %w: %w", name, err, fs.ErrNotExist)
		}
	}
	return rawEntry{}, fmt.Errorf("MLST: no facts in %q: %w", r.text(), errors.ErrUnsupported)
}

// probe asks SIZE and MDTM, which are for files, and then CWD.
func (c *Conn) probe(ctx context.Context, name string) (Entry, error) {
	e := Entry{Name: path.Base(name), Size: -1}
	if !c.noSIZE {
		r, err := c.command(ctx, "SIZE", name)
		if err != nil {
			return Entry{}, err
		}
		size, parseErr := strconv.ParseUint(strings.TrimSpace(r.text()), 10, 63)
		switch {
		case r.code == 213 && parseErr == nil:
			e.Size = int64(size)
			return c.timed(ctx, name, e)
		case r.code/100 == 4:
			return Entry{}, r.failed("SIZE", name)
		case r.code != 550:
			c.noSIZE = true
		}
	}
	err := c.changeDir(ctx, name)
	if err == nil {
		e.Dir = true
		return e, nil
	}
	if c.noSIZE && errors.Is(err, fs.ErrNotExist) {
		return c.look(ctx, name, err)
	}
	return Entry{}, err
}

// timed asks for the time of a file.
func (c *Conn) timed(ctx context.Context, name string, e Entry) (Entry, error) {
	if c.noMDTM {
		return e, nil
	}
	r, err := c.command(ctx, "MDTM", name)
	if err != nil {
		return Entry{}, err
	}
	t, parseErr := parseStamp(strings.TrimSpace(r.text()))
	switch {
	case r.code == 213 && parseErr == nil:
		e.ModTime, e.Precise = t, true
	case r.code/100 == 4:
		return Entry{}, r.failed("MDTM", name)
	case r.code != 550:
		c.noMDTM = true
	}
	return e, nil
}

// look finds the name in the listing of its directory.
func (c *Conn) look(ctx context.Context, name string, notThere error) (Entry, error) {
	for e, err := range c.List(ctx, path.Dir(name)) {
		switch {
		case err != nil:
			return Entry{}, err
		case e.Name == path.Base(name) && !e.Dir && e.Size < 0:
			return Entry{}, fmt.Errorf("the size of %s: %w", name, errors.ErrUnsupported)
		case e.Name == path.Base(name):
			return e, nil
		}
	}
	return Entry{}, notThere
}

// missing marks a 550 that means that there is nothing.
func missing(err error) error {
	var refused *ReplyError
	if errors.As(err, &refused) && refused.Code == 550 && !errors.Is(err, fs.ErrPermission) {
		refused.kind = fs.ErrNotExist
	}
	return err
}

// explain has a second look after a 550, which says nothing by itself: is the file there?
func (c *Conn) explain(ctx context.Context, name string, err error) error {
	var refused *ReplyError
	if c.broken || !errors.As(err, &refused) || refused.Code != 550 || errors.Is(err, fs.ErrPermission) {
		return err
	}
	switch e, statErr := c.Stat(ctx, name); {
	case errors.Is(statErr, fs.ErrNotExist):
		refused.kind = fs.ErrNotExist
	case statErr == nil && !e.Dir:
		refused.kind = fs.ErrPermission
	}
	return err
}
