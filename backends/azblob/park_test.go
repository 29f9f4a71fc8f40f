package azblob

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/multipart"
)

// parked parks an upload of p to "k".
func parked(t *testing.T, s *Store, p []byte, o backends.CreateOptions) backends.Parked {
	t.Helper()
	u, err := s.Create(t.Context(), "k", o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(p); err != nil {
		t.Fatal(err)
	}
	size, err := u.Park()
	all := told(t, s)
	if err != nil || size != o.At+int64(len(p)) || len(all) != 1 || all[0].Size != size {
		t.Fatalf("parked %d octets, %v; told %+v", size, err, all)
	}
	return all[0]
}

// told is what is parked.
func told(t *testing.T, s *Store) []backends.Parked {
	t.Helper()
	page, err := s.Parked(t.Context(), backends.ParkedQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return page.Uploads
}

// wantRecords checks how many uploads are on record.
func wantRecords(t *testing.T, s *Store, want int) {
	t.Helper()
	if got, err := records(t.Context(), s); err != nil || len(got) != want {
		t.Errorf("records %q, %v; want %d", got, err, want)
	}
}

func resume(t *testing.T, s *Store, p backends.Parked) error {
	_, err := put(t, s, p.Key, []byte("more"), backends.CreateOptions{Resume: p.ID, At: p.Size})
	return err
}

// TestS15_CommitByAnotherWriterEndsAParkedUpload: the service drops its blocks.
func TestS15_CommitByAnotherWriterEndsAParkedUpload(t *testing.T) {
	for name, look := range map[string]func(*Store, backends.Parked){
		"told": func(s *Store, _ backends.Parked) {
			if all := told(t, s); len(all) > 0 {
				t.Errorf("told %+v", all)
			}
		},
		"resumed": func(s *Store, p backends.Parked) {
			if err := resume(t, s, p); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("resume: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFake(t).store(t)
			p := parked(t, s, random(testPart+1), backends.CreateOptions{})
			wrote(t, s, []byte("theirs"), backends.CreateOptions{})
			wantRecords(t, s, 1)
			look(s, p)
			wantRecords(t, s, 0)
			if got := string(content(t, s)); got != "theirs" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestS14_ParkedAppendToAnotherVersion ends: MFMT has made it one, without a commit.
func TestS14_ParkedAppendToAnotherVersion(t *testing.T) {
	s := newFake(t).store(t)
	before := wrote(t, s, []byte("old"), backends.CreateOptions{})
	p := parked(t, s, []byte("more"), backends.CreateOptions{IfMatch: before.ETag, At: 3})
	if _, err := s.Copy(t.Context(), "k", "k", backends.CopyOptions{Metadata: map[string]string{"mtime": "1"}}); err != nil {
		t.Fatal(err)
	}
	if err := resume(t, s, p); !errors.Is(err, backends.ErrChanged) {
		t.Errorf("resume: %v", err)
	}
	wantRecords(t, s, 0)
}

// TestRecordsAreKeptWhileNobodyKnows what has become of the blocks.
func TestRecordsAreKeptWhileNobodyKnows(t *testing.T) {
	f := newFake(t)
	s := f.store(t)
	p := parked(t, s, random(testPart+1), backends.CreateOptions{})
	f.before = func(name, _ string, _ *http.Request) *answer {
		if name == "GET blocklist" {
			return &answer{status: http.StatusForbidden, code: "AuthenticationFailed"}
		}
		return nil
	}
	if page, err := s.Parked(t.Context(), backends.ParkedQuery{}); !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("told %+v, %v", page, err)
	}
	if err := resume(t, s, p); !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("resume: %v", err)
	}
	f.before = nil
	if err := resume(t, s, p); err != nil {
		t.Errorf("resume: %v", err)
	}
}

// TestRecordsWithoutBlocks: a young one may be of a gateway that is about to stage the
// first, an old one is of one that has died before.
func TestRecordsWithoutBlocks(t *testing.T) {
	f := newFake(t)
	s := f.store(t)
	key := ".causeway/uploads/k.~" + nonceA + "~open"
	f.blobs[key] = &fakeBlob{etag: `"0xF"`, modified: time.Now(), blocks: []fakeBlock{{data: fmt.Appendf(nil, `{"version":1,"native":%q}`+"\n", nonceB)}}}
	f.blobs[key].modified = time.Now().Add(-forsaken + time.Hour)
	if all := told(t, s); len(all) > 0 {
		t.Errorf("told %+v", all)
	}
	wantRecords(t, s, 1)
	f.blobs[key].modified = time.Now().Add(-forsaken - time.Hour)
	if all := told(t, s); len(all) > 0 {
		t.Errorf("told %+v", all)
	}
	wantRecords(t, s, 0)
}

// TestRecordsOfLaterVersionsAreLeftAlone: they are somebody's, in a form not known here.
func TestRecordsOfLaterVersionsAreLeftAlone(t *testing.T) {
	for _, line := range []string{`{"version":2}`, `{"version":1,"before":"?7"}`} {
		f := newFake(t)
		s := f.store(t)
		key := ".causeway/uploads/k.~" + nonceA + "~7"
		f.blobs[key] = &fakeBlob{etag: `"0xF"`, blocks: []fakeBlock{{data: []byte(line + "\n")}}}
		if all := told(t, s); len(all) > 0 {
			t.Errorf("told %+v", all)
		}
		if err := resume(t, s, backends.Parked{ID: key, Key: "k", Size: 7}); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("resume: %v", err)
		}
		wantRecords(t, s, 1)
	}
}

// TestLongUploadsSignOfLife: their records are written again, and a writer whose record has
// gone stops.
func TestLongUploadsSignOfLife(t *testing.T) {
	f := newFake(t)
	s := f.store(t)
	s.limits.touch = 0
	staged := make(chan struct{}, 16)
	f.before = func(name, _ string, _ *http.Request) *answer {
		if name == "PUT block" {
			staged <- struct{}{}
		}
		return nil
	}
	u, err := s.Create(t.Context(), "k", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	if _, err := u.Write(random(testPart + 1)); err != nil {
		t.Fatal(err)
	}
	<-staged
	left, err := records(t.Context(), s)
	if err != nil || len(left) != 1 {
		t.Fatalf("records %q, %v", left, err)
	}
	if err := f.store(t).Discard(t.Context(), backends.Parked{ID: left[0], Key: "k"}); err != nil {
		t.Fatal(err)
	}
	_, err = u.Write(random(8 * testPart))
	if err == nil {
		_, err = u.Commit()
	}
	if !errors.Is(err, backends.ErrChanged) {
		t.Errorf("got %v, want ErrChanged", err)
	}
	if n := strings.Count(strings.Join(verbs(f.take()), ","), "PUT record"); n < 2 {
		t.Errorf("the record was written %d times", n)
	}
	wantRecords(t, s, 0)
}

// TestS17_SignsOfLifeWithinTheWindow of other gateways' janitors.
func TestS17_SignsOfLifeWithinTheWindow(t *testing.T) {
	for window, want := range map[time.Duration]time.Duration{
		0: time.Hour, time.Second: 250 * time.Millisecond, 30 * time.Minute: 7*time.Minute + 30*time.Second, 24 * time.Hour: time.Hour,
	} {
		s, err := New(t.Context(), Config{
			Account: testAccount, AccountKey: testKey, Container: "box", Budget: multipart.NewBudget(64<<20, nil), ResumeWindow: window,
		})
		if err != nil {
			t.Fatal(err)
		}
		if s.limits.touch != want {
			t.Errorf("with a window of %v every %v, want %v", window, s.limits.touch, want)
		}
	}
}

// TestS43_WithoutRecords: an identity that may not write them uploads all the same, and
// cannot park.
func TestS43_WithoutRecords(t *testing.T) {
	f := newFake(t)
	s := f.store(t)
	f.before = func(name, key string, _ *http.Request) *answer {
		if name == "PUT" && strings.HasPrefix(key, backends.Reserved) {
			return &answer{status: http.StatusForbidden, code: "AuthorizationPermissionMismatch"}
		}
		return nil
	}
	wrote(t, s, random(2*testPart+1), backends.CreateOptions{})
	for _, size := range []int{1, 2*testPart + 1} {
		u, err := s.Create(t.Context(), "l", backends.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(random(size)); err != nil {
			t.Fatal(err)
		}
		if size, err := u.Park(); size != 0 || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("parked %d octets, %v", size, err)
		}
	}
	wantRecords(t, s, 0)
}

// TestR3_CommitStandsWithoutItsRecordsEnd: who looks sees that the blocks are no longer
// parked.
func TestR3_CommitStandsWithoutItsRecordsEnd(t *testing.T) {
	f := newFake(t)
	s := f.store(t)
	f.before = func(name, _ string, _ *http.Request) *answer {
		if name == "DELETE" {
			return &answer{status: http.StatusForbidden, code: "AuthorizationPermissionMismatch"}
		}
		return nil
	}
	wrote(t, s, random(testPart+1), backends.CreateOptions{})
	f.before = nil
	wantRecords(t, s, 1)
	if all := told(t, f.store(t)); len(all) > 0 {
		t.Errorf("told %+v", all)
	}
}
