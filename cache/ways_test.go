package cache_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/cache"
)

// confined is a store for credentials that may see and write what begins with prefix alone.
type confined struct {
	backends.Backend
	prefix string
	asked  int
}

func (c *confined) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	if c.asked++; !strings.HasPrefix(key, c.prefix) {
		return backends.Object{}, &backends.Error{Op: "stat", Key: key, Kind: fs.ErrPermission}
	}
	return c.Backend.Stat(ctx, key, o)
}

func (c *confined) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	if c.asked++; !strings.HasPrefix(q.Prefix, c.prefix) {
		return backends.ParkedPage{}, &backends.Error{Op: "park", Key: q.Prefix, Kind: fs.ErrPermission}
	}
	return c.Backend.(backends.Parker).Parked(ctx, q)
}

func (c *confined) Discard(ctx context.Context, p backends.Parked) error {
	return backends.Discard(ctx, c.Backend, p)
}

// TestX19_WaysShareNoAnswers: what credentials that may see have been told is not told to
// others that may not, and what is written by either is seen by both at once.
func TestX19_WaysShareNoAnswers(t *testing.T) {
	store := mem.New(mem.Options{})
	all := cache.New(cache.Options{TTL: time.Hour}).Backend(store)
	alice := all.Through(&confined{Backend: store, prefix: "alice/"})
	put(t, t.Context(), all, "bob/secret", "1")
	if _, err := all.Stat(t.Context(), "bob/secret", backends.StatOptions{}); err != nil {
		t.Fatal(err)
	}
	if o, err := alice.Stat(t.Context(), "bob/secret", backends.StatOptions{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("another's credentials were told %+v, %v", o, err)
	}
	put(t, t.Context(), all, "alice/x", "1")
	for _, content := range []string{"12", "123"} {
		for writer, reader := range map[*cache.Backend]*cache.Backend{all: alice, alice: all} {
			size(t, reader, "alice/x")
			put(t, t.Context(), writer, "alice/x", content)
			if got := size(t, reader, "alice/x"); got != int64(len(content)) {
				t.Errorf("%d octets after %d were written by other credentials", got, len(content))
			}
		}
	}
}

func size(t *testing.T, b backends.Backend, key string) int64 {
	t.Helper()
	o, err := b.Stat(t.Context(), key, backends.StatOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o.Size
}

// TestParkedOfConfinedCredentials: who may not list all that is parked is told of their own.
func TestParkedOfConfinedCredentials(t *testing.T) {
	store := mem.New(mem.Options{})
	way := &confined{Backend: store, prefix: "alice/"}
	alice := cache.New(cache.Options{TTL: time.Hour}).Backend(store).Through(way)
	park(t, t.Context(), store, "bob/x", "12345")
	park(t, t.Context(), store, "alice/x", "123")
	q := backends.ParkedQuery{Prefix: "alice/x", Direct: true}
	if got := parkedOf(t, t.Context(), alice, q); got != "alice/x:3" {
		t.Errorf("parked %q", got)
	}
	before := way.asked
	if parkedOf(t, t.Context(), alice, q); way.asked != before+1 {
		t.Errorf("%d requests to ask again, want 1", way.asked-before)
	}
	for _, fresh := range []bool{false, true} {
		_, err := alice.Parked(t.Context(), backends.ParkedQuery{Fresh: fresh})
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("all that is parked, fresh %v: %v", fresh, err)
		}
	}
}

// TestWayThatLeft answers from its store alone, and others learn of its writes all the same.
func TestWayThatLeft(t *testing.T) {
	store := mem.New(mem.Options{})
	memory := cache.New(cache.Options{TTL: time.Hour})
	all := memory.Backend(store)
	way := &confined{Backend: store}
	gone := all.Through(way)
	put(t, t.Context(), gone, "x", "1")
	size(t, gone, "x")
	before := memory.Stats().Entries
	gone.Leave()
	if after := memory.Stats().Entries; after >= before {
		t.Errorf("%d entries of %d are left", after, before)
	}
	put(t, t.Context(), store, "x", "12")
	if got := size(t, gone, "x"); got != 2 {
		t.Errorf("%d octets were remembered", got)
	}
	size(t, all, "x")
	put(t, t.Context(), gone, "x", "123")
	if got := size(t, all, "x"); got != 3 {
		t.Errorf("%d octets after 3 were written by the way that left", got)
	}
}
