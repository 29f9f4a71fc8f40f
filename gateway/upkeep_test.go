package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"causeway/auth"
	"causeway/backends"
	"causeway/backends/mem"
	"causeway/configs"
)

// mounted are templates with one mount that is kept up so.
func mounted(r configs.Retention, q configs.Quota) map[string]configs.Template {
	m := configs.Mount{Path: "/", Store: "disk", Prefix: "http/{user}/", Rights: []configs.Right{configs.Write}, Retention: r, Quota: q}
	return map[string]configs.Template{"partner": {Mounts: []configs.Mount{m}}}
}

// TestS45_RetentionThatIsTakenAwayEnds with the users file, the configuration or the
// provider's answer that had it.
func TestS45_RetentionThatIsTakenAwayEnds(t *testing.T) {
	t.Parallel()
	kept := strings.ReplaceAll(partners, "rights:", "retention: {days: 30}, rights:")
	files := withFiles(t, kept)
	r := start(t, func(c *configs.Config) {
		c.Guard.Exempt = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		c.Users = slices.Clone(c.Users)
		c.Users[0].Mounts = slices.Clone(c.Users[0].Mounts)
		c.Users[0].Mounts[0].Retention = configs.Retention{Days: 10}
		c.Templates = mounted(configs.Retention{Days: 20}, configs.Quota{})
		c.Accounts = append(files.Accounts, configs.AccountSource{HTTP: hook(t, map[string]string{"hooli": `{"user": "hooli"}`})})
	})
	first := r.cfg.Users[0].Mounts[0].Prefix
	ruled := func(when string, want ...string) {
		t.Helper()
		var got []string
		for prefix := range r.retention.of("disk") {
			got = append(got, prefix)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: rules for %q, want %q", when, got, want)
		}
	}
	ruled("at the start", first, "in/acme/", "in/globex/")
	dial(t, r.explicit, nil).login("hooli", password)
	ruled("after a login", first, "in/acme/", "in/globex/", "http/hooli/")
	rewrite(t, files, 0, strings.ReplaceAll(kept, "in/{user}/", "in/{user}/old/"))
	r.look(t)
	ruled("narrowed", first, "in/acme/old/", "in/globex/old/", "http/hooli/")
	rewrite(t, files, 0, partners)
	r.look(t)
	ruled("without in the file", first, "http/hooli/")
	next := *r.cfg
	next.Users = nil
	next.Templates = mounted(configs.Retention{}, configs.Quota{})
	if err := r.Reload(t.Context(), &next); err != nil {
		t.Fatal(err)
	}
	ruled("without in the configuration")
	dial(t, r.explicit, nil).login("hooli", password)
	ruled("after a login to it")
}

// TestS45_LoginsReplaceWhatProvidersHaveTold of the same account, and of no other.
func TestS45_LoginsReplaceWhatProvidersHaveTold(t *testing.T) {
	var now []charge
	u := &upkeep{apply: func(said []charge) { now = said }}
	month, week, full := auth.Retention{Days: 30}, auth.Retention{Days: 7}, auth.Grant{Store: "s", Prefix: "c/", Quota: auth.Quota{Files: 1}}
	u.list([]auth.Grant{grant("a/", month)})
	u.login("b", []auth.Grant{grant("b/", month), full})
	u.login("d", []auth.Grant{grant("d/", month)})
	u.login("b", []auth.Grant{grant("b/", week), full})
	u.login("d", []auth.Grant{grant("d/", auth.Retention{})})
	want := charges([]auth.Grant{grant("a/", month), grant("b/", week), full})
	if !slices.Equal(now, want) {
		t.Errorf("after logins: %v, want %v", now, want)
	}
	u.forget()
	u.list(nil)
	if want := []charge{{store: "s", prefix: "b/"}, {store: "s", prefix: "c/", quota: full.Quota}}; !slices.Equal(now, want) {
		t.Errorf("forgotten: %v, want %v", now, want)
	}
}

// withdrawing is a store whose retention is another as soon as files have been listed.
type withdrawing struct {
	*mem.Store
	withdraw func()
}

func (s withdrawing) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	defer s.withdraw()
	return s.Store.List(ctx, q)
}

// TestS45_RetentionEndsWhileItWorks if it is taken away, or is to try only.
func TestS45_RetentionEndsWhileItWorks(t *testing.T) {
	for _, then := range []auth.Retention{{}, {Days: 30, DryRun: true}} {
		r, store := aged([]string{"in/a", "in/b", "in/c"}, nil, grant("in/", auth.Retention{Days: 30}))
		r.stores["s"] = withdrawing{store, func() { r.replace(charges([]auth.Grant{grant("in/", then)})) }}
		r.round(t.Context(), "s")
		if got := keysOf(store); len(got) != 3 {
			t.Errorf("%+v: %q are left", then, got)
		}
	}
}

// TestS45_OfTwoRetentionsTheMilderCounts, in either order, and the log says so once.
func TestS45_OfTwoRetentionsTheMilderCounts(t *testing.T) {
	rules := []auth.Retention{{Days: 300, DryRun: true}, {Days: 30, DryRun: true}, {Days: 300, To: "a/"}, {Days: 300}, {Days: 30, To: "a/"}, {Days: 30}}
	for i, mild := range rules {
		for _, other := range rules[i+1:] {
			var log bytes.Buffer
			r := newRetention(slog.New(slog.NewTextHandler(&log, nil)))
			for _, said := range [][]auth.Grant{{grant("in/", mild), grant("in/", other)}, {grant("in/", other), grant("in/", mild)}} {
				r.replace(charges(said))
				if got := r.of("s")["in/"]; got != mild {
					t.Errorf("of %+v the rule is %+v", said, got)
				}
			}
			if n := strings.Count(log.String(), "two retentions"); n != 1 {
				t.Errorf("told %d times: %s", n, &log)
			}
		}
	}
}
