package azblob

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"causeway/backends"
	"causeway/backends/multipart"
)

// head describes a source of 1,000 octets.
var head = answer{status: http.StatusOK, header: http.Header{
	"Content-Length": {"1000"}, "Content-Type": {"text/x-test"}, "Content-Encoding": {"x-test"}, "X-Ms-Meta-Mtime": {"1"},
}}

func TestSmallCopyIsOneRequest(t *testing.T) {
	sc := play(t, map[string][]answer{"HEAD": {head}, "PUT": {{status: http.StatusAccepted, header: http.Header{"X-Ms-Copy-Status": {"success"}}}}})
	obj, err := sc.store(t).Copy(t.Context(), "dst", "a b/ü", backends.CopyOptions{IfAbsent: true})
	if err != nil || obj.Size != 1000 || obj.Metadata["mtime"] != "1" || obj.ContentType != "text/x-test" {
		t.Errorf("got %+v, %v", obj, err)
	}
	requests := sc.take()
	wantRequests(t, requests, "HEAD", "PUT")
	h := requests[1].header
	from, err := url.Parse(h.Get("X-Ms-Copy-Source"))
	if err != nil || !strings.HasSuffix(from.Path, "/box/a b/ü") || from.Query().Get("sig") == "" || from.Query().Get("sp") != "r" {
		t.Errorf("source %q", h.Get("X-Ms-Copy-Source"))
	}
	if h.Get("X-Ms-Source-If-Match") != `"0x8DB"` || h.Get("If-None-Match") != "*" || h.Get("X-Ms-Meta-Mtime") != "1" || h.Get("X-Ms-Requires-Sync") != "true" {
		t.Errorf("headers %v", h)
	}
}

// TestLargeCopyIsBlocksAndTheirList: nothing is visible before the list is committed. No
// test server has Put Block From URL.
func TestLargeCopyIsBlocksAndTheirList(t *testing.T) {
	sc := play(t, map[string][]answer{
		"HEAD":          {head},
		"PUT block":     {{status: http.StatusServiceUnavailable, code: "ServerBusy"}, {status: http.StatusCreated}},
		"PUT blocklist": {{status: http.StatusCreated}},
	})
	s := sc.store(t)
	s.limits.syncCopy, s.limits.copyBlock = 999, 300
	obj, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{IfMatch: "0x8DA", Metadata: map[string]string{"mtime": "2"}})
	if err != nil || obj.Size != 1000 || obj.Metadata["mtime"] != "2" {
		t.Errorf("got %+v, %v", obj, err)
	}
	requests := sc.take()
	ranges := make(map[string]bool)
	for _, r := range requests[1 : len(requests)-1] {
		ranges[r.header.Get("X-Ms-Source-Range")] = true
		if r.header.Get("X-Ms-Source-If-Match") != `"0x8DB"` || !strings.Contains(r.header.Get("X-Ms-Copy-Source"), "sig=") {
			t.Errorf("headers %v", r.header)
		}
	}
	for _, want := range []string{"bytes=0-299", "bytes=300-599", "bytes=600-899", "bytes=900-999"} {
		if !ranges[want] {
			t.Errorf("ranges %v lack %s", ranges, want)
		}
	}
	commit := requests[len(requests)-1]
	h := commit.header
	if strings.Count(string(commit.body), "<Latest>") != 4 || h.Get("If-Match") != `"0x8DA"` || h.Get("X-Ms-Meta-Mtime") != "2" ||
		h.Get("X-Ms-Blob-Content-Type") != "text/x-test" || h.Get("X-Ms-Blob-Content-Encoding") != "x-test" {
		t.Errorf("commit of %s with %v", commit.body, h)
	}
}

// TestLargeCopyWithoutTheServersIsUnsupported: backends.Copy then reads and writes.
func TestLargeCopyWithoutTheServersIsUnsupported(t *testing.T) {
	sc := play(t, map[string][]answer{"HEAD": {head}, "PUT block": {{status: http.StatusNotImplemented, code: "NotImplemented"}}})
	s := sc.store(t)
	s.limits.syncCopy = 1
	if _, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

func TestLargeCopyOfAReplacedSource(t *testing.T) {
	sc := play(t, map[string][]answer{"HEAD": {head}, "PUT block": {{status: http.StatusPreconditionFailed, code: "SourceConditionNotMet"}}})
	s := sc.store(t)
	s.limits.syncCopy = 1
	if _, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{IfAbsent: true}); !errors.Is(err, backends.ErrChanged) {
		t.Errorf("got %v", err)
	}
}

func TestS24TimeIsSetInPlace(t *testing.T) {
	sc := play(t, map[string][]answer{"HEAD": {head}, "PUT metadata": {{status: http.StatusOK}}})
	s := sc.store(t)
	obj, err := s.Copy(t.Context(), "k", "k", backends.CopyOptions{Metadata: map[string]string{"mtime": "2"}})
	if err != nil || obj.Metadata["mtime"] != "2" || obj.Size != 1000 {
		t.Errorf("got %+v, %v", obj, err)
	}
	requests := sc.take()
	wantRequests(t, requests, "HEAD", "PUT metadata")
	if got := requests[1].header.Get("If-Match"); got != `"0x8DB"` {
		t.Errorf("If-Match %q", got)
	}
	if _, err := s.Copy(t.Context(), "k", "k", backends.CopyOptions{}); err != nil {
		t.Error(err)
	}
	wantRequests(t, sc.take(), "HEAD")
}

// identity is a credential without a key.
type identity struct{}

func (identity) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "secret", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// TestCopyWithoutAKey: nothing can be signed then; the source is read with the token.
func TestCopyWithoutAKey(t *testing.T) {
	sc := play(t, map[string][]answer{"HEAD": {head}, "PUT": {{status: http.StatusAccepted}}})
	s := sc.store(t)
	s.token = identity{}
	if _, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	h := sc.take()[1].header
	if h.Get("X-Ms-Copy-Source-Authorization") != "Bearer secret" || strings.Contains(h.Get("X-Ms-Copy-Source"), "sig=") {
		t.Errorf("headers %v", h)
	}
}

func TestNewWithoutAKeyTakesTheDefaultChain(t *testing.T) {
	s, err := New(t.Context(), Config{Account: "a", Container: "box", Budget: multipart.NewBudget(1<<20, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if s.token == nil || s.container.URL() != "https://a.blob.core.windows.net/box" {
		t.Errorf("container %s, token %v", s.container.URL(), s.token)
	}
}
