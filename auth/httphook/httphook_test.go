package httphook

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/auth"
)

const canary = "k4nary-horse"

// attempt is acme's, from a documentation address.
func attempt() auth.Attempt {
	return auth.Attempt{Name: "acme", Password: canary, Remote: netip.MustParseAddr("192.0.2.1"), TLS: true, Host: "ftp.example"}
}

// serve runs a service, and makes a hook for it.
func serve(t *testing.T, c Config, answer http.HandlerFunc) *Hook {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c.URL = server.URL + "/auth?key=" + canary[:7]
	return mustNew(t, c)
}

func mustNew(t *testing.T, c Config) *Hook {
	t.Helper()
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.client.CloseIdleConnections)
	return h
}

func TestFindAsksAndTakesTheAnswer(t *testing.T) {
	var got question
	var header http.Header
	h := serve(t, Config{Token: "t0ken"}, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.Method != http.MethodPost {
			t.Errorf("%s: %v", r.Method, err)
		}
		fmt.Fprint(w, `{"user": "Acme", "template": "partner", "values": {"home": "a/b"}, "disabled": true,
			"expires": "2027-03-31", "networks": ["192.0.2.0/24"]}`)
	})
	found, err := h.Find(t.Context(), attempt())
	want := &auth.Found{
		Name: "Acme", Right: true, Template: "partner", Values: map[string]string{"home": "a/b"}, Disabled: true,
		Expires: time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC), Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	}
	if err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("%+v, %v", found, err)
	}
	if want := (question{"acme", canary, "192.0.2.1", true, "ftp.example"}); got != want {
		t.Errorf("asked %+v", got)
	}
	if header.Get("Authorization") != "Bearer t0ken" || header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", header)
	}
}

// TestA12_WhatIsNoAnswerIsAnError, neither an account nor the next provider's affair.
func TestA12_WhatIsNoAnswerIsAnError(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   error // nil for one that is neither ErrLogin nor ErrUnknown
	}{
		{"unknown by status", 404, "", auth.ErrUnknown},
		{"unknown by word", 200, `{"unknown": true}`, auth.ErrUnknown},
		{"wrong password", 401, "", auth.ErrLogin},
		{"forbidden", 403, `{"user": "acme"}`, auth.ErrLogin},
		{"500", 500, `{"user": "acme"}`, nil},
		{"201", 201, `{"user": "acme"}`, nil},
		{"204", 204, "", nil},
		{"503", 503, "", nil},
		{"empty", 200, "", nil},
		{"null", 200, "null", nil},
		{"any service's", 200, "{}", nil},
		{"another's", 200, `{"user": "globex"}`, nil},
		{"cut", 200, `{"user": "acme"`, nil},
		{"page", 200, "<html>acme</html>", nil},
		{"two", 200, `{"user": "acme"} {"user": "acme"}`, nil},
		{"list", 200, `[{"user": "acme"}]`, nil},
		{"typing error", 200, `{"user": "acme", "disabld": true}`, nil},
		{"type", 200, `{"user": "acme", "disabled": "yes"}`, nil},
		{"no date", 200, `{"user": "acme", "expires": "tomorrow"}`, nil},
		{"no network", 200, `{"user": "acme", "networks": ["192.0.2.0/33"]}`, nil},
		{"too long", 200, `{"user": "acme"}` + strings.Repeat(" ", maxAnswer), nil},
	} {
		h := serve(t, Config{}, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		found, err := h.Find(t.Context(), attempt())
		judged := errors.Is(err, auth.ErrLogin) || errors.Is(err, auth.ErrUnknown)
		if found != nil || err == nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && judged {
			t.Errorf("%s: %+v, %v", c.name, found, err)
		}
		quiet(t, err)
	}
}

// quiet looks for secrets in an error: the password, and what the URL holds.
func quiet(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{canary, canary[:7], "t0ken"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("a secret is in %q", err)
		}
	}
}

func TestA12_NoAnswerInTimeIsAnError(t *testing.T) {
	release := make(chan struct{})
	h := serve(t, Config{Timeout: 20 * time.Millisecond}, func(http.ResponseWriter, *http.Request) { <-release })
	_, err := h.Find(t.Context(), attempt())
	close(release)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	quiet(t, err)
	if h, err = New(Config{URL: "http://127.0.0.1:1/?" + canary}); err != nil {
		t.Fatal(err)
	}
	_, err = h.Find(t.Context(), attempt())
	if err == nil || errors.Is(err, auth.ErrLogin) {
		t.Errorf("a service that is down: %v", err)
	}
	quiet(t, err)
}

func TestQuestionsAreBounded(t *testing.T) {
	release := make(chan struct{})
	var running, most atomic.Int64
	h := serve(t, Config{Questions: 2, Timeout: time.Minute}, func(w http.ResponseWriter, _ *http.Request) {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-release
		fmt.Fprint(w, `{"user": "acme"}`)
	})
	errs := make(chan error)
	for range 8 {
		go func() {
			_, err := h.Find(t.Context(), attempt())
			errs <- err
		}()
	}
	close(release)
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if most.Load() > 2 {
		t.Errorf("%d questions at once", most.Load())
	}
}

// TestO2_RedirectsAreNotFollowed: neither password nor token goes where the service points.
func TestO2_RedirectsAreNotFollowed(t *testing.T) {
	called := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		h := serve(t, Config{Token: "t0ken"}, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, status)
		})
		var wrong *StatusError
		if _, err := h.Find(t.Context(), attempt()); !errors.As(err, &wrong) || wrong.Code != status {
			t.Errorf("%d: %v", status, err)
		}
	}
	if called {
		t.Error("a redirect was followed")
	}
}

func TestCertificatesAreVerified(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"user": "acme"}`) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for _, c := range []struct {
		url   string
		roots *x509.CertPool
		ok    bool
	}{
		{server.URL, roots, true},
		{server.URL, nil, false},
		{strings.Replace(server.URL, "127.0.0.1", "localhost", 1), roots, false}, // it is not in the certificate
	} {
		_, err := mustNew(t, Config{URL: c.url, Roots: c.roots}).Find(t.Context(), attempt())
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.url, err)
		}
	}
}

// TestCheck connects, logs nobody in, and shows no secret.
func TestCheck(t *testing.T) {
	var asked *http.Request
	h := serve(t, Config{Token: canary}, func(w http.ResponseWriter, r *http.Request) {
		asked = r
		w.WriteHeader(http.StatusMethodNotAllowed)
	})
	if err := h.Check(t.Context()); err != nil || asked.Method != http.MethodOptions || asked.Header.Get("Authorization") != "" {
		t.Errorf("%v", err)
	}
	err := mustNew(t, Config{URL: "http://127.0.0.1:1/auth?key=" + canary}).Check(t.Context())
	if err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("nobody is there: %v", err)
	}
}
