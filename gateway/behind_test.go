package gateway

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/auth"
	"causeway/backends"
	"causeway/backends/mem"
	"causeway/configs"
)

// behindOther is a grant of a store that has something of the store old behind it.
func behindOther(prefix string, b auth.Behind) auth.Grant {
	b.Store = "old"
	return auth.Grant{Store: "s", Prefix: prefix, Behind: b}
}

// TestBehindsTellWhatIsNews: what does not go together is told once, and what has ended.
func TestBehindsTellWhatIsNews(t *testing.T) {
	var log bytes.Buffer
	stores := map[string]backends.Backend{"s": mem.New(mem.Options{}), "old": mem.New(mem.Options{})}
	b := newBehinds(configs.Default(), stores, newQuotas(stores, slog.New(slog.DiscardHandler)), slog.New(slog.NewTextHandler(&log, nil)), nil)
	month := auth.Retention{Days: 30}
	said := charges([]auth.Grant{
		behindOther("a/", auth.Behind{Prefix: "x/"}), behindOther("a/", auth.Behind{Prefix: "y/"}),
		behindOther("b/c/", auth.Behind{Until: time.Now().Add(-time.Hour)}),
		grant("a/", month), grant("b/", month), grant("b/c/d/", month), grant("b/e/", month), grant("ab/", month),
	})
	for range 2 {
		var ruled []string
		for _, c := range b.replace(said) {
			if c.retention.Days > 0 {
				ruled = append(ruled, c.prefix)
			}
		}
		if want := []string{"b/e/", "ab/"}; !slices.Equal(ruled, want) {
			t.Errorf("retention goes on below %q, want %q", ruled, want)
		}
	}
	for what, times := range map[string]int{
		"say different things": 1, "last day of what is behind": 1, "a retention does nothing": 3,
	} {
		if n := strings.Count(log.String(), what); n != times {
			t.Errorf("%q is told %d times, want %d:\n%s", what, n, times, &log)
		}
	}
	if !b.has("old") || b.has("s") {
		t.Error("the store behind is not known")
	}
	b.replace(nil)
	if b.has("old") {
		t.Error("nothing is behind any more")
	}
}

// TestS52_CheckTriesWhatIsBehind: nothing is written there unless changes are to be made there.
func TestS52_CheckTriesWhatIsBehind(t *testing.T) {
	for _, c := range []struct {
		mirror  bool
		denies  string
		missing int
		want    string
	}{
		{false, "put delete", 0, "list ok|get ok"},
		{false, "list", 1, "list denied: grant s3:ListBucket on the bucket|get could not be tried: no object to read was found"},
		{true, "", 0, "put ok|list ok|get ok|delete ok"},
		{true, "put", 1, "put denied: grant s3:PutObject and s3:AbortMultipartUpload on the objects|list ok|get ok|delete ok"},
	} {
		cfg := configs.Default()
		cfg.Stores = map[string]configs.Store{"s": {Kind: configs.S3}, "old": {Kind: configs.S3}}
		cfg.Users = []configs.User{{Mounts: []configs.Mount{{
			Path: "/", Store: "s", Prefix: "in/", Rights: []configs.Right{configs.Read}, Behind: configs.Behind{Store: "old", Path: "/users"}, MirrorWrites: c.mirror,
		}}}}
		old := mem.New(mem.Options{})
		fill(old, "users/f")
		var out bytes.Buffer
		missing := trial{label: "old", name: "old", store: guarded{old, c.denies}, cfg: cfg, upkeep: upkeepOf(cfg, "old")}.check(t.Context(), &out)
		if got := linesOf(out.String()); got != c.want || missing != c.missing {
			t.Errorf("mirror %t without %q: %d missing, %s\nwant %d, %s", c.mirror, c.denies, missing, got, c.missing, c.want)
		}
	}
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"s": {Kind: configs.S3}, "old": {Kind: configs.S3}}
	cfg.Anonymous.Mounts = []configs.AnonymousMount{{Path: "/", Store: "s", Prefix: "in/", Behind: configs.Behind{Store: "old", Path: "/", Copy: configs.BehindOnRead}}}
	var out bytes.Buffer
	missing := trial{label: "s", name: "s", store: guarded{mem.New(mem.Options{}), "put delete"}, cfg: cfg, upkeep: upkeepOf(cfg, "s")}.check(t.Context(), &out)
	if missing != 2 || !strings.Contains(out.String(), "denied: grant s3:DeleteObject on the objects (in .causeway/gone/)") {
		t.Errorf("the gateway's own place: %d missing\n%s", missing, &out)
	}
}
