package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/sync/errgroup"
)

// newClient is the SDK as somebody sets it up who knows it: a CRC32C of each body instead
// of SHA-256 and another checksum, no "Expect: 100-continue", connections enough to keep.
func newClient(o directOptions) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &o.URL, UsePathStyle: true,
		Credentials:                  aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(o.Key, o.Secret, "")),
		RequestChecksumCalculation:   aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation:   aws.ResponseChecksumValidationWhenRequired,
		ContinueHeaderThresholdBytes: -1,
		APIOptions:                   []func(*middleware.Stack) error{v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware},
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = 100
		}),
	})
}

// sum is the CRC32C as a header carries it.
func sum(b []byte) *string {
	crc := binary.BigEndian.AppendUint32(nil, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return aws.String(base64.StdEncoding.EncodeToString(crc))
}

// putParts writes the object as a multipart upload.
func (d *direct) putParts(ctx context.Context, key string, size int64) error {
	created, err := d.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &d.bucket, Key: &key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c,
	})
	if err != nil {
		return err
	}
	parts := make([]types.CompletedPart, (size+partSize-1)/partSize)
	g, sending := errgroup.WithContext(ctx)
	g.SetLimit(partsInFlight)
	for i := range parts {
		g.Go(func() error {
			var err error
			parts[i], err = d.putPart(sending, key, created.UploadId, int32(i+1), min(partSize, size-int64(i)*partSize))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	_, err = d.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &d.bucket, Key: &key, UploadId: created.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	return err
}

func (d *direct) putPart(ctx context.Context, key string, upload *string, n int32, size int64) (types.CompletedPart, error) {
	crc := sum(d.part[:size])
	out, err := d.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &d.bucket, Key: &key, UploadId: upload, PartNumber: &n,
		Body: bytes.NewReader(d.part[:size]), ContentLength: &size, ChecksumCRC32C: crc,
	})
	if err != nil {
		return types.CompletedPart{}, err
	}
	return types.CompletedPart{PartNumber: &n, ETag: out.ETag, ChecksumCRC32C: crc}, nil
}

// list reads a directory page by page.
func (d *direct) list(ctx context.Context, prefix string, answer *directAnswer) error {
	pages := s3.NewListObjectsV2Paginator(d.client, &s3.ListObjectsV2Input{
		Bucket: &d.bucket, Prefix: &prefix, Delimiter: aws.String("/"), EncodingType: types.EncodingTypeUrl,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		answer.Count += len(page.Contents) + len(page.CommonPrefixes)
	}
	return nil
}
