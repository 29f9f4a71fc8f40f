package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causeway/auth"
	"causeway/backends"
	"causeway/backends/mem"
)

// aged is a bucket with files of two ages, and the retention that ends the older ones.
func aged(old, young []string, grants ...auth.Grant) (*retention, *mem.Store) {
	clock := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	store := mem.New(mem.Options{PageSize: 3, Now: func() time.Time { return clock }})
	for _, key := range old {
		fill(store, key)
	}
	clock = clock.AddDate(0, 0, 20)
	for _, key := range young {
		fill(store, key)
	}
	r := newRetention(slog.New(slog.DiscardHandler))
	r.stores = map[string]backends.Backend{"s": store}
	r.now = func() time.Time { return clock.AddDate(0, 0, 11) } // 31 and 11 days
	r.replace(charges(grants))
	return r, store
}

func fill(store backends.Backend, key string) {
	u, err := store.Create(context.Background(), key, backends.CreateOptions{})
	if err == nil {
		_, err = u.Commit()
	}
	if err != nil {
		panic(err)
	}
}

func keysOf(store backends.Backend) []string {
	var keys []string
	q := backends.Query{}
	for first := true; first || q.Token != ""; first = false {
		page, err := store.List(context.Background(), q)
		if err != nil {
			panic(err)
		}
		for _, o := range page.Objects {
			keys = append(keys, o.Key)
		}
		q.Token = page.Next
	}
	return keys
}

func grant(prefix string, r auth.Retention) auth.Grant {
	return auth.Grant{Store: "s", Prefix: prefix, Retention: r}
}

// TestS45_RetentionEndsTheOldOnes, of its own prefix, and of none that has a rule of its own.
func TestS45_RetentionEndsTheOldOnes(t *testing.T) {
	old := []string{"in/a", "in/d/", "in/d/a", "in/keep/a", "in/.causeway/x", "in2/a", "other"}
	for name, c := range map[string]struct {
		rule auth.Retention
		want string
	}{
		"delete": {auth.Retention{Days: 30}, "in/.causeway/x in/d/ in/keep/a in/young in2/a other"},
		"move":   {auth.Retention{Days: 30, To: "old/"}, "in/.causeway/x in/d/ in/keep/a in/young in2/a old/a old/d/a other"},
		"dry":    {auth.Retention{Days: 30, DryRun: true}, "in/.causeway/x in/a in/d/ in/d/a in/keep/a in/young in2/a other"},
		"later":  {auth.Retention{Days: 32}, "in/.causeway/x in/a in/d/ in/d/a in/keep/a in/young in2/a other"},
	} {
		r, store := aged(old, []string{"in/young"}, grant("in/", c.rule), grant("in/keep/", auth.Retention{Days: 300}))
		r.round(t.Context(), "s")
		if got := strings.Join(keysOf(store), " "); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// TestS45_RetentionReplacesNothing that is where it moves to.
func TestS45_RetentionReplacesNothing(t *testing.T) {
	r, store := aged([]string{"in/a"}, []string{"old/a"}, grant("in/", auth.Retention{Days: 30, To: "old/"}))
	r.round(t.Context(), "s")
	if got := keysOf(store); !slices.Equal(got, []string{"old/a", "old/a.20270101T000000Z"}) {
		t.Errorf("%q", got)
	}
}

// replaced is a store whose old files are replaced as soon as they have been listed.
type replaced struct{ *mem.Store }

func (s replaced) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	page, err := s.Store.List(ctx, q)
	for _, o := range page.Objects {
		fill(s.Store, o.Key)
	}
	return page, err
}

// TestS45_RetentionSparesWhatIsReplaced while its age is being looked at.
func TestS45_RetentionSparesWhatIsReplaced(t *testing.T) {
	for _, to := range []string{"", "old/"} {
		r, store := aged([]string{"in/a", "in/b"}, nil, grant("in/", auth.Retention{Days: 30, To: to}))
		r.stores["s"] = replaced{store}
		r.round(t.Context(), "s")
		if got := keysOf(store); !slices.Equal(got, []string{"in/a", "in/b"}) {
			t.Errorf("%q", got)
		}
	}
}

// TestS45_RetentionStaysInItsMounts: whatever the prefixes are, nothing beside them, nothing that
// is young, and nothing that is the gateway's own is touched.
func TestS45_RetentionStaysInItsMounts(t *testing.T) {
	segment := rapid.SampledFrom([]string{"a", "b", "a2", ".causeway", "ü"})
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.Map(rapid.SliceOfN(segment, 1, 4), func(s []string) string { return strings.Join(s, "/") })
		old := rapid.SliceOfNDistinct(key, 0, 6, rapid.ID).Draw(t, "old")
		young := rapid.SliceOfN(key, 0, 3).Draw(t, "young")
		prefix := key.Draw(t, "prefix") + "/"
		r, store := aged(old, young, grant(prefix, auth.Retention{Days: 30}))
		before := keysOf(store)
		r.round(context.Background(), "s")
		var want []string
		for _, k := range before {
			own := slices.Contains(strings.Split(k, "/"), backends.Reserved)
			if !strings.HasPrefix(k, prefix) || slices.Contains(young, k) || own {
				want = append(want, k)
			}
		}
		if got := keysOf(store); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("below %q of %q are left %q, want %q", prefix, before, got, want)
		}
	})
}

// unanswering is a store that does not answer for some keys.
type unanswering struct {
	*mem.Store
	keys string // with spaces around each
}

func (s unanswering) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if strings.Contains(s.keys, " "+key+" ") {
		return &backends.Error{Op: "delete", Key: key, Kind: backends.ErrUnavailable}
	}
	return s.Store.Delete(ctx, key, o)
}

// TestS45_RetentionPassesStubbornFiles, but not more than a few in a row.
func TestS45_RetentionPassesStubbornFiles(t *testing.T) {
	for keys, want := range map[string]string{
		" in/a in/b in/c in/d in/f ":      "in/a in/b in/c in/d in/f",
		" in/a in/b in/c in/d in/e in/f ": "in/a in/b in/c in/d in/e in/f in/g",
	} {
		r, store := aged([]string{"in/a", "in/b", "in/c", "in/d", "in/e", "in/f", "in/g"}, nil, grant("in/", auth.Retention{Days: 30}))
		r.stores["s"] = unanswering{store, keys}
		r.round(t.Context(), "s")
		if got := strings.Join(keysOf(store), " "); got != want {
			t.Errorf("%s are left, want %s", got, want)
		}
	}
}
