package s3

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"causeway/backends"
)

// TestAnswerLost: the connection ends after the server has stored the object. The store
// says that it is there, whatever a repeated request was told.
func TestAnswerLost(t *testing.T) {
	for _, c := range []struct {
		name string
		size int
		o    backends.CreateOptions
	}{
		{"put", 10, backends.CreateOptions{}},
		{"put absent", 10, backends.CreateOptions{IfAbsent: true}},
		{"complete", 3 * fakePartSize, backends.CreateOptions{}},
		{"complete absent", 3 * fakePartSize, backends.CreateOptions{IfAbsent: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{}
			s := serve(t, f)
			f.after = func(_ http.ResponseWriter, r *http.Request) bool {
				if f.has("k") && r.Method != http.MethodHead {
					panic(http.ErrAbortHandler)
				}
				return false
			}
			obj, err := upload(t, s, "k", c.size, c.o)
			f.mu.Lock()
			defer f.mu.Unlock() // a request without an answer may be under way
			if err != nil || obj.Size != int64(c.size) || obj.ETag != strings.Trim(f.objects["k"].etag, `"`) {
				t.Errorf("%+v, %v", obj, err)
			}
			if _, shown := obj.Metadata[mark]; shown {
				t.Error("our mark shows in the metadata")
			}
		})
	}
}

// has tells whether there is an object.
func (f *fake) has(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, there := f.objects[key]
	return there
}

// TestLostCopyIsFound: also a copy that others see as one of the source's knows its own
// object again.
func TestLostCopyIsFound(t *testing.T) {
	for name, o := range map[string]backends.CopyOptions{"plain": {}, "absent": {IfAbsent: true}, "replacing": {Metadata: map[string]string{"a": "b"}}} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			s := serve(t, f)
			if _, err := upload(t, s, "src", 10, backends.CreateOptions{Metadata: map[string]string{"old": "ü"}}); err != nil {
				t.Fatal(err)
			}
			f.after = func(_ http.ResponseWriter, r *http.Request) bool {
				if f.has("dst") && r.Method == http.MethodPut {
					panic(http.ErrAbortHandler)
				}
				return false
			}
			obj, _, err := backends.Move(t.Context(), s, "dst", "src", o)
			if err != nil || obj.Size != 10 {
				t.Errorf("%+v, %v", obj, err)
			}
			if want := o.Metadata; want == nil && obj.Metadata["old"] != "ü" || want != nil && !maps.Equal(obj.Metadata, want) {
				t.Errorf("metadata %q", obj.Metadata)
			}
			if _, left := f.objects["src"]; left || len(f.objects) != 1 {
				t.Errorf("left: %v", f.objects)
			}
		})
	}
}

// TestCopyKeepsWhatTheSourceIs: headers and storage class, whichever way it is copied.
func TestCopyKeepsWhatTheSourceIs(t *testing.T) {
	want := map[string]string{
		"Content-Type": "text/plain", "Cache-Control": "no-store", "Content-Disposition": "inline", "Content-Encoding": "gzip",
		"Content-Language": "de", "Expires": "Wed, 21 Oct 2015 07:28:00 GMT", "X-Amz-Storage-Class": "STANDARD_IA",
		"X-Amz-Website-Redirect-Location": "/there",
	}
	for name, c := range map[string]struct {
		lax  bool
		size int
	}{"whole": {false, 10}, "in parts": {true, 10}, "empty": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			f := &fake{lax: c.lax}
			s := serve(t, f)
			if _, err := upload(t, s, "src", c.size, backends.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			for k, v := range want {
				f.objects["src"].header.Set(k, v)
			}
			if _, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{IfAbsent: true}); err != nil {
				t.Fatal(err)
			}
			for k, v := range want {
				if got := f.objects["dst"].header.Get(k); got != v {
					t.Errorf("%s: %q, want %q", k, got, v)
				}
			}
		})
	}
}

// TestLostDelete: an object that is gone at the second try was deleted by the first one.
func TestLostDelete(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	obj, err := upload(t, s, "k", 10, backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	f.after = func(http.ResponseWriter, *http.Request) bool {
		once.Do(func() { panic(http.ErrAbortHandler) })
		return false
	}
	if err := s.Delete(t.Context(), "k", backends.DeleteOptions{IfMatch: obj.ETag}); err != nil {
		t.Errorf("answer lost: %v", err)
	}
	if err := s.Delete(t.Context(), "k", backends.DeleteOptions{IfMatch: obj.ETag}); !errors.Is(err, backends.ErrChanged) {
		t.Errorf("gone before: %v", err)
	}
	if err := s.Delete(t.Context(), "k", backends.DeleteOptions{}); err != nil {
		t.Errorf("gone before, no condition: %v", err)
	}
}

// TestAnswerLostAndOverwritten: if another object is there by then, nothing is claimed.
func TestAnswerLostAndOverwritten(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	if _, err := upload(t, s, "k", 1, backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	f.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	if _, err := upload(t, s, "k", 10, backends.CreateOptions{}); !errors.Is(err, backends.ErrUnavailable) {
		t.Error(err)
	}
}

// TestCompleteRefusedWith200: S3 may answer 200 and then say in the body that it failed.
func TestCompleteRefusedWith200(t *testing.T) {
	for name, body := range map[string]string{
		"error": "<Error><Code>InternalError</Code><Message>try again</Message></Error>", "nothing": "",
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			s := serve(t, f)
			f.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost || !r.URL.Query().Has("uploadId") {
					return false
				}
				io.Copy(io.Discard, r.Body)
				io.WriteString(w, body)
				return true
			}
			u := opened(t, s, 3*fakePartSize, backends.CreateOptions{})
			if _, err := u.Commit(); !errors.Is(err, backends.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
			if _, err := u.Park(); err != nil {
				t.Errorf("park: %v", err)
			}
			if _, there := f.objects["k"]; there {
				t.Error("there is an object")
			}
			f.before = nil
			page, err := s.Parked(t.Context(), backends.ParkedQuery{})
			if err != nil || len(page.Uploads) != 1 || page.Uploads[0].Size != 3*fakePartSize {
				t.Fatalf("parked: %+v, %v", page, err)
			}
			p := page.Uploads[0]
			if _, err := upload(t, s, "k", 0, backends.CreateOptions{Resume: p.ID, At: p.Size}); err != nil || len(f.objects["k"].content) != 3*fakePartSize {
				t.Errorf("resumed: %v", err)
			}
			if len(f.uploads) != 0 || len(f.objects) != 1 {
				t.Errorf("left behind: %v, %v", f.uploads, f.objects)
			}
		})
	}
}

// TestCancelledStartLeavesNothing: the client hangs up while the server answers that the
// upload has begun.
func TestCancelledStartLeavesNothing(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	f.after = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Has("uploads") {
			cancel()
		}
		return false
	}
	u, err := s.Create(ctx, "k", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(make([]byte, 2*fakePartSize)); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	if err := u.Abort(); err != nil {
		t.Errorf("abort: %v", err)
	}
	if len(f.uploads) != 0 {
		t.Errorf("left behind: %v", f.uploads)
	}
}

// TestLostStartLeavesNoParts: the upload that nobody knows of holds nothing that is to pay.
func TestLostStartLeavesNoParts(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	var once sync.Once
	f.after = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Has("uploads") {
			once.Do(func() { panic(http.ErrAbortHandler) })
		}
		return false
	}
	if _, err := upload(t, s, "k", 2*fakePartSize, backends.CreateOptions{}); err != nil {
		t.Errorf("upload: %v", err)
	}
	for id, left := range f.uploads {
		if len(left.parts) != 0 {
			t.Errorf("%s holds %d parts", id, len(left.parts))
		}
	}
}
