package migrate

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"causeway/backends"
)

const (
	// batchSize is how many objects of several directories are passed on at once, as a page of
	// S3 has.
	batchSize = 1000
	// maxHeld is how many entries of directories within each other are held, some 60 MiB at
	// the worst: a server that wants to can have them as deep as keys are long.
	maxHeld = 50_000
)

var (
	errHeld   = errors.New("too many large directories are within each other")
	errClosed = errors.New("the store lists it and does not tell what is in it")
)

// directories lists a tree directory by directory, depth first, which is byte order of keys:
// that of a directory comes before those in it, and these before all that are after it.
type directories struct {
	Tree
	skip  func(key string) bool // tells which directories are not to be listed
	pages chan<- fetched
	batch []listed
	held  int
}

// directories begins a listing, as list does. What skip means is not asked for. A directory
// that cannot be listed comes as one that has an error.
func (t Tree) directories(ctx context.Context, skip func(key string) bool) *cursor {
	pages := make(chan fetched)
	d := &directories{Tree: t, skip: skip, pages: pages}
	go func() {
		defer close(pages)
		err := d.list(ctx, t.Prefix)
		if len(d.batch) > 0 {
			err = errors.Join(d.send(ctx), err)
		}
		if err != nil {
			select {
			case pages <- fetched{err: err}:
			case <-ctx.Done():
			}
		}
	}()
	return &cursor{prefix: t.Prefix, pages: pages}
}

// list lists a directory, and what is below it. An error is one of the whole listing.
func (d *directories) list(ctx context.Context, key string) error {
	q := backends.Query{Prefix: key, Delimiter: true}
	page, err := d.ask(ctx, q)
	switch {
	case err != nil:
		return d.unlisted(ctx, key, err)
	case len(page.Objects)+len(page.Prefixes) == 0 && page.Next == "":
		return d.missing(ctx, key)
	case d.held > maxHeld:
		return d.unlisted(ctx, key, errHeld)
	}
	for {
		if err := d.entries(ctx, page); err != nil {
			return err
		}
		d.offer()
		if page.Next == "" {
			return nil
		}
		q.Token = page.Next
		if page, err = d.ask(ctx, q); err != nil {
			return err
		}
	}
}

// entries passes on a page of a directory, and what is in the directories on it.
func (d *directories) entries(ctx context.Context, p backends.Page) error {
	size := len(p.Objects) + len(p.Prefixes)
	d.held += size
	defer func() { d.held -= size }()
	for len(p.Objects) > 0 || len(p.Prefixes) > 0 {
		var err error
		if len(p.Prefixes) == 0 || len(p.Objects) > 0 && p.Objects[0].Key < p.Prefixes[0] {
			err = d.add(ctx, listed{Object: p.Objects[0]})
			p.Objects = p.Objects[1:]
		} else {
			err = d.enter(ctx, p.Prefixes[0])
			p.Prefixes = p.Prefixes[1:]
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *directories) enter(ctx context.Context, key string) error {
	switch {
	case d.skip(key):
		return nil
	case !backends.ValidKey(key): // nothing is below it, and it is told for what it is
		return d.add(ctx, listed{Object: backends.Object{Key: key}})
	}
	return d.list(ctx, key)
}

// unlisted tells of a directory that cannot be listed, unless that is all that there is, or
// the store answers nothing any more.
func (d *directories) unlisted(ctx context.Context, key string, err error) error {
	if key == d.Prefix || ctx.Err() != nil {
		return err
	}
	if errors.Is(err, backends.ErrUnavailable) {
		q := backends.Query{Prefix: d.Prefix, Delimiter: true, Limit: 1}
		if _, allErr := d.Store.List(ctx, q); allErr != nil {
			return err
		}
	}
	return d.add(ctx, listed{backends.Object{Key: key}, err})
}

// missing tells of a directory of which nothing is listed, not even itself, if the one that it
// is in still has it: a server may call missing what its user may not enter.
func (d *directories) missing(ctx context.Context, key string) error {
	if key == d.Prefix {
		return nil
	}
	q := backends.Query{Prefix: strings.TrimSuffix(key, "/"), Delimiter: true}
	for {
		page, err := d.ask(ctx, q)
		switch {
		case err != nil:
			return d.unlisted(ctx, key, err)
		case slices.Contains(page.Prefixes, key):
			return d.unlisted(ctx, key, &backends.Error{Op: "list", Key: key, Kind: fs.ErrPermission, Err: errClosed})
		case page.Next == "":
			return nil
		}
		q.Token = page.Next
	}
}

func (d *directories) add(ctx context.Context, o listed) error {
	if d.batch = append(d.batch, o); len(d.batch) < batchSize {
		return nil
	}
	return d.send(ctx)
}

// send waits until what there is is wanted.
func (d *directories) send(ctx context.Context) error {
	select {
	case d.pages <- fetched{page: d.batch}:
		d.batch = nil
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// offer passes on what there is if it is wanted, so that nobody waits for more than a directory.
func (d *directories) offer() {
	if len(d.batch) == 0 {
		return
	}
	select {
	case d.pages <- fetched{page: d.batch}:
		d.batch = nil
	default:
	}
}
