package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/multipart"
)

// signers is a store that notes whose requests came, by the key that has signed them.
type signers struct {
	mu   sync.Mutex
	keys map[string]int
}

var signedBy = regexp.MustCompile(`Credential=([^/]+)/\d{8}/([^/]+)/(s3|sts)/aws4_request`)

func (f *signers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	by := signedBy.FindStringSubmatch(r.Header.Get("Authorization"))
	if by == nil {
		http.Error(w, "not signed", http.StatusForbidden)
		return
	}
	f.mu.Lock()
	f.keys[by[1]+" "+r.Header.Get("X-Amz-Security-Token")]++
	f.mu.Unlock()
	w.Header().Set("Etag", `"e"`)
}

// TestX19_IdentitiesDoNotMeet: fifty who ask with keys of their own at a time each
// ask with theirs, and share the connections.
func TestX19_IdentitiesDoNotMeet(t *testing.T) {
	f := &signers{keys: map[string]int{}}
	s := storeOn(t, f)
	const all = 50
	var asking sync.WaitGroup
	for i := range all {
		as, err := s.As(t.Context(), Identity{AccessKey: fmt.Sprintf("AK%d", i), SecretKey: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		if as.wire != s.wire {
			t.Error("connections of its own")
		}
		asking.Go(func() {
			for range 3 {
				if _, err := as.Stat(t.Context(), "k", backends.StatOptions{}); err != nil {
					t.Error(err)
				}
				if _, err := upload(t, as, "k", 3, backends.CreateOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	asking.Wait()
	if len(f.keys) != all {
		t.Errorf("%d keys have signed", len(f.keys))
	}
	for key, n := range f.keys {
		if n != 6 {
			t.Errorf("%s has signed %d requests of 6", key, n)
		}
	}
}

// security is a token service that knows one role.
type security struct {
	asked   atomic.Int64
	form    atomic.Value // url.Values of the last request
	ends    time.Duration
	refuses bool
}

func (f *security) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || signedBy.FindStringSubmatch(r.Header.Get("Authorization")) == nil {
		http.Error(w, "not signed", http.StatusForbidden)
		return
	}
	n := f.asked.Add(1)
	f.form.Store(r.PostForm)
	if f.refuses {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>`)
		return
	}
	fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
		<AccessKeyId>SESSION%d</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>token%[1]d</SessionToken>
		<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		n, time.Now().Add(f.ends).UTC().Format(time.RFC3339))
}

func roleAt(t *testing.T, f *security) Role {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return Role{
		ARN: "arn:aws:iam::123456789012:role/partners", Endpoint: server.URL, ExternalID: "ours", Session: "causeway-alice",
		Access: []Access{{Prefix: "in/alice/", Write: true}},
	}
}

// TestO8_RoleIsTakenOnOnce: a session of the role, cut to the access, signs all requests
// until it is about to end, and then another one does.
func TestO8_RoleIsTakenOnOnce(t *testing.T) {
	f := &signers{keys: map[string]int{}}
	s := storeOn(t, f)
	for _, test := range []struct {
		ends time.Duration
		want []string
	}{
		{time.Hour, []string{"SESSION1 token1"}},
		{time.Second, []string{"SESSION1 token1", "SESSION2 token2", "SESSION3 token3"}},
	} {
		clear(f.keys)
		service := &security{ends: test.ends}
		role := roleAt(t, service)
		as, err := s.As(t.Context(), Identity{Role: &role})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := as.Stat(t.Context(), "k", backends.StatOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for key := range f.keys {
			got = append(got, key)
		}
		if slices.Sort(got); !slices.Equal(got, test.want) {
			t.Errorf("sessions of %v: signed by %q, want %q", test.ends, got, test.want)
		}
		form := service.form.Load().(url.Values)
		policy, err := SessionPolicy("aws", s.bucket, role.Access)
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]string{
			"Action": "AssumeRole", "RoleArn": role.ARN, "RoleSessionName": "causeway-alice", "ExternalId": "ours",
			"DurationSeconds": "3600", "Policy": policy,
		} {
			if form.Get(key) != want {
				t.Errorf("%s: %q, want %q", key, form.Get(key), want)
			}
		}
	}
}

// TestRoleThatIsRefused is trouble with the store: the client can try again, and is not
// told that there is nothing.
func TestRoleThatIsRefused(t *testing.T) {
	f := &signers{keys: map[string]int{}}
	s := storeOn(t, f)
	role := roleAt(t, &security{refuses: true})
	as, err := s.As(t.Context(), Identity{Role: &role})
	if err != nil {
		t.Fatal(err)
	}
	_, statErr := as.Stat(t.Context(), "k", backends.StatOptions{})
	_, putErr := upload(t, as, "k", 3, backends.CreateOptions{})
	_, listErr := as.List(t.Context(), backends.Query{})
	for _, err := range []error{statErr, putErr, listErr} {
		if !errors.Is(err, backends.ErrUnavailable) || errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "role cannot be taken on") {
			t.Errorf("%v", err)
		}
	}
	if len(f.keys) != 0 {
		t.Errorf("requests were signed all the same: %v", f.keys)
	}
}

// TestRoleOfTheStoresOwnService: without an endpoint the role is asked for where the store
// is.
func TestRoleOfTheStoresOwnService(t *testing.T) {
	service := &security{ends: time.Hour}
	role := roleAt(t, service)
	s, err := New(t.Context(), Config{
		Bucket: "b", Endpoint: role.Endpoint, PathStyle: true, AccessKey: "own", SecretKey: "s", Budget: multipart.NewBudget(1<<20, nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	role.Endpoint = ""
	as, err := s.As(t.Context(), Identity{Role: &role})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = as.Stat(t.Context(), "k", backends.StatOptions{}) // the service is no store
	if service.asked.Load() == 0 {
		t.Error("nobody has asked for the role")
	}
}

func TestRoleWithoutPolicy(t *testing.T) {
	s := storeOn(t, &signers{keys: map[string]int{}})
	for _, prefix := range []string{"in/*/", "in/?/", "in/${aws:username}/", strings.Repeat("x", 600) + "/"} {
		role := Role{ARN: "arn:aws:iam::123456789012:role/partners", Access: []Access{{Prefix: prefix, Write: true}}}
		if _, err := s.As(t.Context(), Identity{Role: &role}); !errors.Is(err, ErrPolicy) {
			t.Errorf("%.20s: %v", prefix, err)
		}
	}
}
