package gcs

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/backends"
)

// twoStores are those that two gateways have of one bucket.
func twoStores(t *testing.T) (*fake, *Store, *Store) {
	f := newFake(t)
	return f, testStore(t, f.URL, fakeBucket), testStore(t, f.URL, fakeBucket)
}

// begin writes p to an upload.
func begin(t *testing.T, s *Store, key string, p []byte, o backends.CreateOptions) backends.Upload {
	t.Helper()
	u, err := s.Create(t.Context(), key, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Abort(); err != nil {
			t.Errorf("abort: %v", err)
		}
	})
	if _, err := u.Write(p); err != nil {
		t.Fatal(err)
	}
	return u
}

// park parks what was written to u, and returns what is told of it.
func park(t *testing.T, s *Store, u backends.Upload) backends.Parked {
	t.Helper()
	if _, err := u.Park(); err != nil {
		t.Fatal(err)
	}
	all := parked(t, s)
	if len(all) != 1 {
		t.Fatalf("parked %+v, want one", all)
	}
	return all[0]
}

func parked(t *testing.T, s *Store) []backends.Parked {
	t.Helper()
	page, err := s.Parked(t.Context(), backends.ParkedQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return page.Uploads
}

// wantObjects checks what is in the bucket.
func wantObjects(t *testing.T, f *fake, want ...string) {
	t.Helper()
	if got := f.names(""); !slices.Equal(got, want) {
		t.Errorf("in the bucket: %q, want %q", got, want)
	}
}

// TestS13ResumeMovesOnlyWhatIsNew: of what was parked nothing is sent again or read, and
// more parts than one request composes are no other case.
func TestS13ResumeMovesOnlyWhatIsNew(t *testing.T) {
	f, s, other := twoStores(t)
	s.parts.first, other.parts.first = 4<<10, 4<<10
	s.parts.most, other.parts.most = 4<<10, 4<<10
	content := random(80*(4<<10) + 100)
	half := 40*(4<<10) + 50
	p := park(t, s, begin(t, s, "k", content[:half], backends.CreateOptions{}))
	f.moved()
	f.take()
	obj, err := put(t, other, "k", content[half:], backends.CreateOptions{Resume: p.ID, At: p.Size})
	if err != nil || obj.Size != int64(len(content)) || !bytes.Equal(f.content("k"), content) {
		t.Fatalf("got %+v, %v", obj, err)
	}
	const record = 2 << 10 // octets, at most
	received, sent := f.moved()
	if more := int64(len(content) - half); received < more || received > more+record || sent > record {
		t.Errorf("%d octets were sent and %d read for %d new ones", received, sent, more)
	}
	wantObjects(t, f, "k")
}

// TestS14AppendMovesOnlyWhatIsNew: nor of an object that is appended to.
func TestS14AppendMovesOnlyWhatIsNew(t *testing.T) {
	f, s, _ := twoStores(t)
	content := random(3*testPart + 4)
	before, err := put(t, s, "k", content[:3*testPart], backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f.moved()
	if _, err := put(t, s, "k", content[3*testPart:], backends.CreateOptions{IfMatch: before.ETag, At: before.Size}); err != nil {
		t.Fatal(err)
	}
	const record = 2 << 10
	if received, sent := f.moved(); received > 4+record || sent > 0 || !bytes.Equal(f.content("k"), content) {
		t.Errorf("%d octets were sent and %d read for 4 new ones", received, sent)
	}
	wantObjects(t, f, "k")
}

// TestS14AppendKeepsProperties: the object goes on to be what it was, and all that is
// composed is of its storage class, which the service wants. The time that a client has
// set was that of another content.
func TestS14AppendKeepsProperties(t *testing.T) {
	for _, at := range []int64{1000, 10} {
		f, s, obj := source(t)
		f.mu.Lock()
		o := f.objects["src"]
		o.CacheControl, o.StorageClass, o.ContentType = "no-store", "NEARLINE", "text/x-causeway"
		f.mu.Unlock()
		if _, err := put(t, s, "src", random(testPart+1), backends.CreateOptions{IfMatch: obj.ETag, At: at}); err != nil {
			t.Fatal(err)
		}
		f.mu.Lock()
		o = f.objects["src"]
		f.mu.Unlock()
		if o.CacheControl != "no-store" || o.StorageClass != "NEARLINE" || o.ContentType != "text/x-causeway" {
			t.Errorf("after an append at %d: %q, %q, %q", at, o.CacheControl, o.StorageClass, o.ContentType)
		}
		if o.Metadata["x"] != "y" || o.Metadata["mtime"] != "" {
			t.Errorf("after an append at %d: metadata %q", at, o.Metadata)
		}
	}
}

// TestS13AppendToAnOldVersionIsOver: what was parked of it is of no use to anybody, and goes.
func TestS13AppendToAnOldVersionIsOver(t *testing.T) {
	f, s, obj := source(t)
	p := park(t, s, begin(t, s, "src", []byte("more"), backends.CreateOptions{IfMatch: obj.ETag, At: obj.Size}))
	if _, err := put(t, s, "src", []byte("another"), backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), "src", backends.CreateOptions{Resume: p.ID, At: p.Size}); !errors.Is(err, backends.ErrChanged) {
		t.Errorf("create: %v", err)
	}
	if got := f.content("src"); string(got) != "another" {
		t.Errorf("got %q", got)
	}
	wantObjects(t, f, "src")
}

// TestX15LostAnswerOfAnAppendIsSettled: what was appended is there once.
func TestX15LostAnswerOfAnAppendIsSettled(t *testing.T) {
	f, s, obj := source(t)
	f.strike(fault{operation: "compose", lose: true})
	after, err := put(t, s, "src", []byte("more"), backends.CreateOptions{IfMatch: obj.ETag, At: obj.Size})
	if err != nil || after.Size != obj.Size+4 || len(f.content("src")) != int(obj.Size)+4 {
		t.Errorf("got %+v, %v", after, err)
	}
	wantObjects(t, f, "src")
}

// TestS17WorthlessRecordsGoInTime: a record whose writer never came to store a part is let
// be as long as that may still happen.
func TestS17WorthlessRecordsGoInTime(t *testing.T) {
	f, s, dead := twoStores(t)
	u, err := dead.upload("k", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := u.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := parked(t, s); len(all) > 0 || len(f.names("")) != 1 {
		t.Errorf("told of %+v, with %q in the bucket", all, f.names(""))
	}
	f.age("", worthless+time.Minute)
	if all := parked(t, s); len(all) > 0 {
		t.Errorf("told of %+v", all)
	}
	wantObjects(t, f)
}

// TestCommittedUploadIsNotParked: a gateway that dies between the commit and the deletion
// of what is left on the way has parked nothing, and what is left goes in time.
func TestCommittedUploadIsNotParked(t *testing.T) {
	f, s, other := twoStores(t)
	refused := fault{operation: "delete", status: http.StatusForbidden, reason: "forbidden"}
	f.strike(refused, refused)
	if _, err := put(t, s, "k", random(2*testPart+1), backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if left := f.names(backends.Reserved); len(left) != 3 {
		t.Fatalf("left behind %q, want two parts and a record", left)
	}
	if all := parked(t, other); len(all) > 0 {
		t.Errorf("told of %+v", all)
	}
	if left := f.names(backends.Reserved); len(left) != 3 {
		t.Errorf("its writer is about to delete it, and there is only %q", left)
	}
	f.age("", tidyTime+time.Minute)
	if all := parked(t, other); len(all) > 0 {
		t.Errorf("told of %+v", all)
	}
	wantObjects(t, f, "k")
}

// TestDiscardLeavesWhatAnotherGoesOnWith: of an upload that has two records, since a
// gateway died while it took it, one can be discarded and the other goes on.
func TestDiscardLeavesWhatAnotherGoesOnWith(t *testing.T) {
	f, s, other := twoStores(t)
	content := random(testPart + 10)
	p := park(t, s, begin(t, s, "k", content, backends.CreateOptions{}))
	found, err := other.find(t.Context(), "k", p.ID)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := other.journal.Begin(t.Context(), "k", found.record)
	if err != nil {
		t.Fatal(err)
	}
	entry.Leave()
	if err := s.Discard(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	all := parked(t, s)
	if len(all) != 1 || all[0].Size != int64(len(content)) {
		t.Fatalf("parked %+v", all)
	}
	if _, err := put(t, s, "k", nil, backends.CreateOptions{Resume: all[0].ID, At: all[0].Size}); err != nil {
		t.Fatal(err)
	}
	wantObjects(t, f, "k")
}

// TestS43WithoutTheRightToKeepRecords uploads go on, and cannot be parked.
func TestS43WithoutTheRightToKeepRecords(t *testing.T) {
	f, s, _ := twoStores(t)
	refused := fault{operation: "insert", status: http.StatusForbidden, reason: "forbidden"}
	f.strike(refused)
	if _, err := put(t, s, "k", random(2*testPart), backends.CreateOptions{}); err != nil {
		t.Errorf("commit: %v", err)
	}
	f.strike(refused)
	u := begin(t, s, "new", random(2*testPart), backends.CreateOptions{})
	if n, err := u.Park(); n != 0 || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("park keeps %d octets, %v", n, err)
	}
	wantObjects(t, f, "k")
}

// TestWriterLearnsThatItHasLostTheUpload before it has sent all of it in vain.
func TestWriterLearnsThatItHasLostTheUpload(t *testing.T) {
	f, s, other := twoStores(t)
	s.parts.first, s.parts.most, s.parts.inFlight = 4<<10, 4<<10, 1
	u := begin(t, s, "k", random(3*(4<<10)), backends.CreateOptions{})
	for _, p := range parked(t, other) {
		if err := other.Discard(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	_, err := u.Write(random(10 * holdEvery * (4 << 10)))
	if !errors.Is(err, backends.ErrChanged) {
		t.Errorf("write: %v", err)
	}
	if n := len(f.names(partsPrefix)); n > 2*holdEvery {
		t.Errorf("%d parts were stored", n)
	}
	if err := u.Abort(); err != nil {
		t.Error(err)
	}
	wantObjects(t, f)
}

// TestCutPartIsVerified: of a part that arrives damaged no beginning is kept, and the
// upload stays parked.
func TestCutPartIsVerified(t *testing.T) {
	f, s, _ := twoStores(t)
	content := random(1000)
	p := park(t, s, begin(t, s, "k", content, backends.CreateOptions{}))
	part := f.names(partsPrefix)[0]
	f.mu.Lock()
	f.objects[part].content = slices.Concat(content[:999], []byte{^content[999]})
	f.mu.Unlock()
	if _, err := s.Create(t.Context(), "k", backends.CreateOptions{Resume: p.ID, At: 10}); !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("create: %v", err)
	}
	f.mu.Lock()
	f.objects[part].content = content
	f.mu.Unlock()
	if _, err := put(t, s, "k", []byte("new"), backends.CreateOptions{Resume: p.ID, At: 10}); err != nil {
		t.Fatal(err)
	}
	if got := f.content("k"); string(got) != string(content[:10])+"new" {
		t.Errorf("got %q", got)
	}
	wantObjects(t, f, "k")
}

// TestPartsThatAreGoneCannotBeResumed, whatever the record says, which goes then.
func TestPartsThatAreGoneCannotBeResumed(t *testing.T) {
	f, s, _ := twoStores(t)
	p := park(t, s, begin(t, s, "k", random(2*testPart+1), backends.CreateOptions{}))
	f.mu.Lock()
	for name := range f.objects {
		if strings.HasSuffix(name, "-00002") {
			delete(f.objects, name)
		}
	}
	f.mu.Unlock()
	if _, err := s.Create(t.Context(), "k", backends.CreateOptions{Resume: p.ID, At: p.Size}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("create: %v", err)
	}
	wantObjects(t, f)
}
