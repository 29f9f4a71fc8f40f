package localdir

import (
	"context"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"causeway/backends"
)

// pageSize is the most entries of a page, as S3 has it.
const pageSize = 1000

// List is [backends.Backend.List]. Names come from the directory in the order of the disk,
// so it keeps those that come next in order for the pages that follow: [windowSize] octets
// of them, [maxKept] for all listings of the store. At most [maxListers] pages of more
// than a few entries are made at a time; others wait. So the names in memory are bounded
// by maxListers × 2.5 × windowSize + maxKept, 64 MiB, whatever there is to list.
//
// A token names the listing, which alone is told what was read for it before, and the last
// entry of the page.
//
// Names that are not UTF-8 are listed, though no other verb takes them. The reserved
// directory is listed only by a prefix that asks for it.
func (s *Store) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	l := s.lister(ctx, q)
	if l.window > minWindow {
		if err := s.listers.enter(ctx); err != nil {
			return backends.Page{}, fail("list", q.Prefix, err)
		}
		defer s.listers.leave()
	}
	base := q.Prefix[:strings.LastIndexByte(q.Prefix, '/')+1]
	if err := l.base(base); err != nil {
		return backends.Page{}, fail("list", q.Prefix, err)
	}
	return l.page, nil
}

// lister gathers one page by a walk in byte order of keys, from the token on.
type lister struct {
	ctx     context.Context
	store   *Store
	query   backends.Query
	listing string // named by the token
	after   string // the last entry of the page before
	limit   int
	window  int // octets of names that may be read ahead
	page    backends.Page
	count   int    // of entries on the page
	last    string // of them
}

func (s *Store) lister(ctx context.Context, q backends.Query) *lister {
	l := &lister{ctx: ctx, store: s, query: q, limit: pageSize, window: windowSize}
	if q.Limit > 0 {
		l.limit = min(pageSize, q.Limit)
		l.window = min(windowSize, (l.limit+1)*maxNameCost)
	}
	var resumed bool
	if l.listing, l.after, resumed = strings.Cut(q.Token, " "); !resumed {
		l.listing = strconv.FormatUint(s.listings.Add(1), 36)
	}
	return l
}

// slots are for so many at a time.
type slots chan struct{}

func (s slots) enter(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s slots) leave() { <-s }

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
		return unlessMissing(err)
	}
	defer at.Close() //nolint:errcheck // it is only looked through
	if dir != "" && dir == l.query.Prefix {
		if err := l.marker(at, dir); err != nil || l.page.Next != "" {
			return unlessMissing(err)
		}
	}
	return l.walk(at, dir, l.window)
}

// unlessMissing is err, unless it is of a directory that went while it was read, or was not there:
// there is nothing more in it. What is beside it is listed all the same.
func unlessMissing(err error) error {
	if isMissing(err) {
		return nil
	}
	return err
}

// marker adds the marker of an open directory. If it fills the page, that ends there:
// whoever asks whether the directory exists waits for no names.
func (l *lister) marker(at *os.Root, key string) error {
	info, err := at.Stat(".")
	if err != nil {
		return err
	}
	l.add(key, info)
	if l.count == l.limit {
		l.end()
	}
	return nil
}

// walk adds what is in a directory to the page, until that is full, reading ahead a window
// of so many octets.
func (l *lister) walk(at *os.Root, dir string, window int) error {
	w := l.store.windows.take(l.position(dir, l.after))
	w.limit = window
	for {
		name, err := w.next(l.ctx, at)
		if err != nil || name == "" {
			return unlessMissing(err)
		}
		if l.hidden(dir + name) {
			continue
		}
		if err := l.entry(at, dir+name, name, window); err != nil {
			return err
		}
		if l.page.Next != "" {
			w.unread()
			if window > minWindow { // who asks for a few entries seldom comes back
				l.store.windows.put(l.position(dir, l.last), w)
			}
			return nil
		}
	}
}

// hidden tells names that are no business of the listing's.
func (l *lister) hidden(key string) bool {
	return key == backends.Reserved+"/" || key == own+"/" || len(key) > backends.MaxKey
}

// position is where the listing goes on in dir after an entry: at the first name that is
// not before it. Deeper than one level below dir, that is the directory of the entry.
func (l *lister) position(dir, after string) position {
	pos := position{listing: l.listing, dir: dir}
	if strings.HasPrefix(l.query.Prefix, dir) {
		pos.prefix = l.query.Prefix[len(dir):]
	}
	if rest, ok := strings.CutPrefix(after, dir); ok {
		pos.from = rest
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			pos.from = rest[:i+1]
		}
	}
	return pos
}

// entry adds a file or directory, and without a delimiter all that is in it, with half of
// the window: all windows of a path are twice the first.
func (l *lister) entry(at *os.Root, key, name string, window int) error {
	if !strings.HasSuffix(name, "/") {
		return l.file(at, key, name)
	}
	if l.query.Delimiter {
		l.add(key, nil)
		return nil
	}
	below, err := descend(at, strings.TrimSuffix(name, "/"))
	if err != nil {
		return unlessMissing(err)
	}
	defer below.Close() //nolint:errcheck // it is only looked through
	if err := l.marker(below, key); err != nil || l.page.Next != "" || !backends.ValidKey(key) {
		return unlessMissing(err)
	}
	return l.walk(below, key, max(window/2, minWindow))
}

func (l *lister) file(at *os.Root, key, name string) error {
	info, err := at.Lstat(name)
	if isMissing(err) || err == nil && !info.Mode().IsRegular() {
		return nil // it went, or became something else, since its name was read
	}
	if err == nil {
		l.add(key, info)
	}
	return err
}

// add adds one entry to the page, if it comes after the page before and there is room.
// With no info it is a common prefix.
func (l *lister) add(key string, info fs.FileInfo) {
	switch {
	case key <= l.after:
		return
	case l.count == l.limit:
		l.end()
		return
	case info == nil:
		l.page.Prefixes = append(l.page.Prefixes, key)
	default:
		l.page.Objects = append(l.page.Objects, describe(key, info))
	}
	l.count++
	l.last = key
}

// end ends the page before the listing has ended.
func (l *lister) end() { l.page.Next = l.listing + " " + l.last }
