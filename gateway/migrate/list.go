package migrate

import (
	"context"
	"fmt"
	"strings"

	"causeway/backends"
)

// cursor goes through all objects of a tree in byte order of their keys. One page is fetched
// while another is gone through, so that memory is that of two, whatever there is.
type cursor struct {
	prefix string
	pages  <-chan fetched
	page   []backends.Object
	last   string // the name that was taken last
	over   bool
}

// fetched is the outcome of one request for a page.
type fetched struct {
	page backends.Page
	err  error
}

// list begins a listing. It ends with the last page, an error, or ctx.
func (t Tree) list(ctx context.Context) *cursor {
	pages := make(chan fetched)
	go t.fetch(ctx, pages)
	return &cursor{prefix: t.Prefix, pages: pages}
}

// fetch sends all pages, and closes them.
func (t Tree) fetch(ctx context.Context, pages chan<- fetched) {
	defer close(pages)
	q := backends.Query{Prefix: t.Prefix}
	for {
		var f fetched
		f.err = repeat(ctx, func() (err error) {
			f.page, err = t.Store.List(ctx, q)
			return err
		})
		select {
		case pages <- f:
		case <-ctx.Done():
			return
		}
		if f.err != nil || f.page.Next == "" {
			return
		}
		q.Token = f.page.Next
	}
}

// peek is the next object, nil at the end. Its name is what follows the prefix.
func (c *cursor) peek(ctx context.Context) (*backends.Object, error) {
	for len(c.page) == 0 && !c.over {
		select {
		case f, more := <-c.pages:
			if f.err != nil {
				return nil, f.err
			}
			c.page, c.over = f.page.Objects, !more
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if len(c.page) == 0 {
		return nil, nil //nolint:nilnil // there is no more
	}
	if name, ok := strings.CutPrefix(c.page[0].Key, c.prefix); !ok || c.last != "" && name <= c.last {
		return nil, &backends.Error{Op: "list", Key: c.prefix, Kind: backends.ErrUnavailable, Err: fmt.Errorf("%q is out of order", c.page[0].Key)}
	}
	return &c.page[0], nil
}

// take takes what peek has told, and is its name.
func (c *cursor) take() (name string, o *backends.Object) {
	o, c.page = &c.page[0], c.page[1:]
	c.last = o.Key[len(c.prefix):]
	return c.last, o
}
