//go:build e2e

package s3

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"causeway/backends"
)

// TestPagesOfServerNeedNoSDK: what a real server sends is of the form that is read quickly,
// and is read as the SDK reads it.
func TestPagesOfServerNeedNoSDK(t *testing.T) {
	s := serverStore(t)
	for _, key := range []string{"a b/ü+%&<>'\".txt", "a b/sub/x", "a b/z", "a b/\u200b"} {
		u, err := s.Create(t.Context(), key, backends.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int32{1, 1000} {
		for _, delimiter := range []*string{nil, aws.String("/")} {
			in := &s3.ListObjectsV2Input{
				Bucket: &s.bucket, Prefix: aws.String("a b/"), Delimiter: delimiter, EncodingType: types.EncodingTypeUrl, MaxKeys: &limit,
			}
			name := fmt.Sprintf("%d a page, delimiter %q", limit, aws.ToString(delimiter))
			out, err := s.client.ListObjectsV2(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			want, err := paged(out)
			if err != nil {
				t.Fatal(err)
			}
			reader := pageReader{store: s}
			if _, err := s.client.ListObjectsV2(t.Context(), in, reader.option); err != nil || !reader.read || !samePage(reader.page, want) {
				t.Errorf("%s: %t, %v\ngot  %+v\nwant %+v", name, reader.read, err, reader.page, want)
			}
		}
	}
}
