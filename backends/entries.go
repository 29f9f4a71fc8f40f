package backends

import (
	"context"
	"errors"
	"iter"
	"strings"
)

// Entry is a file or directory as [Entries] tells it.
type Entry struct {
	Name   string // what follows the prefix, without the final "/" of a directory
	Dir    bool
	Object Object // the zero Object for a directory, excepting the marker of the listed directory itself
}

// Entries lists what is directly below prefix, which is "" or ends in "/": objects as
// files, common prefixes as directories. Pages are merged and the next is fetched while
// the present one is consumed, so memory is that of two pages whatever there is to list.
//
// Entries come in byte order of name + "/", each once. Where both an object "a" and keys
// "a/…" exist, "a" comes once, as a directory. Keys that come and go between pages change
// nothing else.
//
// If the directory has a marker, an object whose key is prefix itself, it comes first, as
// an Entry with an empty Name, Dir set, and the marker as Object. So a directory that
// yields nothing does not exist. (Keys with an empty segment, prefix + "/…", also yield
// an empty Name with Dir set; the Object is the zero Object then.)
//
// An error is the last that is yielded. A store whose pages go backwards, do not advance
// or hold foreign keys fails with ErrUnavailable. When the loop ends early, the request
// under way is cancelled and waited for.
func Entries(ctx context.Context, b Backend, prefix string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan fetched) // unbuffered: one page waits here while one is consumed
		go fetch(ctx, b, prefix, pages)
		defer func() {
			cancel()
			for range pages { // until fetch has ended
			}
		}()

		m := merger{prefix: prefix, yield: yield}
		for p := range pages {
			if p.err != nil {
				yield(Entry{}, p.err)
				return
			}
			if !m.page(p.page) {
				return
			}
		}
		m.releaseAll()
	}
}

// fetched is the outcome of one request for a page.
type fetched struct {
	page Page
	err  error
}

// fetch sends the pages below prefix, one after another, until the last or an error,
// and closes pages. The receiver takes until then.
func fetch(ctx context.Context, b Backend, prefix string, pages chan<- fetched) {
	defer close(pages)
	q := Query{Prefix: prefix, Delimiter: true}
	var tokens cycle
	for {
		page, err := b.List(ctx, q)
		if err == nil && tokens.closes(page.Next) {
			err = badListing(prefix, "the listing goes round in circles")
		}
		pages <- fetched{page, err}
		if err != nil || page.Next == "" {
			return
		}
		q.Token = page.Next
	}
}

// cycle notices, in constant memory, that a sequence of tokens repeats itself: it
// compares with one earlier token, which it renews at every power of two (Brent).
type cycle struct {
	earlier string
	steps   int
}

func (c *cycle) closes(token string) bool {
	if token != "" && token == c.earlier {
		return true
	}
	if c.steps++; c.steps&(c.steps-1) == 0 {
		c.earlier = token
	}
	return false
}

// merger turns pages, which are in byte order of keys, into entries in byte order of
// name + "/". The two orders differ for files only: "a" sorts as "a/", after "a!" and
// "a-b". So a file is held back until the listing has passed the place of its directory.
type merger struct {
	prefix string
	yield  func(Entry, error) bool
	last   string   // the key or common prefix seen last
	held   []Object // each key is a prefix of the next one's, so there are at most MaxKey
}

// page yields what a page settles. It returns false when the sequence has ended.
func (m *merger) page(p Page) bool {
	objects, prefixes := p.Objects, p.Prefixes
	for len(objects) > 0 || len(prefixes) > 0 {
		var next Object
		if len(prefixes) == 0 || len(objects) > 0 && objects[0].Key < prefixes[0] {
			next, objects = objects[0], objects[1:]
		} else {
			next, prefixes = Object{Key: prefixes[0]}, prefixes[1:]
		}
		if !m.pass(next) {
			return false
		}
	}
	return true
}

// pass takes the next object, or a common prefix as an Object of that key alone.
func (m *merger) pass(o Object) bool {
	dir := strings.HasSuffix(o.Key, "/")
	if dir && o.Key == m.last {
		return true // some stores repeat a common prefix at the seam of two pages, or beside its marker
	}
	if o.Key <= m.last || !strings.HasPrefix(o.Key, m.prefix) {
		m.yield(Entry{}, badListing(m.prefix, "the listing is out of order or has foreign keys"))
		return false
	}
	m.last = o.Key
	switch {
	case o.Key == m.prefix:
		return m.yield(Entry{Dir: true, Object: o}, nil)
	case dir:
		return m.directory(o.Key)
	default:
		return m.file(o)
	}
}

// directory yields a directory, which hides a file of the same name.
func (m *merger) directory(key string) bool {
	if !m.release(key) {
		return false
	}
	if n := len(m.held); n > 0 && m.held[n-1].Key+"/" == key {
		m.held = m.held[:n-1]
	}
	return m.yield(Entry{Name: key[len(m.prefix) : len(key)-1], Dir: true}, nil)
}

// file holds o back, having yielded the files before it.
func (m *merger) file(o Object) bool {
	if !m.release(o.Key) {
		return false
	}
	m.held = append(m.held, o)
	return true
}

// release yields the held files whose directory would have come before key.
func (m *merger) release(key string) bool {
	for n := len(m.held); n > 0 && m.held[n-1].Key+"/" < key; n = len(m.held) {
		if !m.pop() {
			return false
		}
	}
	return true
}

// releaseAll yields all held files: there are no more keys.
func (m *merger) releaseAll() {
	for len(m.held) > 0 && m.pop() {
	}
}

func (m *merger) pop() bool {
	last := len(m.held) - 1
	o := m.held[last]
	m.held = m.held[:last]
	return m.yield(Entry{Name: o.Key[len(m.prefix):], Object: o}, nil)
}

// badListing is the error of a store that breaks the contract of [Backend.List].
func badListing(prefix, what string) error {
	return &Error{Op: "list", Key: prefix, Kind: ErrUnavailable, Err: errors.New(what)}
}
