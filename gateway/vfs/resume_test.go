package vfs_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// farFuture is later than any clock of a test.
var farFuture = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)

var appending = ftp.StoreOptions{Append: true}

func restart(n int64) ftp.StoreOptions { return ftp.StoreOptions{Offset: n} }

// TestS13_Resume goes on with what was parked: by APPE and by REST, in the session that
// parked it, in another one, and in another process after a crash.
func TestS13_Resume(t *testing.T) {
	everywhere(t, func(t *testing.T, b *bucket, s backends.Backend) {
		one := onBucket(t, s, all)
		one.want(one.park("/x", "abc", ftp.StoreOptions{}), "3")
		one.want(one.park("/x", "def", appending), "6")
		two := onBucket(t, s, all)
		two.want(two.park("/x", "ghi", restart(6)), "9")
		two.want(two.stat("/x"), "x:9")
		b.Crash()
		three := onBucket(t, b.calls, all) // a process that remembers nothing
		three.want(three.storeWith("/x", "", restart(9)), "ok")
		b.wantContent(t, "p/x", "abcdefghi")
		if left := b.Uploads(); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	})
}

// TestS13_ResumeAfterACrash: what the process had stored is there for the next one.
func TestS13_ResumeAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(mem.Options{PartSize: 4})
		dying := onBucket(t, b.calls, all)
		u, _, err := dying.Store(t.Context(), path(t, "/x"), ftp.StoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(u, "0123456789"); err != nil {
			t.Fatal(err)
		}
		dying.want(dying.stat("/x"), "absent") // nobody is told of what is on its way
		b.Crash()
		v := onBucket(t, b.calls, all)
		v.want(v.stat("/x"), "x:8")
		v.want(v.storeWith("/x", "rest", restart(9)), "restart")
		v.want(v.storeWith("/x", "rest", restart(6)), "restart") // no part ends there
		v.want(v.storeWith("/x", "rest", restart(4)), "ok")
		b.wantContent(t, "p/x", "0123rest")
	})
}

// TestS13_X15_NothingIsGrafted: an upload goes on with what SIZE tells of, and with that
// alone: not with an old file if an upload is newer, and not with an old upload if the file
// is newer.
func TestS13_X15_NothingIsGrafted(t *testing.T) {
	for _, c := range []struct {
		first, second string // "file" or "upload", a second apart
		o             ftp.StoreOptions
		want, content string
	}{
		{"file", "upload", appending, "ok", "parked+"},
		{"file", "upload", restart(6), "ok", "parked+"},
		{"file", "upload", restart(3), "ok", "par+"},
		{"file", "upload", restart(7), "restart", "the old file"},
		{"upload", "file", appending, "ok", "the old file+"},
		{"upload", "file", restart(6), "ok", "the ol+"},
		{"upload", "file", restart(12), "ok", "the old file+"},
		{"upload", "file", restart(13), "restart", "the old file"},
		{"upload", "", appending, "ok", "parked+"},
		{"upload", "", restart(7), "restart", ""},
		{"", "", appending, "ok", "+"},
		{"", "", restart(1), "restart", ""},
		{"file", "", restart(12), "ok", "the old file+"},
		{"file", "upload", ftp.StoreOptions{}, "ok", "+"},
	} {
		everywhere(t, func(t *testing.T, b *bucket, s backends.Backend) {
			for _, what := range []string{c.first, c.second} {
				tick()
				v := onBucket(t, b, all) // behind the back of the one that is tried
				switch what {
				case "file":
					b.fill("p/x", "the old file")
				case "upload":
					v.want(v.park("/x", "parked", ftp.StoreOptions{}), "6")
				}
			}
			tick()
			v := onBucket(t, s, all)
			if got := v.storeWith("/x", "+", c.o); got != c.want {
				t.Errorf("%s, %s, %+v: %s, want %s", c.first, c.second, c.o, got, c.want)
			}
			b.wantContent(t, "p/x", c.content)
		})
	}
}

// TestS13_WhatWasToldMustHold: another gateway changes what is there after SIZE was
// answered. The octets that the client sends for the size that it was told must not follow
// others; when it asks again it may go on.
func TestS13_WhatWasToldMustHold(t *testing.T) {
	for _, o := range []ftp.StoreOptions{appending, restart(3)} {
		synctest.Test(t, func(t *testing.T) {
			b := newBucket(mem.Options{})
			b.fill("p/x", "old")
			v, elsewhere := onBucket(t, b.calls, all), onBucket(t, b, all)
			v.want(v.stat("/x"), "x:3")
			tick()
			elsewhere.want(elsewhere.park("/x", "123456", ftp.StoreOptions{}), "6")
			v.want(v.storeWith("/x", "+", o), "changed")
			b.wantContent(t, "p/x", "old")
			v.want(v.stat("/x"), "x:6")
			v.want(v.storeWith("/x", "+", ftp.StoreOptions{Offset: 6}), "ok")
			b.wantContent(t, "p/x", "123456+")
			tick()
			v.want(v.stat("/none"), "absent")
			elsewhere.want(elsewhere.store("/none", "other"), "ok")
			v.want(v.storeWith("/none", "+", appending), "changed")
			v.want(v.storeWith("/none", "+", appending), "ok")
			b.wantContent(t, "p/none", "other+")
		})
	}
}

// stale is a store that tells of an upload which is gone.
type stale struct {
	backends.Backend
	told backends.Parked
}

func (s *stale) Parked(context.Context, backends.ParkedQuery) (backends.ParkedPage, error) {
	return backends.ParkedPage{Uploads: []backends.Parked{s.told}}, nil
}

func (s *stale) Discard(context.Context, backends.Parked) error { return nil }

// TestS13_GoneMeanwhile: an upload that was told of and is gone does not count.
func TestS13_GoneMeanwhile(t *testing.T) {
	for _, c := range []struct {
		file, want, content string
		o                   ftp.StoreOptions
	}{
		{"", "ok", "+", appending},
		{"", "restart", "", restart(3)},
		{"file", "ok", "file+", appending},
		{"file", "ok", "fil+", restart(3)},
	} {
		b := newBucket(mem.Options{})
		if c.file != "" {
			b.fill("p/x", c.file)
		}
		gone := backends.Parked{ID: "gone", Key: "p/x", Size: 3, ModTime: farFuture}
		v := onBucket(t, &stale{b.calls, gone}, all)
		v.want(v.storeWith("/x", "+", c.o), c.want)
		b.wantContent(t, "p/x", c.content)
	}
}

// TestS13_MemoryIsNotEnough to go on with an upload: another gateway has parked it since.
func TestS13_MemoryIsNotEnough(t *testing.T) {
	b := newBucket(mem.Options{})
	v, elsewhere := onBucket(t, cached(b.calls), all), onBucket(t, b, all)
	v.want(v.list("/"), "")
	for _, name := range []string{"/x", "/y"} {
		elsewhere.want(elsewhere.park(name, "parked", ftp.StoreOptions{}), "6")
	}
	v.want(v.storeWith("/x", "+", appending)+" "+v.storeWith("/y", "+", restart(6)), "ok ok")
	b.wantContent(t, "p/x", "parked+")
	b.wantContent(t, "p/y", "parked+")
}

// TestS14_AppendAndCut keeps what the file has beside its content, but not the time that was set for the old one, nor of
// what that was a copy.
func TestS14_AppendAndCut(t *testing.T) {
	b := newBucket(mem.Options{})
	v := onBucket(t, cached(b.calls), all)
	u, err := b.Create(t.Context(), "p/x", backends.CreateOptions{ContentType: "text/x-log", Metadata: map[string]string{"a": "b", backends.MetaModTime: "1", backends.MetaCopyOf: "c"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
	v.want(v.storeWith("/x", "abc", appending), "ok")
	v.want(v.storeWith("/x", "def", appending), "ok")
	v.want(v.storeWith("/x", "DEF", restart(3)), "ok")
	v.want(v.retrieve("/x")+" "+v.stat("/x"), "abcDEF x:6")
	obj, err := b.Stat(t.Context(), "p/x", backends.StatOptions{})
	if err != nil || obj.ContentType != "text/x-log" || obj.Metadata["a"] != "b" || len(obj.Metadata) != 1 {
		t.Errorf("%+v, %v", obj, err)
	}
	v.want(v.storeWith("/new.csv", "1", appending), "ok")
	if obj, err = b.Stat(t.Context(), "p/new.csv", backends.StatOptions{}); err != nil || obj.ContentType != "text/csv" {
		t.Errorf("%+v, %v", obj, err)
	}
}

// TestS14_ChangesAreNotLost: who is overtaken between the begin and the commit hears of it.
func TestS14_ChangesAreNotLost(t *testing.T) {
	for name, o := range map[string]ftp.StoreOptions{"APPE": appending, "REST": restart(2), "APPE to nothing": appending, "APPE to no octets": appending} {
		b := newBucket(mem.Options{})
		switch name {
		case "APPE", "REST":
			b.fill("p/x", "old")
		case "APPE to no octets":
			b.fill("p/x", "")
		}
		v := onBucket(t, b.calls, all)
		u, _, err := v.Store(v.ctx, path(t, "/x"), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(u, "mine"); err != nil {
			t.Fatal(err)
		}
		b.fill("p/x", "of another")
		_, err = u.Commit()
		v.want(outcome(err), "changed")
		b.wantContent(t, "p/x", "of another")
	}
}

// TestS14_X15_AppendersLoseNothing: many append to one file at a time, and come back when
// they are told to. What was acknowledged is there, once.
func TestS14_X15_AppendersLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const appenders = 16
		b := newBucket(mem.Options{})
		shared := cached(b.calls)
		done := make(chan string, appenders)
		for i := range appenders {
			go func() {
				v := onBucket(t, shared, all)
				word := fmt.Sprintf("<%02d>", i)
				got := v.storeWith("/x", word, appending)
				for got == "changed" {
					tick()
					got = v.storeWith("/x", word, appending)
				}
				done <- got
			}()
		}
		for range appenders {
			if got := <-done; got != "ok" {
				t.Errorf("an appender heard %s", got)
			}
		}
		content, _ := b.content("p/x")
		var words []string
		for i := 0; i+4 <= len(content); i += 4 {
			words = append(words, content[i:i+4])
		}
		slices.Sort(words)
		if words = slices.Compact(words); len(content) != 4*appenders || len(words) != appenders {
			t.Errorf("%d octets: %q", len(content), content)
		}
	})
}

// TestS14_S43_CredentialsThatMayNotLook never replace a file by what was to follow it.
func TestS14_S43_CredentialsThatMayNotLook(t *testing.T) {
	b := newBucket(mem.Options{}, "p/log")
	for _, verb := range []string{"stat", "list", "parked"} {
		b.faults.Add(backendtest.Fault{Verb: verb, Err: &backends.Error{Op: verb, Kind: fs.ErrPermission}})
	}
	v := onBucket(t, b.calls, all)
	v.want(v.storeWith("/log", "tail", appending), "changed")
	v.want(v.storeWith("/log", "tail", restart(3)), "restart")
	v.want(v.storeWith("/new", "head", appending), "ok")
	b.wantContent(t, "p/log", "data of p/log")
}

// TestS14_S16_FilesThatMayNotChange: without the right, or against the policy.
func TestS14_S16_FilesThatMayNotChange(t *testing.T) {
	for name, m := range map[string]vfs.Mount{
		"right":    {Rights: all &^ vfs.Overwrite},
		"refuse":   {Rights: all, Overwrite: vfs.RefuseExisting},
		"keepBoth": {Rights: all, Overwrite: vfs.KeepBoth},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(mem.Options{}, "old")
			m.Path, m.Store = "/", b.calls
			v := newView(t, m)
			v.want(v.storeWith("/old", "+", appending), "exists")
			v.want(v.storeWith("/old", "+", restart(2)), "exists")
			v.want(v.storeWith("/new", "1", appending), "ok")
			v.want(v.park("/parked", "1", ftp.StoreOptions{}), "1")
			v.want(v.storeWith("/parked", "2", appending), "ok")
			v.want(v.park("/taken", "1", ftp.StoreOptions{}), "1")
			b.fill("taken", "by another")
			v.want(v.stat("/taken")+" "+v.storeWith("/taken", "+", appending), "taken:10 exists")
			for key, want := range map[string]string{"old": "data of old", "new": "1", "parked": "12", "taken": "by another"} {
				b.wantContent(t, key, want)
			}
		})
	}
}
