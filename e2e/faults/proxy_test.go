package faults

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a store that writes down the bodies it is sent, and answers with what it knows.
type echo struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
}

const content = "0123456789"

// start is a proxy before an echo, and a client of its own for the test.
func start(t *testing.T) (*HTTPProxy, *echo, *http.Client) {
	store := &echo{}
	store.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender has gone
		}
		store.mu.Lock()
		store.bodies = append(store.bodies, string(body))
		store.mu.Unlock()
		w.Header().Set("Host-Was", r.Host)
		w.Header().Set("X-Amz-Checksum-Crc32c", "right")
		io.WriteString(w, content)
	}))
	p, err := NewHTTPProxy(store.URL, S3Operation)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		store.Close()
	})
	return p, store, &http.Client{Transport: transport}
}

// seen are the bodies that the store was sent.
func (e *echo) seen() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.bodies...)
}

// outcome is what a client makes of a request.
type outcome struct {
	status int
	header http.Header
	body   string
	err    error
}

func do(ctx context.Context, client *http.Client, method, url, body string) outcome {
	// Not a strings.Reader: the HTTP client could send that again by itself.
	req, err := http.NewRequestWithContext(ctx, method, url, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		return outcome{err: err}
	}
	if req.ContentLength = int64(len(body)); body == "" {
		req.Body = nil
	}
	res, err := client.Do(req)
	if err != nil {
		return outcome{err: err}
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return outcome{res.StatusCode, res.Header, string(got), err}
}

func TestProxyPassesAndCounts(t *testing.T) {
	p, store, client := start(t)
	big := strings.Repeat("x", 1<<20)
	got := do(t.Context(), client, http.MethodPut, p.URL()+"/b/k?partNumber=1", big)
	if got.err != nil || got.body != content || "http://"+got.header.Get("Host-Was") != p.URL() {
		t.Errorf("got %+v; the Host header must stay as it is", got)
	}
	if got := do(t.Context(), client, http.MethodHead, p.URL()+"/b/k", ""); got.err != nil || got.header.Get("Content-Length") != "10" {
		t.Errorf("got %+v", got)
	}
	if seen := store.seen(); len(seen) != 2 || seen[0] != big {
		t.Errorf("the store was sent %d bodies", len(seen))
	}
	traffic := p.Take()
	p.Rehost()
	if got := do(t.Context(), client, http.MethodGet, p.URL()+"/b/k", ""); "http://"+got.header.Get("Host-Was") != store.URL {
		t.Errorf("got %+v; the Host header must be the target's", got)
	}
	p.Take()
	if want := "1 HeadObject (0 up, 0 down), 1 UploadPart (1048576 up, 10 down)"; traffic.String() != want {
		t.Errorf("traffic %s, want %s", traffic, want)
	}
	if traffic.Sum() != (Count{2, 1 << 20, 10}) || len(p.Take()) != 0 || p.Connections() != 1 {
		t.Errorf("sum %v, %d connections", traffic.Sum(), p.Connections())
	}
}

func TestFaults(t *testing.T) {
	slow := S3Error(http.StatusServiceUnavailable, "SlowDown")
	reset := func(o outcome) bool { return errors.Is(o.err, syscall.ECONNRESET) || errors.Is(o.err, io.EOF) }
	tests := []struct {
		name  string
		fault Fault
		want  func(outcome) bool
		store string // what it has seen, "-" for nothing
	}{
		{"instead", Instead(slow), func(o outcome) bool {
			return o.err == nil && o.status == 503 && strings.Contains(o.body, "<Code>SlowDown</Code>")
		}, "-"},
		{"instead, Google's", Instead(GCSError(http.StatusTooManyRequests, "rateLimitExceeded")), func(o outcome) bool {
			var got struct {
				Error struct{ Errors []struct{ Reason string } }
			}
			err := json.Unmarshal([]byte(o.body), &got)
			return o.status == 429 && err == nil && got.Error.Errors[0].Reason == "rateLimitExceeded"
		}, "-"},
		{"swap", Swap(S3Error(http.StatusOK, "InternalError")), func(o outcome) bool {
			return o.err == nil && o.status == 200 && strings.Contains(o.body, "<Code>InternalError</Code>")
		}, "body"},
		{"reset before", ResetBefore(), reset, "-"},
		{"reset after", ResetAfter(), reset, "body"},
		{"truncate", Truncate(4), func(o outcome) bool { return o.body == "0123" && errors.Is(o.err, io.ErrUnexpectedEOF) }, "body"},
		{"flip down", FlipDown(3), func(o outcome) bool { return o.err == nil && o.body == "012\xcc456789" }, "body"},
		{"flip up", FlipUp(1), func(o outcome) bool { return o.err == nil && o.body == content }, "b\x90dy"},
		{"header", Header("X-Amz-Checksum-Crc32c", "wrong"), func(o outcome) bool {
			return o.err == nil && o.body == content && o.header.Get("X-Amz-Checksum-Crc32c") == "wrong"
		}, "body"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, store, client := start(t)
			i := p.Inject(Rule{Match: p.Is("PutObject"), Fault: test.fault})
			if got := do(t.Context(), client, http.MethodGet, p.URL()+"/b/k", ""); got.body != content {
				t.Errorf("a request that does not match: %+v", got)
			}
			if got := do(t.Context(), client, http.MethodPut, p.URL()+"/b/k", "body"); !test.want(got) {
				t.Errorf("got %+v", got)
			}
			<-i.Hit()
			if seen := strings.Join(append(store.seen()[1:], "-")[:1], ""); seen != test.store {
				t.Errorf("the store has seen %q, want %q", seen, test.store)
			}
			if got := do(t.Context(), client, http.MethodPut, p.URL()+"/b/k", "body"); got.body != content || i.Hits() != 1 {
				t.Errorf("the request after: %+v, %d hits", got, i.Hits())
			}
		})
	}
}

func TestRuleChooses(t *testing.T) {
	p, _, client := start(t)
	i := p.Inject(Rule{Nth: 2, Count: 2, Fault: Instead(S3Error(http.StatusForbidden, "ExpiredToken"))})
	p.Inject(Rule{Nth: 4, Count: Always, Fault: Instead(AzureError(http.StatusForbidden, "AuthenticationFailed"))})
	var got []int
	for range 6 {
		got = append(got, do(t.Context(), client, http.MethodGet, p.URL()+"/b/k", "").status)
	}
	// The second rule sees the requests that the first one lets pass: 1, 4, 5, 6.
	if want := []int{200, 403, 403, 200, 200, 403}; !slices.Equal(got, want) || i.Hits() != 2 {
		t.Errorf("answers %v, want %v", got, want)
	}
	i.Remove()
	i.Remove()
}
