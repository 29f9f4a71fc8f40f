package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/multipart"
)

// parkedUpload parks an upload of size octets of k.
func parkedUpload(t *testing.T, s *Store, size int) backends.Parked {
	t.Helper()
	u := opened(t, s, size, backends.CreateOptions{})
	if n, err := u.Park(); err != nil || n != int64(size) {
		t.Fatalf("parked %d of %d: %v", n, size, err)
	}
	return onlyParked(t, s)
}

// opened begins an upload of k and writes size octets.
func opened(t *testing.T, s *Store, size int, o backends.CreateOptions) backends.Upload {
	t.Helper()
	u, err := s.Create(t.Context(), "k", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Abort() })
	if _, err := u.Write(bytes.Repeat([]byte("x"), size)); err != nil {
		t.Fatal(err)
	}
	return u
}

func onlyParked(t *testing.T, s *Store) backends.Parked {
	t.Helper()
	page, err := s.Parked(t.Context(), backends.ParkedQuery{})
	if err != nil || len(page.Uploads) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	return page.Uploads[0]
}

// TestRequestsOfParking: what users pay for a transfer that is cut off and resumed.
func TestRequestsOfParking(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	want := func(verb string, lines ...string) {
		t.Helper()
		if got := f.asked(); !slices.Equal(got, lines) {
			t.Errorf("%s:\n got %q\nwant %q", verb, got, lines)
		}
	}
	const list, page = "GET ?encoding-type=url&list-type=2&prefix=.causeway%2Fuploads%2F", "GET ?delimiter=%2F&encoding-type=url&list-type=2&prefix=.causeway%2Fuploads%2Fk"
	const open, parked = "/.causeway/uploads/k.~ID~open", "/.causeway/uploads/k.~ID~10"
	p := parkedUpload(t, s, 10)
	want("park less than a part", page, "PUT "+parked, "DELETE "+open, list)
	if _, err := upload(t, s, "k", 5, backends.CreateOptions{Resume: p.ID, At: 10}); err != nil {
		t.Fatal(err)
	}
	want("resume it", "GET "+parked, "PUT "+open, list+"k.~ID", "DELETE "+parked, "PUT /k", "DELETE "+open)
	obj, err := upload(t, s, "k", 2*fakePartSize, backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f.asked()
	s.limits.InFlight = 1
	if _, err := upload(t, s, "k", 4, backends.CreateOptions{IfMatch: obj.ETag, At: obj.Size}); err != nil {
		t.Fatal(err)
	}
	got := f.asked()
	slices.Sort(got[3:5]) // the copy runs beside what is received
	if lines := []string{"HEAD /k", "POST /k?uploads=", "PUT " + open, "PUT /k?partNumber=1", "PUT /k?partNumber=2", "POST /k", "DELETE " + open}; !slices.Equal(got, lines) {
		t.Errorf("append:\n got %q\nwant %q", got, lines)
	}
}

// TestS43_PutOnly: credentials that may put and nothing else upload as before; nothing is
// parked that nobody could find, and no record is left by each upload.
func TestS43_PutOnly(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		q := r.URL.Query()
		if r.Method == http.MethodPut || r.Method == http.MethodPost || r.Method == http.MethodDelete && q.Has("uploadId") {
			return false
		}
		refuse(w, http.StatusForbidden, "AccessDenied")
		return true
	}
	for range 3 {
		if _, err := upload(t, s, "k", 3*fakePartSize, backends.CreateOptions{}); err != nil {
			t.Error(err)
		}
		for _, size := range []int{10, 3 * fakePartSize} {
			if _, err := opened(t, s, size, backends.CreateOptions{}).Park(); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("park %d octets: %v", size, err)
			}
		}
		if err := opened(t, s, 3*fakePartSize, backends.CreateOptions{}).Abort(); err != nil {
			t.Error(err)
		}
	}
	if len(f.uploads) != 0 || len(f.objects) != 2 { // k, and the record that told
		t.Errorf("left behind: %v, %v", f.uploads, f.objects)
	}
}

// TestRecordsRefused: where no record can be written, uploads work and cannot be parked.
func TestRecordsRefused(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, backends.Reserved) {
			return false
		}
		refuse(w, http.StatusForbidden, "AccessDenied")
		return true
	}
	if _, err := upload(t, s, "k", 3*fakePartSize, backends.CreateOptions{}); err != nil {
		t.Error(err)
	}
	for _, size := range []int{10, fakePartSize, 3 * fakePartSize} {
		if _, err := opened(t, s, size, backends.CreateOptions{}).Park(); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("park %d octets: %v", size, err)
		}
	}
	if len(f.uploads) != 0 || len(f.objects) != 1 {
		t.Errorf("left behind: %v, %v", f.uploads, f.objects)
	}
}

// TestRecordUnavailable: an upload that could not be found again does not begin.
func TestRecordUnavailable(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, backends.Reserved) {
			return false
		}
		refuse(w, http.StatusServiceUnavailable, "SlowDown")
		return true
	}
	if _, err := upload(t, s, "k", 3*fakePartSize, backends.CreateOptions{}); !errors.Is(err, backends.ErrUnavailable) {
		t.Error(err)
	}
	if len(f.uploads) != 0 || len(f.objects) != 0 {
		t.Errorf("left behind: %v, %v", f.uploads, f.objects)
	}
}

// TestS13_KeepIsBoundByItsContext: whichever request a silent server leaves unanswered,
// Keep ends when its context does.
func TestS13_KeepIsBoundByItsContext(t *testing.T) {
	for _, silent := range []string{"GET", "PUT", "DELETE"} {
		f := &fake{}
		s := serve(t, f)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var mute atomic.Bool
		f.before = func(_ http.ResponseWriter, r *http.Request) bool {
			if !mute.Load() || r.Method != silent {
				return false
			}
			io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		}
		target := s.target("k", backends.CreateOptions{})
		if err := target.Start(ctx); err != nil {
			t.Fatal(err)
		}
		target.stored(1, part{number: 1, size: fakePartSize, etag: `"00"`})
		mute.Store(true)
		_, err := target.Keep(ctx, 1, &multipart.Body{})
		if parked := silent == "DELETE"; parked != (err == nil) || !parked && !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("%s unanswered: %v", silent, err)
		}
		mute.Store(false)
	}
}

// TestS13_ShortLastPartIsSentAgain: nothing can follow it, so it does not count when the
// commit of a whole file has failed.
func TestS13_ShortLastPartIsSentAgain(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || !r.URL.Query().Has("uploadId") {
			return false
		}
		io.Copy(io.Discard, r.Body)
		refuse(w, http.StatusServiceUnavailable, "SlowDown")
		return true
	}
	u := opened(t, s, 2*fakePartSize+5, backends.CreateOptions{})
	if _, err := u.Commit(); !errors.Is(err, backends.ErrUnavailable) {
		t.Fatal(err)
	}
	if _, err := u.Park(); err != nil {
		t.Fatal(err)
	}
	f.before = nil
	p := onlyParked(t, s)
	if p.Size != 2*fakePartSize {
		t.Errorf("%+v", p)
	}
	if obj, err := upload(t, s, "k", 9, backends.CreateOptions{Resume: p.ID, At: p.Size}); err != nil || obj.Size != 2*fakePartSize+9 {
		t.Errorf("%+v, %v", obj, err)
	}
}

// TestParkOfPartsThatAreTooSmall: where buffers are too small for parts that S3 takes, what
// follows them is nothing to go on with.
func TestParkOfPartsThatAreTooSmall(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	s.least = 2 * fakePartSize
	if n, err := opened(t, s, 3*fakePartSize+5, backends.CreateOptions{}).Park(); n != 0 || err != nil {
		t.Errorf("parked %d, %v", n, err)
	}
	if len(f.uploads) != 0 || len(f.objects) != 0 {
		t.Errorf("left behind: %v, %v", f.uploads, f.objects)
	}
}

// TestS17_WorthlessRecords: one whose multipart upload was ended by others cannot be resumed,
// is not told, and goes.
func TestS17_WorthlessRecords(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	p := parkedUpload(t, s, 2*fakePartSize)
	f.endUploads()
	if _, err := s.Create(t.Context(), "k", backends.CreateOptions{Resume: p.ID, At: p.Size}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("resumed: %v", err)
	}
	if len(f.objects) != 0 {
		t.Errorf("left behind: %v", f.objects)
	}
	f = &fake{}
	s = serve(t, f)
	_, other, _ := crashed(t, s, 2*fakePartSize)
	f.endUploads()
	for _, age := range []time.Duration{0, 2 * worthlessAfter} {
		for _, o := range f.objects {
			o.time = time.Now().Add(-age)
		}
		if page, err := other.Parked(t.Context(), backends.ParkedQuery{}); err != nil || len(page.Uploads) != 0 {
			t.Errorf("told: %+v, %v", page, err)
		}
		if gone := len(f.objects) == 0; gone != (age > worthlessAfter) {
			t.Errorf("after %v: %v", age, f.objects)
		}
	}
}

// endUploads does what an administrator does, or a lifecycle rule.
func (f *fake) endUploads() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.uploads)
}
