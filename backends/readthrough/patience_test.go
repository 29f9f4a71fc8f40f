package readthrough_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/backends/readthrough"
)

// mute is a store that never answers.
type mute struct{ backends.Backend }

func (mute) Stat(ctx context.Context, key string, _ backends.StatOptions) (backends.Object, error) {
	<-ctx.Done()
	return backends.Object{}, &backends.Error{Op: "stat", Key: key, Kind: backends.ErrUnavailable, Err: ctx.Err()}
}

// TestS65_WhatIsHereDoesNotWaitForLong for an old server that is not heard of, not even that it is
// away: less than clients wait for a reply.
func TestS65_WhatIsHereDoesNotWaitForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told told
		front := mem.New(mem.Options{})
		r := readthrough.NewRoutes(front, readthrough.Options{Observer: told.observe})
		r.Replace([]readthrough.Route{{Behind: mute{mem.New(mem.Options{})}}})
		b := r.Over(front)
		for what, do := range map[string]func(context.Context) error{
			"stat":   func(ctx context.Context) error { _, err := b.Stat(ctx, "f", backends.StatOptions{}); return err },
			"open":   func(ctx context.Context) error { return readAll(ctx, b, "f") },
			"delete": func(ctx context.Context) error { return b.Delete(ctx, "f", backends.DeleteOptions{}) },
		} {
			if _, err := put(t, front, "f", "content", backends.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			if err := do(ctx); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			cancel()
			if got := told.take(); !slices.Equal(got, []readthrough.Event{readthrough.Unreachable}) {
				t.Errorf("%s: told %q", what, got)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := b.Stat(ctx, "there", backends.StatOptions{}); !errors.Is(err, backends.ErrUnavailable) || ctx.Err() == nil {
			t.Errorf("what only it may have: %v", err)
		}
	})
}

func readAll(ctx context.Context, b backends.Backend, key string) error {
	r, err := b.Open(ctx, key, backends.OpenOptions{})
	if err != nil {
		return err
	}
	return r.Close()
}
