//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"causeway/e2e/stores"
)

type s3Bucket struct {
	client *s3.Client
	name   string
}

func newS3Bucket(ctx context.Context, endpoint string) (*namedBucket, error) {
	b := s3Bucket{name: bucketName(), client: s3.New(s3.Options{
		BaseEndpoint: &endpoint,
		Region:       stores.S3Region,
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(stores.S3Key, stores.S3Secret, ""),
	})}
	_, err := b.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &b.name})
	return &namedBucket{b, "s3", b.config(endpoint)}, err
}

// config is the store's entry in a configuration, through the given endpoint.
func (b s3Bucket) config(endpoint string) string {
	return fmt.Sprintf("{kind: s3, bucket: %s, region: %s, endpoint: %q, path_style: true, access_key: %q, secret_key: %q}",
		b.name, stores.S3Region, endpoint, stores.S3Key, stores.S3Secret)
}

func (b s3Bucket) read(ctx context.Context, key string) ([]byte, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if missing := (*types.NoSuchKey)(nil); errors.As(err, &missing) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

func (b s3Bucket) write(ctx context.Context, key string, data []byte) error {
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: bytes.NewReader(data)})
	return err
}

func (b s3Bucket) keys(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, object := range page.Contents {
			keys = append(keys, aws.ToString(object.Key))
		}
	}
	return keys, nil
}

// begun is the multipart uploads.
func (b s3Bucket) begun(ctx context.Context) ([]string, error) {
	out, err := b.client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &b.name})
	if err != nil {
		return nil, err
	}
	keys, err := b.keys(ctx, reserved)
	for _, upload := range out.Uploads {
		keys = append(keys, aws.ToString(upload.Key))
	}
	return keys, err
}

type gcsBucket struct{ *storage.BucketHandle }

func newGCSBucket(ctx context.Context, endpoint string) (*namedBucket, error) {
	client, err := storage.NewClient(ctx, option.WithEndpoint(endpoint+"/storage/v1/"), option.WithoutAuthentication(), storage.WithJSONReads())
	if err != nil {
		return nil, err
	}
	name := bucketName()
	b := gcsBucket{client.Bucket(name)}
	config := fmt.Sprintf("{kind: gcs, bucket: %s, endpoint: %q}", name, endpoint)
	return &namedBucket{b, "gcs", config}, b.Create(ctx, "test", nil)
}

func (b gcsBucket) read(ctx context.Context, key string) ([]byte, error) {
	r, err := b.Object(key).NewReader(ctx)
	if errors.Is(err, storage.ErrObjectNotExist) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func (b gcsBucket) write(ctx context.Context, key string, data []byte) error {
	w := b.Object(key).NewWriter(ctx)
	_, err := w.Write(data)
	return errors.Join(err, w.Close())
}

func (b gcsBucket) keys(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	for it := b.Objects(ctx, &storage.Query{Prefix: prefix}); ; {
		object, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return keys, nil
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, object.Name)
	}
}

// begun is the parts that an upload keeps as objects.
func (b gcsBucket) begun(ctx context.Context) ([]string, error) { return b.keys(ctx, reserved) }

type azureBucket struct{ *container.Client }

func newAzureBucket(ctx context.Context, endpoint string) (*namedBucket, error) {
	credential, err := container.NewSharedKeyCredential(stores.AzureAccount, stores.AzureKey)
	if err != nil {
		return nil, err
	}
	name := bucketName()
	client, err := container.NewClientWithSharedKeyCredential(endpoint+"/"+name, credential, nil)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf("{kind: azblob, account: %s, container: %s, account_key: %q, endpoint: %q}",
		stores.AzureAccount, name, stores.AzureKey, endpoint)
	_, err = client.Create(ctx, nil)
	return &namedBucket{azureBucket{client}, "azure", config}, err
}

func (b azureBucket) read(ctx context.Context, key string) ([]byte, error) {
	out, err := b.NewBlobClient(key).DownloadStream(ctx, nil)
	if bloberror.HasCode(err, bloberror.BlobNotFound) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

func (b azureBucket) write(ctx context.Context, key string, data []byte) error {
	_, err := b.NewBlockBlobClient(key).Upload(ctx, streaming.NopCloser(bytes.NewReader(data)), &blockblob.UploadOptions{})
	return err
}

func (b azureBucket) keys(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	for pages := b.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix}); pages.More(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, blob := range page.Segment.BlobItems {
			keys = append(keys, *blob.Name)
		}
	}
	return keys, nil
}

// begun is the blobs that have uncommitted blocks, with or without content of their own.
func (b azureBucket) begun(ctx context.Context) ([]string, error) {
	var keys []string
	include := container.ListBlobsInclude{UncommittedBlobs: true}
	for pages := b.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Include: include}); pages.More(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, blob := range page.Segment.BlobItems {
			list, err := b.NewBlockBlobClient(*blob.Name).GetBlockList(ctx, blockblob.BlockListTypeUncommitted, nil)
			if err != nil {
				return nil, err
			}
			if len(list.UncommittedBlocks) > 0 {
				keys = append(keys, *blob.Name)
			}
		}
	}
	return keys, nil
}
