//go:build e2e

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"causeway/e2e/stores"
)

const roleARN = "arn:aws:iam::123456789012:role/partners"

// security is a token service for a bucket on a server that has none (AWS STS API
// reference, AssumeRole). Each session is one of the server's guests, and its policy
// becomes that guest's part of the bucket's policy, word for word: so the server judges
// what the gateway has asked for. There is no session token: versitygw takes none.
type security struct {
	t      *testing.T
	bucket s3Bucket
	url    string

	mu         sync.Mutex
	sessions   []url.Values // the requests, by the number of the guest
	statements []map[string]any
}

func newSecurity(t *testing.T, b s3Bucket) *security {
	f := &security{t: t, bucket: b}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *security) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = judgeSignature(r, body)
	}
	form, formErr := url.ParseQuery(string(body))
	if err != nil || formErr != nil || form.Get("Action") != "AssumeRole" || form.Get("RoleArn") != roleARN || form.Get("RoleSessionName") == "" {
		f.t.Errorf("asked for a role: %v, %v in %s", err, formErr, body)
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key, secret := stores.S3Guest(len(f.sessions))
	f.sessions = append(f.sessions, form)
	f.statements = append(f.statements, f.bucket.statements(f.t, form.Get("Policy"), key)...)
	f.bucket.allow(f.t, f.statements...)
	fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
		<AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken></SessionToken>
		<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		key, secret, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/sts/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$`)

// judgeSignature signs the request again, with the keys of the gateway's own, and compares.
func judgeSignature(r *http.Request, body []byte) error {
	got := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if got == nil || got[1] != stores.S3Key || got[2] != stores.S3Region {
		return fmt.Errorf("signed by %q", r.Header.Get("Authorization"))
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return err
	}
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	for _, name := range strings.Split(got[3], ";") {
		if values := r.Header.Values(name); len(values) > 0 {
			again.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	sum := sha256.Sum256(body)
	keys := aws.Credentials{AccessKeyID: stores.S3Key, SecretAccessKey: stores.S3Secret}
	if err := v4.NewSigner().SignHTTP(r.Context(), keys, again, hex.EncodeToString(sum[:]), "sts", stores.S3Region, at); err != nil {
		return err
	}
	if want := again.Header.Get("Authorization"); want != r.Header.Get("Authorization") {
		return fmt.Errorf("signature %q, want %q", r.Header.Get("Authorization"), want)
	}
	return nil
}
