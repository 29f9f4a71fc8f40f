package cache_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/cache"
)

// TestCacheAnswersAsTheStoreDoes compares cache(mem) with mem under random operations
// when nobody writes behind the cache's back. The cache is small, so it evicts as well.
func TestCacheAnswersAsTheStoreDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1e9, 0)
		store := mem.New(mem.Options{
			PageSize: rapid.IntRange(1, 4).Draw(t, "page size"),
			Partial:  rapid.Bool().Draw(t, "partial"),
		})
		c := cache.New(cache.Options{
			TTL:     10 * time.Second,
			Entries: rapid.IntRange(1, 30).Draw(t, "entries"),
			Now:     func() time.Time { return now },
		}).Backend(store)
		m := &model{store: store, cache: c, now: &now, ways: []*cache.Backend{c, c.Through(store)}}
		t.Repeat(map[string]func(*rapid.T){
			"put":    m.put,
			"delete": m.delete,
			"move":   m.move,
			"copy":   m.copy,
			"stat":   m.stat,
			"list":   m.list,
			"peek":   m.peek,
			"park":   m.park,
			"resume": m.resume,
			"drop":   m.drop,
			"parked": m.parked,
			"turn":   m.turn,
			"wait":   func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 9).Draw(t, "seconds")) * time.Second) },
		})
	})
}

type model struct {
	store *mem.Store
	cache *cache.Backend // one of ways
	ways  []*cache.Backend
	now   *time.Time
}

// turn takes another way to the store: each must know what was written through the other.
func (m *model) turn(t *rapid.T) { m.cache = rapid.SampledFrom(m.ways).Draw(t, "way") }

var keys = rapid.OneOf(
	rapid.StringMatching(`([ab]/){0,3}[abc]?`).Filter(func(s string) bool { return s != "" }),
	rapid.SampledFrom([]string{"a/b-c", "a/b", "a/b/", "a//b", "/", "a!", "x\x00y"}),
)

// parkedKeys are few, and so that the Alternate of resume soon comes to a free one.
var parkedKeys = rapid.SampledFrom([]string{"a", "a/a", "a/b", "a/b/c", "b", "c", "d", "e"})

func (m *model) put(t *rapid.T) {
	key := keys.Draw(t, "key")
	if !backends.ValidKey(key) {
		return
	}
	put(t, t.Context(), m.cache, key, strings.Repeat("x", rapid.IntRange(0, 9).Draw(t, "size")))
}

func (m *model) delete(t *rapid.T) {
	o := backends.DeleteOptions{IfMatch: rapid.SampledFrom([]string{"", "", "other"}).Draw(t, "etag")}
	m.cache.Delete(t.Context(), keys.Draw(t, "key"), o)
}

func (m *model) move(t *rapid.T) {
	o := backends.CopyOptions{IfAbsent: rapid.Bool().Draw(t, "if absent")}
	backends.Move(t.Context(), m.cache, keys.Draw(t, "to"), keys.Draw(t, "from"), o)
}

func (m *model) copy(t *rapid.T) {
	o := backends.CopyOptions{Metadata: map[string]string{"mtime": "1"}}
	backends.Copy(t.Context(), m.cache, keys.Draw(t, "to"), keys.Draw(t, "from"), o)
}

func (m *model) stat(t *rapid.T) {
	key, o := keys.Draw(t, "key"), backends.StatOptions{Complete: rapid.Bool().Draw(t, "complete")}
	got, err := m.cache.Stat(t.Context(), key, o)
	want, wantErr := m.store.Stat(t.Context(), key, o)
	if (err == nil) != (wantErr == nil) || err != nil && kindOf(err) != kindOf(wantErr) {
		t.Fatalf("stat %q: %v, want %v", key, err, wantErr)
	}
	if got.Size != want.Size || got.ETag != want.ETag || got.Key != want.Key || !got.ModTime.Equal(want.ModTime) {
		t.Fatalf("stat %q: %+v, want %+v", key, got, want)
	}
	if o.Complete && (got.Partial || !got.Time().Equal(want.Time()) || len(got.Sums) != len(want.Sums)) {
		t.Fatalf("complete stat %q: %+v, want %+v", key, got, want)
	}
}

func (m *model) list(t *rapid.T) {
	q := backends.Query{
		Prefix:    rapid.SampledFrom([]string{"", "a/", "a/b/", "b/", "a//", "a/b/c/", "a", "/"}).Draw(t, "prefix"),
		Delimiter: rapid.Bool().Draw(t, "delimiter"),
		Limit:     rapid.IntRange(0, 2).Draw(t, "limit"),
	}
	for {
		got, err := m.cache.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := listOf(t.Context(), m.cache, q), listOf(t.Context(), m.store, q); got != want {
			t.Fatalf("list %+v: %q, want %q", q, got, want)
		}
		if q.Token = got.Next; q.Token == "" {
			return
		}
	}
}

func (m *model) park(t *rapid.T) {
	key := parkedKeys.Draw(t, "key")
	park(t, t.Context(), m.cache, key, strings.Repeat("x", rapid.IntRange(0, 9).Draw(t, "size")))
}

// any is an upload that is parked, if one is.
func (m *model) any(t *rapid.T) (backends.Parked, bool) {
	all := uploads(t, t.Context(), m.cache, backends.ParkedQuery{})
	if len(all) == 0 {
		return backends.Parked{}, false
	}
	return rapid.SampledFrom(all).Draw(t, "parked"), true
}

// resume goes on with an upload and ends it in one of the three ways, or leaves it open.
func (m *model) resume(t *rapid.T) {
	p, ok := m.any(t)
	if !ok {
		return
	}
	o := backends.CreateOptions{Resume: p.ID, At: p.Size + int64(rapid.IntRange(-1, 1).Draw(t, "at")), IfAbsent: rapid.Bool().Draw(t, "if absent")}
	o.Alternate = func() string { return parkedKeys.Draw(t, "other key") }
	u, err := m.cache.Create(t.Context(), p.Key, o)
	if err != nil {
		return
	}
	switch rapid.IntRange(0, 3).Draw(t, "end") {
	case 0:
		u.Park()
	case 1:
		u.Abort()
	case 2:
		u.Commit()
	}
}

func (m *model) drop(t *rapid.T) {
	if p, ok := m.any(t); ok {
		if err := m.cache.Discard(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *model) parked(t *rapid.T) {
	q := backends.ParkedQuery{
		Prefix: rapid.SampledFrom([]string{"", "a", "a/", "a/b"}).Draw(t, "prefix"),
		Direct: rapid.Bool().Draw(t, "direct"),
		Fresh:  rapid.Bool().Draw(t, "fresh"),
	}
	if got, want := uploads(t, t.Context(), m.cache, q), uploads(t, t.Context(), m.store, q); !slices.Equal(got, want) {
		t.Fatalf("parked %+v: %+v, want %+v", q, got, want)
	}
}

func (m *model) peek(t *rapid.T) {
	prefix := rapid.SampledFrom([]string{"", "a/", "a/b/", "b/", "a//", "a/b/c/", "a", "/"}).Draw(t, "prefix")
	exists, known := m.cache.PeekPrefix(prefix)
	if want, _ := backends.HasPrefix(t.Context(), m.store, prefix); known && exists != want {
		t.Fatalf("peek %q: %t, want %t", prefix, exists, want)
	}
}
