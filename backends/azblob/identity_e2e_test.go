//go:build e2e

package azblob

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"causeway/backends"
)

// TestO8_SignatureThatMayOnlyWrite: Azurite itself refuses all that a drop box does not need,
// and takes its files, of one part and of several.
func TestO8_SignatureThatMayOnlyWrite(t *testing.T) {
	own := testStore(t, os.Getenv("CAUSEWAY_TEST_AZURE"), "causeway-"+strings.ToLower(rand.Text()))
	if _, err := own.container.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := put(t, own, "in/globex/secret", []byte("secret"), backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	signed, err := own.container.GetSASURL(sas.ContainerPermissions{Create: true, Write: true}, time.Now().Add(time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	s, err := own.As(at.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{10, 3 * testPart} {
		if _, err := put(t, s, "in/acme/file", make([]byte, size), backends.CreateOptions{IfAbsent: true}); err != nil {
			t.Errorf("%d octets: %v", size, err)
		}
		if err := own.Delete(t.Context(), "in/acme/file", backends.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	_, statErr := s.Stat(t.Context(), "in/globex/secret", backends.StatOptions{})
	_, openErr := s.Open(t.Context(), "in/globex/secret", backends.OpenOptions{})
	_, listErr := s.List(t.Context(), backends.Query{Prefix: "in/"})
	for what, err := range map[string]error{
		"stat": statErr, "open": openErr, "list": listErr, "delete": s.Delete(t.Context(), "in/globex/secret", backends.DeleteOptions{}),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v, want a refusal", what, err)
		}
	}
}
