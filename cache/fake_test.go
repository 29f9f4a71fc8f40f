package cache_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/cache"
)

// spy is a store that writes down its requests and can hold them.
type spy struct {
	*mem.Store
	mu    sync.Mutex
	calls []string
	hold  func(call, when string) // called "before" and "after" the store has done it; may block
}

func newSpy(o mem.Options) *spy { return &spy{Store: mem.New(o)} }

func (s *spy) note(call string) func() {
	s.mu.Lock()
	s.calls = append(s.calls, call)
	hold := s.hold
	s.mu.Unlock()
	if hold == nil {
		return func() {}
	}
	hold(call, "before")
	return func() { hold(call, "after") }
}

// taken returns the requests since the last call.
func (s *spy) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

func (s *spy) want(t *testing.T, want ...string) {
	t.Helper()
	if got := s.taken(); !slices.Equal(got, want) {
		t.Errorf("requests: %q, want %q", got, want)
	}
}

func (s *spy) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	defer s.note("stat " + key)()
	return s.Store.Stat(ctx, key, o)
}

func (s *spy) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	defer s.note("list " + q.Prefix)()
	return s.Store.List(ctx, q)
}

func (s *spy) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	defer s.note("delete " + key)()
	return s.Store.Delete(ctx, key, o)
}

func (s *spy) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	defer s.note("move " + src + " " + dst)()
	return s.Store.Move(ctx, dst, src, o)
}

func (s *spy) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	defer s.note("parked " + q.Prefix)()
	return s.Store.Parked(ctx, q)
}

func (s *spy) Discard(ctx context.Context, p backends.Parked) error {
	defer s.note("discard " + p.Key)()
	return s.Store.Discard(ctx, p)
}

func (s *spy) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if o.Resume != "" {
		defer s.note("resume " + key)()
	}
	u, err := s.Store.Create(ctx, key, o)
	return &spyUpload{u, s, key}, err
}

type spyUpload struct {
	backends.Upload
	spy *spy
	key string
}

func (u *spyUpload) Commit() (backends.Object, error) {
	defer u.spy.note("commit " + u.key)()
	return u.Upload.Commit()
}

func (u *spyUpload) Park() (int64, error) {
	defer u.spy.note("park " + u.key)()
	return u.Upload.Park()
}

// bench is a cache over a spy with a clock of its own.
type bench struct {
	*testing.T
	ctx   context.Context
	spy   *spy
	cache *cache.Backend
	now   time.Time
}

func newBench(t *testing.T, m mem.Options, o cache.Options) *bench {
	b := &bench{T: t, ctx: t.Context(), spy: newSpy(m), now: time.Unix(1e9, 0)}
	if o.TTL == 0 {
		o.TTL = 5 * time.Second
	}
	o.Now = func() time.Time { return b.now }
	b.cache = cache.New(o).Backend(b.spy)
	return b
}

// behind writes keys without the cache's knowledge.
func (b *bench) behind(keys ...string) {
	b.Helper()
	for _, key := range keys {
		put(b, b.ctx, b.spy.Store, key, "behind")
	}
}

func (b *bench) stat(key string) string { return statOf(b.ctx, b.cache, key, backends.StatOptions{}) }

func (b *bench) complete(key string) string {
	return statOf(b.ctx, b.cache, key, backends.StatOptions{Complete: true})
}

func (b *bench) list(prefix string) string {
	return listOf(b.ctx, b.cache, backends.Query{Prefix: prefix, Delimiter: true})
}

func (b *bench) peek(prefix string) string {
	exists, known := b.cache.PeekPrefix(prefix)
	if !known {
		return "unknown"
	}
	return fmt.Sprint(exists)
}

func (b *bench) equal(got, want string) {
	b.Helper()
	if got != want {
		b.Errorf("got %q, want %q", got, want)
	}
}

// failer is *testing.T, *testing.B or *rapid.T.
type failer interface {
	Helper()
	Fatal(...any)
}

func put(t failer, ctx context.Context, b backends.Backend, key, content string) {
	t.Helper()
	u, err := b.Create(ctx, key, backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	if _, err := u.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
}

// statOf is the size of an object, or the kind of error.
func statOf(ctx context.Context, b backends.Backend, key string, o backends.StatOptions) string {
	obj, err := b.Stat(ctx, key, o)
	if err != nil {
		return kindOf(err)
	}
	return fmt.Sprint(obj.Size)
}

// listOf is the names on a page.
func listOf(ctx context.Context, b backends.Backend, q backends.Query) string {
	page, err := b.List(ctx, q)
	if err != nil {
		return kindOf(err)
	}
	names := slices.Clone(page.Prefixes)
	for _, o := range page.Objects {
		names = append(names, fmt.Sprintf("%s:%d", o.Key, o.Size))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
