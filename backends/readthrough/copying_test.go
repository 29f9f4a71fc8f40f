package readthrough_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/backends/readthrough"
)

// told collects events, but for what is read from behind.
type told struct {
	mu     sync.Mutex
	events []readthrough.Event
}

func (o *told) observe(_ context.Context, _ readthrough.Route, e readthrough.Event, _ string, _ error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e != readthrough.Read {
		o.events = append(o.events, e)
	}
}

// take returns the events since the last call.
func (o *told) take() []readthrough.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	events := o.events
	o.events = nil
	return events
}

// pair is a front and what is behind all of it, each with faults and a record of its requests.
type pair struct {
	*testing.T
	told
	front, behind   *mem.Store
	frontFaults     *backendtest.Faults
	behindFaults    *backendtest.Faults
	frontR, behindR *backendtest.Recorder
	routes          *readthrough.Routes
	backend         readthrough.Backend
}

func newPair(t *testing.T, route readthrough.Route) *pair {
	p := &pair{T: t, front: mem.New(mem.Options{}), behind: mem.New(mem.Options{Now: func() time.Time { return time.Now().Add(-time.Hour) }})}
	p.frontR, p.behindR = backendtest.NewRecorder(p.front), backendtest.NewRecorder(p.behind)
	p.frontFaults, p.behindFaults = backendtest.NewFaults(p.frontR), backendtest.NewFaults(p.behindR)
	p.routes = readthrough.NewRoutes(p.frontFaults, readthrough.Options{
		Observer:    p.observe,
		ContentType: func(string) string { return "text/plain" },
	})
	route.Behind = p.behindFaults
	p.routes.Replace([]readthrough.Route{route})
	p.backend = p.routes.Over(p.frontFaults)
	return p
}

// put stores content on one side.
func (p *pair) put(b backends.Backend, key, content string) backends.Object {
	p.Helper()
	obj, err := put(p.T, b, key, content, backends.CreateOptions{})
	if err != nil {
		p.Fatalf("put %q: %v", key, err)
	}
	return obj
}

// has checks what a store has of a key; "" is nothing.
func (p *pair) has(b backends.Backend, key, want string) {
	p.Helper()
	got, err := get(p.T, b, key)
	switch {
	case want == "" && !errors.Is(err, fs.ErrNotExist):
		p.Errorf("%q is there: %q, %v", key, got, err)
	case want != "" && (err != nil || got != want):
		p.Errorf("%q is %q, %v; want %q", key, got, err, want)
	}
}

// away makes what is behind unreachable.
func (p *pair) away() {
	for _, verb := range []string{"stat", "list", "open", "create", "delete"} {
		p.behindFaults.Add(backendtest.Fault{Verb: verb, Err: &backends.Error{Op: verb, Kind: backends.ErrUnavailable}})
	}
}

func TestS63_ReadingStoresACopy(t *testing.T) {
	p := newPair(t, readthrough.Route{CopyOnRead: true})
	there := p.put(p.behind, "d/f", "content")
	p.has(p.backend, "d/f", "content")
	obj, err := p.front.Stat(t.Context(), "d/f", backends.StatOptions{})
	if err != nil || !obj.Time().Equal(there.ModTime) || obj.ContentType != "text/plain" || obj.Size != 7 {
		t.Errorf("the copy is %+v, %v", obj, err)
	}
	if got := p.take(); len(got) != 1 || got[0] != readthrough.Copied {
		t.Errorf("told %q", got)
	}
	p.behindR.Take()
	p.has(p.backend, "d/f", "content")
	if calls := strings.Join(p.behindR.Take(), "|"); calls != "stat d/f" {
		t.Errorf("behind was asked again: %s", calls)
	}
}

// TestS63_NoCopyOfAPart: what was not read to its end, or from its beginning, or came with an
// error, leaves nothing.
func TestS63_NoCopyOfAPart(t *testing.T) {
	read := func(p *pair, o backends.OpenOptions, octets int64) {
		p.Helper()
		r, err := p.backend.Open(p.Context(), "f", o)
		if err != nil {
			p.Fatal(err)
		}
		_, _ = io.CopyN(io.Discard, r, octets)
		_ = r.Close()
	}
	for name, c := range map[string]struct {
		route readthrough.Route
		do    func(*pair)
	}{
		"stopped early":      {readthrough.Route{CopyOnRead: true}, func(p *pair) { read(p, backends.OpenOptions{}, 3) }},
		"not from the start": {readthrough.Route{CopyOnRead: true}, func(p *pair) { read(p, backends.OpenOptions{Offset: 1}, 6) }},
		"not to the end":     {readthrough.Route{CopyOnRead: true}, func(p *pair) { read(p, backends.OpenOptions{Length: 6}, 6) }},
		"not asked for":      {readthrough.Route{}, func(p *pair) { read(p, backends.OpenOptions{}, 7) }},
		"gone meanwhile": {readthrough.Route{CopyOnRead: true}, func(p *pair) {
			ctx, cancel := context.WithCancel(p.Context())
			r, err := p.backend.Open(ctx, "f", backends.OpenOptions{})
			if err != nil {
				p.Fatal(err)
			}
			_, _ = io.CopyN(io.Discard, r, 7)
			cancel()
			_ = r.Close()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, c.route)
			p.put(p.behind, "f", "content")
			c.do(p)
			p.has(p.front, "f", "")
			if left := p.front.Uploads(); len(left) > 0 || len(p.take()) > 0 {
				t.Errorf("left %q", left)
			}
		})
	}
}

// writtenTo is a store whose files are written to while they are read, which it tells at their
// end, as localdir and ftp do.
type writtenTo struct{ backends.Backend }

func (w writtenTo) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r, err := w.Backend.Open(ctx, key, o)
	if err != nil {
		return nil, err
	}
	end := iotest.ErrReader(&backends.Error{Op: "read", Key: key, Kind: backends.ErrChanged})
	return &backends.Reader{Object: r.Object, ReadCloser: struct {
		io.Reader
		io.Closer
	}{io.MultiReader(r, end), r}}, nil
}

// TestS63_NoCopyOfTwoVersions: that they have the size of one is not enough.
func TestS63_NoCopyOfTwoVersions(t *testing.T) {
	p := newPair(t, readthrough.Route{CopyOnRead: true})
	p.put(p.behind, "f", "content")
	p.routes.Replace([]readthrough.Route{{Behind: writtenTo{p.behind}, CopyOnRead: true}})
	if got, err := get(t, p.backend, "f"); !errors.Is(err, backends.ErrChanged) {
		t.Errorf("read %q, %v", got, err)
	}
	p.has(p.front, "f", "")
	if left := p.front.Uploads(); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

// TestS63_ReaderIsServedWhateverTheStoreDoes: it fails at each verb of the copy.
func TestS63_ReaderIsServedWhateverTheStoreDoes(t *testing.T) {
	for _, verb := range []string{"create", "write", "commit", "list"} {
		t.Run(verb, func(t *testing.T) {
			p := newPair(t, readthrough.Route{CopyOnRead: true})
			p.put(p.behind, "f", "content")
			p.frontFaults.Add(backendtest.Fault{Verb: verb, Err: &backends.Error{Op: verb, Kind: backends.ErrQuota}})
			p.has(p.backend, "f", "content")
			if got := p.take(); len(got) != 1 || got[0] != readthrough.NotCopied {
				t.Errorf("told %q", got)
			}
			p.has(p.front, "f", "")
			if left := p.front.Uploads(); len(left) > 0 {
				t.Errorf("left %q", left)
			}
			p.frontFaults.Clear()
			p.has(p.backend, "f", "content")
			p.has(p.front, "f", "content")
		})
	}
}

// TestS62_S63_WhatComesMeanwhileWins: the name is deleted, moved away or written while a copy of
// it is on its way.
func TestS62_S63_WhatComesMeanwhileWins(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*pair) error
		want string
	}{
		"deleted": {func(p *pair) error { return p.backend.Delete(p.Context(), "d/f", backends.DeleteOptions{}) }, ""},
		"moved": {func(p *pair) error {
			_, _, err := backends.Move(p.Context(), p.backend, "d/g", "d/f", backends.CopyOptions{})
			return err
		}, ""},
		"written": {func(p *pair) error { p.put(p.backend, "d/f", "new"); return nil }, "new"},
		"written and deleted": {func(p *pair) error {
			p.put(p.backend, "d/f", "new")
			return p.backend.Delete(p.Context(), "d/f", backends.DeleteOptions{})
		}, ""},
		"directory removed": {func(p *pair) error {
			err := p.backend.Delete(p.Context(), "d/f", backends.DeleteOptions{})
			return errors.Join(err, p.backend.Delete(p.Context(), "d/", backends.DeleteOptions{}))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, readthrough.Route{CopyOnRead: true})
			p.put(p.behind, "d/f", "content")
			p.put(p.behind, "d/", "")
			r, err := p.backend.Open(t.Context(), "d/f", backends.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, r, 3); err != nil {
				t.Fatal(err)
			}
			if err := c.do(p); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(r)
			if err = errors.Join(err, r.Close()); err != nil || string(rest) != "tent" {
				t.Errorf("the rest is %q, %v", rest, err)
			}
			p.has(p.backend, "d/f", c.want)
			p.has(p.front, "d/f", c.want)
			if left := p.front.Uploads(); len(left) > 0 {
				t.Errorf("left %q", left)
			}
		})
	}
}

// meddled is a front where something happens before, or after, the commit of a copy.
type meddled struct {
	backends.Backend
	before, after func()
}

func (m meddled) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := m.Backend.Create(ctx, key, o)
	if key != "f" || err != nil {
		return u, err
	}
	return meddledUpload{u, m}, nil
}

type meddledUpload struct {
	backends.Upload
	m meddled
}

func (u meddledUpload) Commit() (backends.Object, error) {
	u.m.before()
	defer u.m.after()
	return u.Upload.Commit()
}

// TestS62_AnotherGatewayDeletesAtTheCommit of a copy, about which the two have no lock.
func TestS62_AnotherGatewayDeletesAtTheCommit(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			p := newPair(t, readthrough.Route{})
			p.put(p.behind, "f", "content")
			other := over(p.front, readthrough.Route{Behind: p.behind})
			remove := func() {
				if err := other.Delete(t.Context(), "f", backends.DeleteOptions{}); err != nil {
					t.Error(err)
				}
			}
			front := meddled{p.front, remove, func() {}}
			if when == "after" {
				front.before, front.after = front.after, front.before
			}
			p.has(over(front, readthrough.Route{Behind: p.behind, CopyOnRead: true}), "f", "content")
			p.has(p.front, "f", "")
			p.has(other, "f", "")
		})
	}
}

// copier is a meddled front that copies.
type copier struct {
	meddled
	backends.Copier
}

// TestS64_AnotherCopyIsMadeMeanwhile, as by a migration: that one is gone on with. Another version
// is none of what was asked for.
func TestS64_AnotherCopyIsMadeMeanwhile(t *testing.T) {
	when := backends.FormatModTime(time.Unix(1e9, 0))
	for name, do := range map[string]func(context.Context, backends.Backend, string) error{
		"date": func(ctx context.Context, b backends.Backend, etag string) error {
			_, err := backends.Copy(ctx, b, "f", "f", backends.CopyOptions{SourceIfMatch: etag, Metadata: map[string]string{backends.MetaModTime: when}})
			return err
		},
		"append": func(ctx context.Context, b backends.Backend, etag string) error {
			u, err := b.Create(ctx, "f", backends.CreateOptions{At: 7, IfMatch: etag})
			if err != nil {
				return err
			}
			_, err = u.Commit()
			return err
		},
	} {
		for content, want := range map[string]error{"content": nil, "changed": backends.ErrChanged} {
			t.Run(name+" "+content, func(t *testing.T) {
				p := newPair(t, readthrough.Route{})
				old := p.put(p.behind, "f", "content")
				metadata := map[string]string{backends.MetaModTime: backends.FormatModTime(old.Time())}
				if want != nil {
					metadata = nil
				}
				var once sync.Once
				front := copier{meddled{p.front, func() {
					once.Do(func() {
						if _, err := put(t, p.front, "f", content, backends.CreateOptions{Metadata: metadata}); err != nil {
							t.Error(err)
						}
					})
				}, func() {}}, p.front}
				b := over(front, readthrough.Route{Behind: p.behind})
				seen, err := b.Stat(t.Context(), "f", backends.StatOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if err := do(t.Context(), b, seen.ETag); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				p.has(p.front, "f", content)
			})
		}
	}
}

// TestS62_RacesOfCopiesAndDeletes: many read, delete, move and write a few names at once. What was
// deleted last is gone when all have ended.
func TestS62_RacesOfCopiesAndDeletes(t *testing.T) {
	p := newPair(t, readthrough.Route{CopyOnRead: true})
	keys := []string{"d/a", "d/b", "d/c"}
	for _, key := range keys {
		p.put(p.behind, key, strings.Repeat(key, 100))
	}
	var readers, writers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 20 {
				for _, key := range keys {
					_, _ = get(t, p.backend, key)
				}
			}
		})
	}
	for _, key := range keys {
		writers.Go(func() {
			for range 10 {
				_, _ = put(t, p.backend, key, "new", backends.CreateOptions{})
				_, _, _ = backends.Move(t.Context(), p.backend, key+"-moved", key, backends.CopyOptions{})
			}
			if err := p.backend.Delete(t.Context(), key, backends.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	for _, key := range keys {
		p.has(p.backend, key, "")
	}
	readers.Wait()
	for _, key := range keys {
		p.has(p.backend, key, "")
		p.has(p.front, key, "")
	}
}
