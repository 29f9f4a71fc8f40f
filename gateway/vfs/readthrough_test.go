package vfs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/backends/readthrough"
	"causeway/cache"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// twin is a view of one store beside one of a store with another behind it, each behind a cache,
// that have the same files between them.
type twin struct {
	*testing.T
	plain, split *vfs.FS
	log          []string
}

func newTwin(t *testing.T, r *rand.Rand) *twin {
	hourAgo := func() time.Time { return time.Now().Add(-time.Hour) }
	plain := newBucket(mem.Options{PageSize: 3, Now: hourAgo})
	front, behind := newBucket(mem.Options{PageSize: 3}), newBucket(mem.Options{PageSize: 2, Now: hourAgo})
	for _, key := range []string{"a", "d/", "d/a", "d/b", "d/e/", "d/e/a", "d/e/f/b", "g/a", "g/b", "h/", "z"} {
		text := "data of " + key
		if strings.HasSuffix(key, "/") {
			text = ""
		}
		plain.fill("p/"+key, text)
		if r.IntN(3) > 0 {
			behind.fill("old/"+key, text)
		} else {
			front.fill("p/"+key, text)
		}
		if r.IntN(4) == 0 && text != "" { // what is here is newer
			behind.fill("old/"+key, "older data")
			front.fill("p/"+key, text)
		}
	}
	memory := cache.New(cache.Options{TTL: time.Hour})
	way := memory.Backend(front)
	routes := readthrough.NewRoutes(way, readthrough.Options{})
	routes.Replace([]readthrough.Route{{Prefix: "p/", Behind: memory.Backend(behind), Path: "old/", CopyOnRead: r.IntN(2) == 0}})
	view := func(store backends.Backend) *vfs.FS {
		f, err := vfs.New([]vfs.Mount{{Path: "/", Store: store, Prefix: "p/", Rights: all}}, vfs.NewNames(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	return &twin{T: t, plain: view(plain), split: view(routes.Over(way))}
}

// kind is that of an error, as a client would hear of it.
func kind(err error) error {
	for _, k := range []error{
		nil, fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, ftp.ErrIsDir, ftp.ErrNotDir, ftp.ErrNotEmpty, ftp.ErrChanged, ftp.ErrBusy, ftp.ErrUnavailable, fs.ErrInvalid, ftp.ErrRestart,
	} {
		if errors.Is(err, k) {
			return k
		}
	}
	return err
}

// both does something to either view, and fails if they end differently.
func (w *twin) both(what string, do func(*vfs.FS) (string, error)) {
	w.Helper()
	w.log = append(w.log, what)
	want, wantErr := do(w.plain)
	got, err := do(w.split)
	if got != want || !errors.Is(kind(err), kind(wantErr)) {
		w.Fatalf("%s\n got %q, %v\nwant %q, %v", strings.Join(w.log, "\n"), got, err, want, wantErr)
	}
}

func pathOf(t *testing.T, text string) ftp.Path {
	t.Helper()
	p, err := ftp.Path{}.Join(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// store is STOR, APPE, or REST and STOR.
func (w *twin) store(f *vfs.FS, p ftp.Path, content string, o ftp.StoreOptions) error {
	u, _, err := f.Store(w.Context(), p, o)
	if err != nil {
		return err
	}
	defer func() { _ = u.Abort() }()
	if _, err := io.WriteString(u, content); err != nil {
		return err
	}
	_, err = u.Commit()
	return err
}

func (w *twin) rename(f *vfs.FS, from, to ftp.Path) error {
	finish, err := f.Rename(w.Context(), from)
	if err != nil {
		return err
	}
	return finish(w.Context(), to)
}

// retrieve is RETR.
func (w *twin) retrieve(f *vfs.FS, p ftp.Path) (string, error) {
	d, err := f.Retrieve(w.Context(), p, ftp.RetrieveOptions{})
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(d)
	return string(text), errors.Join(err, d.Close())
}

// tree is all that LIST tells, from dir down.
func (w *twin) tree(f *vfs.FS, dir ftp.Path) (string, error) {
	var lines strings.Builder
	for e, err := range f.List(w.Context(), dir) {
		if err != nil {
			return lines.String(), err
		}
		p, err := dir.Join(e.Name)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(&lines, p, e.Dir, e.Size)
		if e.Dir {
			below, err := w.tree(f, p)
			if err != nil {
				return "", err
			}
			lines.WriteString(below)
		}
	}
	return lines.String(), nil
}

func (w *twin) isDir(p ftp.Path) bool {
	w.Helper()
	e, err := w.plain.Stat(w.Context(), p, ftp.StatOptions{})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.Fatal(err)
	}
	return e.Dir
}

// step does one random thing.
func (w *twin) step(r *rand.Rand) {
	names := []string{"/a", "/d", "/d/a", "/d/b", "/d/e", "/d/e/a", "/d/e/f", "/d/e/f/b", "/g", "/g/a", "/g/b", "/h", "/h/n", "/n", "/n/m", "/z"}
	from, to := names[r.IntN(len(names))], names[r.IntN(len(names))]
	p, other := pathOf(w.T, from), pathOf(w.T, to)
	content := fmt.Sprint("content ", r.IntN(1000))
	kind := r.IntN(11)
	if kind <= 2 && w.isDir(p) || kind >= 6 && kind <= 8 && w.isDir(other) {
		return // refused only where a memory of the store knows it is a directory
	}
	switch kind {
	case 0:
		w.both("STOR "+from, func(f *vfs.FS) (string, error) { return "", w.store(f, p, content, ftp.StoreOptions{}) })
	case 1:
		w.both("APPE "+from, func(f *vfs.FS) (string, error) { return "", w.store(f, p, content, ftp.StoreOptions{Append: true}) })
	case 2:
		w.both("REST 3 STOR "+from, func(f *vfs.FS) (string, error) { return "", w.store(f, p, content, ftp.StoreOptions{Offset: 3}) })
	case 3:
		w.both("DELE "+from, func(f *vfs.FS) (string, error) { return "", f.Delete(w.Context(), p) })
	case 4:
		w.both("MKD "+from, func(f *vfs.FS) (string, error) { return "", f.Mkdir(w.Context(), p) })
	case 5:
		w.both("RMD "+from, func(f *vfs.FS) (string, error) { return "", f.Rmdir(w.Context(), p) })
	case 6, 7, 8:
		w.both("RNFR "+from+" RNTO "+to, func(f *vfs.FS) (string, error) { return "", w.rename(f, p, other) })
	case 9:
		when := time.Unix(1e9+r.Int64N(1e6), 0)
		w.both("MFMT "+from, func(f *vfs.FS) (string, error) {
			if err := f.SetTime(w.Context(), p, when); err != nil {
				return "", err
			}
			e, err := f.Stat(w.Context(), p, ftp.StatOptions{Complete: true})
			return e.ModTime.String(), err
		})
	default:
		w.both("RETR "+from, func(f *vfs.FS) (string, error) { return w.retrieve(f, p) })
	}
	w.both("SIZE "+to, func(f *vfs.FS) (string, error) {
		e, err := f.Stat(w.Context(), other, ftp.StatOptions{})
		return fmt.Sprint(e.Dir, e.Size), err
	})
	w.both("LIST", func(f *vfs.FS) (string, error) { return w.tree(f, ftp.Path{}) })
}

// TestS30_S31_S32_S64_AsIfAllWereHere: whatever clients do, they find what they would if the files
// behind the store were in it.
func TestS30_S31_S32_S64_AsIfAllWereHere(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			w := newTwin(t, r)
			for range 40 {
				w.step(r)
			}
			for _, p := range slices.Sorted(slices.Values([]string{"/a", "/d/a", "/d/e/a", "/g/a", "/z"})) {
				w.both("RETR "+p, func(f *vfs.FS) (string, error) { return w.retrieve(f, pathOf(t, p)) })
			}
		})
	}
}

// overlapped is a front to which a copy of what is behind a key comes just after the key is deleted.
type overlapped struct {
	*bucket
	key    string
	behind backends.Object
	times  int
}

func (o *overlapped) Delete(ctx context.Context, key string, opts backends.DeleteOptions) error {
	err := o.bucket.Delete(ctx, key, opts)
	if key == o.key && err == nil && o.times > 0 {
		o.times--
		u, createErr := o.Create(ctx, key, backends.CreateOptions{Metadata: map[string]string{backends.MetaModTime: backends.FormatModTime(o.behind.Time())}})
		if createErr != nil {
			return createErr
		}
		_, _ = io.WriteString(u, "data of a")
		_, err = u.Commit()
	}
	return err
}

// TestS31_MigrationDuringARename: a copy of what has just been renamed away goes as well, and so
// does the directory. One that comes back all the time is told.
func TestS31_MigrationDuringARename(t *testing.T) {
	for _, c := range []struct {
		times  int
		passes bool // the migration takes its copy away again
		want   error
	}{{1, false, nil}, {1, true, nil}, {9, false, ftp.ErrChanged}} {
		behind := newBucket(mem.Options{Now: func() time.Time { return time.Now().Add(-time.Hour) }})
		behind.fill("old/d/", "")
		behind.fill("old/d/a", "data of a")
		obj, err := behind.Stat(t.Context(), "old/d/a", backends.StatOptions{})
		if err != nil {
			t.Fatal(err)
		}
		late := &overlapped{bucket: newBucket(mem.Options{}), key: "p/d/a", behind: obj, times: c.times}
		var front backends.Backend = late
		if c.passes {
			front = passing{late}
		}
		routes := readthrough.NewRoutes(front, readthrough.Options{})
		routes.Replace([]readthrough.Route{{Prefix: "p/", Behind: behind, Path: "old/", Tree: true}})
		f, err := vfs.New([]vfs.Mount{{Path: "/", Store: routes.Over(front), Prefix: "p/", Rights: all}}, vfs.NewNames(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		w := &twin{T: t}
		if err := w.rename(f, pathOf(t, "/d"), pathOf(t, "/n")); !errors.Is(kind(err), c.want) {
			t.Errorf("%+v: got %v", c, err)
		}
		tree, err := w.tree(f, ftp.Path{})
		if err != nil || c.want == nil && tree != "/n true 0\n/n/a false 9\n" {
			t.Errorf("%+v: %q, %v", c, tree, err)
		}
	}
}

// passing is an overlapped front from which the copy is taken away again as soon as the directory
// was found not to be empty.
type passing struct{ *overlapped }

func (p passing) Delete(ctx context.Context, key string, opts backends.DeleteOptions) error {
	err := p.overlapped.Delete(ctx, key, opts)
	if key == "p/d/" && err == nil {
		err = p.bucket.Delete(ctx, p.key, backends.DeleteOptions{})
	}
	return err
}
