package azblob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"causeway/backends"
	"causeway/backends/multipart"
	"causeway/backends/transport"
)

// TestKinds maps answers as the service gives them, by its documentation and from use, to
// kinds.
func TestKinds(t *testing.T) {
	none, absent, match := condition{}, condition{absent: true}, condition{etag: "0x8DB"}
	tests := []struct {
		status    int
		code      string
		c         condition
		want      error
		transient bool
	}{
		{400, "InvalidUri", none, fs.ErrInvalid, false},
		{400, "InvalidResourceName", none, fs.ErrInvalid, false},
		{400, "OutOfRangeInput", none, fs.ErrInvalid, false},
		{400, "Md5Mismatch", none, backends.ErrUnavailable, true},
		{400, "InvalidBlockList", none, backends.ErrChanged, false},
		{400, "InvalidBlobOrBlock", none, backends.ErrBusy, false},
		{400, "MetadataTooLarge", none, backends.ErrQuota, false},
		{401, "InvalidAuthenticationInfo", none, backends.ErrUnavailable, false},
		{403, "AuthenticationFailed", none, backends.ErrUnavailable, false},
		{403, "AuthorizationFailure", none, fs.ErrPermission, false},
		{403, "AuthorizationPermissionMismatch", none, fs.ErrPermission, false},
		{404, "BlobNotFound", none, fs.ErrNotExist, false},
		{404, "CannotVerifyCopySource", none, fs.ErrNotExist, false},
		{404, "ContainerNotFound", none, backends.ErrUnavailable, false},
		{409, "ContainerBeingDeleted", none, backends.ErrUnavailable, false},
		{409, "BlobAlreadyExists", absent, fs.ErrExist, false},
		{409, "LeaseAlreadyPresent", none, backends.ErrBusy, false},
		{409, "PendingCopyOperation", none, backends.ErrBusy, false},
		{409, "BlobImmutableDueToPolicy", none, fs.ErrPermission, false},
		{409, "SnapshotsPresent", none, fs.ErrPermission, false},
		{409, "InvalidBlobType", none, errors.ErrUnsupported, false},
		{412, "ConditionNotMet", match, backends.ErrChanged, false},
		{412, "TargetConditionNotMet", absent, fs.ErrExist, false},
		{412, "SourceConditionNotMet", absent, backends.ErrChanged, false},
		{412, "LeaseIdMissing", match, backends.ErrBusy, false},
		{413, "RequestBodyTooLarge", none, backends.ErrQuota, false},
		{416, "InvalidRange", none, backends.ErrRange, false},
		{429, "TooManyRequests", none, backends.ErrUnavailable, true},
		{500, "InternalError", none, backends.ErrUnavailable, true},
		{500, "OperationTimedOut", none, backends.ErrUnavailable, true},
		{501, "NotImplemented", none, errors.ErrUnsupported, false},
		{503, "ServerBusy", none, backends.ErrUnavailable, true},
		{504, "", none, backends.ErrUnavailable, true},
	}
	for _, test := range tests {
		t.Run(test.code, func(t *testing.T) {
			err := runtime.NewResponseError(&http.Response{
				StatusCode: test.status, Header: http.Header{"X-Ms-Error-Code": {test.code}}, Body: http.NoBody,
				Request: &http.Request{Method: http.MethodPut, URL: &url.URL{Scheme: "http", Host: "store.test"}},
			})
			var answer *azcore.ResponseError
			if !errors.As(err, &answer) || answer.ErrorCode != test.code {
				t.Fatalf("not an answer: %v", err)
			}
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

// TestContainerThatIsGone is the operator's fault, never "no such file".
func TestContainerThatIsGone(t *testing.T) {
	gone := []answer{{status: http.StatusNotFound, code: "ContainerNotFound"}}
	sc := play(t, map[string][]answer{
		"HEAD": gone, "GET": gone, "GET list": gone, "PUT": gone, "PUT block": gone, "DELETE": gone,
	})
	s := sc.store(t)
	verbs := map[string]func() error{
		"stat":   func() error { _, err := s.Stat(t.Context(), "k", backends.StatOptions{}); return err },
		"list":   func() error { _, err := s.List(t.Context(), backends.Query{}); return err },
		"open":   func() error { _, err := s.Open(t.Context(), "k", backends.OpenOptions{}); return err },
		"create": func() error { _, err := put(t, s, "k", nil, backends.CreateOptions{}); return err },
		"delete": func() error { return s.Delete(t.Context(), "k", backends.DeleteOptions{}) },
		"copy":   func() error { _, err := s.Copy(t.Context(), "a", "b", backends.CopyOptions{}); return err },
	}
	for name, verb := range verbs {
		t.Run(name, func(t *testing.T) {
			if err := verb(); !errors.Is(err, backends.ErrUnavailable) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got %v, want ErrUnavailable", err)
			}
		})
	}
}

func TestNewRefusesBadConfigurations(t *testing.T) {
	budget := multipart.NewBudget(1<<20, nil)
	for name, c := range map[string]Config{
		"no account":      {Container: "c", AccountKey: testKey, Budget: budget},
		"no container":    {Account: "a", AccountKey: testKey, Budget: budget},
		"no budget":       {Account: "a", Container: "c", AccountKey: testKey},
		"key":             {Account: "a", Container: "c", AccountKey: "not base64!", Budget: budget},
		"endpoint scheme": {Account: "a", Container: "c", AccountKey: testKey, Endpoint: "127.0.0.1:1/a", Budget: budget},
	} {
		if s, err := New(t.Context(), c); err == nil {
			t.Errorf("%s: got %v, want an error", name, s)
		}
	}
}

func TestS1NamesThatMayBeTakenForOthersAreRefused(t *testing.T) {
	s := play(t, nil).store(t)
	for _, key := range append(refused(), "", ".", "..", "a/./b", "a\nb", "\x7f", "a\uffff") {
		if _, err := put(t, s, key, nil, backends.CreateOptions{}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// FuzzDescribeGet: whatever range a server names, it is that of an object or an error.
func FuzzDescribeGet(f *testing.F) {
	for _, seed := range []string{"bytes 0-1/2", "bytes */", "", "bytes 0-1/-5", "bytes 1-2/99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, contentRange string) {
		res := response(contentRange)
		if o, err := describeGet("k", res); err == nil && o.Size < 0 {
			t.Errorf("%q: %+v", contentRange, o)
		}
	})
}

// TestErrorsTellTheOperatorWhatToMend before they tell what the SDK has to say.
func TestErrorsTellTheOperatorWhatToMend(t *testing.T) {
	for code, want := range map[string]string{
		"AuthenticationFailed": "the account's key or token is wrong",
		"ContainerNotFound":    "there is no container of this name: ",
		"AccountIsDisabled":    "the account is disabled: ",
	} {
		sc := play(t, map[string][]answer{"GET list": {{status: http.StatusForbidden, code: code}}})
		_, err := sc.store(t).List(t.Context(), backends.Query{Prefix: "k"})
		if want = `list "k": store unavailable: ` + want; err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("got %v\nwant %s…", err, want)
		}
	}
}
