package azblob

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"testing"

	"causeway/backends"
	"causeway/backends/readahead"
)

// read reads as the gateway does.
func read(t *testing.T, s *Store, o backends.OpenOptions) (string, error) {
	r, err := readahead.Open(t.Context(), s, "k", o)
	if err != nil {
		return "", err
	}
	p, err := io.ReadAll(r)
	return string(p), errors.Join(err, r.Close())
}

func TestS21ReadGoesOnWhereItBrokeOff(t *testing.T) {
	sc := play(t, map[string][]answer{"GET": {
		{status: http.StatusOK, body: "0123456789", short: 4},
		{status: http.StatusServiceUnavailable, code: "ServerBusy"},
		{status: http.StatusPartialContent, body: "456789", short: 1, header: http.Header{"Content-Range": {"bytes 4-9/10"}}},
		{status: http.StatusPartialContent, body: "56789", header: http.Header{"Content-Range": {"bytes 5-9/10"}}},
	}})
	got, err := read(t, sc.store(t), backends.OpenOptions{})
	if err != nil || got != "0123456789" {
		t.Errorf("read %q, %v", got, err)
	}
	requests := sc.take()
	wantRequests(t, requests, "GET", "GET", "GET", "GET")
	last := requests[len(requests)-1].header
	if last.Get("X-Ms-Range") != "bytes=5-" || last.Get("If-Match") != `"0x8DB"` {
		t.Errorf("went on with range %q of version %q", last.Get("X-Ms-Range"), last.Get("If-Match"))
	}
}

func TestS20ReadIsOneVersionOrAnError(t *testing.T) {
	for name, second := range map[string]answer{
		"replaced": {status: http.StatusPreconditionFailed, code: "ConditionNotMet"},
		"deleted":  {status: http.StatusNotFound, code: "BlobNotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			sc := play(t, map[string][]answer{"GET": {{status: http.StatusOK, body: "0123456789", short: 4}, second}})
			got, err := read(t, sc.store(t), backends.OpenOptions{})
			if got != "0123" || !errors.Is(err, backends.ErrChanged) {
				t.Errorf("read %q, %v; want ErrChanged", got, err)
			}
		})
	}
}

// TestRangeAtTheEnd: the service answers 416, which may mean either.
func TestRangeAtTheEnd(t *testing.T) {
	sc := play(t, map[string][]answer{
		"GET":  {{status: http.StatusRequestedRangeNotSatisfiable, code: "InvalidRange"}},
		"HEAD": {{status: http.StatusOK, header: http.Header{"Content-Length": {"10"}}}},
	})
	s := sc.store(t)
	if got, err := read(t, s, backends.OpenOptions{Offset: 10, IfMatch: "0x8DB"}); got != "" || err != nil {
		t.Errorf("at the end: %q, %v", got, err)
	}
	if _, err := read(t, s, backends.OpenOptions{Offset: 11}); !errors.Is(err, backends.ErrRange) {
		t.Errorf("past the end: %v", err)
	}
	if _, err := read(t, s, backends.OpenOptions{Offset: 10, IfMatch: "0x8DA"}); !errors.Is(err, backends.ErrChanged) {
		t.Errorf("of another version: %v", err)
	}
}

// TestS43MayNotKnow: what follows from a look that is refused is for the caller to know.
func TestS43MayNotKnow(t *testing.T) {
	refused := answer{status: http.StatusForbidden, code: "AuthorizationPermissionMismatch"}
	sc := play(t, map[string][]answer{"HEAD": {refused}, "GET list": {refused}})
	s := sc.store(t)
	if _, err := s.Stat(t.Context(), "k", backends.StatOptions{}); !errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat: %v", err)
	}
	if _, err := s.List(t.Context(), backends.Query{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("list: %v", err)
	}
}

func TestLostDelete(t *testing.T) {
	gone := answer{status: http.StatusNotFound, code: "BlobNotFound"}
	sc := play(t, map[string][]answer{"DELETE": {{lose: true}, gone}})
	s := sc.store(t)
	if err := s.Delete(t.Context(), "k", backends.DeleteOptions{IfMatch: "0x8DA"}); err != nil {
		t.Errorf("carried out before: %v", err)
	}
	if err := s.Delete(t.Context(), "k", backends.DeleteOptions{IfMatch: "0x8DA"}); !errors.Is(err, backends.ErrChanged) {
		t.Errorf("version that is gone: %v", err)
	}
	if err := s.Delete(t.Context(), "k", backends.DeleteOptions{}); err != nil {
		t.Errorf("nothing there: %v", err)
	}
}

// TestListIsOneRequest also reads what the service writes in a page: ETags without quotes,
// metadata, names that XML cannot hold.
func TestListIsOneRequest(t *testing.T) {
	const page = `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://x/" ContainerName="box"><Prefix>d/</Prefix>
<Blobs><Blob><Name>d/f</Name><Properties><Creation-Time>Wed, 21 Oct 2015 07:28:00 GMT</Creation-Time><Last-Modified>Wed, 21 Oct 2015 07:28:00 GMT</Last-Modified>
<Etag>0x8DB</Etag><Content-Length>12</Content-Length><Content-Type>text/plain</Content-Type><Content-MD5>1B2M2Y8AsgTpgAmY7PhCfg==</Content-MD5><BlobType>BlockBlob</BlobType></Properties>
<Metadata><mtime>12</mtime><CausewayUpload>id</CausewayUpload></Metadata></Blob>
<BlobPrefix><Name>d/e/</Name></BlobPrefix></Blobs><NextMarker>2!token</NextMarker></EnumerationResults>`
	sc := play(t, map[string][]answer{"GET list": {{status: http.StatusOK, body: page, header: http.Header{"Content-Type": {"application/xml"}}}}})
	got, err := sc.store(t).List(t.Context(), backends.Query{Prefix: "d/", Delimiter: true, Token: "2!before", Limit: 7})
	if err != nil || len(got.Objects) != 1 || len(got.Prefixes) != 1 || got.Prefixes[0] != "d/e/" || got.Next != "2!token" {
		t.Fatalf("got %+v, %v", got, err)
	}
	o := got.Objects[0]
	if o.Key != "d/f" || o.Size != 12 || o.ETag != "0x8DB" || o.Partial || len(o.Metadata) != 1 || o.Metadata["mtime"] != "12" || len(o.Sums[backends.MD5]) != 16 {
		t.Errorf("got %+v", o)
	}
	wantRequests(t, sc.take(), "GET list")
}
