package gcs

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"causeway/backends"
	"causeway/backends/multipart"
)

// TestCredentialsFileSignsAllRequests: those of the SDK and our own reads, with one token
// for all of them.
func TestCredentialsFileSignsAllRequests(t *testing.T) {
	var tokens, unsigned, signed atomic.Int64
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tokens.Add(1)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"access_token":"secret-token","token_type":"Bearer","expires_in":3600}`)
	}))
	t.Cleanup(issuer.Close)
	f := newFake(t)
	guard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret-token" {
			unsigned.Add(1)
		}
		signed.Add(1)
		f.ServeHTTP(w, r)
	}))
	t.Cleanup(guard.Close)

	s, err := New(t.Context(), Config{
		Bucket: fakeBucket, Endpoint: guard.URL, CredentialsFile: credentialsFile(t, issuer.URL), Budget: multipart.NewBudget(1<<20, nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := put(t, s, "k", []byte("content"), backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, err := read(t, s, "k", backends.OpenOptions{}); err != nil || string(got) != "content" {
		t.Errorf("read %q, %v", got, err)
	}
	if tokens.Load() != 1 || unsigned.Load() != 0 || signed.Load() != 2 {
		t.Errorf("%d tokens, %d requests, %d without one", tokens.Load(), signed.Load(), unsigned.Load())
	}
}

// credentialsFile is the file of a service account that gets its tokens from issuer.
func credentialsFile(t *testing.T, issuer string) string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "p", "private_key_id": "1", "client_email": "test@p.iam.gserviceaccount.com", "client_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": issuer,
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sa.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
