package backendtest_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
)

// verbsOnly hides the optional interfaces of a store.
type verbsOnly struct{ next backends.Backend }

func (v verbsOnly) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	return v.next.Stat(ctx, key, o)
}

func (v verbsOnly) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	return v.next.List(ctx, q)
}

func (v verbsOnly) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	return v.next.Open(ctx, key, o)
}

func (v verbsOnly) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if o.Resume != "" {
		return nil, &backends.Error{Op: "create", Key: key, Kind: errors.ErrUnsupported}
	}
	u, err := v.next.Create(ctx, key, o)
	if err != nil {
		return nil, err
	}
	return unparkable{u}, nil
}

// unparkable is an upload that cannot be parked.
type unparkable struct{ backends.Upload }

func (u unparkable) Park() (int64, error) {
	return 0, errors.Join(&backends.Error{Op: "park", Kind: errors.ErrUnsupported}, u.Abort())
}

func (v verbsOnly) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	return v.next.Delete(ctx, key, o)
}

func TestConformance(t *testing.T) {
	decorators := map[string]func(backends.Backend) backends.Backend{
		"none":     func(b backends.Backend) backends.Backend { return b },
		"recorder": func(b backends.Backend) backends.Backend { return backendtest.NewRecorder(b) },
		"faults":   func(b backends.Backend) backends.Backend { return backendtest.NewFaults(b) },
	}
	for name, decorate := range decorators {
		t.Run(name+" verbs", func(t *testing.T) {
			backendtest.Run(t, func(*testing.T) backends.Backend { return decorate(verbsOnly{mem.New(mem.Options{})}) },
				backendtest.Features{NoParking: true, ObjectCuts: true})
		})
		t.Run(name, func(t *testing.T) {
			var store *mem.Store // of the case that is running
			backendtest.Run(t, func(*testing.T) backends.Backend {
				store = mem.New(mem.Options{})
				return decorate(trees{store})
			}, backendtest.Features{
				CutsAnywhere: true, ObjectCuts: true, Crash: true, MovesTrees: true,
				Reopen: func(*testing.T, backends.Backend) backends.Backend { return decorate(trees{store.Reopen()}) },
			})
		})
	}
}

// trees renames directories, one object after another.
type trees struct{ *mem.Store }

func (s trees) MoveTree(ctx context.Context, dst, src string) error {
	fail := func(kind error) error { return &backends.Error{Op: "move", Key: src, Kind: kind} }
	if strings.HasPrefix(dst, src) {
		return fail(fs.ErrInvalid)
	}
	from, err := s.List(ctx, backends.Query{Prefix: src})
	if err != nil {
		return err
	}
	to, err := s.List(ctx, backends.Query{Prefix: dst})
	switch {
	case err != nil:
		return err
	case len(from.Objects) == 0:
		return fail(fs.ErrNotExist)
	case len(to.Objects) > 0:
		return fail(fs.ErrExist)
	}
	for _, o := range from.Objects {
		if _, err := s.Move(ctx, dst+strings.TrimPrefix(o.Key, src), o.Key, backends.CopyOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func put(t *testing.T, b backends.Backend, key, content string) {
	t.Helper()
	u, err := b.Create(t.Context(), key, backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	if _, err := u.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestRecorderWritesOneLineACall(t *testing.T) {
	ctx := t.Context()
	r := backendtest.NewRecorder(mem.New(mem.Options{PageSize: 1}))
	put(t, r, "a/b", "content")
	put(t, r, "a/c", "")
	u, err := r.Create(ctx, "x", backends.CreateOptions{IfAbsent: true, Size: 5})
	if err != nil {
		t.Fatal(err)
	}
	u.Abort()
	r.Stat(ctx, "a/b", backends.StatOptions{Complete: true})
	r.Stat(ctx, "none", backends.StatOptions{})
	for _, err := range backends.Entries(ctx, r, "a/") {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.List(ctx, backends.Query{Limit: 5})
	rd, err := r.Open(ctx, "a/b", backends.OpenOptions{Offset: 2, Length: 3})
	if err != nil {
		t.Fatal(err)
	}
	rd.Close()
	backends.Copy(ctx, r, "copy", "a/b", backends.CopyOptions{IfAbsent: true})
	backends.Move(ctx, r, "moved", "copy", backends.CopyOptions{Metadata: map[string]string{}})
	r.Delete(ctx, "moved", backends.DeleteOptions{IfMatch: "stale"})
	backends.Space(ctx, r)
	backends.PeekPrefix(r, "a/")
	want := []string{
		"create a/b", "commit a/b 7", "create a/c", "commit a/c 0", "create x if-absent size=5", "abort x",
		"stat a/b complete", "stat none", "list a/ delimiter", "list a/ delimiter more", "list limit=5",
		"open a/b offset=2 length=3", "copy a/b -> copy if-absent", "move copy -> moved metadata", "delete moved if-match",
	}
	got := r.Take()
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if n := backendtest.Requests(got); n != 11 {
		t.Errorf("%d requests", n)
	}
	if got := r.Take(); got != nil {
		t.Errorf("taken twice: %q", got)
	}
}

func TestRecorderComposesWhereTheStoreCannot(t *testing.T) {
	r := backendtest.NewRecorder(verbsOnly{mem.New(mem.Options{})})
	put(t, r, "a", "1")
	r.Take()
	if _, _, err := backends.Move(t.Context(), r, "b", "a", backends.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	want := []string{"stat a", "open a if-match", "create b size=1", "commit b 1", "delete a if-match"}
	if got := r.Take(); !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestRecorderWritesDownWhatIsParked(t *testing.T) {
	ctx := t.Context()
	r := backendtest.NewRecorder(trees{mem.New(mem.Options{PageSize: 1})})
	put(t, r, "a/b", "content")
	for _, o := range []backends.CreateOptions{{At: 7}, {}} {
		u, err := r.Create(ctx, "a/b", o)
		if err != nil {
			t.Fatal(err)
		}
		u.Write([]byte(" and more"))
		u.Park()
		u.Abort()
	}
	var all []backends.Parked
	for p, err := range backends.ParkedUploads(ctx, r, backends.ParkedQuery{Prefix: "a/", Direct: true, Fresh: true}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	u, err := r.Create(ctx, "a/b", backends.CreateOptions{Resume: all[0].ID, At: 3})
	if err != nil {
		t.Fatal(err)
	}
	u.Abort()
	backends.Discard(ctx, r, all[1])
	r.MoveTree(ctx, "c/", "a/")
	want := []string{
		"create a/b", "commit a/b 7", "create a/b at=7", "park a/b 9", "create a/b", "park a/b 9",
		"parked a/ direct fresh", "parked a/ direct fresh more", "create a/b resume at=3", "abort a/b",
		"discard a/b", "movetree a/ -> c/",
	}
	got := r.Take()
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if n := backendtest.Requests(got); n != 9 {
		t.Errorf("%d requests", n)
	}
	plain := backendtest.NewRecorder(verbsOnly{mem.New(mem.Options{})})
	plain.Parked(ctx, backends.ParkedQuery{})
	plain.Discard(ctx, all[0])
	plain.MoveTree(ctx, "c/", "a/")
	if got := plain.Take(); got != nil {
		t.Errorf("written of what the store has not: %q", got)
	}
}

func TestFaultsStrikeTheNthCall(t *testing.T) {
	ctx, boom := t.Context(), errors.New("boom")
	f := backendtest.NewFaults(mem.New(mem.Options{}))
	put(t, f, "k", "content")
	f.Add(backendtest.Fault{Verb: "stat", Nth: 2, Err: boom})
	for call, want := range []error{nil, boom, nil} {
		if _, err := f.Stat(ctx, "k", backends.StatOptions{}); !errors.Is(err, want) {
			t.Errorf("call %d: %v, want %v", call+1, err, want)
		}
	}
	f.Add(backendtest.Fault{Verb: "delete", Err: boom})
	for range 2 {
		if err := f.Delete(ctx, "k", backends.DeleteOptions{}); !errors.Is(err, boom) {
			t.Errorf("delete: %v", err)
		}
	}
	f.Clear()
	f.Add(backendtest.Fault{Verb: "delete", Err: boom, Late: true})
	if err := f.Delete(ctx, "k", backends.DeleteOptions{}); !errors.Is(err, boom) {
		t.Errorf("late delete: %v", err)
	}
	if exists, err := backends.HasPrefix(ctx, f, "k"); exists || err != nil {
		t.Errorf("after a late delete: %v, %v", exists, err)
	}
}

func TestFaultsStrikeReadsAndUploads(t *testing.T) {
	ctx, boom := t.Context(), errors.New("boom")
	f := backendtest.NewFaults(mem.New(mem.Options{}))
	put(t, f, "k", "content")
	for _, want := range []error{boom, nil} {
		fault := want
		if fault == nil {
			fault = io.EOF
		}
		f.Clear()
		f.Add(backendtest.Fault{Verb: "read", After: 3, Err: fault})
		r, err := f.Open(ctx, "k", backends.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if string(got) != "con" || !errors.Is(err, want) {
			t.Errorf("read %q, %v, want %v", got, err, want)
		}
	}
	f.Add(backendtest.Fault{Verb: "commit", Err: boom})
	u, err := f.Create(ctx, "new", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); !errors.Is(err, boom) {
		t.Errorf("commit: %v", err)
	}
	if err := u.Abort(); err != nil {
		t.Errorf("abort: %v", err)
	}
}

func TestFaultsStrikeParking(t *testing.T) {
	ctx, boom := t.Context(), errors.New("boom")
	f := backendtest.NewFaults(trees{mem.New(mem.Options{})})
	for _, verb := range []string{"park", "parked", "discard", "movetree"} {
		f.Add(backendtest.Fault{Verb: verb, Nth: 1, Err: boom, Late: verb == "park"})
	}
	u, err := f.Create(ctx, "k", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte("some")); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Park(); !errors.Is(err, boom) {
		t.Errorf("park: %v", err)
	}
	if _, err := f.Parked(ctx, backends.ParkedQuery{}); !errors.Is(err, boom) {
		t.Errorf("parked: %v", err)
	}
	page, err := f.Parked(ctx, backends.ParkedQuery{})
	if err != nil || len(page.Uploads) != 1 {
		t.Fatalf("after a late park: %+v, %v", page, err)
	}
	if err := f.Discard(ctx, page.Uploads[0]); !errors.Is(err, boom) {
		t.Errorf("discard: %v", err)
	}
	if err := f.Discard(ctx, page.Uploads[0]); err != nil {
		t.Errorf("discard again: %v", err)
	}
	if err := f.MoveTree(ctx, "b/", "a/"); !errors.Is(err, boom) {
		t.Errorf("movetree: %v", err)
	}
}

func TestFaultsHangUntilTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := backendtest.NewFaults(mem.New(mem.Options{}))
		f.Add(backendtest.Fault{Verb: "stat", Hang: true})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := f.Stat(ctx, "k", backends.StatOptions{})
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Errorf("did not hang: %v", err)
		default:
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("after cancel: %v", err)
		}
	})
}
