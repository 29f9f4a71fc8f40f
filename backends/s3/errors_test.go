package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"causeway/backends"
)

// verbs are the requests whose failures are mapped, each on the key "k".
var verbs = map[string]func(context.Context, *Store) error{
	"stat": func(ctx context.Context, s *Store) error {
		_, err := s.Stat(ctx, "k", backends.StatOptions{})
		return err
	},
	"list": func(ctx context.Context, s *Store) error {
		_, err := s.List(ctx, backends.Query{Prefix: "k"})
		return err
	},
	"open": func(ctx context.Context, s *Store) error {
		_, err := s.Open(ctx, "k", backends.OpenOptions{})
		return err
	},
	"open matching": func(ctx context.Context, s *Store) error {
		_, err := s.Open(ctx, "k", backends.OpenOptions{IfMatch: "e"})
		return err
	},
	"delete": func(ctx context.Context, s *Store) error { return s.Delete(ctx, "k", backends.DeleteOptions{}) },
	"delete matching": func(ctx context.Context, s *Store) error {
		s.aws = true
		return s.Delete(ctx, "k", backends.DeleteOptions{IfMatch: "e"})
	},
	"put":          func(ctx context.Context, s *Store) error { return put(ctx, s, backends.CreateOptions{}) },
	"put matching": func(ctx context.Context, s *Store) error { return put(ctx, s, backends.CreateOptions{IfMatch: "e"}) },
	"put absent":   func(ctx context.Context, s *Store) error { return put(ctx, s, backends.CreateOptions{IfAbsent: true}) },
}

func put(ctx context.Context, s *Store, o backends.CreateOptions) error {
	u, err := s.Create(ctx, "k", o)
	if err != nil {
		return err
	}
	defer u.Abort()
	if _, err := u.Write([]byte("content")); err != nil {
		return err
	}
	_, err = u.Commit()
	return err
}

// TestErrorKinds: recorded answers and what they mean.
func TestErrorKinds(t *testing.T) {
	for _, c := range []struct {
		verb   string
		status int
		code   string
		want   error
	}{
		{"open", 404, "NoSuchKey", fs.ErrNotExist},
		{"stat", 404, "", fs.ErrNotExist},
		{"stat", 403, "", fs.ErrPermission}, // no ListBucket: the object may not exist
		{"list", 404, "NoSuchBucket", backends.ErrUnavailable},
		{"open", 404, "NoSuchBucket", backends.ErrUnavailable},
		{"list", 403, "AccessDenied", fs.ErrPermission},
		{"open", 403, "InvalidObjectState", fs.ErrPermission}, // archived
		{"list", 403, "InvalidAccessKeyId", backends.ErrUnavailable},
		{"list", 403, "SignatureDoesNotMatch", backends.ErrUnavailable},
		{"list", 403, "RequestTimeTooSkewed", backends.ErrUnavailable},
		{"list", 400, "ExpiredToken", backends.ErrUnavailable},
		{"list", 301, "PermanentRedirect", backends.ErrUnavailable},
		{"list", 503, "SlowDown", backends.ErrUnavailable},
		{"list", 500, "InternalError", backends.ErrUnavailable},
		{"list", 429, "TooManyRequests", backends.ErrUnavailable},
		{"list", 400, "RequestTimeout", backends.ErrUnavailable},
		{"list", 418, "Unheard", backends.ErrUnavailable},
		{"put", 400, "BadDigest", backends.ErrUnavailable},
		{"put", 400, "KeyTooLongError", fs.ErrInvalid},
		{"put", 400, "InvalidArgument", fs.ErrInvalid},
		{"put", 400, "XMinioInvalidObjectName", fs.ErrInvalid},
		{"put", 400, "EntityTooLarge", backends.ErrQuota},
		{"put", 400, "XMinioAdminBucketQuotaExceeded", backends.ErrQuota},
		{"put", 507, "XMinioStorageFull", backends.ErrQuota},
		{"put", 403, "QuotaExceeded", backends.ErrQuota},
		{"put", 409, "ObjectParentIsFile", fs.ErrExist},
		{"put", 409, "ExistingObjectIsDirectory", fs.ErrExist},
		{"put", 400, "XMinioParentIsObject", fs.ErrExist},
		{"stat", 409, "", fs.ErrNotExist}, // HEAD of a/b where a is a file
		{"open", 409, "ObjectParentIsFile", fs.ErrNotExist},
		{"put", 405, "MethodNotAllowed", errors.ErrUnsupported},
		{"put matching", 412, "PreconditionFailed", backends.ErrChanged},
		{"put matching", 409, "ConditionalRequestConflict", backends.ErrChanged},
		{"put matching", 404, "NoSuchKey", backends.ErrChanged}, // it was deleted
		{"put absent", 412, "PreconditionFailed", fs.ErrExist},
		{"put absent", 409, "ConditionalRequestConflict", fs.ErrExist},
		{"open matching", 412, "PreconditionFailed", backends.ErrChanged},
		{"open matching", 404, "NoSuchKey", fs.ErrNotExist},
		{"delete matching", 412, "PreconditionFailed", backends.ErrChanged},
		{"delete", 403, "AccessDenied", fs.ErrPermission},
		{"delete", 404, "NoSuchKey", nil},
		{"delete matching", 404, "NoSuchKey", backends.ErrChanged},
	} {
		t.Run(fmt.Sprintf("%s %d %s", c.verb, c.status, c.code), func(t *testing.T) {
			s := storeOn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { refuse(w, c.status, c.code) }))
			err := verbs[c.verb](t.Context(), s)
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var edge *backends.Error
			if !errors.As(err, &edge) || !errors.Is(edge.Kind, c.want) {
				t.Errorf("got %v, want the kind %q", err, c.want)
			}
		})
	}
}

// TestStoreIsDown: whatever is asked, the answer is that it may work later.
func TestStoreIsDown(t *testing.T) {
	s := storeOn(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	for name, verb := range verbs {
		if err := verb(t.Context(), s); !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, verb := range verbs {
		if err := verb(ctx, s); !errors.Is(err, backends.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
	}
}

// TestErrorsTellWhyACallWasEnded, which the SDK calls "canceled" whatever the reason.
func TestErrorsTellWhyACallWasEnded(t *testing.T) {
	stop := make(chan struct{})
	s := storeOn(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer close(stop)
	for _, name := range []string{"stat", "list", "open", "delete"} { // a write looks what has become of it
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errNoAnswer)
		if err := verbs[name](ctx, s); !errors.Is(err, errNoAnswer) || !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// TestUnavailableIsTriedAgain: a store that recovers before the last try is not noticed, one
// that does not is asked so often and no more.
func TestUnavailableIsTriedAgain(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	failures := attempts - 1
	f.before = func(w http.ResponseWriter, _ *http.Request) bool {
		if failures--; failures < 0 {
			return false
		}
		refuse(w, http.StatusServiceUnavailable, "SlowDown")
		return true
	}
	if err := put(t.Context(), s, backends.CreateOptions{}); err != nil {
		t.Error(err)
	}
	f.asked()
	failures = 100
	told := 0
	ctx := backends.WithRetries(t.Context(), func() { told++ })
	if _, err := s.List(ctx, backends.Query{}); !errors.Is(err, backends.ErrUnavailable) || len(f.asked()) != attempts || told != attempts-1 {
		t.Errorf("%v, told of %d", err, told)
	}
}

// TestTruncatedBody: a body that ends early is an error, never an end of file.
func TestTruncatedBody(t *testing.T) {
	s := storeOn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, strings.Repeat("x", 50))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	r, err := s.Open(t.Context(), "k", backends.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := io.ReadAll(r)
	if len(p) != 50 || !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("%d octets, %v", len(p), err)
	}
}

// TestRangeIgnored: a server that sends the whole object instead of a range is not
// believed, since the client would get the wrong octets.
func TestRangeIgnored(t *testing.T) {
	s := storeOn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "whole object") }))
	if _, err := s.Open(t.Context(), "k", backends.OpenOptions{Offset: 3}); !errors.Is(err, backends.ErrUnavailable) {
		t.Error(err)
	}
}

// TestListWithoutToken: a page that is not the last and tells no token would silently
// hide the rest.
func TestListWithoutToken(t *testing.T) {
	s := storeOn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>")
	}))
	if _, err := s.List(t.Context(), backends.Query{}); !errors.Is(err, backends.ErrUnavailable) {
		t.Error(err)
	}
}

// TestRedirectIsNotFollowed: objects go to the configured host only.
func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("redirect was followed") }))
	defer elsewhere.Close()
	s := storeOn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	for name, verb := range verbs {
		if err := verb(t.Context(), s); !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestErrorsTellTheOperatorWhatToMend before they tell what the SDK has to say.
func TestErrorsTellTheOperatorWhatToMend(t *testing.T) {
	for _, c := range []struct {
		status             int
		code, region, want string
	}{
		{403, "SignatureDoesNotMatch", "", "the secret key is wrong: "},
		{403, "InvalidAccessKeyId", "", "there is no such access key: "},
		{404, "NoSuchBucket", "", "there is no bucket of this name: "},
		{400, "InvalidBucketName", "", "this cannot be the name of a bucket: "},
		{301, "PermanentRedirect", "eu-west-1", "the bucket is in the region eu-west-1: "},
		{301, "PermanentRedirect", "", "the bucket is in another region, or wants another endpoint: "},
		{400, "AuthorizationHeaderMalformed", "eu-west-1", "the bucket is in the region eu-west-1: "},
	} {
		s := storeOn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if c.region != "" {
				w.Header().Set("X-Amz-Bucket-Region", c.region)
			}
			refuse(w, c.status, c.code)
		}))
		_, err := s.List(t.Context(), backends.Query{Prefix: "k"})
		if want := `list "k": store unavailable: ` + c.want; err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("got %v\nwant %s…", err, want)
		}
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != c.code {
			t.Errorf("the SDK's error is lost: %v", err)
		}
	}
}
