package readthrough_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/backends/readthrough"
)

func TestS65_WhatIsBehindIsAway(t *testing.T) {
	p := newPair(t, readthrough.Route{CopyOnRead: true})
	p.put(p.front, "here", "content")
	p.put(p.front, "old", "content")
	p.put(p.behind, "old", "older")
	p.put(p.behind, "there", "content")
	p.away()
	ctx := t.Context()
	p.has(p.backend, "here", "content")
	p.put(p.backend, "here", "new")
	if _, err := p.backend.Stat(ctx, "here", backends.StatOptions{}); err != nil {
		t.Error(err)
	}
	if _, _, err := backends.Move(ctx, p.backend, "moved", "here", backends.CopyOptions{}); err != nil {
		t.Error(err)
	}
	if err := p.backend.Delete(ctx, "old", backends.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	if got := p.take(); len(got) == 0 || slices.ContainsFunc(got, func(e readthrough.Event) bool { return e != readthrough.Unreachable }) {
		t.Errorf("told %q", got)
	}
	for what, try := range map[string]func() error{
		"stat": func() error { _, err := p.backend.Stat(ctx, "there", backends.StatOptions{}); return err },
		"open": func() error { _, err := get(t, p.backend, "there"); return err },
		"list": func() error { _, err := p.backend.List(ctx, backends.Query{Delimiter: true}); return err },
		"walk": func() error { _, err := p.backend.List(ctx, backends.Query{}); return err },
		"absent": func() error {
			_, err := put(t, p.backend, "new", "x", backends.CreateOptions{IfAbsent: true})
			return err
		},
		"marker": func() error { return p.backend.Delete(ctx, "d/", backends.DeleteOptions{}) },
	} {
		if err := try(); !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	p.behindFaults.Clear()
	p.has(p.backend, "old", "")
	p.has(p.backend, "here", "")
	p.has(p.backend, "moved", "new")
	p.has(p.backend, "there", "content")
}

// TestS65_NothingIsHiddenInDoubt: a delete on a condition that does not hold makes no tombstone, for
// what nobody has deleted would be gone.
func TestS65_NothingIsHiddenInDoubt(t *testing.T) {
	p := newPair(t, readthrough.Route{})
	stale := p.put(p.front, "f", "old")
	if err := p.front.Delete(t.Context(), "f", backends.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.put(p.behind, "f", "content")
	for range 2 {
		if err := p.backend.Delete(t.Context(), "f", backends.DeleteOptions{IfMatch: stale.ETag}); err == nil {
			t.Error("deleted")
		}
		if _, err := p.backend.Move(t.Context(), "g", "f", backends.CopyOptions{SourceIfMatch: stale.ETag}); err == nil {
			t.Error("moved")
		}
		p.away()
	}
	p.behindFaults.Clear()
	p.has(p.backend, "f", "content")
}

func TestS65_TheLastDay(t *testing.T) {
	now := time.Now()
	front, behind := mem.New(mem.Options{}), mem.New(mem.Options{})
	r := readthrough.NewRoutes(front, readthrough.Options{Now: func() time.Time { return now }})
	r.Replace([]readthrough.Route{{Prefix: "p/", Behind: behind, Until: now.Add(time.Hour)}})
	b := r.Over(front)
	if _, err := put(t, behind, "f", "content", backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := list(t, b, backends.Query{}); !slices.Equal(got, []string{"p/f 7"}) {
		t.Errorf("before: %q", got)
	}
	now = now.Add(time.Hour)
	if got := list(t, b, backends.Query{}); len(got) > 0 {
		t.Errorf("after: %q", got)
	}
	if _, err := b.Stat(t.Context(), "p/f", backends.StatOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after: %v", err)
	}
}

// TestS64_Requests counts what a route costs, apart from what a cache saves.
func TestS64_Requests(t *testing.T) {
	p := newPair(t, readthrough.Route{})
	here := p.put(p.front, "here", "content")
	p.put(p.behind, "there", "content")
	p.put(p.behind, "here", "older")
	ctx := t.Context()
	for _, c := range []struct {
		what          string
		do            func() error
		front, behind string
	}{
		{"store", func() error { p.put(p.backend, "new", "x"); return nil }, "commit new 1|create new", ""},
		{"replace", func() error { p.put(p.backend, "here", "content"); return nil }, "commit here 7|create here", ""},
		{"read what is here", func() error { _, err := get(t, p.backend, "here"); return err }, "open here", "stat here"},
		{"read a version", func() error {
			_, err := p.backend.Open(ctx, "here", backends.OpenOptions{IfMatch: here.ETag})
			if errors.Is(err, backends.ErrChanged) {
				err = nil
			}
			return err
		}, "open here if-match", ""},
		{"peek", func() error { _, known := p.backend.PeekPrefix("d/"); return errIf(known) }, "", ""},
		{"delete what is here only", func() error { return p.backend.Delete(ctx, "new", backends.DeleteOptions{}) }, "delete new", "stat new"},
		{"list", func() error { _, err := p.backend.List(ctx, backends.Query{Delimiter: true}); return err }, "list GONE delimiter|list delimiter", "list delimiter"},
	} {
		p.frontR.Take()
		p.behindR.Take()
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		front := p.frontR.Take()
		slices.Sort(front)
		for i, call := range front {
			if words := strings.Fields(call); strings.HasPrefix(words[1], ".causeway/gone/") {
				front[i] = words[0] + " GONE " + strings.Join(words[2:], " ")
			}
		}
		if got := strings.Join(front, "|"); got != c.front {
			t.Errorf("%s: here %q, want %q", c.what, got, c.front)
		}
		if got := strings.Join(p.behindR.Take(), "|"); got != c.behind {
			t.Errorf("%s: behind %q, want %q", c.what, got, c.behind)
		}
	}
	if n := backendtest.Requests(p.frontR.Take()); n != 0 {
		t.Errorf("%d requests more", n)
	}
}

func errIf(wrong bool) error {
	if wrong {
		return errors.New("what is behind may have it")
	}
	return nil
}
