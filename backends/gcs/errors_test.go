package gcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"causeway/backends"
	"causeway/backends/multipart"
	"causeway/backends/transport"
)

// TestKinds maps answers as the service gives them, recorded from its documentation and
// from use, to kinds.
func TestKinds(t *testing.T) {
	none, absent, match := condition{}, condition{absent: true}, condition{generation: 1}
	tests := []struct {
		name      string
		status    int
		body      string
		c         condition
		want      error
		transient bool
	}{
		{"bad name", 400, `{"error":{"code":400,"message":"Invalid object name","errors":[{"domain":"global","reason":"invalid"}]}}`, none, fs.ErrInvalid, false},
		{"bad token", 401, `{"error":{"code":401,"message":"Invalid Credentials","errors":[{"domain":"global","reason":"authError"}]}}`, none, backends.ErrUnavailable, false},
		{"no permission", 403, `{"error":{"code":403,"message":"no storage.objects.get access","errors":[{"domain":"global","reason":"forbidden"}]}}`, none, fs.ErrPermission, false},
		{"retention", 403, `{"error":{"code":403,"message":"cannot be deleted or overwritten","errors":[{"domain":"global","reason":"retentionPolicyNotMet"}]}}`, none, fs.ErrPermission, false},
		{"project throttled", 403, `{"error":{"code":403,"message":"Rate Limit Exceeded","errors":[{"domain":"usageLimits","reason":"rateLimitExceeded"}]}}`, none, backends.ErrUnavailable, true},
		{"no object", 404, `{"error":{"code":404,"message":"No such object: b/k","errors":[{"domain":"global","reason":"notFound"}]}}`, none, fs.ErrNotExist, false},
		{"not the method", 405, `Method Not Allowed`, none, errors.ErrUnsupported, false},
		{"time-out", 408, `Request Timeout`, none, backends.ErrUnavailable, true},
		{"conflict", 409, `{"error":{"code":409,"message":"conflict","errors":[{"domain":"global","reason":"conflict"}]}}`, none, backends.ErrUnavailable, false},
		{"exists", 412, `{"error":{"code":412,"message":"At least one of the pre-conditions you specified did not hold.","errors":[{"domain":"global","reason":"conditionNotMet","locationType":"header","location":"If-Match"}]}}`, absent, fs.ErrExist, false},
		{"changed", 412, `{"error":{"code":412,"message":"At least one of the pre-conditions you specified did not hold.","errors":[{"domain":"global","reason":"conditionNotMet"}]}}`, match, backends.ErrChanged, false},
		{"too large", 413, `{"error":{"code":413,"message":"too large","errors":[{"domain":"global","reason":"uploadTooLarge"}]}}`, none, backends.ErrQuota, false},
		{"no such range", 416, `{"error":{"code":416,"message":"Request range not satisfiable"}}`, none, backends.ErrRange, false},
		{"throttled", 429, `{"error":{"code":429,"message":"The object exceeded the rate limit","errors":[{"domain":"usageLimits","reason":"rateLimitExceeded"}]}}`, none, backends.ErrUnavailable, true},
		{"internal", 500, `{"error":{"code":500,"message":"Backend Error","errors":[{"domain":"global","reason":"backendError"}]}}`, none, backends.ErrUnavailable, true},
		{"no API", 501, `Not Implemented`, none, errors.ErrUnsupported, false},
		{"gateway", 502, `<html>Bad Gateway</html>`, none, backends.ErrUnavailable, true},
		{"busy", 503, `{"error":{"code":503,"message":"Backend Error"}}`, none, backends.ErrUnavailable, true},
		{"gateway time-out", 504, ``, none, backends.ErrUnavailable, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			rec.WriteHeader(test.status)
			_, _ = rec.WriteString(test.body)
			err := googleapi.CheckResponse(rec.Result())
			if got := kind(test.c, err); !errors.Is(got, test.want) {
				t.Errorf("kind %v, want %v", got, test.want)
			}
			if got := transient(err); got != test.transient {
				t.Errorf("transient: %v", got)
			}
		})
	}
}

func TestKindsWithoutAnAnswer(t *testing.T) {
	tests := []struct {
		name      string
		err       error
		transient bool
	}{
		{"refused", &net.OpError{Op: "dial", Err: errors.New("connection refused")}, true},
		{"cut", io.ErrUnexpectedEOF, true},
		{"stalled", transport.ErrStalled, true},
		{"cancelled", context.Canceled, false},
		{"out of time", context.DeadlineExceeded, false},
	}
	for _, test := range tests {
		if got := kind(condition{}, test.err); !errors.Is(got, backends.ErrUnavailable) || transient(test.err) != test.transient {
			t.Errorf("%s: kind %v, transient %v", test.name, got, transient(test.err))
		}
	}
}

// TestBucketThatIsGone is the operator's fault, never "no such file".
func TestBucketThatIsGone(t *testing.T) {
	f := newFake(t)
	verbs := map[string]func(*Store) error{
		"stat":   func(s *Store) error { _, err := s.Stat(t.Context(), "k", backends.StatOptions{}); return err },
		"list":   func(s *Store) error { _, err := s.List(t.Context(), backends.Query{}); return err },
		"open":   func(s *Store) error { _, err := s.Open(t.Context(), "k", backends.OpenOptions{}); return err },
		"create": func(s *Store) error { _, err := put(t, s, "k", nil, backends.CreateOptions{}); return err },
		"part": func(s *Store) error {
			_, err := put(t, s, "k", random(3*testPart), backends.CreateOptions{})
			return err
		},
		"delete": func(s *Store) error { return s.Delete(t.Context(), "k", backends.DeleteOptions{}) },
		"copy":   func(s *Store) error { _, err := s.Copy(t.Context(), "a", "b", backends.CopyOptions{}); return err },
		"move":   func(s *Store) error { _, err := s.Move(t.Context(), "a", "b", backends.CopyOptions{}); return err },
	}
	for name, verb := range verbs {
		t.Run(name, func(t *testing.T) {
			err := verb(testStore(t, f.URL, "another-bucket"))
			if !errors.Is(err, backends.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got %v, want ErrUnavailable", err)
			}
		})
	}
}

func TestNewRefusesBadConfigurations(t *testing.T) {
	budget := multipart.NewBudget(1<<20, nil)
	for name, c := range map[string]Config{
		"no bucket":        {Endpoint: "http://127.0.0.1:1", Budget: budget},
		"no budget":        {Bucket: "b", Endpoint: "http://127.0.0.1:1"},
		"endpoint path":    {Bucket: "b", Endpoint: "http://127.0.0.1:1/storage/v1/", Budget: budget},
		"endpoint scheme":  {Bucket: "b", Endpoint: "127.0.0.1:1", Budget: budget},
		"credentials file": {Bucket: "b", CredentialsFile: "/does/not/exist", Budget: budget},
	} {
		if s, err := New(t.Context(), c); err == nil {
			t.Errorf("%s: got %v, want an error", name, s)
		}
	}
}

func TestS1NamesThatTheServiceRefuses(t *testing.T) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	for _, key := range []string{".", "..", "a\nb", "a\rb", ".well-known/acme-challenge/x", ""} {
		if _, err := put(t, s, key, nil, backends.CreateOptions{}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", key, err)
		}
	}
	if got := f.take(); len(got) > 0 {
		t.Errorf("requests %q", got)
	}
}

// TestErrorsTellTheOperatorWhatToMend before they tell what the SDK has to say.
func TestErrorsTellTheOperatorWhatToMend(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("storage: %w", storage.ErrBucketNotExist), "there is no bucket of this name: "},
		{&googleapi.Error{Code: 404, Errors: []googleapi.ErrorItem{{Reason: noBucket}}}, "there is no bucket of this name: "},
		{&googleapi.Error{Code: 401}, "the credentials are not accepted: "},
		{fmt.Errorf("get: %w", &auth.Error{Response: &http.Response{StatusCode: 400}}), "the credentials get no token: "},
	} {
		err := failure("list", "k", condition{}, c.err)
		if want := `list "k": store unavailable: ` + c.want; !strings.HasPrefix(err.Error(), want) || !errors.Is(err, c.err) {
			t.Errorf("got %v\nwant %s…", err, want)
		}
	}
}
