package vfs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/cache"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

const all = vfs.List | vfs.Read | vfs.Write | vfs.Overwrite | vfs.Delete | vfs.Rename | vfs.Mkdir

// failer is *testing.T, *testing.B or *rapid.T.
type failer interface {
	Helper()
	Context() context.Context
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

// bucket is a store in memory with what tests look at.
type bucket struct {
	*mem.Store
	calls  *backendtest.Recorder // of the requests that reach the store
	faults *backendtest.Faults
}

func newBucket(o mem.Options, keys ...string) *bucket {
	store := mem.New(o)
	b := &bucket{Store: store, faults: backendtest.NewFaults(store)}
	b.calls = backendtest.NewRecorder(b.faults)
	for _, key := range keys {
		b.fill(key, "data of "+key)
	}
	return b
}

// fill writes an object without the calls being recorded.
func (b *bucket) fill(key, content string) {
	u, err := b.Store.Create(context.Background(), key, backends.CreateOptions{})
	if err != nil {
		panic(err)
	}
	if _, err := io.WriteString(u, content); err != nil {
		panic(err)
	}
	if _, err := u.Commit(); err != nil {
		panic(err)
	}
}

// keys are all keys of the store.
func (b *bucket) keys() []string {
	var keys []string
	q := backends.Query{}
	for {
		page, err := b.Store.List(context.Background(), q)
		if err != nil {
			panic(err)
		}
		for _, o := range page.Objects {
			keys = append(keys, o.Key)
		}
		if q.Token = page.Next; q.Token == "" {
			return keys
		}
	}
}

func (b *bucket) wantKeys(t failer, want ...string) {
	t.Helper()
	if got := b.keys(); !slices.Equal(got, want) {
		t.Errorf("keys: %q, want %q", got, want)
	}
}

// view is an FS and how tests call it.
type view struct {
	failer
	*vfs.FS
	ctx context.Context
	log *bytes.Buffer
}

func newView(t failer, mounts ...vfs.Mount) *view {
	t.Helper()
	return sharedView(t, vfs.NewNames(), mounts...)
}

// sharedView is a view of one more session of the process that has these names.
func sharedView(t failer, names *vfs.Names, mounts ...vfs.Mount) *view {
	t.Helper()
	v := &view{failer: t, ctx: t.Context(), log: &bytes.Buffer{}}
	fsys, err := vfs.New(mounts, names, slog.New(slog.NewTextHandler(v.log, nil)))
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	v.FS = fsys
	return v
}

// onBucket mounts the store's keys below p/ as the root.
func onBucket(t failer, b backends.Backend, rights vfs.Rights) *view {
	return newView(t, vfs.Mount{Path: "/", Store: b, Prefix: "p/", Rights: rights})
}

// cached is a decorated by a cache of its own.
func cached(b backends.Backend) backends.Backend {
	return cache.New(cache.Options{TTL: time.Hour}).Backend(b)
}

func path(t failer, name string) ftp.Path {
	t.Helper()
	p, err := ftp.Path{}.Join(name)
	if err != nil {
		t.Fatalf("path %q: %v", name, err)
	}
	return p
}

// The operations below return their outcome as a word: "ok", content, or the kind of error.

func (v *view) enter(name string) string { return outcome(v.Enter(v.ctx, path(v, name))) }

func (v *view) stat(name string) string {
	e, err := v.Stat(v.ctx, path(v, name), ftp.StatOptions{})
	if err != nil {
		return outcome(err)
	}
	return describe(e)
}

func describe(e ftp.Entry) string {
	if e.Dir {
		return e.Name + "/"
	}
	return fmt.Sprintf("%s:%d", e.Name, e.Size)
}

func (v *view) list(name string) string {
	var names []string
	for e, err := range v.List(v.ctx, path(v, name)) {
		if err != nil {
			return strings.Join(append(names, outcome(err)), " ")
		}
		names = append(names, describe(e))
	}
	return strings.Join(names, " ")
}

func (v *view) retrieve(name string) string {
	d, err := v.Retrieve(v.ctx, path(v, name), ftp.RetrieveOptions{})
	if err != nil {
		return outcome(err)
	}
	defer d.Close()
	content, err := io.ReadAll(d)
	if err != nil {
		return outcome(err)
	}
	return string(content)
}

func (v *view) store(name, content string) string {
	return v.storeWith(name, content, ftp.StoreOptions{})
}

func (v *view) storeWith(name, content string, o ftp.StoreOptions) string {
	u, _, err := v.Store(v.ctx, path(v, name), o)
	if err != nil {
		return outcome(err)
	}
	defer u.Abort()
	if _, err := io.WriteString(u, content); err != nil {
		return outcome(err)
	}
	_, err = u.Commit()
	return outcome(err)
}

func (v *view) dele(name string) string { return outcome(v.Delete(v.ctx, path(v, name))) }
func (v *view) mkd(name string) string  { return outcome(v.Mkdir(v.ctx, path(v, name))) }
func (v *view) rmd(name string) string  { return outcome(v.Rmdir(v.ctx, path(v, name))) }

func (v *view) rename(from, to string) string {
	end, err := v.Rename(v.ctx, path(v, from))
	if err != nil {
		return "RNFR " + outcome(err)
	}
	return outcome(end(v.ctx, path(v, to)))
}

func (v *view) setTime(name string, t time.Time) string {
	return outcome(v.SetTime(v.ctx, path(v, name), t))
}

func (v *view) want(got, want string) {
	v.Helper()
	if got != want {
		v.Errorf("got %q, want %q", got, want)
	}
}

// outcome names the kind of an error as the engine tells it.
func outcome(err error) string {
	kinds := []struct {
		kind error
		name string
	}{
		{ftp.ErrNotEmpty, "not empty"}, {ftp.ErrIsDir, "is dir"}, {ftp.ErrNotDir, "not dir"},
		{ftp.ErrChanged, "changed"}, {ftp.ErrBusy, "busy"}, {ftp.ErrQuota, "quota"},
		{ftp.ErrTooMany, "too many"}, {ftp.ErrUnavailable, "unavailable"}, {ftp.ErrRestart, "restart"},
		{fs.ErrNotExist, "absent"}, {fs.ErrExist, "exists"}, {fs.ErrPermission, "denied"},
		{fs.ErrInvalid, "invalid"}, {errors.ErrUnsupported, "unsupported"},
	}
	if err == nil {
		return "ok"
	}
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			return k.name
		}
	}
	return err.Error()
}

var _ ftp.FS = (*vfs.FS)(nil)

func TestNewRefusesWhatCannotBeMounted(t *testing.T) {
	store := mem.New(mem.Options{})
	for name, m := range map[string]vfs.Mount{
		"no store":          {Path: "/"},
		"reserved path":     {Path: "/a/.causeway", Store: store},
		"reserved prefix":   {Path: "/", Store: store, Prefix: ".causeway/parts/"},
		"bad path":          {Path: "/a\x00", Store: store},
		"slash first":       {Path: "/", Store: store, Prefix: "/p/"},
		"empty segment":     {Path: "/", Store: store, Prefix: "p//q/"},
		"dots":              {Path: "/", Store: store, Prefix: "p/../q/"},
		"twice":             {Path: "/twice/", Store: store},
		"control character": {Path: "/", Store: store, Prefix: "p\n/"},
	} {
		_, err := vfs.New([]vfs.Mount{{Path: "/twice", Store: store}, m}, vfs.NewNames(), slog.New(slog.DiscardHandler))
		if err == nil {
			t.Errorf("%s: mounted", name)
		}
	}
}

// limited is a store with seven octets left.
type limited struct{ backends.Backend }

func (limited) Space(context.Context) (int64, error) { return 7, nil }
