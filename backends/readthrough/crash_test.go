package readthrough_test

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"
	"testing"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/backends/readthrough"
)

// mortal is a process's way to a store: after some requests, counted with those of its others, the
// process is dead, and nothing it asks for happens.
type mortal struct {
	backends.Backend
	left *atomic.Int64
}

var errDead = &backends.Error{Op: "any", Kind: backends.ErrUnavailable, Err: errors.New("the process is dead")}

func (m mortal) dead() bool { return m.left.Add(-1) < 0 }

func (m mortal) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	if m.dead() {
		return backends.Object{}, errDead
	}
	return m.Backend.Stat(ctx, key, o)
}

func (m mortal) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	if m.dead() {
		return backends.Page{}, errDead
	}
	return m.Backend.List(ctx, q)
}

func (m mortal) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	if m.dead() {
		return nil, errDead
	}
	return m.Backend.Open(ctx, key, o)
}

func (m mortal) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if m.dead() {
		return errDead
	}
	return m.Backend.Delete(ctx, key, o)
}

func (m mortal) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := m.Backend.Create(ctx, key, o)
	return mortalUpload{u, m}, err
}

type mortalUpload struct {
	backends.Upload
	m mortal
}

func (u mortalUpload) Commit() (backends.Object, error) {
	if u.m.dead() {
		return backends.Object{}, errDead
	}
	return u.Upload.Commit()
}

// moves is a mortal store that can rename.
type moves struct{ mortal }

func (m moves) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if m.dead() {
		return backends.Object{}, errDead
	}
	return m.Backend.(backends.Mover).Move(ctx, dst, src, o)
}

// deed is what a process is killed in the middle of.
type deed struct {
	here bool // the file is here as well, or else behind only
	do   func(context.Context, backends.Backend) error
	// lost tells what must not be, by what is left of the file f and of its new name g; done
	// is whether the process was told that all is done.
	lost func(f, g string, done bool) bool
}

func deeds() map[string]deed {
	remove := func(ctx context.Context, b backends.Backend) error {
		return b.Delete(ctx, "d/f", backends.DeleteOptions{})
	}
	move := func(ctx context.Context, b backends.Backend) error {
		_, err := b.Stat(ctx, "d/f", backends.StatOptions{})
		if errors.Is(err, fs.ErrNotExist) {
			return nil // by the first try
		}
		_, _, err = backends.Move(ctx, b, "d/g", "d/f", backends.CopyOptions{})
		return err
	}
	read := func(ctx context.Context, b backends.Backend) error {
		r, err := b.Open(ctx, "d/f", backends.OpenOptions{})
		if err != nil {
			return err
		}
		p := make([]byte, 100)
		for err == nil {
			_, err = r.Read(p)
		}
		return r.Close()
	}
	removed := func(f, _ string, done bool) bool { return done && f != "" }
	moved := func(f, g string, done bool) bool {
		return f == "" && g == "" || g != "" && g != "content" || done && (f != "" || g == "")
	}
	return map[string]deed{
		"delete what is behind": {false, remove, removed},
		"delete what is here":   {true, remove, removed},
		"move what is behind":   {false, move, moved},
		"move what is here":     {true, move, moved},
		"read what is behind":   {false, read, func(f, g string, _ bool) bool { return f != "content" || g != "" }},
	}
}

// TestS62_S30_KilledBetweenAnyTwoRequests: a process does something and is killed after so many
// requests. Another one finds nothing lost, and nothing back that is gone, and can do it again.
func TestS62_S30_KilledBetweenAnyTwoRequests(t *testing.T) {
	for name, d := range deeds() {
		for _, mover := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				for after := int64(0); ; after++ {
					if after > 100 {
						t.Fatal("it never ends")
					}
					if d.killed(t, after, mover) {
						break
					}
				}
			})
		}
	}
}

// killed has the deed done by a process that has so many requests, and then by one that has all
// that it needs. It tells whether the first was enough.
func (d deed) killed(t *testing.T, after int64, mover bool) bool {
	p := newPair(t, readthrough.Route{})
	p.put(p.behind, "d/f", "content")
	if d.here {
		p.put(p.front, "d/f", "content")
	}
	left := new(atomic.Int64)
	process := func(requests int64) backends.Backend {
		left.Store(requests)
		var way backends.Backend = mortal{p.front.Reopen(), left}
		if mover {
			way = moves{way.(mortal)}
		}
		return over(way, readthrough.Route{Behind: mortal{p.behind, left}, CopyOnRead: true})
	}
	look := func(done bool) {
		f, _ := get(t, process(1000), "d/f")
		g, _ := get(t, process(1000), "d/g")
		if d.lost(f, g, done) {
			t.Errorf("killed after %d requests, done %v: old name %q, new name %q", after, done, f, g)
		}
	}
	err := d.do(t.Context(), process(after))
	enough := left.Load() >= 0
	look(enough && err == nil)
	if err := d.do(t.Context(), process(1000)); err != nil {
		t.Errorf("again after %d requests: %v", after, err)
	}
	look(true)
	return enough
}

// TestTombstonesOfOneNameOnAFileSystem: where a file's and a directory's cannot be both, the older
// goes.
func TestTombstonesOfOneNameOnAFileSystem(t *testing.T) {
	p := newPair(t, readthrough.Route{})
	front := tree{p.front}
	b := over(front, readthrough.Route{Behind: p.behind})
	for _, key := range []string{"x", "x/", "x/"} {
		if key == "x/" {
			p.put(p.behind, "x/f", "content")
			if err := b.Delete(t.Context(), "x/f", backends.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		} else {
			p.put(p.behind, key, "content")
		}
		if err := b.Delete(t.Context(), key, backends.DeleteOptions{}); err != nil {
			t.Fatalf("delete %q: %v", key, err)
		}
		_ = p.behind.Delete(t.Context(), "x", backends.DeleteOptions{})
		if got := list(t, b, backends.Query{}); len(got) > 0 {
			t.Errorf("after %q there is %q", key, got)
		}
	}
}

// tree is a store that has no object beside a directory of its name.
type tree struct{ *mem.Store }

func (s tree) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	other := key + "/"
	if key[len(key)-1] == '/' {
		other = key[:len(key)-1]
	}
	if _, err := s.Stat(ctx, other, backends.StatOptions{}); err == nil {
		return nil, &backends.Error{Op: "create", Key: key, Kind: fs.ErrExist}
	}
	return s.Store.Create(ctx, key, o)
}
