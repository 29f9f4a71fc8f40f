package readthrough_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/backends/readthrough"
)

// terse is a store of which a cache remembers what a write has told: neither times nor more.
type terse struct{ backends.Backend }

func (s terse) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	obj, err := s.Backend.Stat(ctx, key, o)
	if err == nil && !o.Complete {
		obj = backends.Object{Key: obj.Key, Size: obj.Size, ETag: obj.ETag, Partial: true}
	}
	return obj, err
}

// TestS61_WhatWasJustWrittenCounts before what is behind, whatever is remembered of it.
func TestS61_WhatWasJustWrittenCounts(t *testing.T) {
	p := newPair(t, readthrough.Route{})
	p.put(p.behind, "f", "content")
	p.put(p.behind, "g", "content")
	b := over(terse{p.front}, readthrough.Route{Behind: p.behind})
	want := p.put(b, "f", "new")
	obj, err := b.Stat(t.Context(), "f", backends.StatOptions{})
	if err != nil || obj.ETag != want.ETag || obj.ModTime.IsZero() {
		t.Errorf("what is there is %+v, %v", obj, err)
	}
	if _, err := b.Open(t.Context(), "f", backends.OpenOptions{Offset: 5}); !errors.Is(err, backends.ErrRange) {
		t.Errorf("beyond its end: %v", err)
	}
	if _, _, err := backends.Move(t.Context(), b, "h", "f", backends.CopyOptions{SourceIfMatch: obj.ETag}); err != nil {
		t.Errorf("move: %v", err)
	}
	p.has(b, "f", "")
	p.has(b, "h", "new")
}

// rough is a store whose listings do not tell the seconds, nor the ETag that goes with them.
type rough struct{ backends.Backend }

const minutes = "minutes:"

func (s rough) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	obj, err := s.Backend.Stat(ctx, key, o)
	if err == nil && !o.Complete {
		obj.ETag, obj.Partial, obj.Metadata = minutes+obj.ETag, true, nil
	}
	return obj, err
}

func (s rough) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	o.IfMatch = strings.TrimPrefix(o.IfMatch, minutes)
	return s.Backend.Open(ctx, key, o)
}

// TestS62_VersionsOfListings that say less of the time are taken for what they were told of, and
// for nothing else.
func TestS62_VersionsOfListings(t *testing.T) {
	for name, copied := range map[string]bool{"behind": false, "copied here meanwhile": true} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, readthrough.Route{CopyOnRead: copied})
			p.put(p.behind, "f", "content")
			p.put(p.behind, "g", "content")
			b := over(p.front, readthrough.Route{Behind: rough{p.behind}, CopyOnRead: copied})
			seen := map[string]string{}
			for _, key := range []string{"f", "g"} {
				obj, err := b.Stat(t.Context(), key, backends.StatOptions{})
				if err != nil || !strings.Contains(obj.ETag, minutes) {
					t.Fatalf("%+v, %v", obj, err)
				}
				seen[key] = obj.ETag
				if copied {
					p.has(b, key, "content")
					p.has(p.front, key, "content")
				}
			}
			if _, _, err := backends.Move(t.Context(), b, "h", "f", backends.CopyOptions{SourceIfMatch: seen["f"]}); err != nil {
				t.Errorf("move: %v", err)
			}
			p.has(b, "f", "")
			p.has(b, "h", "content")
			p.put(p.behind, "g", "other one")
			if err := b.Delete(t.Context(), "g", backends.DeleteOptions{IfMatch: seen["g"]}); !errors.Is(err, backends.ErrChanged) {
				t.Errorf("delete of another version: %v", err)
			}
		})
	}
}
