package localdir

import (
	"context"
	"io/fs"
	"os"
	"strings"

	"causeway/backends"
)

// pageSize is the most entries of a page, as S3 has it.
const pageSize = 1000

// List is [backends.Backend.List]. Its token is the last entry of the page. Names come
// from the directory in the order of the disk, so it keeps the next [windowSize] of them
// in order for the pages that follow; memory does not grow with the directory.
//
// The reserved directory is listed only by a prefix that asks for it.
func (s *Store) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	l := &lister{ctx: ctx, store: s, query: q, limit: pageSize}
	if q.Limit > 0 {
		l.limit = min(pageSize, q.Limit)
	}
	base := q.Prefix[:strings.LastIndexByte(q.Prefix, '/')+1]
	if err := l.base(base); err != nil && !isMissing(err) {
		return backends.Page{}, fail("list", q.Prefix, err)
	}
	return l.page, nil
}

// lister gathers one page by a walk in byte order of keys, from the token on.
type lister struct {
	ctx   context.Context
	store *Store
	query backends.Query
	limit int
	page  backends.Page
	count int    // of entries on the page
	last  string // of them
}

// base lists from the lowest directory that has all of the listing.
func (l *lister) base(dir string) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if dir != "" {
		if _, err := filePath(dir); err != nil {
			return nil //nolint:nilerr // below a name that cannot be there is nothing
		}
	}
	at, err := l.store.enter(dir)
	if err != nil {
		return err
	}
	defer at.Close() //nolint:errcheck // it is only looked through
	if dir != "" && dir == l.query.Prefix {
		if err := l.marker(at, dir); err != nil {
			return err
		}
	}
	return l.walk(at, dir)
}

// marker adds the marker of an open directory.
func (l *lister) marker(at *os.Root, key string) error {
	info, err := at.Stat(".")
	if err != nil {
		return err
	}
	l.add(key, info)
	return nil
}

// walk adds what is in a directory to the page, until that is full.
func (l *lister) walk(at *os.Root, dir string) error {
	w := l.store.windows.take(l.position(dir, l.query.Token))
	for {
		name, err := w.next(l.ctx, at)
		if err != nil || name == "" {
			return err
		}
		if l.hidden(dir + name) {
			continue
		}
		if err := l.entry(at, dir+name, name); err != nil {
			return err
		}
		if l.page.Next != "" {
			w.unread()
			l.store.windows.put(l.position(dir, l.page.Next), w)
			return nil
		}
	}
}

// hidden tells names that are no business of the listing's.
func (l *lister) hidden(key string) bool {
	return key == backends.Reserved+"/" || key == own+"/" || !backends.ValidKey(key)
}

// position is where the walk of dir goes on after token: at the first name that is not
// before it. Deeper than one level below dir, that is the directory of the token.
func (l *lister) position(dir, token string) position {
	pos := position{dir: dir}
	if strings.HasPrefix(l.query.Prefix, dir) {
		pos.prefix = l.query.Prefix[len(dir):]
	}
	if rest, ok := strings.CutPrefix(token, dir); ok {
		pos.from = rest
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			pos.from = rest[:i+1]
		}
	}
	return pos
}

// entry adds a file or directory, and without a delimiter all that is in it.
func (l *lister) entry(at *os.Root, key, name string) error {
	dir := strings.HasSuffix(name, "/")
	switch {
	case !dir:
		info, err := at.Lstat(name)
		if isMissing(err) || err == nil && !info.Mode().IsRegular() {
			return nil // it went, or became something else, since its name was read
		}
		if err == nil {
			l.add(key, info)
		}
		return err
	case l.query.Delimiter:
		l.add(key, nil)
		return nil
	}
	below, err := descend(at, strings.TrimSuffix(name, "/"))
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer below.Close() //nolint:errcheck // it is only looked through
	if err := l.marker(below, key); err != nil || l.page.Next != "" {
		return err
	}
	return l.walk(below, key)
}

// add adds one entry to the page, if it comes after the token and there is room. With no
// info it is a common prefix.
func (l *lister) add(key string, info fs.FileInfo) {
	switch {
	case key <= l.query.Token:
		return
	case l.count == l.limit:
		l.page.Next = l.last
		return
	case info == nil:
		l.page.Prefixes = append(l.page.Prefixes, key)
	default:
		l.page.Objects = append(l.page.Objects, describe(key, info))
	}
	l.count++
	l.last = key
}
