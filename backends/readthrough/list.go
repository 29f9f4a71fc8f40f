package readthrough

import (
	"context"
	"encoding/json"
	"strings"

	"causeway/backends"
)

const (
	// pageSize is the most entries of a page, as S3 has it.
	pageSize = 1000
	// maxFetches is how often a page waits for pages of what it is made of. What is found by
	// then is a page, be it empty.
	maxFetches = 64
)

// List is [backends.Backend.List]. It merges what is in the front, what is behind and the
// tombstones, three listings in one order, in constant memory. If what is behind cannot be
// listed, nothing is: who mirrors a listing that is not whole deletes what it lacks.
//
// A token has all that it takes to go on: the pages that the three listings are at, and the
// entry that came last. What of these pages is left over is kept for a while.
func (b Backend) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	ours := strings.HasPrefix(q.Token, tokenBegin)
	if !ours && (q.Token != "" || reserved(q.Prefix) || !b.routes.involved(q.Prefix)) {
		return b.front.List(ctx, q)
	}
	w, err := b.walk(ctx, q)
	if err != nil {
		return backends.Page{}, err
	}
	return w.run(ctx)
}

// involved tells whether a listing of prefix may have anything of a route.
func (r *Routes) involved(prefix string) bool {
	_, ok := r.of(prefix[:strings.LastIndexByte(prefix, '/')+1])
	return ok || len(r.below(prefix)) > 0
}

// walker gathers one page by a walk, depth first in byte order of keys. Without a delimiter it
// enters each directory that it comes to.
type walker struct {
	backend Backend
	query   backends.Query
	frames  []*frame // from the listed directory down to the present one
	page    backends.Page
	count   int // of entries on the page
	fetches int
}

// walk begins a listing, or goes on with it.
func (b Backend) walk(ctx context.Context, q backends.Query) (*walker, error) {
	if w := b.routes.kept.take(place{b.front, q}); w != nil {
		w.page, w.count, w.fetches = backends.Page{}, 0, 0
		return w, nil
	}
	w := &walker{backend: b, query: q}
	if q.Token != "" {
		return w, w.restore()
	}
	dir := q.Prefix[:strings.LastIndexByte(q.Prefix, '/')+1]
	f, err := w.frame(ctx, position{Prefix: q.Prefix}, true)
	if err != nil {
		return nil, err
	}
	f.dir = dir
	w.frames = []*frame{f}
	return w, nil
}

// run fills the page.
func (w *walker) run(ctx context.Context) (backends.Page, error) {
	limit := pageSize
	if w.query.Limit > 0 {
		limit = min(limit, w.query.Limit)
	}
	for len(w.frames) > 0 && w.count < limit {
		f := w.frames[len(w.frames)-1]
		if f.needs() {
			if w.fetches == maxFetches {
				break
			}
			w.fetches++
			if err := f.load(ctx); err != nil {
				return backends.Page{}, err
			}
			continue
		}
		e, ok := f.next()
		if !ok {
			w.frames = w.frames[:len(w.frames)-1]
			continue
		}
		if err := w.entry(ctx, f, e); err != nil {
			return backends.Page{}, err
		}
	}
	if len(w.frames) == 0 {
		return w.page, nil
	}
	token, err := w.token()
	if err != nil {
		return backends.Page{}, err
	}
	page := w.page
	page.Next, w.query.Token, w.page = token, token, backends.Page{}
	w.backend.routes.kept.put(place{w.backend.front, w.query}, w)
	return page, nil
}

// entry adds what f has found to the page, or enters it.
func (w *walker) entry(ctx context.Context, f *frame, e entry) error {
	if !e.dir {
		obj, ok, err := f.choose(ctx, e)
		if ok && err == nil {
			w.page.Objects = append(w.page.Objects, obj)
			w.count++
		}
		return err
	}
	if w.query.Delimiter {
		ok, err := f.shows(ctx, e)
		if ok && err == nil {
			w.page.Prefixes = append(w.page.Prefixes, e.key)
			w.count++
		}
		return err
	}
	if e.hidden && e.here == nil {
		return nil
	}
	below, err := w.below(ctx, e)
	if err == nil {
		w.frames = append(w.frames, below)
	}
	return err
}

// below is the frame of a directory that was come to.
func (w *walker) below(ctx context.Context, e entry) (*frame, error) {
	p := position{Prefix: e.key}
	p.Front.Done = e.here == nil && !e.nested
	p.Flat = e.here != nil && (e.behind == nil || e.hidden) && !e.nested
	return w.frame(ctx, p, e.nested)
}

// tokenBegin is what tokens of listings that are merged begin with.
const tokenBegin = "merged:"

func (w *walker) token() (string, error) {
	positions := make([]position, len(w.frames))
	for i, f := range w.frames {
		positions[i] = f.position()
	}
	text, err := json.Marshal(positions)
	return tokenBegin + string(text), err
}

// restore goes on from the token of the query.
func (w *walker) restore() error {
	var positions []position
	if err := json.Unmarshal([]byte(w.query.Token[len(tokenBegin):]), &positions); err != nil {
		return &backends.Error{Op: "list", Key: w.query.Prefix, Kind: backends.ErrUnavailable, Err: err}
	}
	for _, p := range positions {
		w.frames = append(w.frames, w.resumed(p))
	}
	return nil
}
