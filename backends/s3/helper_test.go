package s3

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
	"causeway/backends/journal"
)

// openUploads lists the multipart uploads of a bucket that nobody has ended, and all that
// is ours.
func openUploads(ctx context.Context, b backends.Backend) ([]string, error) {
	s := b.(*Store)
	out, err := s.client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &s.bucket})
	if err != nil {
		return nil, err
	}
	var left []string
	for _, u := range out.Uploads {
		left = append(left, aws.ToString(u.Key)+" "+aws.ToString(u.UploadId))
	}
	page, err := s.List(ctx, backends.Query{Prefix: backends.Reserved})
	for _, o := range page.Objects {
		left = append(left, o.Key)
	}
	return left, err
}

// reopened is the store that another process has of the same bucket.
func reopened(_ *testing.T, b backends.Backend) backends.Backend {
	s := b.(*Store)
	other := &Store{client: s.client, lean: s.lean, wire: s.wire, bucket: s.bucket, aws: s.aws, budget: s.budget, limits: s.limits, least: s.least}
	other.journal = journal.New(other)
	return other
}
