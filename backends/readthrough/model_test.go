package readthrough_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/backends/readthrough"
)

// clock is that of all stores of a test, which goes on by a second with each change.
type clock struct{ seconds atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(1e9+c.seconds.Load(), 0) }

func (c *clock) tick() { c.seconds.Add(1) }

// world is a front with two stores behind it, one behind a part of what the other is behind, and
// what all of it must look like.
type world struct {
	*testing.T
	clock   clock
	front   *mem.Store
	behind  map[string]*mem.Store // by the prefix of the route
	backend readthrough.Backend

	model map[string]string          // visible keys and their contents
	raw   map[string]map[string]bool // keys that stores behind have, hidden or not, by prefix of the route
	gone  map[string]bool            // directories that were removed
}

func newWorld(t *testing.T, pageSize int, partial bool) *world {
	w := &world{T: t, model: map[string]string{}, raw: map[string]map[string]bool{}, gone: map[string]bool{}, behind: map[string]*mem.Store{}}
	o := mem.Options{PageSize: pageSize, Partial: partial, Now: w.clock.now}
	w.front = mem.New(o)
	for _, prefix := range []string{"p/", "p/b/"} {
		w.behind[prefix], w.raw[prefix] = mem.New(o), map[string]bool{}
	}
	w.reopen()
	return w
}

// reopen is a new process's view of the same stores.
func (w *world) reopen() {
	r := readthrough.NewRoutes(w.front, readthrough.Options{Now: w.clock.now})
	r.Replace([]readthrough.Route{
		{Prefix: "p/", Behind: w.behind["p/"], Path: "q/", CopyOnRead: true},
		{Prefix: "p/b/", Behind: w.behind["p/b/"]},
	})
	w.backend = r.Over(w.front)
}

// route is the prefix of the route of key, and what the key is behind it.
func (w *world) route(key string) (prefix, behind string) {
	if rest, ok := strings.CutPrefix(key, "p/b/"); ok {
		return "p/b/", rest
	}
	if rest, ok := strings.CutPrefix(key, "p/"); ok {
		return "p/", "q/" + rest
	}
	return "", ""
}

func put(t *testing.T, b backends.Backend, key, content string, o backends.CreateOptions) (backends.Object, error) {
	t.Helper()
	u, err := b.Create(t.Context(), key, o)
	if err != nil {
		return backends.Object{}, err
	}
	defer func() { _ = u.Abort() }()
	if _, err := io.WriteString(u, content); err != nil {
		return backends.Object{}, err
	}
	return u.Commit()
}

func get(t *testing.T, b backends.Backend, key string) (string, error) {
	t.Helper()
	r, err := b.Open(t.Context(), key, backends.OpenOptions{})
	if err != nil {
		return "", err
	}
	p, err := io.ReadAll(r)
	return string(p), errors.Join(err, r.Close())
}

// putBehind is what a client of the old server does.
func (w *world) putBehind(key, content string) {
	prefix, behind := w.route(key)
	if behind == "" {
		return
	}
	if _, err := put(w.T, w.behind[prefix], behind, content, backends.CreateOptions{}); err != nil {
		w.Fatalf("put %q behind: %v", key, err)
	}
	w.raw[prefix][key] = true
	for dir := range w.gone {
		if strings.HasPrefix(key, dir) {
			return
		}
	}
	w.model[key] = content
}

// used tells whether anything but its marker is visible in a directory.
func (w *world) used(dir string) bool {
	for key := range w.model {
		if key != dir && strings.HasPrefix(key, dir) {
			return true
		}
	}
	return false
}

// remove changes the model as a delete of key does.
func (w *world) remove(key string) {
	prefix, _ := w.route(key)
	if !strings.HasSuffix(key, "/") || prefix == "" {
		delete(w.model, key)
		return
	}
	under := false
	for raw := range w.raw[prefix] {
		under = under || strings.HasPrefix(raw, key)
	}
	switch hidden := slices.ContainsFunc(slices.Collect(maps.Keys(w.gone)), func(dir string) bool { return strings.HasPrefix(key, dir) }); {
	case !under || !w.used(key):
		delete(w.model, key)
		if under {
			w.gone[key] = true
		}
	case !w.raw[prefix][key] || hidden:
		delete(w.model, key)
	}
}

// step changes something.
func (w *world) step(r *rand.Rand, keys []string) string {
	w.clock.tick()
	key, other, content := keys[r.IntN(len(keys))], keys[r.IntN(len(keys))], fmt.Sprint(r.IntN(1000))
	dir := strings.HasSuffix(key, "/")
	if dir {
		content = ""
	}
	was, exists := w.model[key]
	switch action := r.IntN(9); action {
	case 0, 1:
		w.putBehind(key, content)
		return "put behind " + key
	case 2:
		_, err := put(w.T, w.backend, key, content, backends.CreateOptions{})
		w.want(err, nil)
		w.model[key] = content
		return "put " + key
	case 3:
		_, err := put(w.T, w.backend, key, content, backends.CreateOptions{IfAbsent: true})
		if !exists {
			w.model[key] = content
			w.want(err, nil)
		} else {
			w.want(err, fs.ErrExist)
		}
		return "put if absent " + key
	case 4, 5:
		w.want(w.backend.Delete(w.Context(), key, backends.DeleteOptions{}), nil)
		w.remove(key)
		return "delete " + key
	case 6:
		if dir || !exists || strings.HasSuffix(other, "/") || key == other {
			return "nothing"
		}
		_, _, err := backends.Move(w.Context(), w.backend, other, key, backends.CopyOptions{})
		w.want(err, nil)
		w.remove(key)
		w.model[other] = was
		return "move " + key + " " + other
	case 7:
		if dir || !exists || strings.HasSuffix(other, "/") || key == other {
			return "nothing"
		}
		_, taken := w.model[other]
		_, err := backends.Copy(w.Context(), w.backend, other, key, backends.CopyOptions{IfAbsent: true})
		if taken {
			w.want(err, fs.ErrExist)
		} else {
			w.want(err, nil)
			w.model[other] = was
		}
		return "copy " + key + " " + other
	default:
		w.reopen()
		return "reopen"
	}
}

func (w *world) want(got, want error) {
	w.Helper()
	if !errors.Is(got, want) {
		w.Fatalf("got error %v, want %v", got, want)
	}
}

// check compares one listing, and all that is to be known of one key.
func (w *world) check(r *rand.Rand, keys []string, prefixes []string) {
	w.Helper()
	q := backends.Query{Prefix: prefixes[r.IntN(len(prefixes))], Delimiter: r.IntN(2) == 0, Limit: r.IntN(4), Fresh: r.IntN(2) == 0}
	if got, want := list(w.T, w.backend, q), w.listing(q); !slices.Equal(got, want) {
		w.Fatalf("list %+v\n got %q\nwant %q", q, got, want)
	}
	key := keys[r.IntN(len(keys))]
	want, exists := w.model[key]
	obj, err := w.backend.Stat(w.Context(), key, backends.StatOptions{Complete: true})
	if !exists {
		w.want(err, fs.ErrNotExist)
		_, err := get(w.T, w.backend, key)
		w.want(err, fs.ErrNotExist)
		return
	}
	if err != nil || obj.Size != int64(len(want)) || obj.Key != key {
		w.Fatalf("stat %q: %+v, %v; want %d octets", key, obj, err, len(want))
	}
	if got, err := get(w.T, w.backend, key); err != nil || got != want {
		w.Fatalf("get %q: %q, %v; want %q", key, got, err, want)
	}
	if then := w.listing(q); !slices.Equal(list(w.T, w.backend, q), then) {
		w.Fatalf("list %+v is not %q after a read", q, then)
	}
}

// listing is what q lists by the model: objects with their contents, prefixes without.
func (w *world) listing(q backends.Query) []string {
	var entries []string
	for _, key := range slices.Sorted(maps.Keys(w.model)) {
		rest, ok := strings.CutPrefix(key, q.Prefix)
		if !ok {
			continue
		}
		entry := fmt.Sprint(key, " ", len(w.model[key]))
		if i := strings.IndexByte(rest, '/'); q.Delimiter && i >= 0 {
			entry = q.Prefix + rest[:i+1]
		}
		if len(entries) == 0 || entries[len(entries)-1] != entry {
			entries = append(entries, entry)
		}
	}
	return entries
}

// list is what b lists, as [world.listing] has it, page after page.
func list(t *testing.T, b backends.Backend, q backends.Query) []string {
	t.Helper()
	var entries []string
	for {
		page, err := b.List(t.Context(), q)
		if err != nil {
			t.Fatalf("list %+v: %v", q, err)
		}
		if n := len(page.Objects) + len(page.Prefixes); q.Limit > 0 && n > q.Limit {
			t.Fatalf("list %+v: page of %d entries", q, n)
		}
		for len(page.Objects)+len(page.Prefixes) > 0 {
			if len(page.Prefixes) == 0 || len(page.Objects) > 0 && page.Objects[0].Key < page.Prefixes[0] {
				if key := page.Objects[0].Key; !strings.HasPrefix(key, backends.Reserved) {
					entries = append(entries, fmt.Sprint(key, " ", page.Objects[0].Size))
				}
				page.Objects = page.Objects[1:]
				continue
			}
			if page.Prefixes[0] != backends.Reserved+"/" {
				entries = append(entries, page.Prefixes[0])
			}
			page.Prefixes = page.Prefixes[1:]
		}
		if q.Token = page.Next; q.Token == "" {
			return entries
		}
	}
}

var (
	modelKeys = []string{
		"o", "p/", "p/a", "p/a!", "p/a/", "p/a/x", "p/a/x/y", "p/a0", "p/b/", "p/b/1", "p/b/c/2", "p/b/c/", "p/ü", "p/z/z/z", "q/a", "p/b",
	}
	modelPrefixes = []string{"", "p", "p/", "p/a", "p/a/", "p/b", "p/b/", "p/b/c/", "p/z/", "p/z/z", "q", "none/"}
)

// TestS61_UnionIsAsTheModel: whatever is done on either side, in whatever order, what is seen is the
// union of both, newest first, without what was deleted here.
func TestS61_UnionIsAsTheModel(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := newWorld(t, int(seed%4), seed%3 == 0)
			var done []string
			defer func() {
				if t.Failed() {
					t.Log(strings.Join(done, "\n"))
				}
			}()
			for range 60 {
				done = append(done, w.step(r, modelKeys))
				w.check(r, modelKeys, modelPrefixes)
			}
		})
	}
}

// TestS22_S61_ListingsKeepWhatStays: keys that nobody touches are on every listing, once and in order,
// while others come and go on both sides between its pages.
func TestS22_S61_ListingsKeepWhatStays(t *testing.T) {
	w := newWorld(t, 3, false)
	var stays []string
	for i := range 40 {
		key := fmt.Sprintf("p/d%d/stays%02d", i%3, i)
		w.clock.tick()
		if i%2 == 0 {
			w.putBehind(key, "x")
		} else if _, err := put(t, w.backend, key, "x", backends.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		stays = append(stays, key+" 1")
	}
	slices.Sort(stays)
	var all sync.WaitGroup
	defer all.Wait()
	over := make(chan struct{})
	defer close(over)
	for i := range 3 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 2))
			for {
				select {
				case <-over:
					return
				default:
				}
				w.clock.tick()
				key := fmt.Sprintf("p/d%d/%c%d", r.IntN(3), "rstu"[r.IntN(4)], r.IntN(4))
				switch r.IntN(3) {
				case 0:
					_, _ = put(t, w.behind["p/"], "q/"+key[2:], "y", backends.CreateOptions{})
				case 1:
					_, _ = put(t, w.backend, key, "y", backends.CreateOptions{})
				default:
					_ = w.backend.Delete(t.Context(), key, backends.DeleteOptions{})
				}
			}
		})
	}
	for i := range 8 {
		got := list(t, w.backend, backends.Query{Prefix: "p/", Limit: i % 4})
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Fatalf("listing is out of order: %q", got)
		}
		got = slices.DeleteFunc(got, func(e string) bool { return !strings.Contains(e, "stays") })
		if !slices.Equal(got, stays) {
			t.Fatalf("got %q\nwant %q", got, stays)
		}
	}
}

// dated is a store whose clock shows another time.
type dated struct {
	*mem.Store
	when time.Time
}

func (s dated) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	obj, err := s.Store.Stat(ctx, key, o)
	obj.ModTime = s.when
	return obj, err
}

func (s dated) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	page, err := s.Store.List(ctx, q)
	for i := range page.Objects {
		page.Objects[i].ModTime = s.when
	}
	return page, err
}
