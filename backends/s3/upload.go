package s3

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
	"causeway/backends/multipart"
)

// The limits of the service ("Amazon S3 multipart upload limits").
const (
	partSize    = 8 << 20
	maxPartSize = 5 << 30
	maxParts    = 10000
	// inFlight is how many parts make the most of a connection each of 40 MB/s at 50 ms.
	inFlight = 8
	// alternates is how many keys are tried for one object.
	alternates = 16
)

// Create is [backends.Backend.Create]. A file within one part is one PutObject. With Resume
// or At it makes the requests that these need.
func (s *Store) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	switch {
	case !backends.ValidKey(key):
		return nil, invalid("create", key)
	case o.At < 0:
		return nil, &backends.Error{Op: "create", Key: key, Kind: backends.ErrRange}
	case o.Resume != "":
		return s.resume(ctx, key, o)
	case o.At > 0:
		return s.append(ctx, key, o)
	}
	return multipart.New(ctx, s.target(key, o), s.budget, s.options(key, o)), nil
}

// target is that of a new upload.
func (s *Store) target(key string, o backends.CreateOptions) *target {
	t := &target{writing: s.write(key, o)}
	t.chain.Summed = true
	return t
}

func (s *Store) options(key string, o backends.CreateOptions) multipart.Options {
	limits := s.limits
	limits.Size, limits.Key, limits.Steps = o.Size, key, o.Tag != ""
	return limits
}

// target is a streaming upload's side of a writing.
type target struct {
	*writing
	head int // parts that are not the attempt's own
}

// Put is [multipart.Target.Put] by PutObject, under other keys while the one before is
// taken, as long as there are any.
func (t *target) Put(ctx context.Context, body *multipart.Body) (backends.Object, error) {
	c := content{open: func() io.ReadSeeker { return body.Reader() }, size: body.Size(), crc: body.CRC32C()}
	for try := 1; ; try++ {
		obj, err := t.put(ctx, c)
		if t.o.Alternate == nil || try == alternates || !errors.Is(err, fs.ErrExist) {
			return obj, err
		}
		t.as = t.o.Alternate()
	}
}

// Start is [multipart.Target.Start] by CreateMultipartUpload, unless the upload has one
// from an earlier attempt without any part that counts.
func (t *target) Start(ctx context.Context) error {
	if t.upload != nil {
		return nil
	}
	return t.start(ctx)
}

// Part is [multipart.Target.Part] by UploadPart, tried once.
func (t *target) Part(ctx context.Context, n int, body *multipart.Body) error {
	own := n - t.head
	if own%check == 0 {
		if err := t.owned(ctx); err != nil {
			return err
		}
	}
	return t.send(ctx, n, t.chain.Next+own-1, body)
}

// send stores a part under a number of the upload.
func (t *target) send(ctx context.Context, n, number int, body *multipart.Body) error {
	t.sending(number)
	in := &s3.UploadPartInput{
		Bucket: &t.bucket, Key: &t.key, UploadId: t.upload, PartNumber: aws.Int32(int32(number)),
		Body: body.Reader(), ContentLength: aws.Int64(body.Size()),
	}
	if t.chain.Summed {
		in.ChecksumCRC32C = content{crc: body.CRC32C()}.sum()
	} else {
		in.ContentMD5 = aws.String(base64.StdEncoding.EncodeToString(body.MD5()))
	}
	out, err := t.client.UploadPart(ctx, in, once)
	if err != nil {
		if noUpload(err) {
			t.doubted.Store(true)
		}
		return failed(ctx, call{op: "write", key: t.key}, err)
	}
	t.stored(n, part{number: number, etag: aws.ToString(out.ETag), crc: aws.ToString(in.ChecksumCRC32C), size: body.Size()})
	return nil
}

// Complete is [multipart.Target.Complete] by CompleteMultipartUpload.
func (t *target) Complete(ctx context.Context, parts int) (backends.Object, error) {
	return t.complete(ctx, parts)
}

// Made is [multipart.Target.Made]: the mark is this upload's, or of who has taken it.
func (t *target) Made(ctx context.Context) (bool, error) {
	out, err := t.Store.head(ctx, "commit", t.as, "")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && out.Metadata[mark] == t.chain.Mark, err
}

// Abort is [multipart.Target.Abort] by AbortMultipartUpload.
func (t *target) Abort(ctx context.Context) error { return t.abort(ctx) }
