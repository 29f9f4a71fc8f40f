package s3

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
)

// conflicts is how often a conditional write is tried that meets another.
const conflicts = 3

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
		Bucket: &w.bucket, Key: &w.as, ContentLength: aws.Int64(c.size), ChecksumCRC32C: c.sum(),
		ContentType: w.contentType(), Metadata: sent(w.o.Metadata, w.chain.Mark),
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
		out, err := w.lean.put(ctx, in)
		if err == nil {
			w.forget(ctx)
			return w.written(c.size, out.ETag), nil
		}
		// Two conditional writes met: the service wants the loser to ask again.
		if try == conflicts || !conflict(err) || !rest(ctx, time.Duration(try)*100*time.Millisecond) {
			return w.doubt(ctx, failed(ctx, w.call("commit"), err), func(*s3.HeadObjectOutput) bool { return true })
		}
	}
}

// rest waits for d and reports false if ctx ended.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
