package gateway

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/localdir"
	"causeway/backends/mem"
	"causeway/configs"
)

// past is when all that is behind was written.
var past = time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)

// readThrough is a gateway whose account has what is in home/ of one store, and below it what
// is in users/ of another, which can be made to fail.
type readThrough struct {
	*running
	front, behind backends.Backend
	old           *backendtest.Faults
}

// eachReadThrough runs a test over a tree and a flat store, before and behind.
func eachReadThrough(t *testing.T, b configs.Behind, old map[string]string, test func(*testing.T, *readThrough)) {
	stores := map[string]func(*testing.T) backends.Backend{
		"mem": func(*testing.T) backends.Backend { return mem.New(mem.Options{PageSize: 4, Partial: true}) },
		"localdir": func(t *testing.T) backends.Backend {
			store, err := localdir.New(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { store.Close() })
			return store
		},
	}
	for front, newFront := range stores {
		for behind := range stores {
			t.Run(front+" over "+behind, func(t *testing.T) {
				t.Parallel()
				r := &readThrough{front: newFront(t)}
				if behind == "mem" {
					r.behind = mem.New(mem.Options{PageSize: 4, Partial: true, Now: func() time.Time { return past }})
				} else {
					r.behind = stores[behind](t)
				}
				for _, name := range slices.Sorted(maps.Keys(old)) {
					lay(t, r.behind, "users/"+name, old[name], past)
				}
				r.start(t, b)
				test(t, r)
			})
		}
	}
}

// start starts the gateway over the two stores.
func (r *readThrough) start(t *testing.T, b configs.Behind) {
	t.Helper()
	b.Store, b.Path = "old", "/users"
	r.old = backendtest.NewFaults(r.behind)
	r.running = prepare(t, func(cfg *configs.Config) {
		watched(cfg)
		cfg.Cache.TTL = 0
		cfg.Stores["old"] = configs.Store{Kind: configs.LocalDir, Path: t.TempDir()}
		cfg.Users[0].Mounts[0].Prefix, cfg.Users[0].Mounts[0].Behind = "home/", b
		cfg.Users[0].Mounts[1].Prefix = "home/shared/"
		cfg.Anonymous.Mounts[0].Prefix = "home/shared/"
	})
	r.stores["disk"], r.stores["old"] = r.front, r.old
	r.quotas = newQuotas(r.stores, r.Gateway.log)
	r.behinds = newBehinds(r.cfg, r.stores, r.quotas, slog.New(slog.NewJSONHandler(r.running.log, nil)), r.behinds.metrics)
	_, r.behinds.trees["old"] = r.behind.(*localdir.Store)
	r.accounts.Load().inspect(r.upkeep.list)
	r.run(t)
}

func lay(t *testing.T, b backends.Backend, key, content string, at time.Time) {
	t.Helper()
	u, err := b.Create(t.Context(), key, backends.CreateOptions{Metadata: map[string]string{backends.MetaModTime: backends.FormatModTime(at)}})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	if _, err := io.WriteString(u, content); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
}

// has tells whether a store has a key.
func has(t *testing.T, b backends.Backend, key string) bool {
	t.Helper()
	_, err := b.Stat(t.Context(), key, backends.StatOptions{})
	return err == nil
}

// session is a client of the account that has logged in.
func (r *readThrough) session(t *testing.T) *client {
	t.Helper()
	c := dial(t, r.explicit, nil)
	c.login("cam1", password)
	return c
}

// list is what a listing command tells, without ends of lines.
func (c *client) list(command string) string {
	c.t.Helper()
	return strings.TrimSuffix(strings.ReplaceAll(c.download(command), "\r\n", " "), " ")
}

// refused is a transfer that does not begin.
func (c *client) refused(code int, command string) {
	c.t.Helper()
	c.do(229, "EPSV")
	c.do(code, command)
}

// down has the old server not answer.
func (r *readThrough) down() {
	for _, verb := range []string{"stat", "list", "open", "create", "delete"} {
		r.old.Add(backendtest.Fault{Verb: verb, Err: &backends.Error{Op: verb, Kind: backends.ErrUnavailable}})
	}
}

// TestS20_OneVersionReadThrough: a download from behind goes on with the version that it has
// begun with, while another client replaces the file here, and its copy does not take the place
// of what that client has written.
func TestS20_OneVersionReadThrough(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("as it was ", 1<<20)
	eachReadThrough(t, configs.Behind{Copy: configs.BehindOnRead}, map[string]string{"f": large}, func(t *testing.T, r *readThrough) {
		c, other := r.session(t), r.session(t)
		data := c.data("RETR f")
		first := make([]byte, 1000)
		if _, err := io.ReadFull(data, first); err != nil {
			t.Fatal(err)
		}
		other.upload("f", "new")
		rest, err := io.ReadAll(data)
		if err != nil || string(first)+string(rest) != large {
			t.Errorf("%d octets, %v", len(rest), err)
		}
		c.expect(226)
		if got := c.download("RETR f"); got != "new" {
			t.Errorf("then %d octets", len(got))
		}
	})
}

// TestS21_FailingStoreReadThrough: a read from behind that breaks is taken up again, and one that
// cannot be is no file and leaves no half copy.
func TestS21_FailingStoreReadThrough(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("content", 1<<18)
	old := map[string]string{"f": large, "g": large}
	eachReadThrough(t, configs.Behind{Copy: configs.BehindOnRead}, old, func(t *testing.T, r *readThrough) {
		c := r.session(t)
		broken := backendtest.Fault{Verb: "read", Nth: 1, After: 100_000, Err: &backends.Error{Op: "read", Kind: backends.ErrUnavailable}}
		r.old.Add(broken)
		if got := c.download("RETR f"); got != large {
			t.Errorf("%d octets of %d", len(got), len(large))
		}
		if obj, err := r.front.Stat(t.Context(), "home/f", backends.StatOptions{}); err != nil || obj.Size != int64(len(large)) {
			t.Errorf("the copy: %+v, %v", obj, err)
		}
		r.old.Clear()
		r.old.Add(broken)
		r.old.Add(backendtest.Fault{Verb: "open", Nth: 2, Err: &backends.Error{Op: "open", Kind: backends.ErrChanged}})
		data := c.data("RETR g")
		_, _ = io.Copy(io.Discard, data) // the reply tells how it ended
		c.expect(451)
		if has(t, r.front, "home/g") {
			t.Error("a half copy is a file")
		}
		r.old.Clear()
		if got := c.download("RETR g"); got != large {
			t.Errorf("then %d octets of %d", len(got), len(large))
		}
	})
}

// TestS22_ListingsReadThrough: what is here and what is behind, each name once, in one order.
func TestS22_ListingsReadThrough(t *testing.T) {
	t.Parallel()
	old := map[string]string{"a": "1", "c/x": "1", "c-d": "1", "e": "old", "gone": "1", "z/": "", "z/y/x": "1"}
	for i := range 9 {
		old[fmt.Sprint("n", i)] = "1"
	}
	eachReadThrough(t, configs.Behind{}, old, func(t *testing.T, r *readThrough) {
		c := r.session(t)
		c.upload("b", "1")
		c.upload("e", "here")
		c.upload("n4a", "1")
		c.do(257, "MKD d")
		c.do(250, "DELE gone")
		want := "a b c-d c d e n0 n1 n2 n3 n4 n4a n5 n6 n7 n8 public z"
		if got := c.list("NLST"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := c.list("NLST z"); got != "z/y" {
			t.Errorf("z: %s", got)
		}
		if got := c.download("MLSD"); strings.Count(got, "\r\n") != strings.Count(want, " ")+1 || !strings.Contains(got, "size=4;") {
			t.Errorf("MLSD:\n%s", got)
		}
		c.do(550, "SIZE gone")
	})
}

// TestS23_FreshReadThrough: what one session does to what is behind, others see at once, by
// whatever mount.
func TestS23_FreshReadThrough(t *testing.T) {
	t.Parallel()
	old := map[string]string{"shared/f": "old", "shared/g": "old"}
	eachReadThrough(t, configs.Behind{Copy: configs.BehindOnRead}, old, func(t *testing.T, r *readThrough) {
		c, other := r.session(t), dial(t, r.explicit, nil)
		other.login("anonymous", "x")
		see := func(when, want string) {
			t.Helper()
			if got := other.list("NLST public"); got != want {
				t.Errorf("%s: %s, want %s", when, got, want)
			}
		}
		see("at first", "public/f public/g")
		if got := other.download("RETR public/f"); got != "old" {
			t.Errorf("read as %q", got)
		}
		c.upload("shared/f", "new")
		if got := other.download("RETR public/f"); got != "new" {
			t.Errorf("then read as %q", got)
		}
		c.do(250, "DELE public/f")
		see("deleted", "public/g")
		c.do(350, "RNFR shared/g")
		c.do(250, "RNTO public/h")
		see("renamed", "public/h")
		if got := other.download("RETR public/h"); got != "old" {
			t.Errorf("renamed reads as %q", got)
		}
	})
}

// TestS24_TimesReadThrough: the time of what is behind shows, stays when it is copied, and can be
// set.
func TestS24_TimesReadThrough(t *testing.T) {
	t.Parallel()
	old := map[string]string{"f": "old", "g": "old"}
	eachReadThrough(t, configs.Behind{Copy: configs.BehindOnRead}, old, func(t *testing.T, r *readThrough) {
		c := r.session(t)
		time := func(name, want string) {
			t.Helper()
			if got := c.do(213, "MDTM "+name); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
			if got := c.do(250, "MLST "+name); !strings.Contains(got, "modify="+want+";") {
				t.Errorf("%s: %s", name, got)
			}
		}
		time("f", "20200203040506")
		c.download("RETR f")
		if !has(t, r.front, "home/f") {
			t.Fatal("there is no copy")
		}
		time("f", "20200203040506")
		c.do(213, "MFMT 20010203040506 g")
		time("g", "20010203040506")
		c.do(350, "RNFR f")
		c.do(250, "RNTO h")
		if got := c.download("RETR h"); got != "old" {
			t.Errorf("renamed reads as %q", got)
		}
	})
}
