package azblob

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"causeway/backends"
)

// content reads the blob "k" whole.
func content(t *testing.T, s *Store) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), "k", backends.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return p
}

// wrote puts p under "k".
func wrote(t *testing.T, s *Store, p []byte, o backends.CreateOptions) backends.Object {
	t.Helper()
	obj, err := put(t, s, "k", p, o)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// verbs are requests without their keys.
func verbs(requests []string) []string {
	var list []string
	for _, r := range requests {
		verb, key, _ := strings.Cut(r, " "+backends.Reserved)
		if key == "" {
			verb, _, _ = strings.Cut(r, " k")
		} else {
			verb += " record"
		}
		list = append(list, verb)
	}
	return list
}

// TestS14_AppendSendsOnlyWhatIsNew: neither does what is there pass through the gateway.
func TestS14_AppendSendsOnlyWhatIsNew(t *testing.T) {
	tests := []struct {
		name string
		size int // of the object
		at   int // octets of it that are kept
		want []string
	}{
		{"one request's blob", 10, 10, []string{"PUT block from"}},
		{"blocks", 2*testPart + 5, 2*testPart + 5, nil},
		{"cut between blocks", 2*testPart + 5, testPart, nil},
		{"cut inside a block", 2*testPart + 5, testPart + 3, []string{"PUT block from"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t)
			s := f.store(t)
			old := random(test.size)
			before := wrote(t, s, old, backends.CreateOptions{})
			f.take()
			wrote(t, s, []byte("more"), backends.CreateOptions{IfMatch: before.ETag, At: int64(test.at)})
			got := verbs(f.take())
			want := append([]string{"HEAD", "GET blocklist", "PUT record", "PUT block", "PUT blocklist", "DELETE record"}, test.want...)
			slices.Sort(got)
			if slices.Sort(want); !slices.Equal(got, want) {
				t.Errorf("requests\n got %q\nwant %q", got, want)
			}
			if got := content(t, s); !bytes.Equal(got, append(old[:test.at:test.at], "more"...)) {
				t.Errorf("%d octets are not what was kept and more", len(got))
			}
		})
	}
}

// TestS14_AppendWhereTheServiceCannotCopy reads what is kept and sends it again, until it
// has arrived whole.
func TestS14_AppendWhereTheServiceCannotCopy(t *testing.T) {
	f := newFake(t)
	f.noFromURL = true
	s := f.store(t)
	s.limits.copyBlock = 1000
	old := random(testPart)
	before := wrote(t, s, old, backends.CreateOptions{})
	damaged := false
	f.before = func(name, _ string, r *http.Request) *answer {
		if name != "PUT block" || r.ContentLength != 1000 || damaged {
			return nil
		}
		damaged = true
		return &answer{status: http.StatusCreated, header: http.Header{"Content-Md5": {md5Of(nil)}}}
	}
	wrote(t, s, []byte("more"), backends.CreateOptions{IfMatch: before.ETag, At: int64(len(old) - 1)})
	if got := content(t, s); !bytes.Equal(got, append(old[:len(old)-1:len(old)-1], "more"...)) {
		t.Errorf("%d octets are not what was kept and more", len(got))
	}
	if !damaged {
		t.Error("no block was damaged")
	}
}

// TestS14_AppendToAnotherProgramsBlob: its ids have another length, and may be used again.
func TestS14_AppendToAnotherProgramsBlob(t *testing.T) {
	f := newFake(t)
	s := f.store(t)
	id := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	f.blobs["k"] = &fakeBlob{etag: `"0xF"`, blocks: []fakeBlock{{id("000001"), []byte("first ")}, {id("000002"), []byte("second ")}}}
	wrote(t, s, []byte("more"), backends.CreateOptions{IfMatch: "0xF", At: 13})
	if got := string(content(t, s)); got != "first second more" {
		t.Errorf("got %q", got)
	}
	for _, b := range f.blobs["k"].blocks {
		if !ours(b.id) {
			t.Errorf("block %q is left", b.id)
		}
	}
}

// TestS14_AppendForEver: the number of blocks stays within the service's.
func TestS14_AppendForEver(t *testing.T) {
	f := newFake(t)
	s := f.store(t)
	s.limits.parts, s.limits.copyBlock = 20, 30
	var want []byte
	obj := wrote(t, s, nil, backends.CreateOptions{})
	for n := range 100 {
		obj = wrote(t, s, []byte{byte(n)}, backends.CreateOptions{IfMatch: obj.ETag, At: int64(n)})
		want = append(want, byte(n))
		if blocks := len(f.blobs["k"].blocks); blocks > 12 {
			t.Fatalf("%d blocks after %d appends", blocks, n+1)
		}
	}
	if got := content(t, s); !bytes.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// TestAppendKeepsProperties of the object, but for a time that a client has set: that was
// the old content's.
func TestAppendKeepsProperties(t *testing.T) {
	f := newFake(t)
	s := f.store(t)
	before := wrote(t, s, []byte("old"), backends.CreateOptions{ContentType: "text/x-test", Metadata: map[string]string{"mtime": "12", "owner": "me"}})
	f.blobs["k"].header.Set("Content-Language", "de")
	p := parked(t, s, random(testPart), backends.CreateOptions{IfMatch: before.ETag, At: 3})
	wrote(t, s, nil, backends.CreateOptions{Resume: p.ID, At: p.Size})
	obj, err := s.Stat(t.Context(), "k", backends.StatOptions{})
	if err != nil || obj.ContentType != "text/x-test" || len(obj.Metadata) != 1 || obj.Metadata["owner"] != "me" {
		t.Errorf("got %+v, %v", obj, err)
	}
	if got := f.blobs["k"].header.Get("Content-Language"); got != "de" {
		t.Errorf("language %q", got)
	}
}
