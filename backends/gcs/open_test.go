package gcs

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"testing"

	"causeway/backends"
	"causeway/backends/readahead"
)

// read reads as the gateway does.
func read(t *testing.T, s *Store, key string, o backends.OpenOptions) ([]byte, error) {
	r, err := readahead.Open(t.Context(), s, key, o)
	if err != nil {
		return nil, err
	}
	p, err := io.ReadAll(r)
	return p, errors.Join(err, r.Close())
}

func TestS21ReadGoesOnWhereItBrokeOff(t *testing.T) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	content := random(100 << 10)
	if _, err := put(t, s, "k", content, backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	f.take()
	f.bodyMax = 40 << 10
	got, err := read(t, s, "k", backends.OpenOptions{})
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("read %d octets, %v", len(got), err)
	}
	if got := f.take(); !slices.Equal(got, []string{"get", "get", "get"}) {
		t.Errorf("requests %q", got)
	}
	got, err = read(t, s, "k", backends.OpenOptions{Offset: 1000, Length: 90 << 10})
	if err != nil || !bytes.Equal(got, content[1000:1000+90<<10]) {
		t.Errorf("range: read %d octets, %v", len(got), err)
	}
}

func TestS20ReadIsOneVersionOrAnError(t *testing.T) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	content := random(100 << 10)
	if _, err := put(t, s, "k", content, backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	f.bodyMax = 40 << 10
	r, err := readahead.Open(t.Context(), s, "k", backends.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := put(t, s, "k", random(100<<10), backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if !errors.Is(err, backends.ErrChanged) || !bytes.Equal(got, content[:40<<10]) {
		t.Errorf("read %d octets, %v; want ErrChanged", len(got), err)
	}
}

func TestDamagedDownloadIsAnError(t *testing.T) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	if _, err := put(t, s, "k", random(100<<10), backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	f.damage = true
	if _, err := read(t, s, "k", backends.OpenOptions{}); !errors.Is(err, errDamaged) || !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// TestCompressedObjectIsReadAsStored: the service would unpack it, and ranges and
// checksums would be those of something else.
func TestCompressedObjectIsReadAsStored(t *testing.T) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	f.put("k", fakeObject{ContentEncoding: "gzip", ContentType: "text/plain"}, []byte("\x1f\x8b packed"))
	got, err := read(t, s, "k", backends.OpenOptions{Offset: 3})
	if err != nil || string(got) != "packed" {
		t.Errorf("read %q, %v", got, err)
	}
}

// FuzzDescribed: whatever headers a server sends, they describe an object or are an error.
func FuzzDescribed(f *testing.F) {
	f.Add(200, "12", "", "crc32c=n03x6A==,md5=Ojk9c3dhfxgoKVVHYwFbHQ==", "Wed, 21 Oct 2015 07:28:00 GMT")
	f.Add(206, "1", "bytes 0-1/2", "crc32c=,=,,md5=x", "yesterday")
	f.Add(206, "-1", "bytes */", "", "")
	f.Add(206, "1", "bytes 0-1/-5", "", "")
	f.Fuzz(func(t *testing.T, status int, generation, contentRange, hashes, modified string) {
		res := &http.Response{StatusCode: status, ContentLength: 5, Header: http.Header{
			"X-Goog-Generation": {generation}, "Content-Range": {contentRange}, "X-Goog-Hash": {hashes}, "Last-Modified": {modified},
		}}
		c, err := described("k", res)
		if err == nil && (c.Size < 0 || c.ETag != generation || c.ETag == "") {
			t.Errorf("%+v", c)
		}
	})
}

// TestS43MayNotKnow: what follows from a look that is refused is for the caller to know.
func TestS43MayNotKnow(t *testing.T) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	f.strike(fault{operation: "attrs", status: http.StatusForbidden, reason: "forbidden"})
	if _, err := s.Stat(t.Context(), "k", backends.StatOptions{}); !errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat: %v", err)
	}
	f.strike(fault{operation: "list", status: http.StatusForbidden, reason: "forbidden"})
	if _, err := s.List(t.Context(), backends.Query{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("list: %v", err)
	}
}

// TestS21BodyTellsItsChecksum: as far as it was read, for those who read on in ranges.
func TestS21BodyTellsItsChecksum(t *testing.T) {
	s := testStore(t, newFake(t).URL, fakeBucket)
	content := random(100 << 10)
	if _, err := put(t, s, "k", content, backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, o := range []backends.OpenOptions{{}, {Offset: 1}, {Length: 10 << 10}} {
		r, err := s.Open(t.Context(), "k", o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 10<<10)); err != nil {
			t.Fatal(err)
		}
		sofar, whole, ok := r.ReadCloser.(*body).CRC32C()
		if all := o == (backends.OpenOptions{}); ok != all {
			t.Errorf("%+v: known: %v", o, ok)
		}
		if ok && (sofar != crc32.Checksum(content[:10<<10], castagnoli) || whole != crc32.Checksum(content, castagnoli)) {
			t.Errorf("%08x of %08x", sofar, whole)
		}
		r.Close()
	}
}
