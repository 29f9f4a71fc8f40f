package backends_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"causeway/backends"
	"causeway/backends/mem"
)

// shelf is a store that parks what its pages say, and counts how often it is asked.
type shelf struct {
	backends.Backend
	pages map[string]backends.ParkedPage
	err   error // of the pages that are not there
	asked int
}

func (s *shelf) Parked(_ context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	s.asked++
	if page, ok := s.pages[q.Token]; ok {
		return page, nil
	}
	return backends.ParkedPage{}, s.err
}

func (s *shelf) Discard(context.Context, backends.Parked) error { return s.err }

// told are the IDs that are yielded, and the error if one is.
func told(t *testing.T, b backends.Backend) (ids []string, err error) {
	t.Helper()
	for p, e := range backends.ParkedUploads(t.Context(), b, backends.ParkedQuery{}) {
		if err != nil {
			t.Error("something follows the error")
		}
		if err = e; err == nil {
			ids = append(ids, p.ID)
		}
	}
	return ids, err
}

func uploads(ids ...string) []backends.Parked {
	var all []backends.Parked
	for _, id := range ids {
		all = append(all, backends.Parked{ID: id})
	}
	return all
}

func TestParkedUploadsMergesPages(t *testing.T) {
	s := &shelf{pages: map[string]backends.ParkedPage{
		"":  {Uploads: uploads("a", "b"), Next: "1"},
		"1": {Next: "2"},
		"2": {Uploads: uploads("c")},
	}}
	if ids, err := told(t, s); err != nil || !slices.Equal(ids, []string{"a", "b", "c"}) {
		t.Error(ids, err)
	}
	s.asked = 0
	for range backends.ParkedUploads(t.Context(), s, backends.ParkedQuery{}) {
		break
	}
	if s.asked != 1 {
		t.Errorf("asked %d times for one upload", s.asked)
	}
}

func TestParkedUploadsTellsOfErrorsAtTheEnd(t *testing.T) {
	boom := errors.New("boom")
	s := &shelf{pages: map[string]backends.ParkedPage{"": {Uploads: uploads("a"), Next: "1"}}, err: boom}
	if ids, err := told(t, s); !errors.Is(err, boom) || !slices.Equal(ids, []string{"a"}) {
		t.Error(ids, err)
	}
}

func TestParkedUploadsEndsWithPagesThatGoInCircles(t *testing.T) {
	s := &shelf{pages: map[string]backends.ParkedPage{
		"":  {Uploads: uploads("a"), Next: "1"},
		"1": {Uploads: uploads("b"), Next: "2"},
		"2": {Uploads: uploads("c"), Next: "1"},
	}}
	if _, err := told(t, s); !errors.Is(err, backends.ErrUnavailable) {
		t.Error(err)
	}
}

func TestNothingIsParkedWhereNothingCanBe(t *testing.T) {
	decorator := &shelf{err: errors.ErrUnsupported}
	for _, b := range []backends.Backend{decorator, struct{ backends.Backend }{mem.New(mem.Options{})}} {
		if ids, err := told(t, b); len(ids) > 0 || err != nil {
			t.Error(ids, err)
		}
		if err := backends.Discard(t.Context(), b, backends.Parked{ID: "a", Key: "k"}); !errors.Is(err, errors.ErrUnsupported) {
			t.Error(err)
		}
	}
}

func TestParkedQueryMatches(t *testing.T) {
	for _, c := range []struct {
		q    backends.ParkedQuery
		key  string
		want bool
	}{
		{backends.ParkedQuery{}, "a/b", true},
		{backends.ParkedQuery{Direct: true}, "a/b", false},
		{backends.ParkedQuery{Direct: true}, "a", true},
		{backends.ParkedQuery{Prefix: "a/"}, "a/b/c", true},
		{backends.ParkedQuery{Prefix: "a/"}, "a", false},
		{backends.ParkedQuery{Prefix: "a/", Direct: true}, "a/b", true},
		{backends.ParkedQuery{Prefix: "a/", Direct: true}, "a/b/c", false},
		{backends.ParkedQuery{Prefix: "a", Direct: true}, "ab", true},
		{backends.ParkedQuery{Prefix: "a", Direct: true}, "a/b", false},
	} {
		if got := c.q.Matches(c.key); got != c.want {
			t.Errorf("%+v matches %q: %t", c.q, c.key, got)
		}
	}
}
