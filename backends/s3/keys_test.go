package s3

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"causeway/backends"
)

// oddKey draws a key of what means something in a path, a query or a header, or elsewhere.
func oddKey(r *rand.Rand, n int) string {
	odd := []string{"?acl", "?versionId=", "%2F", "%2e%2e", "%", "%25", "+", "#", "&", "=", "/", "//", "/../", "/./", "\\", " ", ";", ":", "'", `"`, "<", "é", "😀",
		"a", "Z", "~", "*", "@", "!", "(", ")", "$", ",", "[", "]", "{", "|", "^", "`", "\t", "\r\n", "X-Evil: 1", "\u202e"}
	var b strings.Builder
	fmt.Fprint(&b, n)
	for range 1 + r.IntN(12) {
		b.WriteString(odd[r.IntN(len(odd))])
	}
	return b.String()
}

// TestX18_PathsAreKeys: what goes out as the path of a request, and is signed as such, is that
// of the key and nothing else, for 100,000 keys.
func TestX18_PathsAreKeys(t *testing.T) {
	s := serve(t, &fake{})
	random := rand.New(rand.NewPCG(18, 1))
	for n := range 100_000 {
		key := oddKey(random, n)
		r := s.lean.request(t.Context(), http.MethodGet, key)
		sent, err := url.ParseRequestURI(r.URL.RequestURI())
		if err != nil || sent.RawQuery != "" || sent.Path != "/"+s.bucket+"/"+key {
			t.Fatalf("%q goes out as %q: %v", key, r.URL.RequestURI(), err)
		}
		if signed := r.URL.EscapedPath(); signed != r.URL.RequestURI() {
			t.Fatalf("%q goes out as %q and is signed as %q", key, r.URL.RequestURI(), signed)
		}
	}
}

// TestX17_KeysReachNoHeader but that which names the source of a copy, where they are escaped.
func TestX17_KeysReachNoHeader(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	random := rand.New(rand.NewPCG(17, 1))
	for n := range 200 {
		key := oddKey(random, n) + "\r\nX-Evil: 1"
		if _, err := upload(t, s, key, 1, backends.CreateOptions{ContentType: "text/plain"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Copy(t.Context(), "copy", key, backends.CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, r := range f.requests {
			for name, values := range r.Header {
				value := strings.Join(values, ",")
				if name == "X-Amz-Copy-Source" {
					if from, err := url.PathUnescape(value); err != nil || from != s.bucket+"/"+key {
						t.Fatalf("%q is copied from %q: %v", key, value, err)
					}
				} else if strings.Contains(name+value, "Evil") {
					t.Fatalf("%q is in %s: %q", key, name, value)
				}
			}
		}
		f.asked()
	}
}
