package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
)

// openUploads lists the multipart uploads of a bucket that nobody has ended.
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
	return left, nil
}
