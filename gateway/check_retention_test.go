package gateway

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/backends/mem"
	"causeway/configs"
)

// checked is what the check of a store says of mounts that may only be written to.
func checked(t *testing.T, store guarded, mounts ...configs.Mount) (out string, missing int) {
	t.Helper()
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"s3": {Kind: configs.S3}}
	for i := range mounts {
		mounts[i].Store, mounts[i].Rights = "s3", []configs.Right{configs.Write}
	}
	cfg.Users = []configs.User{{Name: "u", Mounts: mounts}}
	var b bytes.Buffer
	missing = trial{label: "s3", name: "s3", store: store, cfg: cfg, upkeep: upkeepOf(cfg, "s3")}.check(t.Context(), &b)
	return b.String(), missing
}

// longAgo is a bucket whose files, the keys, were written 31 days ago.
func longAgo(keys ...string) *mem.Store {
	store := mem.New(mem.Options{Now: func() time.Time { return time.Now().AddDate(0, 0, -31) }})
	for _, key := range keys {
		fill(store, key)
	}
	return store
}

// TestS45_CheckTellsWhatIsOld, and ends nothing.
func TestS45_CheckTellsWhatIsOld(t *testing.T) {
	store := longAgo("in/a", "in/b", "dry/a", "to/a", "young/a", "other/a")
	out, missing := checked(t, guarded{store, ""},
		configs.Mount{Prefix: "in/", Retention: configs.Retention{Days: 30}},
		configs.Mount{Prefix: "dry/", Retention: configs.Retention{Days: 30, DryRun: true}},
		configs.Mount{Prefix: "to/", Retention: configs.Retention{Days: 30, To: "archive/"}},
		configs.Mount{Prefix: "young/", Retention: configs.Retention{Days: 32}},
		configs.Mount{Prefix: "other/"})
	for _, want := range []string{
		`below "in/" 2 files of 0 bytes are older than 30 days: to be deleted`,
		`below "dry/" 1 files of 0 bytes are older than 30 days: kept by dry_run`,
		`below "to/" 1 files of 0 bytes are older than 30 days: to be moved to "archive/"`,
		`below "young/" 0 files of 0 bytes are older than 32 days: to be deleted`,
	} {
		if !strings.Contains(out, "s3            old     "+want+"\n") {
			t.Errorf("does not say %s:\n%s", want, out)
		}
	}
	if strings.Contains(out, `below "other/"`) || missing > 0 {
		t.Errorf("%d missing:\n%s", missing, out)
	}
	if got := strings.Join(keysOf(store), " "); got != "dry/a in/a in/b other/a to/a young/a" {
		t.Errorf("left are %s", got)
	}
}

// TestS45_CheckCountsNoMoreThanItSays where there are many keys.
func TestS45_CheckCountsNoMoreThanItSays(t *testing.T) {
	store := longAgo()
	for i := range maxCountedKeys + 1 {
		fill(store, fmt.Sprintf("in/%d", i))
	}
	out, _ := checked(t, guarded{store, ""}, configs.Mount{Prefix: "in/", Retention: configs.Retention{Days: 30}})
	if want := `of the first 10000 keys below "in/", and there are more, 10000 files of 0 bytes`; !strings.Contains(out, want) {
		t.Errorf("does not say %s:\n%s", want, out)
	}
}

// TestS45_CheckTellsWhatQuotasAndRetentionNeed, though no account has such a right.
func TestS45_CheckTellsWhatQuotasAndRetentionNeed(t *testing.T) {
	for _, c := range []struct {
		name    string
		mount   configs.Mount
		denies  string
		missing int
		says    string
	}{
		{"quota", configs.Mount{Quota: configs.Quota{Files: 1}}, "list", 1, "list    denied: grant s3:ListBucket"},
		{"quota deletes nothing", configs.Mount{Quota: configs.Quota{Files: 1}}, "delete", 0, "delete  denied, and no mount needs it"},
		{"retention finds nothing", configs.Mount{Retention: configs.Retention{Days: 1}}, "list", 1, `below "in/" could not be counted`},
		{"retention", configs.Mount{Retention: configs.Retention{Days: 1}}, "delete", 1, "delete  denied: grant s3:DeleteObject"},
		{"dry run", configs.Mount{Retention: configs.Retention{Days: 1, DryRun: true}}, "delete", 0, "delete  denied, and no mount needs it"},
		{"moves", configs.Mount{Retention: configs.Retention{Days: 1, To: "old/"}}, "get", 1, "get     denied: grant s3:GetObject on the objects (in in/.causeway/)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.mount.Prefix = "in/"
			out, missing := checked(t, guarded{longAgo("in/a"), c.denies}, c.mount)
			if missing != c.missing || !strings.Contains(out, c.says) {
				t.Errorf("%d missing, want %d and %q:\n%s", missing, c.missing, c.says, out)
			}
		})
	}
}
