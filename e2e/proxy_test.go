//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// countingProxy stands before the S3 server and counts what the gateway asks of
// it. It keeps the Host header, which the requests' signatures cover.
type countingProxy struct {
	url    string
	server *httptest.Server

	mu      sync.Mutex
	counts  map[string]int
	conns   int // accepted since the start
	failing bool
}

func newCountingProxy(t testing.TB, target string) *countingProxy {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &countingProxy{counts: map[string]int{}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
	}
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.count(r) {
			http.Error(w, "down for a test", http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	p.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			p.mu.Lock()
			p.conns++
			p.mu.Unlock()
		}
	}
	p.server.Start()
	p.url = p.server.URL
	t.Cleanup(p.server.Close)
	return p
}

// proxied is the shared S3 bucket as a gateway reaches it through the proxy.
func proxied(p *countingProxy) *namedBucket {
	b := bucketOf("s3").bucket.(s3Bucket)
	return &namedBucket{b, "s3", b.config(p.url)}
}

// count notes the request and tells whether it must fail.
func (p *countingProxy) count(r *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[operation(r)]++
	return p.failing
}

// fail turns every answer into 503, or back.
func (p *countingProxy) fail(failing bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing = failing
}

// operation names a request as the S3 API does, where it matters here.
func operation(r *http.Request) string {
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodGet && query.Has("list-type"):
		return "LIST"
	case r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != "":
		return "COPY"
	case r.Method == http.MethodPost && query.Has("uploads"), query.Has("uploadId"):
		return "MULTIPART"
	}
	return r.Method
}

// take returns the counts since the last call, and their sum.
func (p *countingProxy) take() (requests, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken, sum := requests(p.counts), 0
	for _, n := range p.counts {
		sum += n
	}
	p.counts = map[string]int{}
	return taken, sum
}

func (p *countingProxy) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns
}

// requests prints in a fixed order.
type requests map[string]int

func (r requests) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r)) {
		parts = append(parts, fmt.Sprintf("%d %s", r[name], name))
	}
	return strings.Join(parts, ", ")
}
