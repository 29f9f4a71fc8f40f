package cache

import (
	"slices"
	"strings"
	"time"

	"causeway/backends"
)

// directory is what is known of the keys that begin with a prefix, which is "" or ends
// in "/".
type directory struct {
	prefix  string
	exists  bool      // whether any key begins with prefix
	expires time.Time // of exists; zero if that is not known
	pages   map[pageKey]*page
	pageMem int64     // octets of pages
	large   time.Time // until when nothing of it is kept
}

// pageKey is a Query but for its prefix.
type pageKey struct {
	delimiter bool
	limit     int
	token     string
}

// page is one answer of a listing.
type page struct {
	backends.Page
	expires time.Time
}

func keyOf(q backends.Query) pageKey {
	return pageKey{delimiter: q.Delimiter, limit: q.Limit, token: q.Token}
}

// page returns a page that has not expired, or nil.
func (d *directory) page(k pageKey, now time.Time) *page {
	if d == nil {
		return nil
	}
	if p := d.pages[k]; p != nil && now.Before(p.expires) {
		return p
	}
	return nil
}

// known tells whether any key begins with the prefix, if that is known.
func (d *directory) known(now time.Time) (exists, known bool) {
	if d == nil || !now.Before(d.expires) {
		return false, false
	}
	return d.exists, true
}

// add keeps a page.
func (d *directory) add(k pageKey, p *page) {
	if d.pages == nil {
		d.pages = make(map[pageKey]*page)
	}
	d.drop(k)
	d.pages[k] = p
	d.pageMem += p.size() + int64(len(k.token))
}

func (d *directory) drop(k pageKey) {
	if p := d.pages[k]; p != nil {
		d.pageMem -= p.size() + int64(len(k.token))
		delete(d.pages, k)
	}
}

// prune drops the pages that change when an object is written under key: all, unless the
// object is further down and the folded listing shows the way to it already.
func (d *directory) prune(key string) {
	child, below := d.fold(key)
	keep := below && d.shows(child)
	for k := range d.pages {
		if !k.delimiter || !keep {
			d.drop(k)
		}
	}
}

// fold returns the common prefix under which a listing with a delimiter shows key, if it
// does not show key itself.
func (d *directory) fold(key string) (string, bool) {
	i := strings.IndexByte(key[len(d.prefix):], '/')
	if i < 0 {
		return "", false
	}
	return key[:len(d.prefix)+i+1], true
}

// shows tells whether any folded page holds a common prefix.
func (d *directory) shows(child string) bool {
	for k, p := range d.pages {
		if k.delimiter && p.hasPrefix(child) {
			return true
		}
	}
	return false
}

// seek returns the page of the folded listing, read from its first page, that would hold
// name, an object's key or a common prefix. It is nil if a page before it is not known.
func (d *directory) seek(name string, now time.Time) *page {
	if d == nil {
		return nil
	}
	k := pageKey{delimiter: true}
	for range d.pages { // a listing that goes round in circles ends here
		p := d.page(k, now)
		if p == nil || p.Next == "" || p.last() >= name {
			return p
		}
		k.token = p.Next
	}
	return nil
}

func (p *page) hasPrefix(name string) bool {
	_, found := slices.BinarySearch(p.Prefixes, name)
	return found
}

func (p *page) hasObject(key string) bool {
	_, found := slices.BinarySearchFunc(p.Objects, key, func(o backends.Object, key string) int {
		return strings.Compare(o.Key, key)
	})
	return found
}

// last is the last entry of the page, "" if it is empty.
func (p *page) last() string {
	var last string
	if n := len(p.Objects); n > 0 {
		last = p.Objects[n-1].Key
	}
	if n := len(p.Prefixes); n > 0 {
		last = max(last, p.Prefixes[n-1])
	}
	return last
}

// dirOf is the prefix whose folded listing would show key as an object.
func dirOf(key string) string {
	return key[:strings.LastIndexByte(key, '/')+1]
}
