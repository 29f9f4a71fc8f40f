package mem

import (
	"context"
	"sort"
	"strings"

	"causeway/backends"
)

// List is [backends.Backend.List]. Its token is the last entry of the page, so keys that
// come and go between pages disturb nothing else.
func (s *Store) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	if err := ctx.Err(); err != nil {
		return backends.Page{}, &backends.Error{Op: "list", Key: q.Prefix, Kind: backends.ErrUnavailable, Err: err}
	}
	limit := s.pageSize
	if q.Limit > 0 {
		limit = min(limit, q.Limit)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var page backends.Page
	var last string
	i := s.seek(q, q.Token)
	for n := 0; i < len(s.objects) && strings.HasPrefix(s.objects[i].Key, q.Prefix); n++ {
		if n == limit {
			page.Next = last
			break
		}
		if last = s.objects[i].Key; folds(q, last) {
			last = last[:len(q.Prefix)+strings.IndexByte(last[len(q.Prefix):], '/')+1]
			page.Prefixes = append(page.Prefixes, last)
		} else {
			page.Objects = append(page.Objects, s.listed(s.objects[i]))
		}
		i = s.seek(q, last)
	}
	return page, nil
}

// folds tells whether key, or what comes after a token, is below a common prefix.
func folds(q backends.Query, key string) bool {
	return q.Delimiter && len(key) > len(q.Prefix) && strings.Contains(key[len(q.Prefix):], "/")
}

// seek returns the index of the first key of the listing after the entry named last.
func (s *Store) seek(q backends.Query, last string) int {
	folded := folds(q, last)
	return sort.Search(len(s.objects), func(i int) bool {
		key := s.objects[i].Key
		return key >= q.Prefix && key > last && !(folded && strings.HasPrefix(key, last))
	})
}

// listed is what a listing tells of an object.
func (s *Store) listed(o *object) backends.Object {
	d := o.describe()
	if s.partial {
		d.Metadata, d.Sums, d.ContentType, d.Partial = nil, nil, "", true
	}
	return d
}
