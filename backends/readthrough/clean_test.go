package readthrough_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/readthrough"
)

// old is more than the age of tombstones that may be removed.
const old = 8 * 24 * time.Hour

// stones are the tombstones that there are.
func (m *mirrored) stones() []string {
	return slices.DeleteFunc(keysOf(m.t, m.front, ".causeway/gone/"), func(key string) bool { return strings.HasSuffix(key, "/") })
}

// clean removes tombstones, and fails unless so many.
func (m *mirrored) clean(when string, want int) {
	m.t.Helper()
	m.routes.SpareNone()
	if n, err := m.routes.Clean(m.t.Context()); err != nil || n != want {
		m.t.Errorf("%s: %d tombstones are removed, want %d: %v", when, n, want, err)
	}
}

// gone fails unless clients do not see a key.
func (m *mirrored) gone(when, key string) {
	m.t.Helper()
	if obj, err := m.store.Stat(m.t.Context(), key, backends.StatOptions{}); !errors.Is(err, fs.ErrNotExist) {
		m.t.Errorf("%s: %q is there: %+v, %v", when, key, obj, err)
	}
}

// TestS62_TombstonesOfTemporaryNames go a week later, so that there are no more and more of them.
func TestS62_TombstonesOfTemporaryNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		for i := range 5 {
			tmp, name := fmt.Sprint("m/d/", i, ".tmp"), fmt.Sprint("m/d/", i)
			m.put(tmp, "1")
			if _, _, err := backends.Move(t.Context(), m.store, name, tmp, backends.CopyOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		m.remove("m/d/0")
		m.remove("m/d/1")
		later(time.Second)
		m.put("m/d/1", "again")
		later(6 * 24 * time.Hour)
		m.clean("young", 0)
		if n := len(m.stones()); n != 7 {
			t.Errorf("%d tombstones", n)
		}
		later(2 * 24 * time.Hour)
		m.clean("old", 7)
		m.clean("again", 0)
		if left := m.stones(); len(left) > 0 {
			t.Errorf("left are %q", left)
		}
		m.gone("old", "m/d/0")
		m.gone("old", "m/d/2.tmp")
	})
}

// TestS62_TombstonesThatStay: whatever hides something, or may.
func TestS62_TombstonesThatStay(t *testing.T) {
	refused := &backends.Error{Op: "delete", Kind: fs.ErrPermission}
	for name, c := range map[string]struct {
		before func(m *mirrored) // the file m/f is deleted
		after  func(m *mirrored)
		freed  int // tombstones that go when all is well again
	}{
		"the old server deletes nothing": {func(m *mirrored) { m.old.Add(backendtest.Fault{Verb: "delete", Err: refused}) }, func(*mirrored) {}, 1},
		"the old server is down":         {func(m *mirrored) {}, func(m *mirrored) { m.down() }, 1},
		"it is there again": {func(*mirrored) {}, func(m *mirrored) {
			m.is("deleted", map[string]string{})
			if err := write(m.t.Context(), m.behind, "old/f", "theirs", backends.CreateOptions{}); err != nil {
				m.t.Error(err)
			}
		}, 0},
		"it may not be seen": {func(*mirrored) {}, func(m *mirrored) {
			m.old.Add(backendtest.Fault{Verb: "open", Err: &backends.Error{Op: "open", Kind: errors.Join(fs.ErrNotExist, fs.ErrPermission)}})
		}, 1},
		"nothing is mirrored": {func(m *mirrored) {
			m.route(readthrough.Route{Prefix: "m/", Behind: m.old, Path: "old/"}, readthrough.Route{Prefix: "x/", Behind: m.old, Mirror: true})
		}, func(*mirrored) {}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMirrored(t)
				if err := write(t.Context(), m.behind, "old/f", "content", backends.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
				later(time.Hour)
				c.before(m)
				m.remove("m/f")
				later(time.Hour)
				c.after(m)
				later(old)
				m.clean("in doubt", 0)
				m.old.Clear()
				later(10 * time.Minute)
				m.clean("all is well", c.freed)
				if m.clean("again", 0); c.freed > 0 {
					m.gone("all is well", "m/f")
				}
			})
		})
	}
}

// TestS62_TombstonesOfDirectories stay, for they hide what comes later.
func TestS62_TombstonesOfDirectories(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		m.put("m/d/", "")
		later(time.Minute)
		m.remove("m/d/")
		later(old)
		m.clean("old", 0)
		if err := write(t.Context(), m.behind, "old/d/f", "theirs", backends.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		m.gone("old", "m/d/f")
	})
}

// between is a store in whose nth request something happens first.
type between struct {
	backends.Backend
	left *int
	do   func()
}

func (b *between) request() {
	if *b.left--; *b.left == 0 {
		b.do()
	}
}

func (b *between) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	b.request()
	return b.Backend.Stat(ctx, key, o)
}

func (b *between) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	b.request()
	return b.Backend.List(ctx, q)
}

func (b *between) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	b.request()
	return b.Backend.Open(ctx, key, o)
}

func (b *between) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	b.request()
	return b.Backend.Delete(ctx, key, o)
}

// TestS62_DeletedWhileItsTombstoneIsRemoved: between any two requests of that, by another gateway, what
// a client of the old server has just written, or what has come here and there; while its clock is
// so far ahead that all tombstones are old to it.
func TestS62_DeletedWhileItsTombstoneIsRemoved(t *testing.T) {
	for _, theirs := range []bool{true, false} {
		t.Run(fmt.Sprint("theirs ", theirs), func(t *testing.T) {
			for n := 1; ; n++ {
				if n > 20 {
					t.Fatal("it never ends")
				}
				if overtaken(t, n, theirs) {
					return
				}
			}
		})
	}
}

// overtaken has a file written and deleted again before the nth request of [readthrough.Routes.Clean],
// and tells whether that was over by then.
func overtaken(t *testing.T, n int, theirs bool) (over bool) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		m.put("m/f", "1")
		later(time.Minute)
		m.remove("m/f")
		later(time.Minute)
		left := n
		again := func() {
			later(time.Minute)
			if theirs {
				if err := write(t.Context(), m.behind, "old/f", "theirs", backends.CreateOptions{}); err != nil {
					t.Error(err)
				}
			} else {
				m.put("m/f", "ours")
			}
			later(time.Minute)
			m.old.Add(backendtest.Fault{Verb: "delete", Err: &backends.Error{Op: "delete", Kind: backends.ErrUnavailable}})
			m.remove("m/f")
		}
		way := &between{m.front, &left, again}
		cleaner := readthrough.NewRoutes(way, readthrough.Options{Now: func() time.Time { return time.Now().Add(old) }})
		cleaner.SpareNone()
		cleaner.Replace([]readthrough.Route{{Prefix: "m/", Behind: &between{m.behind, &left, again}, Path: "old/", Mirror: true}})
		if _, err := cleaner.Clean(t.Context()); err != nil {
			t.Error(err)
		}
		m.gone("cleaned", "m/f")
		m.old.Clear()
		later(time.Hour)
		m.gone("mirrored", "m/f")
		over = left > 0
		if !over {
			m.is("mirrored", map[string]string{})
		}
		if stones := m.stones(); over && len(stones) > 0 {
			t.Errorf("left are %q", stones)
		}
	})
	return over
}

// TestS62_TombstoneOfWhatIsOnItsWay behind stays: it would show there until it is deleted again.
func TestS62_TombstoneOfWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		h := &hasty{Backend: m.old}
		m.route(readthrough.Route{Prefix: "m/", Path: "old/", Behind: h, Mirror: true})
		h.meanwhile = func() {
			m.remove("m/f")
			if n := m.ahead(); n != 0 {
				t.Errorf("%d tombstones are removed, want 0", n)
			}
			m.old.Add(backendtest.Fault{Verb: "delete", Err: &backends.Error{Op: "delete", Kind: backends.ErrUnavailable}})
		}
		m.put("m/f", "1")
		later(time.Hour)
		m.is("on its way", map[string]string{"f": "1"})
		m.gone("on its way", "m/f")
		m.old.Clear()
		later(time.Hour)
		m.is("deleted", map[string]string{})
		if n := m.ahead(); n != 1 {
			t.Errorf("%d tombstones are removed, want 1", n)
		}
	})
}

// TestS62_TombstoneOfWhatWasNotDeleted stays: it is about to be, perhaps.
func TestS62_TombstoneOfWhatWasNotDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		m.put("m/f", "1")
		later(time.Minute)
		m.way.Add(backendtest.Fault{Verb: "delete", Err: &backends.Error{Op: "delete", Kind: backends.ErrUnavailable}})
		if err := m.store.Delete(t.Context(), "m/f", backends.DeleteOptions{}); !errors.Is(err, backends.ErrUnavailable) {
			t.Fatal(err)
		}
		later(time.Hour)
		m.done("not deleted")
		if n := m.ahead(); n != 0 {
			t.Errorf("%d tombstones are removed, want 0", n)
		}
		m.put("m/f", "2")
		later(time.Minute)
		if n := m.ahead(); n != 1 {
			t.Errorf("%d tombstones are removed, want 1", n)
		}
	})
}

// ahead removes tombstones by a clock to which all are old, and tells how many.
func (m *mirrored) ahead() int {
	m.t.Helper()
	r := readthrough.NewRoutes(m.front, readthrough.Options{Now: func() time.Time { return time.Now().Add(old) }})
	r.SpareNone()
	r.Replace([]readthrough.Route{{Prefix: "m/", Behind: m.old, Path: "old/", Mirror: true}})
	n, err := r.Clean(m.t.Context())
	if err != nil {
		m.t.Error(err)
	}
	return n
}

// TestS62_FewTombstonesStay: they cost a listing nothing.
func TestS62_FewTombstonesStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		for _, key := range []string{"m/f", "m/d/f"} {
			m.put(key, "1")
			m.remove(key)
		}
		later(old)
		if n, err := m.routes.Clean(t.Context()); err != nil || n != 0 {
			t.Errorf("%d are removed, %v", n, err)
		}
		m.clean("none is spared", 2)
	})
}

// slow is a store that takes its time to open anything.
type slow struct{ backends.Backend }

func (s slow) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	select {
	case <-time.After(20 * time.Millisecond):
		return s.Backend.Open(ctx, key, o)
	case <-ctx.Done():
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrUnavailable, Err: ctx.Err()}
	}
}

// TestS62_RoundsThatRunOutOfTime go on where the last has ended, and begin anew after the last tombstone.
func TestS62_RoundsThatRunOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		const stay = 50
		for i := range stay + 1 {
			key := fmt.Sprintf("m/%02d", i)
			m.put(key, "1")
			m.remove(key)
		}
		later(old)
		for i := range stay { // not newer than the tombstone
			if err := write(t.Context(), m.behind, fmt.Sprintf("old/%02d", i), "theirs", backends.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		m.route(readthrough.Route{Prefix: "m/", Path: "old/", Behind: slow{m.old}, Mirror: true})
		m.routes.SpareNone()
		round := func() int {
			ctx, cancel := context.WithTimeout(t.Context(), 590*time.Millisecond) // 29 of them, and a half
			defer cancel()
			n, err := m.routes.Clean(ctx)
			if (err != nil) != (ctx.Err() != nil) {
				t.Errorf("after the time is up %v: %v", ctx.Err(), err)
			}
			return n
		}
		if removed := []int{round(), round()}; !slices.Equal(removed, []int{0, 1}) {
			t.Errorf("removed %d", removed)
		}
		if err := m.behind.Delete(t.Context(), "old/00", backends.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if n := round(); n != 1 {
			t.Errorf("%d are removed of the first", n)
		}
	})
}
