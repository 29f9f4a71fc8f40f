package ftp

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"causeway/backends"
	"causeway/backends/ftp/ftpclient"
)

// pageSize is the most entries of a page, as S3 has it.
const pageSize = 1000

// List is [backends.Backend.List]. The first page lists the directory, whole, and sorts it;
// the others go on with that, as long as they come within a minute. A directory of any size
// takes constant memory: see [Config.Dir].
//
// A token names the listing, and the last entry of the page.
func (s *Store) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	page, err := s.list(ctx, q)
	if err != nil {
		return backends.Page{}, fail("list", q.Prefix, err)
	}
	return page, nil
}

func (s *Store) list(ctx context.Context, q backends.Query) (backends.Page, error) {
	if err := ctx.Err(); err != nil {
		return backends.Page{}, err
	}
	l := &lister{limit: s.page}
	if q.Limit > 0 {
		l.limit = min(s.page, q.Limit)
	}
	id, after, _ := strings.Cut(q.Token, " ")
	if q.Token == "" {
		id = strconv.FormatUint(s.walks.id(), 36)
		if q.Limit == 1 && strings.HasSuffix(q.Prefix, "/") {
			return s.marker(ctx, q.Prefix, id)
		}
	}
	l.listing = id
	w := s.walks.take(q.Token)
	if w == nil || q.Token == "" {
		w = &walk{store: s, prefix: q.Prefix, delimiter: q.Delimiter, after: after}
	}
	if err := l.fill(ctx, w); err != nil {
		w.close()
		return backends.Page{}, err
	}
	if l.page.Next != "" {
		s.walks.put(l.page.Next, w)
	}
	return l.page, nil
}

// marker is the page of who asks whether a directory exists, which waits for no names.
func (s *Store) marker(ctx context.Context, prefix, listing string) (backends.Page, error) {
	obj, err := s.look(ctx, prefix)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return backends.Page{}, s.there(ctx)
	case errors.Is(err, fs.ErrInvalid):
		return backends.Page{}, nil
	case err != nil:
		return backends.Page{}, err
	}
	return backends.Page{Objects: []backends.Object{obj}, Next: listing + " " + prefix}, nil
}

// lister gathers a page.
type lister struct {
	listing string // named by the token
	limit   int
	page    backends.Page
	count   int
	last    string
}

// fill takes items until the page is full and another one follows.
func (l *lister) fill(ctx context.Context, w *walk) error {
	for {
		i, err := w.next(ctx)
		switch {
		case err == io.EOF: //nolint:errorlint // the walk's own; what wraps it is a failure
			return nil
		case err != nil:
			return err
		case l.count == l.limit:
			w.unread = &i
			l.page.Next = l.listing + " " + l.last
			return nil
		case i.common:
			l.page.Prefixes = append(l.page.Prefixes, i.Key)
		default:
			l.page.Objects = append(l.page.Objects, i.Object)
		}
		l.count, l.last = l.count+1, i.Key
	}
}

// sample is the file by which the time zone of a listing can be told.
type sample struct {
	name string
	time int64 // that the listing tells, as if it were UTC
}

// consider takes the newest file whose time is to the minute.
func (s *sample) consider(e ftpclient.Entry) {
	if f := factsOf(e); !e.Dir && !e.Link && !f.precise && f.seconds%day != 0 && f.seconds > s.time {
		*s = sample{e.Name, f.seconds}
	}
}
