package readthrough_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/readthrough"
)

// stubborn is a store that never takes one key.
type stubborn struct {
	backends.Backend
	key string
	err error
}

func (s stubborn) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if key == s.key {
		return nil, s.err
	}
	return s.Backend.Create(ctx, key, o)
}

// TestS66_MirrorGoesOnBehindAKey that is never taken.
func TestS66_MirrorGoesOnBehindAKey(t *testing.T) {
	for _, kind := range []error{fs.ErrPermission, backends.ErrUnavailable} {
		t.Run(kind.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMirrored(t)
				m.route(readthrough.Route{Prefix: "m/", Path: "old/", Mirror: true,
					Behind: stubborn{m.behind, "old/a", &backends.Error{Op: "create", Key: "old/a", Kind: kind}}})
				want := map[string]string{}
				for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
					m.put("m/"+name, name)
					want[name] = name
				}
				delete(want, "a")
				later(time.Hour)
				m.is("but for one", want)
				if m.routes.Queued() != 1 {
					t.Errorf("%d queued", m.routes.Queued())
				}
			})
		})
	}
}

// TestS66_MirrorLeavesDirectoriesThatAreNotEmpty behind, until they are.
func TestS66_MirrorLeavesDirectoriesThatAreNotEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		m.put("m/d/", "")
		later(time.Minute)
		m.old.Add(backendtest.Fault{Verb: "delete", Err: &backends.Error{Op: "delete", Kind: backends.ErrUnavailable}})
		m.remove("m/d/")
		if err := write(t.Context(), m.behind, "old/d/theirs", "1", backends.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		m.old.Clear()
		later(time.Hour)
		m.is("in use", map[string]string{"d/": "", "d/theirs": "1"})
		if err := m.behind.Delete(t.Context(), "old/d/theirs", backends.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		later(10 * time.Minute)
		m.is("empty", map[string]string{})
		m.done("empty")
	})
}

// hasty is a store in whose creates something happens.
type hasty struct {
	backends.Backend
	meanwhile func()
}

func (h *hasty) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if h.meanwhile != nil {
		h.meanwhile()
		h.meanwhile = nil
	}
	return h.Backend.Create(ctx, key, o)
}

// TestS66_MirrorLooksAgain: a key that is written again while it is made behind, by another gateway
// that is faster, does not become what it was.
func TestS66_MirrorLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		h := &hasty{Backend: m.behind}
		m.route(readthrough.Route{Prefix: "m/", Path: "old/", Behind: h, Mirror: true})
		h.meanwhile = func() {
			if err := errors.Join(write(t.Context(), m.front, "m/a", "two", backends.CreateOptions{}),
				write(t.Context(), m.behind, "old/a", "two", backends.CreateOptions{})); err != nil {
				t.Error(err)
			}
		}
		m.put("m/a", "1")
		later(time.Minute)
		m.is("written twice", map[string]string{"a": "two"})
		m.done("written twice")
	})
}

// TestS66_MirrorOvertaken: a key is written or deleted here while it is made behind, where the server
// sets no times, so that what was made seems to be newer.
func TestS66_MirrorOvertaken(t *testing.T) {
	for name, want := range map[string]map[string]string{"written": {"a": "two"}, "deleted": {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMirrored(t)
				h := &hasty{Backend: m.behind}
				m.route(readthrough.Route{Prefix: "m/", Path: "old/", Behind: h, Mirror: true})
				h.meanwhile = func() {
					if len(want) == 0 {
						m.remove("m/a")
					} else {
						m.put("m/a", "two")
					}
					time.Sleep(time.Second)
				}
				m.put("m/a", "1")
				later(time.Minute)
				m.is(name, want)
				m.done(name)
			})
		})
	}
}

// tardy is a store whose changes come to pass a while after it has failed to say so.
type tardy struct {
	backends.Backend
	after time.Duration
}

var errTardy = &backends.Error{Op: "change", Kind: backends.ErrUnavailable}

func (s tardy) change(do func()) {
	if s.after == 0 {
		do()
		return
	}
	time.AfterFunc(s.after, do)
}

func (s tardy) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	s.change(func() { _ = s.Backend.Delete(ctx, key, o) })
	return errTardy
}

func (s tardy) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := s.Backend.Create(ctx, key, o)
	return tardyUpload{u, s}, err
}

func (s tardy) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	s.change(func() { _, _ = backends.Copy(ctx, s.Backend, dst, src, o) })
	return backends.Object{}, errTardy
}

func (s tardy) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	s.change(func() { _, _, _ = backends.Move(ctx, s.Backend, dst, src, o) })
	return backends.Object{}, errTardy
}

type tardyUpload struct {
	backends.Upload
	s tardy
}

func (u tardyUpload) Commit() (backends.Object, error) {
	u.s.change(func() { _, _ = u.Upload.Commit() })
	return backends.Object{}, errTardy
}

func (tardyUpload) Abort() error { return nil }

// TestS66_MirrorOfAChangeInDoubt: what comes to pass here after its client was told that nobody knows
// is made behind all the same, and soon if it has come to pass by then.
func TestS66_MirrorOfAChangeInDoubt(t *testing.T) {
	for _, after := range []time.Duration{0, 2 * time.Minute, 9 * time.Minute} {
		t.Run(after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMirrored(t)
				m.put("m/old", "1")
				m.put("m/from", "2")
				m.put("m/here", "3")
				later(time.Minute)
				m.store = m.routes.Over(tardy{m.front, after})
				if err := write(t.Context(), m.store, "m/new", "1", backends.CreateOptions{}); !errors.Is(err, backends.ErrUnavailable) {
					t.Fatal(err)
				}
				if err := m.store.Delete(t.Context(), "m/old", backends.DeleteOptions{}); !errors.Is(err, backends.ErrUnavailable) {
					t.Fatal(err)
				}
				if _, err := backends.Copy(t.Context(), m.store, "m/copy", "m/here", backends.CopyOptions{}); !errors.Is(err, backends.ErrUnavailable) {
					t.Fatal(err)
				}
				if _, _, err := backends.Move(t.Context(), m.store, "m/to", "m/from", backends.CopyOptions{}); !errors.Is(err, backends.ErrUnavailable) {
					t.Fatal(err)
				}
				later(time.Minute)
				made := map[string]string{"new": "1", "copy": "3", "here": "3", "to": "2"}
				not := map[string]string{"old": "1", "from": "2", "here": "3"}
				if after == 0 {
					not = made
				}
				m.is("in doubt", not)
				later(11 * time.Minute)
				m.is("settled", made)
				m.done("settled")
			})
		})
	}
}

// TestS66_MirrorOfWhatNeverCameToPass leaves no record.
func TestS66_MirrorOfWhatNeverCameToPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		m.way.Add(backendtest.Fault{Verb: "commit", Err: errTardy})
		if err := write(t.Context(), m.store, "m/a", "1", backends.CreateOptions{}); !errors.Is(err, backends.ErrUnavailable) {
			t.Fatal(err)
		}
		later(12 * time.Minute)
		m.is("settled", map[string]string{})
		m.done("settled")
	})
}

// away is a store that does not answer for a while, of one key sooner than of another, and that
// takes its time.
type away struct {
	backends.Backend
	until time.Time
}

func (a away) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	if time.Now().Before(a.until) {
		if key == "old/b" {
			time.Sleep(time.Millisecond)
		}
		return backends.Object{}, &backends.Error{Op: "stat", Key: key, Kind: backends.ErrUnavailable}
	}
	time.Sleep(10 * time.Millisecond)
	return a.Backend.Stat(ctx, key, o)
}

// TestS66_MirrorPassesNobodyOver: what is due a moment after the other, while that is made, is not
// left for a minute.
func TestS66_MirrorPassesNobodyOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		m.route(readthrough.Route{Prefix: "m/", Path: "old/", Mirror: true, Behind: away{m.behind, time.Now().Add(500 * time.Millisecond)}})
		m.put("m/a", "1")
		m.put("m/b", "1")
		later(30 * time.Second)
		m.is("back", map[string]string{"a": "1", "b": "1"})
	})
}
