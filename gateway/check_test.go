package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/configs"
)

// down is a store that does not answer.
type down struct{ backends.Backend }

func (down) Create(context.Context, string, backends.CreateOptions) (backends.Upload, error) {
	return nil, &backends.Error{Op: "create", Kind: backends.ErrUnavailable, Err: refused()}
}

// refused is what a dialler says of an address where nobody listens.
func refused() error { return &net.OpError{Op: "dial\x1b", Err: syscall.ECONNREFUSED} }

func (down) List(context.Context, backends.Query) (backends.Page, error) {
	return backends.Page{}, &backends.Error{Op: "list", Kind: backends.ErrUnavailable, Err: refused()}
}

// wrong is a store that answers each request that the key it was signed with is wrong.
type wrong struct{ backends.Backend }

var errSignature = errors.New("SignatureDoesNotMatch")

func (wrong) fail(op string) error {
	return &backends.Error{Op: op, Kind: backends.ErrUnavailable, Err: errSignature}
}

func (s wrong) Create(context.Context, string, backends.CreateOptions) (backends.Upload, error) {
	return nil, s.fail("create")
}

func (s wrong) List(context.Context, backends.Query) (backends.Page, error) {
	return backends.Page{}, s.fail("list")
}

func (s wrong) Delete(context.Context, string, backends.DeleteOptions) error { return s.fail("delete") }

// guarded is a store whose credentials permit only some things, as S3's do: who may not
// know that an object exists is told that it does not.
type guarded struct {
	backends.Backend
	denies string // of "put list get delete"
}

func (g guarded) refuses(what string) error {
	if strings.Contains(g.denies, what) {
		return &backends.Error{Op: what, Key: "canary-bucket", Kind: fs.ErrPermission}
	}
	return nil
}

func (g guarded) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if err := g.refuses("put"); err != nil {
		return nil, err
	}
	return g.Backend.Create(ctx, key, o)
}

func (g guarded) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	if err := g.refuses("list"); err != nil {
		return backends.Page{}, err
	}
	return g.Backend.List(ctx, q)
}

func (g guarded) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	if g.refuses("get") != nil {
		return backends.Object{}, fs.ErrNotExist
	}
	return g.Backend.Stat(ctx, key, o)
}

func (g guarded) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	if err := g.refuses("get"); err != nil {
		return nil, err
	}
	return g.Backend.Open(ctx, key, o)
}

func (g guarded) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	if err := g.refuses("list"); err != nil {
		return backends.ParkedPage{}, err
	}
	return g.Backend.(backends.Parker).Parked(ctx, q)
}

func (g guarded) Discard(ctx context.Context, p backends.Parked) error {
	return backends.Discard(ctx, g.Backend, p)
}

func (g guarded) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if err := g.refuses("delete"); err != nil {
		return err
	}
	return g.Backend.Delete(ctx, key, o)
}

func TestS52_CheckTellsWhatIsMissing(t *testing.T) {
	every := []configs.Right{configs.List, configs.Read, configs.Write, configs.Overwrite, configs.Delete, configs.Rename, configs.Mkdir}
	for _, c := range []struct {
		name    string
		denies  string
		rights  []configs.Right
		missing int
		want    string
	}{
		{"all", "", every, 0, "put ok|list ok|get ok|delete ok|park ok"},
		{"drop box", "list get delete", []configs.Right{configs.Write}, 0,
			"put ok|list denied, and no mount needs it|get denied, and no mount needs it|delete denied, and no mount needs it|park denied|left behind: in/.causeway/check-*"},
		{"no list", "list", every, 1, "put ok|list denied: grant s3:ListBucket on the bucket|get ok|delete ok|park denied"},
		{"no delete", "delete", []configs.Right{configs.Rename}, 1,
			"put ok|list ok|get ok|delete denied: grant s3:DeleteObject on the objects|park ok|left behind: in/.causeway/check-*"},
		{"no get", "get", []configs.Right{configs.Rename, configs.List}, 1, "put ok|list ok|get denied: grant s3:GetObject on the objects|delete ok|park ok"},
		{"read only", "put delete", []configs.Right{configs.List, configs.Read}, 0,
			"put denied, and no mount needs it|list ok|get ok|delete denied, and no mount needs it"},
		{"read nothing", "put get delete", []configs.Right{configs.Read}, 1,
			"put denied, and no mount needs it|list ok|get denied: grant s3:GetObject on the objects|delete denied, and no mount needs it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := mem.New(mem.Options{})
			p := probe{store: store, key: "in/file"}
			if err := p.put(t.Context()); err != nil {
				t.Fatal(err)
			}
			cfg := configs.Default()
			cfg.Stores = map[string]configs.Store{"s3": {Kind: configs.S3}}
			cfg.Users = []configs.User{{Mounts: []configs.Mount{{Path: "/", Store: "s3", Prefix: "in/", Rights: c.rights}}}}
			var out bytes.Buffer
			missing := checkStore(t, cfg, "s3", guarded{store, c.denies}, &out)
			if missing != c.missing {
				t.Errorf("%d missing, want %d", missing, c.missing)
			}
			if got := linesOf(out.String()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// linesOf joins the lines without the store's name, columns, random names, and what is said
// where nothing can be parked.
func linesOf(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		line = strings.Join(fields[1:], " ")
		if i := strings.Index(line, "/check-"); i >= 0 {
			line = line[:i] + "/check-*"
		}
		if rest, ok := strings.CutPrefix(line, "park denied"); ok {
			line = strings.TrimSuffix(line, rest)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "|")
}

func TestCheckOfAStoreThatIsDown(t *testing.T) {
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"s3": {Kind: configs.S3}}
	cfg.Users = []configs.User{{Mounts: []configs.Mount{{Path: "/", Store: "s3", Rights: []configs.Right{configs.Write, configs.Delete}}}}}
	var out bytes.Buffer
	if missing := checkStore(t, cfg, "s3", down{}, &out); missing != 2 {
		t.Errorf("%d missing", missing)
	}
	want := `put failed: create "": store unavailable: dial\u001b: connection refused|` +
		`list failed: list "": store unavailable: dial\u001b: connection refused|` +
		`get failed: the store does not answer|delete failed: the store does not answer`
	if got := linesOf(out.String()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestS52_CheckTellsWhatTheStoreSays: a store that answers is not called silent, and what
// is wrong everywhere is told once.
func TestS52_CheckTellsWhatTheStoreSays(t *testing.T) {
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"s3": {Kind: configs.S3}}
	for _, prefix := range []string{"a/", "b/"} {
		cfg.Anonymous.Mounts = append(cfg.Anonymous.Mounts, configs.AnonymousMount{Path: "/" + prefix, Store: "s3", Prefix: prefix})
	}
	var out bytes.Buffer
	checkStore(t, cfg, "s3", wrong{}, &out)
	want := `put failed: create "": store unavailable: SignatureDoesNotMatch|list failed: list "": store unavailable: SignatureDoesNotMatch|` +
		`get could not be tried: no object to read was found|delete failed: delete "": store unavailable: SignatureDoesNotMatch`
	if got := linesOf(out.String()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// hanging is a store that says nothing until its caller has had enough.
type hanging struct{ backends.Backend }

func (hanging) Create(ctx context.Context, _ string, _ backends.CreateOptions) (backends.Upload, error) {
	<-ctx.Done()
	return nil, &backends.Error{Op: "create", Kind: backends.ErrUnavailable, Err: ctx.Err()}
}

func (hanging) List(ctx context.Context, _ backends.Query) (backends.Page, error) {
	<-ctx.Done()
	return backends.Page{}, &backends.Error{Op: "list", Kind: backends.ErrUnavailable, Err: ctx.Err()}
}

// TestS52_StoresAreTriedSideBySide: many that hang take no longer than one.
func TestS52_StoresAreTriedSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := configs.Default()
		cfg.Stores = map[string]configs.Store{}
		stores := map[string]backends.Backend{"working": mem.New(mem.Options{})}
		for _, name := range []string{"a", "b", "c", "z"} {
			stores[name] = hanging{}
		}
		for name := range stores {
			cfg.Stores[name] = configs.Store{Kind: configs.S3}
			cfg.Anonymous.Mounts = append(cfg.Anonymous.Mounts, configs.AnonymousMount{Path: "/" + name, Store: name})
		}
		start := time.Now()
		var out bytes.Buffer
		if missing := checkStores(t.Context(), cfg, stores, &out); missing != 4*2 {
			t.Errorf("%d missing, want list and get of four", missing)
		}
		if took := time.Since(start); took != probeTimeout {
			t.Errorf("took %v", took)
		}
		var names []string
		for line := range strings.Lines(out.String()) {
			names = append(names, strings.Fields(line)[0])
		}
		if want := []string{"a", "b", "c", "working", "z"}; !slices.Equal(slices.Compact(names), want) || len(names) != 4*5 {
			t.Errorf("lines of %q, want four of each of %q", names, want)
		}
	})
}

// confined is a store whose credentials are good for keys with some prefixes only.
type confined struct {
	backends.Backend
	prefixes []string
}

func (c confined) at(key string) backends.Backend {
	for _, prefix := range c.prefixes {
		if strings.HasPrefix(key, prefix) {
			return c.Backend
		}
	}
	return guarded{c.Backend, "put list get delete"}
}

func (c confined) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	return c.at(key).Create(ctx, key, o)
}

func (c confined) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	return c.at(q.Prefix).List(ctx, q)
}

func (c confined) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	return c.at(key).Stat(ctx, key, o)
}

func (c confined) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	return c.at(key).Open(ctx, key, o)
}

func (c confined) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	return c.at(key).Delete(ctx, key, o)
}

// TestS52_CheckTriesEachPrefix: credentials may fit some mounts and not others.
func TestS52_CheckTriesEachPrefix(t *testing.T) {
	full := []configs.Right{configs.List, configs.Read, configs.Write, configs.Delete}
	for _, c := range []struct {
		name     string
		kind     configs.Kind
		prefixes []string
		missing  int
		want     string
	}{
		{"all", configs.S3, []string{""}, 0, "put ok|list ok|get ok|delete ok|park denied"},
		{"as the mounts", configs.S3, []string{"a/", "b/"}, 0, "put ok|list ok|get ok|delete ok|park denied"},
		{"one of two", configs.S3, []string{"a/"}, 1,
			"put ok (in a/.causeway/)|put denied: grant s3:PutObject and s3:AbortMultipartUpload on the objects (in b/.causeway/)|" +
				"list ok (in a/.causeway/)|list denied, and no mount needs it (in b/.causeway/)|" +
				"get ok (in a/.causeway/)|get could not be tried: no object to read was found (in b/.causeway/)|" +
				"delete ok (in a/.causeway/)|delete denied, and no mount needs it (in b/.causeway/)|park denied"},
		{"the bucket's root for parts", configs.GCS, []string{""}, 0, "put ok|list ok|get ok|delete ok|park denied"},
		{"no parts", configs.GCS, []string{"a/", "b/"}, 2,
			"put ok (in a/.causeway/, b/.causeway/)|" +
				"put denied: grant storage.objects.create, and storage.objects.delete to overwrite (in .causeway/parts/)|list ok|" +
				"get ok (in a/.causeway/, b/.causeway/)|get could not be tried: no object to read was found (in .causeway/parts/)|" +
				"delete ok (in a/.causeway/, b/.causeway/)|delete denied: grant storage.objects.delete (in .causeway/parts/)|park denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := configs.Default()
			cfg.Stores = map[string]configs.Store{"store": {Kind: c.kind}}
			cfg.Users = []configs.User{{Mounts: []configs.Mount{
				{Path: "/a", Store: "store", Prefix: "a/", Rights: full},
				{Path: "/again", Store: "store", Prefix: "a/", Rights: full},
				{Path: "/b", Store: "store", Prefix: "b/", Rights: []configs.Right{configs.Write}},
			}}}
			var out bytes.Buffer
			missing := checkStore(t, cfg, "store", confined{mem.New(mem.Options{}), c.prefixes}, &out)
			if got := linesOf(out.String()); missing != c.missing || got != c.want {
				t.Errorf("%d missing, want %d\ngot  %s\nwant %s", missing, c.missing, got, c.want)
			}
		})
	}
}

func TestS52_CheckTriesASampleOfManyPrefixes(t *testing.T) {
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"s3": {Kind: configs.S3}}
	for i := range 1000 {
		cfg.Users = append(cfg.Users, configs.User{Mounts: []configs.Mount{
			{Path: "/", Store: "s3", Prefix: fmt.Sprintf("%04d/", i), Rights: []configs.Right{configs.Write}},
		}})
	}
	var out bytes.Buffer
	if missing := checkStore(t, cfg, "s3", mem.New(mem.Options{}), &out); missing != 0 {
		t.Errorf("%d missing", missing)
	}
	if got, want := linesOf(out.String()), "put ok|list ok|get ok|delete ok|park ok|tried below 10 of 1000 prefixes"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestS52_CheckOnADirectory runs the whole of check and leaves nothing behind.
func TestS52_CheckOnADirectory(t *testing.T) {
	cfg := configs.Default()
	dir := t.TempDir()
	cfg.Stores = map[string]configs.Store{"disk": {Kind: configs.LocalDir, Path: dir}}
	cfg.Anonymous.Mounts = []configs.AnonymousMount{{Path: "/", Store: "disk", Prefix: "pub/"}}
	var out bytes.Buffer
	if err := Check(t.Context(), cfg, &out); err != nil {
		t.Fatal(err)
	}
	if got := linesOf(out.String()); got != "put ok|list ok|get ok|delete ok" {
		t.Errorf("got %s", got)
	}
	if left, _ := filepath.Glob(dir + "/pub/.causeway*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	cfg.Users = []configs.User{{Name: "x", Password: "$1$canary"}}
	err := Check(t.Context(), cfg, &out)
	var p *configs.Problem
	if !errors.As(err, &p) || p.Field != "users[0].password" || strings.Contains(err.Error(), "canary") {
		t.Errorf("a damaged hash: %v", err)
	}
}
