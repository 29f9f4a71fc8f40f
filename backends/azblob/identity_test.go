package azblob

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"causeway/backends"
)

const testSignature = "?sv=2024-11-04&sr=c&sp=cw&sig=a%2Bb%2Fcanary%3D"

// TestX19_IdentitiesDoNotMeet: each who asks with a signature asks with its own and with
// nothing else, also what the journal asks for.
func TestX19_IdentitiesDoNotMeet(t *testing.T) {
	f := newFake(t)
	var mu sync.Mutex
	asked := map[string]int{}
	guard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.Header.Get("Authorization")+r.URL.Query().Get("sig")]++
		mu.Unlock()
		f.ServeHTTP(w, r)
	}))
	t.Cleanup(guard.Close)
	own := testStore(t, guard.URL+"/"+testAccount, "box")
	for _, name := range []string{"acme", "globex"} {
		s, err := own.As(strings.ReplaceAll(testSignature, "canary", name))
		if err != nil {
			t.Fatal(err)
		}
		if s.transport != own.transport || s.turns != own.turns || s.budget != own.budget {
			t.Error("connections or bounds of its own")
		}
		clear(asked)
		for key, size := range map[string]int{"small": 10, "large": 3 * testPart} {
			u, err := s.Create(t.Context(), name+"/"+key, backends.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := u.Write(make([]byte, size)); err != nil {
				t.Fatal(err)
			}
			if _, err := u.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Copy(t.Context(), name+"/copy", name+"/large", backends.CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		if n := asked["a+b/"+name+"="]; n < 6 || len(asked) != 1 {
			t.Errorf("%s: asked as %v", name, asked)
		}
	}
	if _, err := own.As(""); err == nil {
		t.Error("an account without a signature would ask as the gateway, or as anybody")
	}
}

// TestX20_SignatureIsInNoError: it is part of every address, and the addresses of requests
// that fail are in the errors of Go's client.
func TestX20_SignatureIsInNoError(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	own := testStore(t, gone.URL+"/"+testAccount, "box")
	gone.Close()
	s, err := own.As(testSignature)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // or each would be tried for seconds
	_, statErr := s.Stat(ctx, "k", backends.StatOptions{})
	_, listErr := s.List(ctx, backends.Query{})
	_, openErr := s.Open(ctx, "k", backends.OpenOptions{})
	deleteErr := s.Delete(ctx, "k", backends.DeleteOptions{})
	_, once := http.DefaultClient.Get(s.blob("k").URL()) //nolint:bodyclose // there is none
	for what, err := range map[string]error{"stat": statErr, "list": listErr, "open": openErr, "delete": deleteErr, "refused": failure("stat", "k", condition{}, once)} {
		if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "sig=") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
