package azblob

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// script is a server that answers as the service was recorded to. Requests are told by
// method and comp parameter, as "PUT block", those of records as "PUT record"; several answers for one are given in turn,
// the last one for ever.
type script struct {
	*httptest.Server
	answers map[string][]answer

	mu       sync.Mutex
	requests []seen
}

// answer is one recorded answer.
type answer struct {
	status int
	code   string      // x-ms-error-code
	header http.Header // beside the usual ones
	body   string
	short  int  // octets of the body after which the connection breaks, 0 for never
	lose   bool // the connection breaks instead
	stamp  bool // the metadata of the last request that had an upload id is told
}

// seen is one request.
type seen struct {
	name   string
	url    string
	header http.Header
	body   []byte
}

func play(t *testing.T, answers map[string][]answer) *script {
	s := &script{answers: answers}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// store is a Store on the script.
func (s *script) store(t *testing.T) *Store {
	return testStore(t, s.URL+"/"+testAccount, "box")
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	name := strings.TrimSpace(r.Method + " " + r.URL.Query().Get("comp"))
	if strings.Contains(r.URL.Path, "/.causeway/") {
		name = r.Method + " record"
	}
	s.mu.Lock()
	var stamp string
	for _, earlier := range s.requests {
		if id := earlier.header.Get("X-Ms-Meta-" + uploadKey); id != "" {
			stamp = id
		}
	}
	s.requests = append(s.requests, seen{name, r.URL.String(), r.Header.Clone(), body})
	list := s.answers[name]
	if len(list) == 0 && strings.HasSuffix(name, " record") {
		list = []answer{{status: map[string]int{http.MethodPut: http.StatusCreated, http.MethodDelete: http.StatusAccepted}[r.Method]}}
	}
	if len(list) == 0 {
		s.mu.Unlock()
		http.Error(w, "not in the script: "+name, http.StatusNotImplemented)
		return
	}
	a := list[0]
	if len(list) > 1 {
		s.answers[name] = list[1:]
	}
	s.mu.Unlock()
	a.send(w, stamp)
}

func (a answer) send(w http.ResponseWriter, stamp string) {
	if a.lose {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("ETag", `"0x8DB"`)
	w.Header().Set("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
	if a.stamp {
		w.Header().Set("X-Ms-Meta-"+uploadKey, stamp)
	}
	if a.code != "" {
		w.Header().Set("X-Ms-Error-Code", a.code)
	}
	for k, v := range a.header {
		w.Header()[k] = v
	}
	if w.Header().Get("Content-Length") == "" {
		w.Header().Set("Content-Length", fmt.Sprint(len(a.body)))
	}
	w.WriteHeader(a.status)
	if a.short > 0 {
		io.WriteString(w, a.body[:a.short])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	io.WriteString(w, a.body)
}

// take returns the requests since it was last called.
func (s *script) take() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil
	return requests
}

// names are those of requests, in order.
func names(requests []seen) []string {
	var list []string
	for _, r := range requests {
		list = append(list, r.name)
	}
	return list
}

func wantRequests(t *testing.T, got []seen, want ...string) {
	t.Helper()
	if !slices.Equal(names(got), want) {
		t.Errorf("requests %q, want %q", names(got), want)
	}
}
