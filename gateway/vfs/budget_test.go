package vfs_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// requests counts the requests of calls, and apart from them the looks for what is parked.
func requests(calls []string) (n, looks int) {
	for _, call := range calls {
		if verb, _, _ := strings.Cut(call, " "); verb == "parked" {
			looks++
		}
	}
	return backendtest.Requests(calls) - looks, looks
}

// withoutMove is a store that parks and has copies but no atomic rename, as the clouds.
type withoutMove struct {
	backends.Backend
	more interface {
		backends.Copier
		backends.Parker
	}
}

func (w withoutMove) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	return w.more.Copy(ctx, dst, src, o)
}

func (w withoutMove) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	return w.more.Parked(ctx, q)
}

func (w withoutMove) Discard(ctx context.Context, p backends.Parked) error {
	return w.more.Discard(ctx, p)
}

// TestRequestBudget counts the requests that a client's commands cost, with a cold cache
// and after a listing of the directory. Users pay for each, so the numbers are a promise.
func TestRequestBudget(t *testing.T) {
	complete := func(v *view, name string) string {
		_, err := v.Stat(v.ctx, path(v, name), ftp.StatOptions{Complete: true})
		return outcome(err)
	}
	for _, c := range []struct {
		name       string
		do         func(*view) string
		cold, warm int
		partial    bool // the store's listings tell no metadata
	}{
		{name: "STOR new", do: func(v *view) string { return v.store("/d/new", "1") }, cold: 1, warm: 1},
		{name: "STOR into a new directory", do: func(v *view) string { return v.store("/d/x/y/new", "1") }, cold: 1, warm: 1},
		{name: "STOR over", do: func(v *view) string { return v.store("/d/a", "1") }, cold: 1, warm: 1},
		{name: "RETR", do: func(v *view) string { return ok(v.retrieve("/d/a") == "data of p/d/a") }, cold: 1, warm: 1},
		{name: "LIST", do: func(v *view) string { return ok(v.list("/d") != "") }, cold: 1, warm: 0},
		{name: "LIST of nothing", do: func(v *view) string { return ok(v.list("/d/none") == "absent") }, cold: 1, warm: 1},
		{name: "CWD", do: func(v *view) string { return v.enter("/d") }, cold: 1, warm: 0},
		{name: "CWD below", do: func(v *view) string { return v.enter("/d/sub") }, cold: 1, warm: 0},
		{name: "CWD to nothing", do: func(v *view) string { return ok(v.enter("/d/none") == "absent") }, cold: 1, warm: 0},
		{name: "SIZE", do: func(v *view) string { return ok(v.stat("/d/a") == "a:13") }, cold: 1, warm: 0},
		{name: "SIZE of nothing", do: func(v *view) string { return ok(v.stat("/d/none") == "absent") }, cold: 2, warm: 0},
		{name: "SIZE on S3", do: func(v *view) string { return ok(v.stat("/d/a") == "a:13") }, cold: 1, warm: 0, partial: true},
		{name: "MDTM", do: func(v *view) string { return complete(v, "/d/a") }, cold: 1, warm: 0},
		{name: "MDTM on S3", do: func(v *view) string { return complete(v, "/d/a") }, cold: 1, warm: 1, partial: true},
		{name: "DELE", do: func(v *view) string { return v.dele("/d/a") }, cold: 3, warm: 2},
		{name: "DELE of the last", do: func(v *view) string { return v.dele("/d/sub/x") }, cold: 4, warm: 4},
		{name: "DELE at the mount", do: func(v *view) string { return v.dele("/a") }, cold: 2, warm: 2},
		{name: "MKD", do: func(v *view) string { return v.mkd("/d/new") }, cold: 3, warm: 1},
		{name: "RMD", do: func(v *view) string { return v.rmd("/d/empty") }, cold: 3, warm: 3},
		{name: "x.tmp then RNTO", do: func(v *view) string {
			return v.store("/d/x.tmp", "1") + v.rename("/d/x.tmp", "/d/x")[2:]
		}, cold: 3, warm: 3},
		{name: "PWD, CWD, STOR, SIZE", do: func(v *view) string {
			return ok(v.enter("/d")+v.store("/d/new", "1")+v.stat("/d/new") == "okoknew:1")
		}, cold: 2, warm: 1},
	} {
		for state, want := range map[string]int{"cold": c.cold, "after LIST": c.warm} {
			t.Run(c.name+" "+state, func(t *testing.T) {
				b := newBucket(mem.Options{Partial: c.partial}, "p/a", "p/d/a", "p/d/b", "p/d/sub/x", "p/d/empty/")
				v := onBucket(t, cached(withoutMove{b.calls, b.calls}), all)
				if state != "cold" {
					v.list("/d")
				}
				b.calls.Take()
				v.want(c.do(v), "ok")
				calls := b.calls.Take()
				if got, looks := requests(calls); got != want || looks > 1 {
					t.Errorf("%d requests and %d looks for parked uploads, want %d and at most 1:\n%s", got, looks, want, strings.Join(calls, "\n"))
				}
			})
		}
	}
}

// TestS16_S30_TmpHabit is what devices do: STOR x.tmp, RNFR x.tmp, RNTO x. Under every
// policy just one object is there under the final name, whole, no other is lost, and none
// of another's is taken for the session's own.
func TestS16_S30_TmpHabit(t *testing.T) {
	for _, c := range []struct {
		policy  vfs.Overwriting
		taken   []string
		most    int    // requests
		content string // of x then
	}{
		{vfs.ReplaceExisting, nil, 4, "new"},
		{vfs.ReplaceExisting, []string{"p/x"}, 4, "new"},
		{vfs.ReplaceExisting, []string{"p/x", "p/x.tmp"}, 4, "new"},
		{vfs.RefuseExisting, nil, 6, "new"},
		{vfs.RefuseExisting, []string{"p/x"}, 6, "data of p/x"},
		{vfs.KeepBoth, nil, 6, "new"},
		{vfs.KeepBoth, []string{"p/x"}, 6, "data of p/x"},
		{vfs.KeepBoth, []string{"p/x.tmp"}, 6, "new"},
		{vfs.KeepBoth, []string{"p/x", "p/x.tmp"}, 6, "data of p/x"},
	} {
		t.Run(fmt.Sprint(c.policy, c.taken), func(t *testing.T) {
			p := newProcess(vfs.Mount{Overwrite: c.policy}, mem.Options{}, c.taken...)
			v := p.session(t)
			v.want(v.store("/x.tmp", "new"), "ok")
			refused := c.policy == vfs.RefuseExisting && len(c.taken) > 0
			v.want(v.rename("/x.tmp", "/x"), map[bool]string{true: "exists", false: "ok"}[refused])
			calls := p.calls.Take()
			if n, looks := requests(calls); n > c.most || looks > 1 {
				t.Errorf("%d requests and %d looks for parked uploads:\n%s", n, looks, strings.Join(calls, "\n"))
			}
			p.wantContent(t, "p/x", c.content)
			if c.policy != vfs.ReplaceExisting {
				for _, key := range c.taken {
					p.wantContent(t, key, "data of "+key)
				}
			}
			news := 0
			for _, key := range p.keys() {
				if content, _ := p.content(key); content == "new" {
					news++
				}
			}
			if news != 1 {
				t.Errorf("%d copies of what was stored: %q", news, p.keys())
			}
		})
	}
}

func ok(is bool) string {
	if is {
		return "ok"
	}
	return "not as expected"
}
