package readthrough_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/backends/readthrough"
)

// mirrored is a front whose changes are made behind, where both may be made to fail.
type mirrored struct {
	t      *testing.T
	front  *mem.Store
	way    *backendtest.Faults // of clients to the front
	behind *mem.Store
	old    *backendtest.Faults // of the gateway to what is behind
	routes *readthrough.Routes
	store  readthrough.Backend
	failed atomic.Int64 // events NotMirrored
	stop   context.CancelFunc
}

// newMirrored has what is behind the keys of m/ at old/. Its gateway is started by start.
func newMirrored(t *testing.T) *mirrored {
	m := &mirrored{t: t, front: mem.New(mem.Options{PageSize: 3, Partial: true}), behind: mem.New(mem.Options{})}
	m.way, m.old = backendtest.NewFaults(m.front), backendtest.NewFaults(m.behind)
	m.start()
	t.Cleanup(func() { m.stop() })
	return m
}

// start starts a gateway over what there is, and leaves the one before as it is: if it was
// stopped by m.stop, then as if it had been killed there.
func (m *mirrored) start() {
	m.routes = readthrough.NewRoutes(m.front, readthrough.Options{Observer: func(_ context.Context, _ readthrough.Route, e readthrough.Event, _ string, _ error) {
		if e == readthrough.NotMirrored {
			m.failed.Add(1)
		}
	}})
	m.route(readthrough.Route{Prefix: "m/", Behind: m.old, Path: "old/", Mirror: true})
	m.store = m.routes.Over(m.way)
	var ctx context.Context
	ctx, m.stop = context.WithCancel(m.t.Context())
	go m.routes.Mirror(ctx)
	synctest.Wait()
}

func (m *mirrored) route(routes ...readthrough.Route) { m.routes.Replace(routes) }

func (m *mirrored) put(key, content string) {
	m.t.Helper()
	if err := write(m.t.Context(), m.store, key, content, backends.CreateOptions{}); err != nil {
		m.t.Fatal(err)
	}
}

func write(ctx context.Context, b backends.Backend, key, content string, o backends.CreateOptions) error {
	u, err := b.Create(ctx, key, o)
	if err != nil {
		return err
	}
	defer u.Abort()
	if _, err := io.WriteString(u, content); err != nil {
		return err
	}
	_, err = u.Commit()
	return err
}

func (m *mirrored) remove(key string) {
	m.t.Helper()
	if err := m.store.Delete(m.t.Context(), key, backends.DeleteOptions{}); err != nil {
		m.t.Fatal(err)
	}
}

// later lets time pass, and what is due happen.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// is fails unless what is behind is that, by the keys below old/.
func (m *mirrored) is(when string, want map[string]string) {
	m.t.Helper()
	got := map[string]string{}
	for _, key := range keysOf(m.t, m.behind, "old/") {
		got[strings.TrimPrefix(key, "old/")] = read(m.t, m.behind, key)
	}
	if !maps.Equal(got, want) {
		m.t.Errorf("%s: behind is %v, want %v", when, got, want)
	}
}

// done fails unless nothing is left to do.
func (m *mirrored) done(when string) {
	m.t.Helper()
	records := keysOf(m.t, m.front, ".causeway/mirror/")
	if records = slices.DeleteFunc(records, func(key string) bool { return key == ".causeway/mirror/" }); len(records) > 0 || m.routes.Queued() != 0 {
		m.t.Errorf("%s: %d queued, and %q is there", when, m.routes.Queued(), records)
	}
}

func keysOf(t *testing.T, b backends.Backend, prefix string) []string {
	t.Helper()
	var keys []string
	for q := (backends.Query{Prefix: prefix}); ; {
		page, err := b.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Objects {
			keys = append(keys, o.Key)
		}
		if q.Token = page.Next; q.Token == "" {
			return keys
		}
	}
}

func read(t *testing.T, b backends.Backend, key string) string {
	t.Helper()
	r, err := b.Open(t.Context(), key, backends.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// down has nothing behind answer.
func (m *mirrored) down() {
	for _, verb := range []string{"stat", "list", "open", "create", "delete"} {
		m.old.Add(backendtest.Fault{Verb: verb, Err: &backends.Error{Op: verb, Kind: backends.ErrUnavailable}})
	}
}

// TestS66_MirrorFollows: what is written, renamed and deleted here is so behind, with its time.
func TestS66_MirrorFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		if err := write(t.Context(), m.front, ".causeway/mirror/", "", backends.CreateOptions{}); err != nil { // as trees have it
			t.Fatal(err)
		}
		for key, content := range map[string]string{"old/kept": "old", "old/gone": "old", "old/d/": "", "old/d/x": "old"} {
			if err := write(t.Context(), m.behind, key, content, backends.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		later(time.Hour)
		set := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
		err := write(t.Context(), m.store, "m/a", "1", backends.CreateOptions{Metadata: map[string]string{backends.MetaModTime: backends.FormatModTime(set)}})
		if err != nil {
			t.Fatal(err)
		}
		m.put("m/kept", "new")
		m.put("m/e/", "")
		m.remove("m/gone")
		m.remove("m/d/x")
		m.remove("m/d/")
		m.put("outside", "1")
		later(time.Minute)
		m.is("written", map[string]string{"a": "1", "kept": "new", "e/": ""})
		obj, err := m.behind.Stat(t.Context(), "old/a", backends.StatOptions{Complete: true})
		if err != nil || !obj.Time().Equal(set) {
			t.Errorf("the time behind is %v, %v", obj.Time(), err)
		}
		if _, _, err := backends.Move(t.Context(), m.store, "m/e/b", "m/a", backends.CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		later(time.Minute)
		m.is("renamed", map[string]string{"e/b": "1", "kept": "new", "e/": ""})
		m.done("renamed")
	})
}

// TestS66_MirrorWaitsForAnOldServer that is down for a while, and loses nothing meanwhile; of one
// key only the last counts.
func TestS66_MirrorWaitsForAnOldServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		m.put("m/a", "1")
		later(time.Minute)
		m.down()
		for i := range 20 {
			m.put(fmt.Sprint("m/n", i), "n")
		}
		m.put("m/a", "2")
		m.remove("m/a")
		m.put("m/a", "3")
		m.put("m/b", "1")
		m.remove("m/b")
		later(3 * time.Hour)
		m.is("down", map[string]string{"a": "1"})
		if n := m.routes.Queued(); n != 25 {
			t.Errorf("%d are queued", n)
		}
		m.old.Clear()
		later(10 * time.Minute)
		want := map[string]string{"a": "3"}
		for i := range 20 {
			want[fmt.Sprint("n", i)] = "n"
		}
		m.is("up again", want)
		m.done("up again")
		if tries := m.failed.Load(); tries == 0 || tries > 200 {
			t.Errorf("it was asked %d times in three hours", tries)
		}
	})
}

// TestS66_MirrorOfAKilledGateway: a change that was written down and not made costs nothing, and
// one that was made is made behind by the next gateway.
func TestS66_MirrorOfAKilledGateway(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprint("made ", late), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMirrored(t)
				m.put("m/a", "1")
				later(time.Minute)
				m.stop()
				lost := &backends.Error{Op: "commit", Kind: backends.ErrUnavailable}
				m.way.Add(backendtest.Fault{Verb: "commit", Err: lost, Late: late})
				m.way.Add(backendtest.Fault{Verb: "delete", Err: lost, Late: late})
				if err := write(t.Context(), m.store, "m/b", "1", backends.CreateOptions{}); !errors.Is(err, backends.ErrUnavailable) {
					t.Fatal(err)
				}
				if err := m.store.Delete(t.Context(), "m/a", backends.DeleteOptions{}); !errors.Is(err, backends.ErrUnavailable) {
					t.Fatal(err)
				}
				m.is("killed", map[string]string{"a": "1"})
				m.way.Clear()
				m.down()
				m.start()
				later(time.Minute)
				m.old.Clear()
				later(5 * time.Minute)
				want := map[string]string{"a": "1"}
				if late {
					want = map[string]string{"b": "1"}
				}
				m.is("started again", want)
				later(12 * time.Minute)
				m.is("settled", want)
				m.done("settled")
			})
		})
	}
}

// TestS66_MirrorLeavesOthersTheirChanges: another gateway may be about to make a change that it has
// written down. What it does not make behind itself, as if killed, is made later.
func TestS66_MirrorLeavesOthersTheirChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		other := readthrough.NewRoutes(m.front, readthrough.Options{})
		other.Replace([]readthrough.Route{{Prefix: "m/", Behind: m.behind, Path: "old/", Mirror: true}})
		if err := write(t.Context(), other.Over(m.front), "m/a", "1", backends.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		later(5 * time.Minute)
		m.is("young", map[string]string{})
		later(10 * time.Minute)
		m.is("old", map[string]string{"a": "1"})
		m.done("old")
	})
}

// TestS66_MirrorKeepsWhatIsNewerBehind: the old server has clients of its own until its last day.
func TestS66_MirrorKeepsWhatIsNewerBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		m.put("m/a", "1")
		m.put("m/b", "1")
		later(time.Minute)
		m.down()
		m.remove("m/a")
		m.put("m/b", "two")
		later(time.Hour)
		for _, key := range []string{"old/a", "old/b"} {
			if err := write(t.Context(), m.behind, key, "theirs", backends.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		later(time.Minute)
		m.old.Clear()
		later(10 * time.Minute)
		m.is("up again", map[string]string{"a": "theirs", "b": "theirs"})
		m.done("up again")
	})
}

// TestS66_MirrorEndsWithItsRoute, and waits where the route is only not known: that of an account
// whose provider tells of it when it logs in.
func TestS66_MirrorEndsWithItsRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirrored(t)
		m.down()
		m.put("m/a", "1")
		m.stop()
		m.start()
		mirror := readthrough.Route{Prefix: "m/", Behind: m.old, Path: "old/", Mirror: true, Until: time.Now().Add(2 * time.Hour)}
		m.route(readthrough.Route{Prefix: "other/", Behind: m.old, Mirror: true})
		later(time.Hour)
		if m.routes.Queued() != 1 {
			t.Errorf("%d queued without a route", m.routes.Queued())
		}
		m.route(mirror)
		later(30 * time.Minute)
		if m.routes.Queued() != 1 {
			t.Errorf("%d queued before the end", m.routes.Queued())
		}
		later(time.Hour)
		m.is("ended", map[string]string{})
		m.done("ended")
	})
}
