package azblob

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"causeway/backends"
)

func random(n int) []byte {
	p := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(p) // documented never to fail
	return p
}

func put(t *testing.T, s *Store, key string, p []byte, o backends.CreateOptions) (obj backends.Object, err error) {
	u, err := s.Create(t.Context(), key, o)
	if err != nil {
		return obj, err
	}
	defer func() { err = errors.Join(err, u.Abort()) }()
	if _, err := u.Write(p); err != nil {
		return obj, err
	}
	return u.Commit()
}

func md5Of(p []byte) string {
	sum := md5.Sum(p)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func TestSmallFileIsOneRequest(t *testing.T) {
	sc := play(t, map[string][]answer{"PUT": {{status: http.StatusCreated}}})
	s := sc.store(t)
	for _, content := range [][]byte{nil, []byte("content"), random(testPart)} {
		o := backends.CreateOptions{IfAbsent: true, Metadata: map[string]string{"mtime": "12"}}
		obj, err := put(t, s, "a b/ü", content, o)
		if err != nil || obj.ETag != "0x8DB" || obj.Size != int64(len(content)) || len(obj.Metadata) != 1 {
			t.Errorf("got %+v, %v", obj, err)
		}
		requests := sc.take()
		wantRequests(t, requests, "PUT")
		h := requests[0].header
		for name, want := range map[string]string{
			"Content-Md5": md5Of(content), "If-None-Match": "*", "X-Ms-Meta-Mtime": "12", "X-Ms-Blob-Type": "BlockBlob",
			"X-Ms-Blob-Content-Type": defaultType,
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

func TestLargeFileIsBlocksAndTheirList(t *testing.T) {
	sc := play(t, map[string][]answer{
		"PUT block":     {{status: http.StatusBadRequest, code: "Md5Mismatch"}, {status: http.StatusServiceUnavailable, code: "ServerBusy"}, {status: http.StatusCreated}},
		"PUT blocklist": {{status: http.StatusCreated}},
	})
	content := random(2*testPart + 5)
	obj, err := put(t, sc.store(t), "k", content, backends.CreateOptions{IfMatch: "0x8DA"})
	if err != nil || obj.Size != int64(len(content)) {
		t.Fatalf("got %+v, %v", obj, err)
	}
	requests := sc.take()
	wantRequests(t, requests, "PUT record", "PUT block", "PUT block", "PUT block", "PUT block", "PUT block", "PUT blocklist", "DELETE record")
	requests = requests[1 : len(requests)-1]
	commit := requests[len(requests)-1]
	if got := commit.header.Get("If-Match"); got != `"0x8DA"` {
		t.Errorf("If-Match %q", got)
	}
	var list struct{ Latest []string }
	if err := xml.Unmarshal(commit.body, &list); err != nil || len(list.Latest) != 3 {
		t.Fatalf("block list %s, %v", commit.body, err)
	}
	stored := make(map[string][]byte)
	for _, r := range requests[:len(requests)-1] {
		if r.header.Get("Content-Md5") != md5Of(r.body) {
			t.Errorf("block of %d octets has the digest %s", len(r.body), r.header.Get("Content-Md5"))
		}
		stored[blockOf(t, r)] = r.body
	}
	var whole []byte
	for _, id := range list.Latest {
		if len(id) != len(list.Latest[0]) {
			t.Errorf("ids of unequal length: %q", list.Latest)
		}
		whole = append(whole, stored[id]...)
	}
	if !bytes.Equal(whole, content) {
		t.Errorf("the list makes %d octets that are not those written", len(whole))
	}
}

// blockOf is the block id that a request names.
func blockOf(t *testing.T, r seen) string {
	req, err := http.NewRequest(http.MethodPut, r.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req.URL.Query().Get("blockid")
}

// TestR4LostAnswersAreSettled: what was carried out counts, although its answer was lost.
func TestR4LostAnswersAreSettled(t *testing.T) {
	exists := answer{status: http.StatusConflict, code: "BlobAlreadyExists"}
	changed := answer{status: http.StatusPreconditionFailed, code: "ConditionNotMet"}
	tests := []struct {
		name   string
		size   int
		o      backends.CreateOptions
		second answer // to the repeated request
		mine   bool
		want   error
	}{
		{"free name", 10, backends.CreateOptions{IfAbsent: true}, exists, true, nil},
		{"free name, another's", 10, backends.CreateOptions{IfAbsent: true}, exists, false, fs.ErrExist},
		{"version", 10, backends.CreateOptions{IfMatch: "0x8DA"}, changed, true, nil},
		{"version, another's", 10, backends.CreateOptions{IfMatch: "0x8DA"}, changed, false, backends.ErrChanged},
		{"blocks", testPart + 1, backends.CreateOptions{IfAbsent: true}, exists, true, nil},
		{"blocks taken by the first commit", testPart + 1, backends.CreateOptions{}, answer{status: http.StatusBadRequest, code: "InvalidBlockList"}, true, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			commits := []answer{{lose: true}, test.second}
			sc := play(t, map[string][]answer{
				"PUT": commits, "PUT blocklist": commits, "PUT block": {{status: http.StatusCreated}},
				"HEAD": {{status: http.StatusOK, stamp: test.mine}},
			})
			obj, err := put(t, sc.store(t), "k", random(test.size), test.o)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if err == nil && obj.ETag != "0x8DB" {
				t.Errorf("got %+v", obj)
			}
		})
	}
}

// TestS15CommitByAnotherWriterEndsAnUpload: it takes the blocks that were staged.
func TestS15CommitByAnotherWriterEndsAnUpload(t *testing.T) {
	sc := play(t, map[string][]answer{
		"PUT block": {{status: http.StatusCreated}}, "PUT blocklist": {{status: http.StatusBadRequest, code: "InvalidBlockList"}},
	})
	_, err := put(t, sc.store(t), "k", random(testPart+1), backends.CreateOptions{})
	if !errors.Is(err, backends.ErrChanged) {
		t.Errorf("got %v, want ErrChanged", err)
	}
}

// TestAbortTouchesNoBlob: what could end staged blocks would also replace what is there.
func TestAbortTouchesNoBlob(t *testing.T) {
	sc := play(t, map[string][]answer{"PUT block": {{status: http.StatusCreated}}})
	u, err := sc.store(t).Create(t.Context(), "k", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(random(testPart + 1)); err != nil {
		t.Fatal(err)
	}
	if err := u.Abort(); err != nil {
		t.Error(err)
	}
	for _, r := range sc.take() {
		if r.name != "PUT block" && !strings.HasSuffix(r.name, " record") {
			t.Errorf("request %q", r.name)
		}
	}
}
