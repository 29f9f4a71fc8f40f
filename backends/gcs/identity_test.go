package gcs

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"causeway/backends"
	"causeway/backends/multipart"
)

// TestX19_IdentitiesDoNotMeet: each who asks with a file of its own asks with the token that
// this file gets, also what the journal asks for, and all share the connections.
func TestX19_IdentitiesDoNotMeet(t *testing.T) {
	f := newFake(t)
	var mu sync.Mutex
	asked := map[string]int{}
	guard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.Header.Get("Authorization")]++
		mu.Unlock()
		f.ServeHTTP(w, r)
	}))
	t.Cleanup(guard.Close)
	issuer := func(token string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"access_token":"`+token+`","token_type":"Bearer","expires_in":3600}`)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	budget := multipart.NewBudget(64<<20, nil)
	own, err := New(t.Context(), Config{Bucket: fakeBucket, Endpoint: guard.URL, CredentialsFile: credentialsFile(t, issuer("gateway")), Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { own.Close() })
	for _, name := range []string{"acme", "globex"} {
		s, err := own.As(t.Context(), credentialsFile(t, issuer(name)))
		if err != nil {
			t.Fatal(err)
		}
		if s.wire != own.wire || s.turns != own.turns || s.budget != own.budget {
			t.Error("connections or bounds of its own")
		}
		clear(asked)
		if _, err := put(t, s, name+"/small", []byte("content"), backends.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if got, err := read(t, s, name+"/small", backends.OpenOptions{}); err != nil || string(got) != "content" {
			t.Errorf("read %q, %v", got, err)
		}
		leaveHalf(t, s, name+"/half")
		if n := asked["Bearer "+name]; n < 4 || len(asked) != 1 {
			t.Errorf("%s: asked as %v", name, asked)
		}
	}
	if _, err := own.As(t.Context(), ""); err == nil {
		t.Error("an account without a file would ask as the gateway")
	}
}

// leaveHalf leaves an upload of two parts that can be resumed.
func leaveHalf(t *testing.T, s *Store, key string) {
	t.Helper()
	u, err := s.Create(t.Context(), key, backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(make([]byte, 20<<20)); err != nil {
		t.Fatal(err)
	}
	if n, err := u.Park(); err != nil || n == 0 {
		t.Fatalf("%d octets are kept: %v", n, err)
	}
}
