package readthrough_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/readthrough"
)

// seen is what the backend says of a key, all of it.
func (p *pair) seen(key string) backends.Object {
	p.Helper()
	obj, err := p.backend.Stat(p.Context(), key, backends.StatOptions{Complete: true})
	if err != nil {
		p.Fatalf("stat %q: %v", key, err)
	}
	return obj
}

// TestS64_AppendGoesOnWithWhatIsBehind: it is copied here first.
func TestS64_AppendGoesOnWithWhatIsBehind(t *testing.T) {
	p := newPair(t, readthrough.Route{})
	p.put(p.behind, "f", "content")
	for at, want := range map[int64]string{7: "content and more", 3: "con and more"} {
		p.put(p.behind, "f", "content")
		_ = p.front.Delete(t.Context(), "f", backends.DeleteOptions{})
		u, err := p.backend.Create(t.Context(), "f", backends.CreateOptions{At: at, IfMatch: p.seen("f").ETag})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(u, " and more"); err != nil {
			t.Fatal(err)
		}
		p.has(p.backend, "f", "content")
		if _, err := u.Commit(); err != nil {
			t.Fatal(err)
		}
		p.has(p.backend, "f", want)
		p.has(p.behind, "f", "content")
	}
}

// TestS16_S64_NamesTakenBehind count where a name must be free.
func TestS16_S64_NamesTakenBehind(t *testing.T) {
	p := newPair(t, readthrough.Route{})
	p.put(p.behind, "f", "content")
	p.put(p.front, "g", "new")
	ctx := t.Context()
	_, put1 := put(t, p.backend, "f", "x", backends.CreateOptions{IfAbsent: true})
	_, copied := backends.Copy(ctx, p.backend, "f", "g", backends.CopyOptions{IfAbsent: true})
	_, _, moved := backends.Move(ctx, p.backend, "f", "g", backends.CopyOptions{IfAbsent: true})
	for _, err := range []error{put1, copied, moved} {
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("got %v", err)
		}
	}
	n := 0
	another := func() string { n++; return fmt.Sprint("f", n) }
	p.put(p.behind, "f1", "content")
	obj, err := put(t, p.backend, "f", "x", backends.CreateOptions{IfAbsent: true, Alternate: another})
	if err != nil || obj.Key != "f2" {
		t.Errorf("took %q, %v", obj.Key, err)
	}
	p.has(p.backend, "f", "content")
	p.has(p.backend, "g", "new")
}

// TestS24_S64_SettingATimeCopies what is behind, with that time.
func TestS24_S64_SettingATimeCopies(t *testing.T) {
	p := newPair(t, readthrough.Route{})
	p.put(p.behind, "f", "content")
	when := time.Unix(1e9, 0).UTC()
	_, err := p.backend.Copy(t.Context(), "f", "f", backends.CopyOptions{
		SourceIfMatch: p.seen("f").ETag, Metadata: map[string]string{backends.MetaModTime: backends.FormatModTime(when)},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.has(p.front, "f", "content")
	if got := p.seen("f").Time(); !got.Equal(when) {
		t.Errorf("the time is %v", got)
	}
}

// TestS20_S30_PinnedVersionThatIsCopiedMeanwhile is the same version: it can be read on, renamed
// and deleted. Once it is written to it is another.
func TestS20_S30_PinnedVersionThatIsCopiedMeanwhile(t *testing.T) {
	verbs := map[string]func(*pair, string) error{
		"read": func(p *pair, etag string) error {
			r, err := p.backend.Open(p.Context(), "f", backends.OpenOptions{Offset: 3, IfMatch: etag})
			if err != nil {
				return err
			}
			rest, err := io.ReadAll(r)
			if string(rest) != "tent" || r.Object.ETag != etag {
				p.Errorf("read %q of %q", rest, r.Object.ETag)
			}
			return errors.Join(err, r.Close())
		},
		"rename": func(p *pair, etag string) error {
			_, _, err := backends.Move(p.Context(), p.backend, "g", "f", backends.CopyOptions{SourceIfMatch: etag})
			if err == nil {
				p.has(p.backend, "f", "")
				p.has(p.backend, "g", "content")
			}
			return err
		},
		"delete": func(p *pair, etag string) error {
			err := p.backend.Delete(p.Context(), "f", backends.DeleteOptions{IfMatch: etag})
			if err == nil {
				p.has(p.backend, "f", "")
			}
			return err
		},
		"append": func(p *pair, etag string) error {
			u, err := p.backend.Create(p.Context(), "f", backends.CreateOptions{At: 7, IfMatch: etag})
			if err != nil {
				return err
			}
			_, err = u.Commit()
			return err
		},
	}
	meanwhile := map[string]func(*pair) error{
		"nothing": func(*pair) error { return nil },
		"copied":  func(p *pair) error { _, err := get(p.T, p.backend, "f"); return err },
		"written": func(p *pair) error { p.put(p.backend, "f", "changed"); return backends.ErrChanged },
		"replaced behind": func(p *pair) error {
			p.put(p.behind, "f", "changed")
			return backends.ErrChanged
		},
	}
	for verb, do := range verbs {
		for _, what := range slices.Sorted(maps.Keys(meanwhile)) {
			t.Run(verb+" "+what, func(t *testing.T) {
				p := newPair(t, readthrough.Route{CopyOnRead: true})
				p.put(p.behind, "f", "content")
				etag := p.seen("f").ETag
				want := meanwhile[what](p)
				if err := do(p, etag); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
			})
		}
	}
}

// TestS31_RenameOfADirectory that is here, behind, or both, as package vfs makes it: copies, then
// deletes of the very versions. Nothing is left of it, and the tombstone of the directory hides
// what comes to it behind.
func TestS31_RenameOfADirectory(t *testing.T) {
	p := newPair(t, readthrough.Route{Tree: true})
	for _, key := range []string{"d/", "d/a", "d/e/", "d/e/b"} {
		p.put(p.behind, key, content(key))
	}
	for _, key := range []string{"d/e/c", "d/a"} {
		p.put(p.front, key, content(key))
	}
	ctx := t.Context()
	var sources []backends.Object
	for q := (backends.Query{Prefix: "d/", Fresh: true}); ; {
		page, err := p.backend.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, page.Objects...)
		if q.Token = page.Next; q.Token == "" {
			break
		}
	}
	if err := p.backend.MoveTree(ctx, "n/", "d/"); !errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
	for _, o := range sources {
		if _, err := backends.Copy(ctx, p.backend, "n/"+o.Key[2:], o.Key, backends.CopyOptions{SourceIfMatch: o.ETag, IfAbsent: true}); err != nil {
			t.Fatalf("copy %q: %v", o.Key, err)
		}
	}
	for _, o := range slices.Backward(sources) {
		if err := p.backend.Delete(ctx, o.Key, backends.DeleteOptions{IfMatch: o.ETag}); err != nil {
			t.Fatalf("delete %q: %v", o.Key, err)
		}
	}
	want := []string{"n/ 0", "n/a 3", "n/e/ 0", "n/e/b 5", "n/e/c 5"}
	for range 2 {
		if got := list(t, p.backend, backends.Query{}); !slices.Equal(got, want) {
			t.Errorf("there is %q, want %q", got, want)
		}
		if got := list(t, p.backend, backends.Query{Delimiter: true}); !slices.Equal(got, []string{"n/"}) {
			t.Errorf("there is %q", got)
		}
		p.put(p.behind, "d/late", "x")
	}
	p.put(p.backend, "d/", "")
	if got := list(t, p.backend, backends.Query{Prefix: "d/"}); !slices.Equal(got, []string{"d/ 0"}) {
		t.Errorf("made again it has %q", got)
	}
}

// content is that of a file: none of a directory's marker.
func content(key string) string {
	if key[len(key)-1] == '/' {
		return ""
	}
	return key
}

// TestS62_ClockBehindIsAhead: a version behind whose date is ahead of the front's clock does not come up
// when that has caught up.
func TestS62_ClockBehindIsAhead(t *testing.T) {
	w := newWorld(t, 0, true)
	w.clock.tick()
	ahead := w.clock.now().Add(time.Hour)
	if _, err := put(t, dated{w.behind["p/"], ahead}, "q/f", "content", backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	routes := readthrough.NewRoutes(w.front, readthrough.Options{Now: w.clock.now})
	routes.Replace([]readthrough.Route{{Prefix: "p/", Behind: dated{w.behind["p/"], ahead}, Path: "q/"}})
	b := routes.Over(w.front)
	if err := b.Delete(t.Context(), "p/f", backends.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.clock.seconds.Add(2 * 3600)
	if got := list(t, b, backends.Query{}); len(got) > 0 {
		t.Errorf("listed: %q", got)
	}
	if _, err := b.Stat(t.Context(), "p/f", backends.StatOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat: %v", err)
	}
}

// hurried is a front from which a migration takes its copy away before it is deleted.
type hurried struct{ backends.Backend }

func (h hurried) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if key == "f" {
		if err := h.Backend.Delete(ctx, key, backends.DeleteOptions{}); err != nil {
			return err
		}
	}
	return h.Backend.Delete(ctx, key, o)
}

// TestS30_CopyIsTakenAwayMeanwhile, since there is a tombstone: it is deleted all the same.
func TestS30_CopyIsTakenAwayMeanwhile(t *testing.T) {
	p := newPair(t, readthrough.Route{})
	old := p.put(p.behind, "f", "content")
	b := over(hurried{p.front}, readthrough.Route{Behind: p.behind})
	seen, err := b.Stat(t.Context(), "f", backends.StatOptions{})
	if err != nil {
		t.Fatal(err)
	}
	metadata := map[string]string{backends.MetaModTime: backends.FormatModTime(old.Time())}
	if _, err := put(t, p.front, "f", "content", backends.CreateOptions{Metadata: metadata}); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), "f", backends.DeleteOptions{IfMatch: seen.ETag}); err != nil {
		t.Error(err)
	}
	p.has(b, "f", "")
}
