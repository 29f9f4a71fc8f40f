package s3

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"causeway/backends"
	"causeway/backends/multipart"
)

// upload writes size octets to key.
func upload(t *testing.T, s *Store, key string, size int, o backends.CreateOptions) (backends.Object, error) {
	t.Helper()
	u, err := s.Create(t.Context(), key, o)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	if _, err := u.Write(bytes.Repeat([]byte("x"), size)); err != nil {
		return backends.Object{}, err
	}
	return u.Commit()
}

// TestRequestsPerVerb: users pay for each request, so their number is part of the contract.
func TestRequestsPerVerb(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	want := func(verb string, lines ...string) {
		t.Helper()
		if got := f.asked(); !slices.Equal(got, lines) {
			t.Errorf("%s:\n got %q\nwant %q", verb, got, lines)
		}
	}
	obj, _ := upload(t, s, "k", 100, backends.CreateOptions{})
	want("small upload", "PUT /k")
	s.limits.InFlight = 1 // in order
	upload(t, s, "big", 2*fakePartSize+1, backends.CreateOptions{})
	const record = "/.causeway/uploads/big.~ID~open"
	want("large upload", "POST /big?uploads=", "PUT "+record, "PUT /big?partNumber=1", "PUT /big?partNumber=2", "PUT /big?partNumber=3", "POST /big", "DELETE "+record)
	s.Stat(t.Context(), "k", backends.StatOptions{Complete: true})
	want("stat", "HEAD /k")
	s.List(t.Context(), backends.Query{Prefix: "a b/", Delimiter: true, Limit: 5000})
	want("list", "GET ?delimiter=%2F&encoding-type=url&list-type=2&max-keys=1000&prefix=a+b%2F")
	r, _ := s.Open(t.Context(), "k", backends.OpenOptions{Offset: 5, IfMatch: obj.ETag})
	r.Close()
	want("open", "GET /k")
	r, _ = s.Open(t.Context(), "k", backends.OpenOptions{Offset: 100})
	r.Close()
	want("open at the end", "GET /k", "HEAD /k")
	s.Copy(t.Context(), "copy", "k", backends.CopyOptions{IfAbsent: true})
	want("copy on AWS", "HEAD /k", "PUT /copy")
	s.Delete(t.Context(), "k", backends.DeleteOptions{IfMatch: obj.ETag})
	want("delete on AWS", "DELETE /k")
}

// TestRequestHeaders: one CRC32C computed by us, no other hash, no wait for permission.
func TestRequestHeaders(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	upload(t, s, "k", 100, backends.CreateOptions{IfAbsent: true})
	upload(t, s, "big", 2*fakePartSize, backends.CreateOptions{IfMatch: "e"})
	for _, r := range f.requests {
		line := r.Method + " " + r.URL.String()
		if got := r.Header.Get("X-Amz-Content-Sha256"); r.Method == http.MethodPut && got != "UNSIGNED-PAYLOAD" {
			t.Errorf("%s: payload hash %q", line, got)
		}
		if r.Method == http.MethodPut && r.Header.Get("X-Amz-Checksum-Crc32c") == "" {
			t.Errorf("%s: no checksum", line)
		}
		for _, h := range []string{"Expect", "X-Amz-Trailer", "Content-Md5", "X-Amz-Checksum-Crc32", "X-Amz-Checksum-Crc64nvme"} {
			if v, ok := r.Header[h]; ok {
				t.Errorf("%s: %s: %s", line, h, v)
			}
		}
	}
	if r := f.requests[0]; r.Header.Get("If-None-Match") != "*" {
		t.Errorf("no condition in %v", r.Header)
	}
	for _, r := range f.requests {
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") && r.Header.Get("If-Match") != `"e"` {
			t.Errorf("no condition in %s %s: %v", r.Method, r.URL, r.Header)
		}
	}
}

// TestX18_KeysDoNotChangeRequests: whatever is in a key, the request is about that key.
func TestX18_KeysDoNotChangeRequests(t *testing.T) {
	f := &fake{lax: true}
	s := serve(t, f)
	random := rand.New(rand.NewPCG(18, 18))
	alphabet := []string{"?acl", "?versionId=", "%2F", "%", "+", "#", "&", "=", "/", "//", "\\", " ", ";", ":", "'", `"`, "<", "ü", "😀", "a", "Z", "~", "*", "\t"}
	for i := range 1000 {
		key := fmt.Sprint(i)
		for range 1 + random.IntN(12) {
			key += alphabet[random.IntN(len(alphabet))]
		}
		if err := s.roundTrip(t, f, key); err != nil {
			t.Fatalf("%q: %v", key, err)
		}
	}
}

// roundTrip writes, finds, copies, reads and deletes one object.
func (s *Store) roundTrip(t *testing.T, f *fake, key string) error {
	if _, err := upload(t, s, key, 1, backends.CreateOptions{}); err != nil {
		return err
	}
	if _, ok := f.objects[key]; !ok || len(f.objects) != 1 {
		return fmt.Errorf("stored as %v", f.objects)
	}
	page, err := s.List(t.Context(), backends.Query{Prefix: key})
	if err != nil || len(page.Objects) != 1 || page.Objects[0].Key != key {
		return fmt.Errorf("listed as %+v, %w", page, err)
	}
	if _, err := s.Copy(t.Context(), "copy", key, backends.CopyOptions{}); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := s.Delete(t.Context(), "copy", backends.DeleteOptions{}); err != nil {
		return err
	}
	return s.Delete(t.Context(), key, backends.DeleteOptions{})
}

// TestConflictIsRepeated: 409 ConditionalRequestConflict asks for another try.
func TestConflictIsRepeated(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	var once sync.Once
	f.before = func(w http.ResponseWriter, r *http.Request) (answered bool) {
		once.Do(func() {
			io.Copy(io.Discard, r.Body)
			refuse(w, http.StatusConflict, "ConditionalRequestConflict")
			answered = true
		})
		return answered
	}
	if _, err := upload(t, s, "k", 10, backends.CreateOptions{IfAbsent: true}); err != nil {
		t.Error(err)
	}
}

// TestCopyLarge: above 5 GiB an object is copied in parts that cover it.
func TestCopyLarge(t *testing.T) {
	const size = 5<<30 + 7
	var mu sync.Mutex
	var ranges []string
	completed := false
	s := storeOn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch q := r.URL.Query(); {
		case r.Method == http.MethodHead:
			w.Header().Set("Content-Length", fmt.Sprint(int64(size)))
			w.Header().Set("ETag", `"big"`)
			w.Header().Set("Cache-Control", "no-store")
		case q.Has("uploads"):
			if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("X-Amz-Checksum-Algorithm") != "" {
				t.Errorf("upload begun with %v", r.Header)
			}
			io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
		case q.Has("partNumber"):
			if r.Header.Get("X-Amz-Copy-Source-If-Match") != `"big"` || r.Header.Get("X-Amz-Copy-Source") != "bucket/a%20b/c%2Bd" {
				t.Errorf("part copied with %v", r.Header)
			}
			ranges = append(ranges, r.Header.Get("X-Amz-Copy-Source-Range"))
			io.WriteString(w, "<CopyPartResult><ETag>part</ETag></CopyPartResult>")
		case r.Method == http.MethodPost:
			completed = true
			io.WriteString(w, "<CompleteMultipartUploadResult><ETag>whole</ETag></CompleteMultipartUploadResult>")
		case !strings.Contains(r.URL.Path, "/.causeway/uploads/copy.~"):
			t.Errorf("%s %s", r.Method, r.URL)
		}
	}))
	s.aws = true
	obj, err := s.Copy(t.Context(), "copy", "a b/c+d", backends.CopyOptions{})
	if err != nil || obj.Size != size || obj.ETag != "whole" || !completed {
		t.Fatalf("%+v, %v", obj, err)
	}
	var at int64
	slices.SortFunc(ranges, func(a, b string) int { return cmp.Compare(first(a), first(b)) })
	for _, r := range ranges {
		var first, last int64
		if fmt.Sscanf(r, "bytes=%d-%d", &first, &last); first != at || last-first+1 > copyPart || last-first+1 < leastPart {
			t.Errorf("copied %s, after octet %d", r, at)
		}
		at = last + 1
	}
	if at != size || len(ranges) != 11 {
		t.Errorf("copied %d octets in %d parts", at, len(ranges))
	}
}

// first is the first octet of a range.
func first(span string) int64 {
	var n int64
	fmt.Sscanf(span, "bytes=%d-", &n)
	return n
}

// TestCopyThatFailsLeavesNothing: the upload that copies is ended.
func TestCopyThatFailsLeavesNothing(t *testing.T) {
	f := &fake{lax: true}
	s := serve(t, f)
	if _, err := upload(t, s, "src", 10, backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if !r.URL.Query().Has("partNumber") {
			return false
		}
		refuse(w, http.StatusForbidden, "AccessDenied")
		return true
	}
	if _, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{IfAbsent: true}); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if len(f.uploads) != 0 {
		t.Errorf("left behind: %v", f.uploads)
	}
}

// TestMetadataSurvives: any text can be a value, and our mark never shows.
func TestMetadataSurvives(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := rapid.MapOf(rapid.StringMatching(`[a-z0-9]{1,8}`), rapid.String()).Draw(r, "metadata")
		headers := sent(m, "id")
		for k, v := range headers {
			if strings.ContainsFunc(v, func(c rune) bool { return c < ' ' || c > '~' }) || strings.TrimSpace(v) != v {
				r.Fatalf("header %q: %q", k, v)
			}
		}
		got := received(headers)
		for k, v := range m {
			if got[k] != v {
				r.Fatalf("%q: sent %q, received %q", k, v, got[k])
			}
		}
		if len(got) != len(m) {
			r.Fatalf("received %q", got)
		}
	})
}

// TestNewRefuses what cannot work.
func TestNewRefuses(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	budget := multipart.NewBudget(1<<20, nil)
	for name, c := range map[string]Config{
		"no bucket": {Budget: budget, Region: "r", AccessKey: "k", SecretKey: "s"},
		"no budget": {Bucket: "b", Region: "r", AccessKey: "k", SecretKey: "s"},
		"no region": {Bucket: "b", Budget: budget, AccessKey: "k", SecretKey: "s"},
	} {
		if _, err := New(t.Context(), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestConditionalDelete: objects are looked at first unless the server is known to honour
// the condition.
func TestConditionalDelete(t *testing.T) {
	for server, want := range map[string][]string{
		"AmazonS3": {"DELETE /k"}, "VERSITYGW": {"DELETE /k"}, "MinIO": {"HEAD /k", "DELETE /k"}, "": {"HEAD /k", "DELETE /k"},
	} {
		f := &fake{lax: true}
		f.after = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Server", server)
			return false
		}
		s := serve(t, f)
		obj, err := upload(t, s, "k", 1, backends.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		f.asked()
		if err := s.Delete(t.Context(), "k", backends.DeleteOptions{IfMatch: obj.ETag}); err != nil {
			t.Error(err)
		}
		if got := f.asked(); !slices.Equal(got, want) {
			t.Errorf("%q: asked %q, want %q", server, got, want)
		}
	}
}

// TestDefaultChain: without keys the environment's credentials and region sign requests,
// and nothing else of the environment moves them.
func TestDefaultChain(t *testing.T) {
	f := &fake{}
	endpoint := *serve(t, f).client.Options().BaseEndpoint
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "from-environment", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-north-1",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_ENDPOINT_URL": "http://192.0.2.1", "AWS_ENDPOINT_URL_S3": "http://192.0.2.1",
		"AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
	} {
		t.Setenv(name, value)
	}
	for region, want := range map[string]string{"": "eu-north-1", "us-west-2": "us-west-2"} {
		s, err := New(t.Context(), Config{Bucket: "bucket", Region: region, Endpoint: endpoint, PathStyle: true, Budget: multipart.NewBudget(1<<20, nil)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		f.asked()
		if err := put(t.Context(), s, backends.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		scope := f.requests[0].Header.Get("Authorization")
		if !strings.Contains(scope, "Credential=from-environment/") || !strings.Contains(scope, "/"+want+"/s3/") {
			t.Errorf("region %q: signed as %q", region, scope)
		}
	}
}
