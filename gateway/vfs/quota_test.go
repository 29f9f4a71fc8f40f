package vfs_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/quota"
	"causeway/gateway/vfs"
)

// newLedger is a ledger that counts until the test has ended.
func newLedger(t *testing.T, store backends.Backend) *quota.Ledger {
	t.Helper()
	l := quota.NewLedger(store, quota.Options{Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	var counting sync.WaitGroup
	counting.Go(func() { l.Run(ctx) })
	t.Cleanup(func() { cancel(); counting.Wait() })
	return l
}

// TestX2_QuotaOfAView: what a directory holds and may hold, and how much is left, without what
// is beyond the account's own mounts.
func TestX2_QuotaOfAView(t *testing.T) {
	store := newBucket(mem.Options{}, "p/in/a", "p/in/deep/a").calls // 14 and 19 octets
	ledger := newLedger(t, store)
	ledger.Limit("", quota.Limit{Bytes: 1000})
	ledger.Limit("p/", quota.Limit{Bytes: 100})
	ledger.Limit("p/in/deep/", quota.Limit{Files: 2})
	v := newView(t, vfs.Mount{Path: "/m", Store: ledger.Backend(limited{store}), Ledger: ledger, Prefix: "p/", Rights: all},
		vfs.Mount{Path: "/m/free", Store: store, Rights: all})
	for name, want := range map[string]string{
		"/m/in/deep/x": "[{/m/in/deep 19 1 0 2} {/m 33 2 100 0}]", "/m/none": "[{/m 33 2 100 0}]", "/m/free/x": "[]", "/": "[]",
	} {
		quotas, err := v.Quota(v.ctx, path(t, name))
		if err != nil || fmt.Sprint(quotas) != want {
			t.Errorf("%s: %v, %v, want %s", name, quotas, err, want)
		}
	}
	for left, limit := range map[int64]quota.Limit{7: {Bytes: 100}, 1: {Bytes: 34}, 0: {Files: 2}} { // the store has 7 left
		ledger.Limit("p/", limit)
		if n, err := v.Space(v.ctx, path(t, "/m/in")); n != left || err != nil {
			t.Errorf("%v: %d octets, %v", limit, n, err)
		}
	}
}

// TestX10_VerbsWithinAQuota: each verb takes and gives back what it should, on a store that
// renames by copying.
func TestX10_VerbsWithinAQuota(t *testing.T) {
	b := newBucket(mem.Options{}, "beside/large")
	ledger := newLedger(t, b.Store)
	ledger.Limit("p/", quota.Limit{Bytes: 10, Files: 3})
	store := ledger.Backend(cached(withoutMove{b.Store, b.Store}))
	v := newView(t, vfs.Mount{Path: "/", Store: store, Ledger: ledger, Prefix: "p/", Rights: all}, vfs.Mount{Path: "/out", Store: store, Prefix: "beside/", Rights: all})
	used := func() string {
		quotas, err := v.Quota(v.ctx, path(t, "/"))
		if err != nil || len(quotas) != 1 {
			t.Fatal(quotas, err)
		}
		return fmt.Sprint(quotas[0].Bytes, "/", quotas[0].Files)
	}
	for _, step := range []struct {
		name          string
		do            func() string
		outcome, used string
	}{
		{"fits", func() string { return v.store("/a", "1234567") }, "ok", "7/1"},
		{"too long", func() string { return v.store("/b", "1234") }, "quota", "7/1"},
		{"announced too long", func() string { return v.storeWith("/b", "1", ftp.StoreOptions{Size: 4}) }, "quota", "7/1"},
		{"append too long", func() string { return v.storeWith("/a", "1234", ftp.StoreOptions{Append: true}) }, "quota", "7/1"},
		{"append", func() string { return v.storeWith("/a", "8", ftp.StoreOptions{Append: true}) }, "ok", "8/1"},
		{"cut", func() string { return v.storeWith("/a", "4", ftp.StoreOptions{Offset: 3}) }, "ok", "4/1"},
		{"overwritten", func() string { return v.store("/a", "1234567890") }, "ok", "10/1"},
		{"renamed at the limit", func() string { return v.rename("/a", "/d/b") }, "ok", "10/1"},
		{"directory renamed at the limit", func() string { return v.rename("/d", "/e") }, "ok", "10/1"},
		{"moved in", func() string { return v.rename("/out/large", "/large") }, "quota", "10/1"},
		{"moved out", func() string { return v.rename("/e/b", "/out/b") }, "ok", "0/0"},
		{"moved in again", func() string { return v.rename("/out/b", "/b") }, "ok", "10/1"},
		{"directories are no files", func() string { return strings.Join([]string{v.mkd("/1"), v.mkd("/2"), v.mkd("/3")}, " ") }, "ok ok ok", "10/1"},
		{"deleted", func() string { return v.dele("/b") }, "ok", "0/0"},
		{"three files", func() string { return v.store("/1/a", "") + v.store("/2/a", "") + v.store("/3/a", "") }, "okokok", "0/3"},
		{"a fourth", func() string { return v.store("/3/b", "") }, "quota", "0/3"},
		{"one by another's name", func() string { return v.rename("/3/a", "/2/a") }, "ok", "0/2"},
	} {
		if got := step.do(); got != step.outcome {
			t.Errorf("%s: %s, want %s", step.name, got, step.outcome)
		}
		if got := used(); got != step.used {
			t.Errorf("%s: %s are used, want %s", step.name, got, step.used)
		}
	}
}
