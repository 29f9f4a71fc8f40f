package nulls3

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/e2e/bench/pattern"
)

// do sends one request and returns the answer with its body.
func do(t *testing.T, s *Server, method, target string, header map[string]string, body string) (*httptest.ResponseRecorder, string) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w, w.Body.String()
}

type exchange struct {
	method, target string
	header         map[string]string
	body           string
	status         int
	want           string // in the answer's body
}

func run(t *testing.T, s *Server, exchanges []exchange) {
	t.Helper()
	for i, x := range exchanges {
		res, body := do(t, s, x.method, x.target, x.header, x.body)
		if res.Code != x.status || !strings.Contains(body, x.want) {
			t.Errorf("%d: %s %s: %d %q", i, x.method, x.target, res.Code, body)
		}
	}
}

func TestObjectsKeepTheirSize(t *testing.T) {
	s := New(Options{})
	content := string(pattern.New().At(0)[:100])
	run(t, s, []exchange{
		{"GET", "/b/k", nil, "", 404, "NoSuchKey"},
		{"PUT", "/b/k", map[string]string{"X-Amz-Meta-Mtime": "7"}, content, 200, ""},
		{"GET", "/b/k", nil, "", 200, content},
		{"GET", "/b/k", map[string]string{"Range": "bytes=90-"}, "", 206, content[90:]},
		{"GET", "/b/k", map[string]string{"Range": "bytes=5-8"}, "", 206, content[5:9]},
		{"GET", "/b/k", map[string]string{"Range": "bytes=100-"}, "", 416, "InvalidRange"},
		{"PUT", "/b/copy", map[string]string{"X-Amz-Copy-Source": "b/k"}, "", 200, "CopyObjectResult"},
		{"DELETE", "/b/k", nil, "", 204, ""},
		{"GET", "/b/k", nil, "", 404, "NoSuchKey"},
		{"GET", "/b/copy", nil, "", 200, content},
		{"GET", "/b/sized-12/anything", nil, "", 200, content[:12]},
		{"GET", "/b/sized-x/anything", nil, "", 404, ""},
		{"GET", "/b?list-type=2", nil, "", 200, "<Key>copy</Key>"},
		{"PUT", "/b/k?acl", map[string]string{"X-Amz-Copy-Source": "b/k", "Uploadid": ""}, "", 404, "NoSuchKey"},
		{"PATCH", "/b/k", nil, "", 501, "NotImplemented"},
	})
	res, _ := do(t, s, "HEAD", "/b/copy", nil, "")
	if res.Header().Get("Content-Length") != "100" || res.Header().Get("X-Amz-Meta-Mtime") != "7" {
		t.Errorf("HEAD tells %v", res.Header())
	}
	if res, _ = do(t, s, "HEAD", "/b/"+NamesDir(10)+Name(3), nil, ""); res.Code != 200 || res.Header().Get("Content-Length") != fmt.Sprint(madeUpSize) {
		t.Errorf("HEAD of a made-up name: %v", res.Header())
	}
}

func TestRecordsAreKept(t *testing.T) {
	run(t, New(Options{}), []exchange{
		{"PUT", "/b/.causeway/x", nil, "not the pattern", 200, ""},
		{"GET", "/b/.causeway/x", nil, "", 200, "not the pattern"},
		{"GET", "/b/.causeway/x", map[string]string{"Range": "bytes=4-"}, "", 206, "the pattern"},
	})
}

func TestConditions(t *testing.T) {
	s := New(Options{})
	absent := map[string]string{"If-None-Match": "*"}
	res, _ := do(t, s, "PUT", "/b/k", absent, "x")
	match := map[string]string{"If-Match": res.Header().Get("ETag")}
	run(t, s, []exchange{
		{"PUT", "/b/k", absent, "x", 412, "PreconditionFailed"},
		{"GET", "/b/k", match, "", 200, ""},
		{"PUT", "/b/k", match, "y", 200, ""},
		{"PUT", "/b/k", match, "z", 412, "PreconditionFailed"},
		{"GET", "/b/k", match, "", 412, "PreconditionFailed"},
		{"PUT", "/b/none", match, "z", 404, "NoSuchKey"},
	})
}

func TestMultipart(t *testing.T) {
	s := New(Options{})
	_, body := do(t, s, "POST", "/b/k?uploads", nil, "")
	id := regexp.MustCompile(`[0-9a-f]{32}`).FindString(body)
	var etags []string
	for n := 1; n <= 2; n++ {
		res, _ := do(t, s, "PUT", fmt.Sprintf("/b/k?partNumber=%d&uploadId=%s", n, id), nil, strings.Repeat("x", 10*n))
		etags = append(etags, res.Header().Get("ETag"))
	}
	complete := func(tags ...string) string {
		var b strings.Builder
		for i, tag := range tags {
			fmt.Fprintf(&b, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, tag)
		}
		return "<CompleteMultipartUpload>" + b.String() + "</CompleteMultipartUpload>"
	}
	run(t, s, []exchange{
		{"GET", "/b/k?uploadId=" + id, nil, "", 200, "<PartNumber>2</PartNumber><Size>20</Size>"},
		{"POST", "/b/k?uploadId=" + id, nil, complete(etags[1]), 400, "InvalidPart"},
		{"GET", "/b/k", nil, "", 404, ""},
		{"POST", "/b/k?uploadId=" + id, nil, complete(etags...), 200, "-2&quot;"},
		{"POST", "/b/k?uploadId=" + id, nil, complete(etags...), 404, "NoSuchUpload"},
		{"DELETE", "/b/k?uploadId=" + id, nil, "", 404, "NoSuchUpload"},
	})
	if res, _ := do(t, s, "HEAD", "/b/k", nil, ""); res.Header().Get("Content-Length") != "30" {
		t.Errorf("size %s", res.Header().Get("Content-Length"))
	}
}

func TestVerifyRefusesWhatWasDamaged(t *testing.T) {
	s := New(Options{Verify: true})
	content := string(pattern.New().At(0)[:100])
	run(t, s, []exchange{
		{"PUT", "/b/k", nil, content, 200, ""},
		{"PUT", "/b/k", nil, content[1:], 400, "BadDigest"},
		{"PUT", "/b/k", map[string]string{"X-Amz-Checksum-Crc32c": "AAAAAA=="}, content, 400, "BadDigest"},
	})
}

func TestCountsOverTheWire(t *testing.T) {
	s := New(Options{})
	address := [2]string{}
	for i, serve := range []func(l net.Listener) error{
		func(l net.Listener) error { return s.Serve(t.Context(), l) },
		func(l net.Listener) error { return s.ServeControl(t.Context(), l) },
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address[i] = "http://" + l.Addr().String()
		go func() { _ = serve(l) }() // ends with the test
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	exchange := func(method, url string, body []byte) []byte {
		r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	exchange("PUT", address[0]+"/b/k", make([]byte, 3*bufferSize))
	if got := exchange("GET", address[0]+"/b/k", nil); len(got) != 3*bufferSize {
		t.Errorf("%d octets", len(got))
	}
	var stats Stats
	if err := json.Unmarshal(exchange("GET", address[1], nil), &stats); err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{"PutObject": 1, "GetObject": 1}
	if !maps.Equal(stats.Requests, want) || stats.Total() != 2 || stats.Connections != 1 || stats.BytesIn != 3*bufferSize || stats.BytesOut != 3*bufferSize {
		t.Errorf("%+v", stats)
	}
	exchange("DELETE", address[1], nil)
	if after := s.Stats(); after.Total() != 0 || after.Connections != 0 || after.BytesIn != 0 || after.BytesOut != 0 {
		t.Errorf("after a reset: %+v", after)
	}
}

func TestPaceAndDelayTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := pace{rate: 1 << 20}
		for range 20 {
			p.spend(t.Context(), 512<<10)
		}
		if took := time.Since(start); took < 10*time.Second-slack || took > 10*time.Second {
			t.Errorf("10 MiB at 1 MiB/s took %v", took)
		}
		start = time.Now()
		do(t, New(Options{Delay: time.Second}), "GET", "/b/k", nil, "")
		if took := time.Since(start); took != time.Second {
			t.Errorf("an answer after %v", took)
		}
	})
}
