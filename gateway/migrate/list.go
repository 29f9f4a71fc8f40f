package migrate

import (
	"context"
	"fmt"
	"strings"

	"causeway/backends"
)

// cursor goes through all objects of a tree in byte order of their keys. One stretch is fetched
// while another is gone through, so that memory is that of two, whatever there is.
type cursor struct {
	prefix string
	pages  <-chan fetched
	page   []listed
	last   string // the name that was taken last
	over   bool
}

// listed is an object, or a directory of which it cannot be told what is in it, and why.
type listed struct {
	backends.Object
	err error
}

// fetched is the next stretch of a listing, or its end.
type fetched struct {
	page []listed
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
		page, err := t.ask(ctx, q)
		f := fetched{make([]listed, len(page.Objects)), err}
		for i, o := range page.Objects {
			f.page[i].Object = o
		}
		select {
		case pages <- f:
		case <-ctx.Done():
			return
		}
		if err != nil || page.Next == "" {
			return
		}
		q.Token = page.Next
	}
}

// ask asks for one page.
func (t Tree) ask(ctx context.Context, q backends.Query) (page backends.Page, err error) {
	err = repeat(ctx, func() (err error) {
		page, err = t.Store.List(ctx, q)
		return err
	})
	return page, err
}

// peek is the next object, nil at the end. Its name is what follows the prefix.
func (c *cursor) peek(ctx context.Context) (*listed, error) {
	for len(c.page) == 0 && !c.over {
		select {
		case f, more := <-c.pages:
			if f.err != nil {
				return nil, f.err
			}
			c.page, c.over = f.page, !more
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
func (c *cursor) take() (name string, o *listed) {
	o, c.page = &c.page[0], c.page[1:]
	c.last = o.Key[len(c.prefix):]
	return c.last, o
}
