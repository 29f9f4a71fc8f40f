//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/e2e/stores"
)

// published reads one of the policies that are published, for the bucket and its prefix
// in/acme/, as it is for an account of the S3 server.
func (b s3Bucket) published(t testing.TB, file, guest string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "configs", "examples", "policies", file))
	if err != nil {
		t.Fatal(err)
	}
	return b.statements(t, strings.ReplaceAll(string(text), ":::drops", ":::"+b.name), guest)
}

// statements are those of a policy of one who asks, as a bucket's policy has them: with
// who that is.
func (b s3Bucket) statements(t testing.TB, policy, guest string) []map[string]any {
	t.Helper()
	var p struct{ Statement []map[string]any }
	if err := json.Unmarshal([]byte(policy), &p); err != nil || len(p.Statement) == 0 {
		t.Fatalf("%v in %s", err, policy)
	}
	for _, s := range p.Statement {
		s["Principal"] = map[string]string{"AWS": guest}
	}
	return p.Statement
}

// allow makes statements the bucket's policy: nobody but its owner may do anything else.
func (b s3Bucket) allow(t testing.TB, statements ...map[string]any) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	policy := string(text)
	if _, err := b.client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &b.name, Policy: &policy}); err != nil {
		t.Fatalf("%v\n%s", err, policy)
	}
}

// freshS3 is a bucket of the test's own, and the same as a guest has it.
func freshS3(t testing.TB) (s3Bucket, *namedBucket) {
	t.Helper()
	named, err := newS3Bucket(t.Context(), shared.servers.S3)
	if err != nil {
		t.Fatal(err)
	}
	return named.bucket.(s3Bucket), named
}

// as is the bucket's entry in a configuration with a guest's keys.
func (b s3Bucket) as(n int) string {
	key, secret := stores.S3Guest(n)
	return fmt.Sprintf("{kind: s3, bucket: %s, region: %s, endpoint: %q, path_style: true, access_key: %q, secret_key: %q}",
		b.name, stores.S3Region, shared.servers.S3, key, secret)
}

// cut begins an upload, sends data, and ends the session without a word.
func (s *session) cut(command string, data []byte) {
	s.t.Helper()
	conn := s.transfer(command)
	s.write(conn, data)
	if err := s.conn.Close(); err != nil {
		s.fatalf("%v", err)
	}
	_ = conn.Close()
}

// refused sends a command that transfers something, and wants no data and an answer that
// says so: after an upload 451, and of what may not be listed that it is empty.
func (s *session) refused(command string) {
	s.t.Helper()
	conn := s.passive()
	r := s.do(command, "150", "5")
	if r.code == "150" {
		_, _ = conn.Write([]byte("EVIL")) // it may be refused before all has come
		_ = conn.CloseWrite()
		data, _ := io.ReadAll(conn) // how it ends says the reply
		if len(data) > 0 {
			s.fatalf("%d octets came", len(data))
		}
		codes := []string{"55", "451"}
		if strings.HasPrefix(command, "LIST") || strings.HasPrefix(command, "NLST") || strings.HasPrefix(command, "MLSD") {
			codes = []string{"550", "226"}
		}
		s.want(codes...)
	}
	_ = conn.Close()
}
