package readthrough

import (
	"context"
	"slices"
	"strings"
	"sync"

	"causeway/backends"
)

// position is how far the listing of one directory has come: what a token is made of.
type position struct {
	Prefix string `json:"p"`           // that the keys begin with
	After  string `json:"a,omitempty"` // the last entry
	Flat   bool   `json:"f,omitempty"` // the front alone, with all that is further down
	Front  cursor `json:"h"`
	Behind cursor `json:"b"`
	Gone   cursor `json:"g"`
}

// cursor is the page that one of the three listings is at.
type cursor struct {
	Token string `json:"t,omitempty"`
	Done  bool   `json:"d,omitempty"`
}

// frame lists one directory: it merges the three listings of it.
type frame struct {
	backend Backend
	fresh   bool
	dir     string
	prefix  string
	after   string
	flat    bool
	route   Route
	nested  []string // names in it that have another route, or lead to one, in byte order

	front, behind, gone source
}

// entry is a key, or a directory, with what the listings have of it.
type entry struct {
	key          string
	dir          bool
	here, behind *backends.Object // of a directory, the zero Object
	stone        *backends.Object // a file's tombstone
	hidden       bool             // a directory has its tombstone
	nested       bool             // it has another route, or leads to one
}

// frame begins to list a directory. Where it may be one whose tombstone has not been looked for,
// that is done, and for those above it.
func (w *walker) frame(ctx context.Context, p position, unknown bool) (*frame, error) { //nolint:revive // the fact, not a mode
	f := w.resumed(p)
	if !unknown || f.behind.Done || f.dir == "" {
		return f, nil
	}
	l := look{routes: w.backend.routes, front: w.backend.front, route: f.route, key: f.dir, fresh: w.query.Fresh}
	for _, dir := range append(l.dirs(), f.dir) {
		if len(dir) < len(f.route.Prefix) {
			continue
		}
		hidden, err := l.buried(ctx, dir, f.backend.routes.now())
		if err != nil {
			return nil, err
		}
		if hidden {
			f.behind.Done, f.gone.Done = true, true
			return f, nil
		}
	}
	return f, nil
}

// resumed is the frame at a position.
func (w *walker) resumed(p position) *frame {
	b, q := w.backend, w.query
	f := &frame{backend: b, fresh: q.Fresh, prefix: p.Prefix, after: p.After, flat: p.Flat}
	f.dir = p.Prefix[:strings.LastIndexByte(p.Prefix, '/')+1]
	limit := q.Limit
	f.front = source{cursor: p.Front, list: func(ctx context.Context, token string) (backends.Page, error) {
		return b.front.List(ctx, backends.Query{Prefix: p.Prefix, Delimiter: !p.Flat, Token: token, Limit: limit, Fresh: q.Fresh})
	}}
	route, ok := b.routes.of(f.dir)
	if p.Flat || !ok || !route.lists(f.dir) {
		p.Behind.Done, p.Gone.Done = true, true
	}
	f.route = route
	f.behind = source{cursor: p.Behind, key: route.shownKey, list: func(ctx context.Context, token string) (backends.Page, error) {
		return b.routes.listBehind(ctx, route, backends.Query{Prefix: p.Prefix, Delimiter: true, Token: token, Fresh: q.Fresh})
	}}
	stones := graves(f.dir)
	f.gone = source{cursor: p.Gone, key: stoneKey(stones, f.dir), list: func(ctx context.Context, token string) (backends.Page, error) {
		page, err := b.routes.own.List(ctx, backends.Query{Prefix: stones + p.Prefix[len(f.dir):], Delimiter: true, Token: token, Fresh: q.Fresh})
		if err != nil {
			err = doubt("list", stones, err)
		}
		return page, err
	}}
	if !p.Flat {
		f.nested = b.routes.names(p.Prefix, f.dir)
	}
	return f
}

// names are those in dir, whole keys that begin with prefix, below which routes begin.
func (r *Routes) names(prefix, dir string) []string {
	var names []string
	for _, route := range r.below(prefix) {
		if i := strings.IndexByte(route[len(dir):], '/'); i >= 0 {
			names = append(names, route[:len(dir)+i+1])
		}
	}
	return slices.Compact(names)
}

// sources are the three.
func (f *frame) sources() []*source { return []*source{&f.front, &f.behind, &f.gone} }

// needs tells whether a listing has to fetch a page before it is known what comes next.
func (f *frame) needs() bool {
	return slices.ContainsFunc(f.sources(), func(s *source) bool { return s.needs(f.after) })
}

// load fetches the pages that are needed, side by side.
func (f *frame) load(ctx context.Context) error {
	var all sync.WaitGroup
	var failed [3]error
	for i, s := range f.sources() {
		if s.needs(f.after) {
			all.Go(func() { failed[i] = s.fetch(ctx) })
		}
	}
	all.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// next takes the next entry off the listings; false at the end.
func (f *frame) next() (entry, bool) {
	e := entry{}
	for _, s := range f.sources()[:2] {
		if h, ok := s.head(); ok && (e.key == "" || h.key < e.key) {
			e.key, e.dir = h.key, h.dir
		}
	}
	if i, _ := slices.BinarySearch(f.nested, f.after+"\x00"); i < len(f.nested) && (e.key == "" || f.nested[i] <= e.key) {
		e.key, e.dir, e.nested = f.nested[i], true, true
	}
	if e.key == "" {
		return entry{}, false
	}
	e.here, e.behind = f.front.pop(e.key), f.behind.pop(e.key)
	stone := f.gone.pop(e.key)
	f.after = e.key
	e.hidden = e.dir && stone != nil
	if !e.dir {
		e.stone = stone
	}
	return e, true
}

// choose is the object that is listed of a key; false if there is none that shows.
func (f *frame) choose(ctx context.Context, e entry) (backends.Object, bool, error) {
	if e.behind == nil {
		return *e.here, true, nil
	}
	l := look{routes: f.backend.routes, front: f.backend.front, route: f.route, key: e.key, fresh: f.fresh}
	if e.here != nil && !l.newer(*e.behind, *e.here) {
		return *e.here, true, nil
	}
	if e.stone != nil {
		hidden, err := f.backend.routes.hides(ctx, *e.stone, e.behind.ModTime)
		switch {
		case err != nil:
			return backends.Object{}, false, err
		case hidden && e.here != nil:
			return *e.here, true, nil
		case hidden:
			return backends.Object{}, false, nil
		}
	}
	return l.shown(*e.behind), true, nil
}

// shows tells whether a directory is listed. That it is behind is enough where all directories
// have markers there; elsewhere all that is in it may have its tombstone.
func (f *frame) shows(ctx context.Context, e entry) (bool, error) {
	switch {
	case e.here != nil:
		return true, nil
	case e.nested:
	case e.hidden:
		return false, nil
	case f.route.Tree:
		return true, nil
	}
	q := backends.Query{Prefix: e.key, Limit: 1, Fresh: f.fresh}
	for {
		page, err := f.backend.List(ctx, q)
		if err != nil || len(page.Objects) > 0 || page.Next == "" {
			return len(page.Objects) > 0, err
		}
		q.Token = page.Next
	}
}

// position is where the frame is.
func (f *frame) position() position {
	return position{
		Prefix: f.prefix, After: f.after, Flat: f.flat,
		Front: f.front.at(f.after), Behind: f.behind.at(f.after), Gone: f.gone.at(f.after),
	}
}

// listBehind is a page of what is behind. Where that is nothing, it is an empty one; where it may
// not be known, nothing can be listed.
func (r *Routes) listBehind(ctx context.Context, route Route, q backends.Query) (backends.Page, error) {
	prefix := q.Prefix
	q.Prefix = route.behind(prefix)
	page, err := route.Behind.List(ctx, q)
	if err == nil || absent(err) {
		return page, nil
	}
	if ctx.Err() == nil {
		r.tell(ctx, route, Unreachable, prefix, err)
	}
	return backends.Page{}, doubt("list", prefix, err)
}
