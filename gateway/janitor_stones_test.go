package gateway

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/backends/readthrough"
)

// TestS62_JanitorRemovesTombstones of what is nowhere any more, some time after a week.
func TestS62_JanitorRemovesTombstones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := mem.New(mem.Options{})
		routes := readthrough.NewRoutes(front, readthrough.Options{})
		routes.Replace([]readthrough.Route{{Behind: mem.New(mem.Options{}), Mirror: true}})
		log := new(syncBuffer)
		j := &janitor{
			stores: map[string]backends.Backend{"s": front}, behind: map[string]*readthrough.Routes{"s": routes},
			window: 24 * time.Hour, log: slog.New(slog.NewJSONHandler(log, nil)),
		}
		ctx, dismiss := context.WithCancel(t.Context())
		var working sync.WaitGroup
		working.Go(func() { j.run(ctx) })
		working.Go(func() { routes.Mirror(ctx) })
		defer working.Wait()
		defer dismiss()
		const spared = 1000 // in a directory
		for i := range spared {
			commit(t, front, fmt.Sprintf(".causeway/gone/%.16x/!%03d", sha256.Sum256(nil), i), "")
		}
		store := routes.Over(front)
		commit(t, store, "a.tmp", "content")
		if _, _, err := backends.Move(t.Context(), store, "a", "a.tmp", backends.CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		later(6 * 24 * time.Hour)
		if left := keys(t, front); len(left) != spared+2 {
			t.Errorf("within a week there are %q", left)
		}
		later(2*24*time.Hour + time.Hour)
		left := keys(t, front)
		if len(left) != spared+1 || slices.ContainsFunc(left, func(key string) bool { return strings.HasSuffix(key, "a.tmp") }) {
			t.Errorf("after that there are %q", left)
		}
		if n := strings.Count(log.String(), "tombstones"); n != 1 {
			t.Errorf("the log tells of tombstones %d times:\n%s", n, log)
		}
	})
}

// unlisted is a store of which the tombstones cannot be listed.
type unlisted struct {
	backends.Backend
	asked int
}

func (u *unlisted) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	if !strings.HasPrefix(q.Prefix, ".causeway/gone/") {
		return u.Backend.List(ctx, q)
	}
	u.asked++
	return backends.Page{}, &backends.Error{Op: "list", Key: q.Prefix, Kind: backends.ErrUnavailable}
}

// TestS62_JanitorLooksAtTombstonesDaily, also if it gets to no end.
func TestS62_JanitorLooksAtTombstonesDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := &unlisted{Backend: mem.New(mem.Options{})}
		routes := readthrough.NewRoutes(own, readthrough.Options{})
		routes.Replace([]readthrough.Route{{Behind: mem.New(mem.Options{}), Mirror: true}})
		j := &janitor{
			stores: map[string]backends.Backend{"s": own.Backend}, behind: map[string]*readthrough.Routes{"s": routes},
			window: 24 * time.Hour, log: slog.New(slog.DiscardHandler),
		}
		ctx, dismiss := context.WithCancel(t.Context())
		var working sync.WaitGroup
		working.Go(func() { j.run(ctx) })
		defer working.Wait()
		defer dismiss()
		later(3*24*time.Hour - time.Hour)
		if own.asked != 3 {
			t.Errorf("asked %d times in three days", own.asked)
		}
	})
}
