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
