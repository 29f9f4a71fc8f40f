package readthrough

import (
	"context"
	"strings"

	"causeway/backends"
)

// source is one of the listings that a frame merges.
type source struct {
	cursor
	list func(ctx context.Context, token string) (backends.Page, error)
	key  func(string) (string, bool) // what a key of it stands for; false for nothing. Nil for itself

	loaded bool // page is that of the cursor
	page   backends.Page
}

// head is the next entry of a source.
type head struct {
	key    string
	dir    bool
	object *backends.Object
}

// needs tells whether a page has to be fetched before the entry after one is known.
func (s *source) needs(after string) bool {
	if s.done() {
		return false
	}
	s.skip(after)
	_, ok := s.head()
	return !ok && !s.done()
}

// done tells whether there is nothing more.
func (s *source) done() bool {
	return s.Done || s.loaded && s.page.Next == "" && len(s.page.Objects)+len(s.page.Prefixes) == 0
}

// fetch gets the page that is next.
func (s *source) fetch(ctx context.Context) error {
	token := s.Token
	if s.loaded {
		token = s.page.Next
	}
	page, err := s.list(ctx, token)
	if err != nil {
		return err
	}
	s.Token, s.page, s.loaded = token, page, true
	return nil
}

// skip drops the entries up to one, and those that stand for nothing.
func (s *source) skip(after string) {
	for {
		h, ok := s.head()
		if !ok || h.key > after {
			return
		}
		s.drop(h.dir)
	}
}

// head is the first entry that is left of the page. One that stands for nothing has no key.
func (s *source) head() (head, bool) {
	objects, prefixes := s.page.Objects, s.page.Prefixes
	switch {
	case len(objects) == 0 && len(prefixes) == 0:
		return head{}, false
	case len(prefixes) == 0 || len(objects) > 0 && objects[0].Key < prefixes[0]:
		return head{key: s.named(objects[0].Key), object: &objects[0]}, true
	default:
		return head{key: s.named(prefixes[0]), dir: true, object: &backends.Object{}}, true
	}
}

func (s *source) named(key string) string {
	if s.key == nil {
		return key
	}
	named, _ := s.key(key)
	return named
}

// drop takes the first entry off the page, which may be another's as well and stays as it is.
func (s *source) drop(dir bool) { //nolint:revive // which of two lists
	if dir {
		s.page.Prefixes = s.page.Prefixes[1:]
	} else {
		s.page.Objects = s.page.Objects[1:]
	}
}

// pop takes the entry of key off the page, and what comes before it; nil if there is none.
func (s *source) pop(key string) *backends.Object {
	for {
		h, ok := s.head()
		if !ok || h.key > key {
			return nil
		}
		s.drop(h.dir)
		if h.key == key {
			return h.object
		}
	}
}

// at is the cursor for going on after an entry.
func (s *source) at(after string) cursor {
	s.skip(after)
	_, some := s.head()
	switch {
	case s.done():
		return cursor{Done: true}
	case s.loaded && !some:
		return cursor{Token: s.page.Next}
	}
	return cursor{Token: s.Token}
}

// shownKey is what an entry behind stands for: nothing if it is the gateway's own name, or has
// one that no tombstone could have.
func (route Route) shownKey(key string) (string, bool) {
	if !strings.HasPrefix(key, route.Path) {
		return "", false
	}
	here := route.here(key)
	if _, name := split(here); len(name) > maxName || reserved(here) {
		return "", false
	}
	return here, true
}

// lists tells whether anything that is in dir can be behind.
func (route Route) lists(dir string) bool {
	return dir == route.Prefix || route.reaches(dir)
}

// stoneKey tells what the tombstones of names in dir stand for.
func stoneKey(stones, dir string) func(string) (string, bool) {
	return func(key string) (string, bool) {
		name, ok := strings.CutPrefix(key, stones)
		if !ok || name == "" {
			return "", false
		}
		return dir + name, true
	}
}
