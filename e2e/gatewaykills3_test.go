//go:build e2e

package e2e

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// hasNoParts tells whether the multipart uploads of a key have none.
func (c *crashes) hasNoParts(t *testing.T, key string) bool {
	t.Helper()
	b := c.bucket.bucket.(s3Bucket)
	uploads, err := b.client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &b.name, Prefix: &key})
	if err != nil {
		t.Fatal(err)
	}
	for _, upload := range uploads.Uploads {
		parts, err := b.client.ListParts(t.Context(), &s3.ListPartsInput{Bucket: &b.name, Key: &key, UploadId: upload.UploadId})
		var answer smithy.APIError // ListParts has no type of its own for this
		if errors.As(err, &answer) && answer.ErrorCode() == "NoSuchUpload" {
			continue // it has been ended since it was listed
		}
		if err != nil {
			t.Fatal(err)
		}
		if aws.ToString(upload.Key) == key && len(parts.Parts) > 0 {
			return false
		}
	}
	return true
}
