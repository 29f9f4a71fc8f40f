package journal

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"strings"
	"testing"

	"causeway/backends"
)

// FuzzParse: a record's key is taken apart into what it was made of, and no two records
// share one.
func FuzzParse(f *testing.F) {
	const id = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for _, seed := range []string{
		prefix + "k.~" + id + "~open", prefix + "k.~" + id + "~0", prefix + "k.~" + id + "~007", prefix + "k.~" + id + "~-1",
		prefix + "k.~" + id + "~open~open", prefix + ".~" + id + "~open", prefix + "k.~" + id + "~9223372036854775808",
		prefix + "dir/.~" + id + "~5", prefix + "a.~" + id + "~open.~" + id + "~1", "k.~" + id + "~open", prefix + "k~open", prefix,
		prefix + "k.~" + id + "~open~TAG", prefix + "k.~" + id + "~5~TAG27", prefix + "k.~" + id + "~5~", prefix + "k.~" + id + "~5~TAG~TAG",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, record string) {
		n, ok := parse(record)
		if !ok {
			return
		}
		if n.String() != record {
			t.Errorf("%q was made of %+v, which makes %q", record, n, n.String())
		}
		if n.key == "" || len(n.family()) != familyLength || !strings.HasPrefix(record, n.attempts()) {
			t.Errorf("%q: %+v", record, n)
		}
		if (n.size() < 0) != (n.state == unparked) {
			t.Errorf("%q: size %d", record, n.size())
		}
	})
}

// TestTags: a tag is found with the record, whatever becomes of that.
func TestTags(t *testing.T) {
	store := &fake{}
	e, err := New(store).Begin(t.Context(), "k", Record{Native: "n", Tag: "TAG27"})
	if err != nil {
		t.Fatal(err)
	}
	if u := only(t, New(store)); u.Tag != "TAG27" || !u.Open {
		t.Errorf("found as %+v", u)
	}
	if err := e.Park(t.Context(), 5, nil); err != nil {
		t.Fatal(err)
	}
	u := only(t, New(store))
	if u.Tag != "TAG27" || u.Size != 5 {
		t.Errorf("found as %+v", u)
	}
	if _, err := New(store).Take(t.Context(), u.Parked, Record{Native: "n"}); err != nil {
		t.Fatal(err)
	}
	if u := only(t, New(store)); u.Tag != "TAG27" || !u.Open {
		t.Errorf("taken by another, it is found as %+v", u)
	}
}

// FuzzKeys: whatever the key of an upload, its record is found under it.
func FuzzKeys(f *testing.F) {
	for _, key := range []string{"k", "dir/", "a//b", "a.~b", "x.~ABCDEFGHIJKLMNOPQRSTUVWXYZ~open", "~", ".~", "ü\n", strings.Repeat("k", 960)} {
		f.Add(key, int64(5))
	}
	f.Fuzz(func(t *testing.T, key string, size int64) {
		store := &fake{}
		e, err := New(store).Begin(t.Context(), key, Record{Native: "n"})
		if err != nil {
			if !errors.Is(err, errors.ErrUnsupported) || backends.ValidKey(key) && len(key) < 900 {
				t.Error(err)
			}
			return
		}
		if key == "" {
			t.Fatal("the empty key has a record")
		}
		if u := only(t, New(store)); u.Key != key || u.Size != -1 {
			t.Errorf("%q was found as %+v", key, u)
		}
		size = max(size, -(size + 1)) // none below zero
		if err := e.Park(t.Context(), size, nil); errors.Is(err, errors.ErrUnsupported) && len(key) > 900 {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		if u := only(t, New(store)); u.Key != key || u.Size != size {
			t.Errorf("%q, %d octets, was found as %+v", key, size, u)
		}
	})
}

// TestS13_RecordSurvives: what is written is read by another gateway, tail and all.
func TestS13_RecordSurvives(t *testing.T) {
	store := &fake{}
	want := Record{
		Version: version, Native: "upload\n1", Before: `odd "form"`, IfMatch: "e", IfAbsent: true,
		ContentType: "text/plain", Metadata: map[string]string{"mtime": "1", "x": "ü\n"},
	}
	e, err := New(store).Begin(t.Context(), "k", want)
	if err != nil {
		t.Fatal(err)
	}
	const rest = "first\nsecond\n"
	if err := e.Park(t.Context(), 100, section(rest)); err != nil {
		t.Fatal(err)
	}
	want.Tail = int64(len(rest))
	other := New(store)
	u := only(t, other)
	got, tail, _, err := other.Load(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	p, err := io.ReadAll(tail)
	if err != nil || string(p) != rest || tail.Close() != nil {
		t.Errorf("tail %q, %v", p, err)
	}
	meta := got.Metadata
	got.Metadata = nil
	wantMeta := want.Metadata
	want.Metadata = nil
	if got.Native != want.Native || got.Before != want.Before || got.IfMatch != want.IfMatch || got.IfAbsent != want.IfAbsent ||
		got.ContentType != want.ContentType || got.Tail != want.Tail || !maps.Equal(meta, wantMeta) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestO15_LaterVersionsAreLeftAlone, and so is what is no record; a store that fails is
// neither.
func TestO15_LaterVersionsAreLeftAlone(t *testing.T) {
	const id = prefix + "k.~ABCDEFGHIJKLMNOPQRSTUVWXYZ~5"
	for content, kind := range map[string]error{
		`{"version":2,"native":"n"}` + "\n": errors.ErrUnsupported,
		`{"native":"n"}` + "\n":             errors.ErrUnsupported,
		"{":                                 errors.ErrUnsupported,
		"":                                  errors.ErrUnsupported,
		`{"version":1,"tail":-1}` + "\n":    errors.ErrUnsupported,
		`{"version":1,"more":[]}` + "\n":    nil,
		`{"version":1,"native":"` + strings.Repeat("x", 2*maxLine) + `"}` + "\n": errors.ErrUnsupported,
	} {
		store := &fake{objects: map[string]object{id: {content: []byte(content)}}}
		_, tail, _, err := New(store).Load(t.Context(), id)
		if !errors.Is(err, kind) {
			t.Errorf("%.40q: %v", content, err)
		}
		if err == nil {
			tail.Close()
		}
	}
	store := &fake{before: func(string, string) error { return &backends.Error{Op: "open", Kind: backends.ErrUnavailable} }}
	if _, _, _, err := New(store).Load(t.Context(), id); !errors.Is(err, backends.ErrUnavailable) {
		t.Error(err)
	}
	if _, err := New(store).Lookup("k"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestLive: what this process is writing is told as that until the entry is over, however
// that has come, and only by its own journal.
func TestLive(t *testing.T) {
	ends := map[string]func(*Entry) error{
		"end":   func(e *Entry) error { return e.End(t.Context()) },
		"park":  func(e *Entry) error { return e.Park(t.Context(), 5, nil) },
		"leave": func(e *Entry) error { e.Leave(); return nil },
	}
	for name, end := range ends {
		for _, fails := range []bool{false, true} {
			store := &fake{}
			j := New(store)
			e, err := j.Begin(t.Context(), "k", Record{})
			if err != nil {
				t.Fatal(err)
			}
			if u := only(t, j); !u.Live {
				t.Errorf("%+v", u)
			}
			if u := only(t, New(store)); u.Live {
				t.Errorf("in another process: %+v", u)
			}
			if fails {
				store.before = func(string, string) error { return fs.ErrPermission }
			}
			if err := end(e); (err != nil) != (fails && name != "leave") {
				t.Errorf("%s: %v", name, err)
			}
			store.before = nil
			page, _ := j.List(t.Context(), backends.ParkedQuery{})
			for _, u := range page.Uploads {
				if u.Live {
					t.Errorf("after %s: %+v", name, u)
				}
			}
			if len(j.live) != 0 {
				t.Errorf("after %s: %v", name, j.live)
			}
		}
	}
	j := New(&fake{before: func(string, string) error { return fs.ErrPermission }})
	if _, err := j.Begin(t.Context(), "k", Record{}); !errors.Is(err, fs.ErrPermission) || len(j.live) != 0 {
		t.Errorf("%v, %v", err, j.live)
	}
}

// TestListFits: prefix, depth, strangers and what Park has left.
func TestListFits(t *testing.T) {
	store := &fake{}
	j := New(store)
	for _, key := range []string{"a/x", "a/b/y", "ab"} {
		if _, err := j.Begin(t.Context(), key, Record{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		q    backends.ParkedQuery
		want string
	}{
		{backends.ParkedQuery{}, "a/b/y a/x ab"}, {backends.ParkedQuery{Prefix: "a/"}, "a/b/y a/x"},
		{backends.ParkedQuery{Prefix: "a/", Direct: true}, "a/x"}, {backends.ParkedQuery{Prefix: "b"}, ""},
	} {
		page, err := j.List(t.Context(), c.q)
		var keys []string
		for _, u := range page.Uploads {
			keys = append(keys, u.Key)
		}
		if got := strings.Join(keys, " "); err != nil || got != c.want {
			t.Errorf("%+v: %q, %v", c.q, got, err)
		}
	}
	store = &fake{objects: map[string]object{prefix + "README": {}, prefix + "k.~short~open": {}}}
	e, err := New(store).Begin(t.Context(), "k", Record{})
	if err != nil {
		t.Fatal(err)
	}
	store.before = func(op, _ string) error {
		if op == "delete" {
			return fs.ErrPermission
		}
		return nil
	}
	if err := e.Park(t.Context(), 7, nil); err != nil {
		t.Error(err)
	}
	if u := only(t, New(store)); u.Size != 7 {
		t.Errorf("%+v", u)
	}
}
