package s3

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"causeway/backends"
	"causeway/backends/multipart"
)

// The limits of the service ("Amazon S3 multipart upload limits").
const (
	partSize    = 8 << 20
	maxPartSize = 5 << 30
	maxParts    = 10000
)

// Create is [backends.Backend.Create]. A file within one part is one PutObject.
func (s *Store) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if !backends.ValidKey(key) {
		return nil, invalid("create", key)
	}
	t := &target{writing: s.write(key, o)}
	t.checksums = types.ChecksumAlgorithmCrc32c
	limits := s.limits
	limits.Size, limits.Key = o.Size, key
	return multipart.New(ctx, t, s.budget, limits), nil
}

// writing is one object being written, in parts or not, by an upload or by a copy.
type writing struct {
	*Store
	key       string
	o         backends.CreateOptions
	mark      string                  // random name of this upload, in the object's metadata
	checksums types.ChecksumAlgorithm // of all parts or of none: servers refuse a mix
	keep      *s3.HeadObjectOutput    // headers and storage class to take over in a copy, nil for an upload

	upload *string // its id at the server, nil before start
	mu     sync.Mutex
	parts  map[int]types.CompletedPart
}

func (s *Store) write(key string, o backends.CreateOptions) *writing {
	return &writing{Store: s, key: key, o: o, mark: rand.Text(), parts: make(map[int]types.CompletedPart)}
}

func (w *writing) call(op string) call {
	return call{op: op, key: w.key, ifMatch: w.o.IfMatch != "", ifAbsent: w.o.IfAbsent}
}

// absent is the If-None-Match header.
func (w *writing) absent() *string {
	if w.o.IfAbsent {
		return aws.String("*")
	}
	return nil
}

// contentType is nil where the service's own default will do.
func (w *writing) contentType() *string {
	if w.o.ContentType == "" {
		return nil
	}
	return &w.o.ContentType
}

// written describes the object that was made.
func (w *writing) written(size int64, etag *string) backends.Object {
	return backends.Object{
		Key: w.key, Size: size, ETag: unquoted(etag),
		ContentType: w.o.ContentType, Metadata: w.o.Metadata,
	}
}

// start begins a multipart upload. It waits for the answer also when ctx ends: without the
// id in it nobody can abort the upload. An answer that the network loses leaves an upload
// without parts, for which nothing is to pay and which the next try does not know of; the
// bucket's rule for incomplete uploads removes it.
func (w *writing) start(ctx context.Context) error {
	ctx, cancel := bounded(context.WithoutCancel(ctx), quick)
	defer cancel()
	in := &s3.CreateMultipartUploadInput{
		Bucket: &w.bucket, Key: &w.key, ContentType: w.contentType(),
		Metadata: sent(w.o.Metadata, w.mark), ChecksumAlgorithm: w.checksums,
	}
	if k := w.keep; k != nil {
		in.CacheControl, in.ContentDisposition = k.CacheControl, k.ContentDisposition
		in.ContentEncoding, in.ContentLanguage = k.ContentEncoding, k.ContentLanguage
		in.StorageClass, in.WebsiteRedirectLocation = k.StorageClass, k.WebsiteRedirectLocation
		in.Expires = expires(k)
	}
	out, err := w.client.CreateMultipartUpload(ctx, in)
	if err != nil {
		return failed(ctx, call{op: "create", key: w.key}, err)
	}
	w.upload = out.UploadId
	return nil
}

// stored notes a part. Parts may come in any order.
func (w *writing) stored(n int, etag, crc *string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts[n] = types.CompletedPart{PartNumber: aws.Int32(int32(n)), ETag: etag, ChecksumCRC32C: crc}
}

// complete makes parts 1 to n the object, which is size octets long.
func (w *writing) complete(ctx context.Context, n int, size int64) (backends.Object, error) {
	parts := make([]types.CompletedPart, 0, n)
	for i := 1; i <= n; i++ {
		parts = append(parts, w.parts[i])
	}
	ctx, cancel := bounded(ctx, slow)
	defer cancel()
	out, err := w.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &w.bucket, Key: &w.key, UploadId: w.upload,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
		IfMatch:         quoted(w.o.IfMatch), IfNoneMatch: w.absent(),
	}, w.within(slow))
	if err == nil && out.ETag == nil {
		// The SDK takes an empty answer, which is a connection cut at the wrong moment,
		// for success.
		err = errors.New("answer to CompleteMultipartUpload says nothing")
	}
	if err != nil {
		return w.doubt(ctx, failed(ctx, w.call("commit"), err))
	}
	return w.written(size, out.ETag), nil
}

// doubt decides what has become of a write that seems to have failed with err. An answer
// may have been lost, and a repeated request then finds its own object in the way: the
// object under the key tells, by its mark.
func (w *writing) doubt(ctx context.Context, err error) (backends.Object, error) {
	certain := !errors.Is(err, backends.ErrUnavailable) && !errors.Is(err, backends.ErrChanged) && !errors.Is(err, fs.ErrExist)
	if certain {
		return backends.Object{}, err
	}
	ctx, cancel := bounded(context.WithoutCancel(ctx), quick)
	defer cancel()
	out, herr := w.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &w.bucket, Key: &w.key})
	if herr != nil || out.Metadata[mark] != w.mark {
		return backends.Object{}, err
	}
	return headed(w.key, out), nil
}

// abort ends the multipart upload, if it was begun. One that is not there has ended.
func (w *writing) abort(ctx context.Context) error {
	if w.upload == nil {
		return nil
	}
	ctx, cancel := bounded(ctx, quick)
	defer cancel()
	_, err := w.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &w.bucket, Key: &w.key, UploadId: w.upload})
	if err != nil && !gone(err) {
		return failed(ctx, call{op: "abort", key: w.key}, err)
	}
	return nil
}

// content is the body of a request that may be sent more than once.
type content struct {
	open func() io.ReadSeeker
	size int64
	crc  uint32
}

// sum is the CRC32C as a header carries it.
func (c content) sum() *string {
	sum := binary.BigEndian.AppendUint32(nil, c.crc)
	return aws.String(base64.StdEncoding.EncodeToString(sum))
}

// put writes the object by one request.
func (w *writing) put(ctx context.Context, c content) (backends.Object, error) {
	in := &s3.PutObjectInput{
		Bucket: &w.bucket, Key: &w.key, ContentLength: aws.Int64(c.size), ChecksumCRC32C: c.sum(),
		ContentType: w.contentType(), Metadata: sent(w.o.Metadata, w.mark),
		IfMatch: quoted(w.o.IfMatch), IfNoneMatch: w.absent(),
	}
	if k := w.keep; k != nil {
		in.CacheControl, in.ContentDisposition = k.CacheControl, k.ContentDisposition
		in.ContentEncoding, in.ContentLanguage = k.ContentEncoding, k.ContentLanguage
		in.StorageClass, in.WebsiteRedirectLocation = k.StorageClass, k.WebsiteRedirectLocation
		in.Expires = expires(k)
	}
	for try := 1; ; try++ {
		in.Body = c.open()
		out, err := w.client.PutObject(ctx, in)
		if err == nil {
			return w.written(c.size, out.ETag), nil
		}
		// Two conditional writes met: the service wants the loser to ask again.
		if try == attempts || !conflict(err) || !rest(ctx, try) {
			return w.doubt(ctx, failed(ctx, w.call("commit"), err))
		}
	}
}

// target is a streaming upload's side of a writing.
type target struct {
	*writing
	size int64 // octets in parts; guarded by mu
}

// Put is [multipart.Target.Put] by PutObject.
func (t *target) Put(ctx context.Context, body *multipart.Body) (backends.Object, error) {
	return t.put(ctx, content{open: func() io.ReadSeeker { return body.Reader() }, size: body.Size(), crc: body.CRC32C()})
}

// Start is [multipart.Target.Start] by CreateMultipartUpload.
func (t *target) Start(ctx context.Context) error { return t.start(ctx) }

// Part is [multipart.Target.Part] by UploadPart, tried once.
func (t *target) Part(ctx context.Context, n int, body *multipart.Body) error {
	crc := content{crc: body.CRC32C()}.sum()
	out, err := t.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &t.bucket, Key: &t.key, UploadId: t.upload, PartNumber: aws.Int32(int32(n)),
		Body: body.Reader(), ContentLength: aws.Int64(body.Size()), ChecksumCRC32C: crc,
	}, once)
	if err != nil {
		return failed(ctx, call{op: "write", key: t.key}, err)
	}
	t.stored(n, out.ETag, crc)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.size += body.Size()
	return nil
}

// Complete is [multipart.Target.Complete] by CompleteMultipartUpload.
func (t *target) Complete(ctx context.Context, parts int) (backends.Object, error) {
	return t.complete(ctx, parts, t.size)
}

// Keep is [multipart.Target.Keep].
func (t *target) Keep(context.Context, int, *multipart.Body) (int64, error) {
	return 0, &backends.Error{Op: "park", Key: t.key, Kind: errors.ErrUnsupported}
}

// Abort is [multipart.Target.Abort] by AbortMultipartUpload.
func (t *target) Abort(ctx context.Context) error { return t.abort(ctx) }

// rest waits before the try after this one and reports false if ctx ended.
func rest(ctx context.Context, try int) bool {
	select {
	case <-time.After(time.Duration(try) * 100 * time.Millisecond):
		return true
	case <-ctx.Done():
		return false
	}
}
