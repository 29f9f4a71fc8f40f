package azblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"causeway/backends"
	"causeway/backends/transport"
)

// Open is [backends.Backend.Open].
func (s *Store) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	if err := check("open", key); err != nil {
		return nil, err
	}
	if o.Offset < 0 || o.Length < 0 {
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrRange}
	}
	res, err := s.get(ctx, key, o)
	if errors.Is(kind(condition{}, err), backends.ErrRange) {
		return s.openEnd(ctx, key, o)
	}
	if err != nil {
		return nil, failure("open", key, condition{}, err)
	}
	object, err := describeGet(key, res)
	if err != nil {
		_ = res.Body.Close() // the first error is the one to tell
		return nil, failure("open", key, condition{}, err)
	}
	if o.Offset > object.Size { // Azurite answers so
		_ = res.Body.Close() // nothing is to be read
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrRange}
	}
	want := object.Size - o.Offset
	if o.Length > 0 {
		want = min(want, o.Length)
	}
	return &backends.Reader{Object: object, ReadCloser: &body{key: key, ReadCloser: transport.Exactly(ctx, res.Body, want)}}, nil
}

// get asks for a range of contents. The caller closes the body.
func (s *Store) get(ctx context.Context, key string, o backends.OpenOptions) (blob.DownloadStreamResponse, error) {
	c := condition{etag: o.IfMatch}
	var res blob.DownloadStreamResponse
	err := transport.Retry(ctx, transient, func() (err error) {
		res, err = s.blob(key).DownloadStream(ctx, &blob.DownloadStreamOptions{
			Range: blob.HTTPRange{Offset: o.Offset, Count: o.Length}, AccessConditions: c.access(),
		})
		return err
	})
	return res, err
}

// body is the content of a blob being read, with the store's errors.
type body struct {
	io.ReadCloser
	key string
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, failure("read", b.key, condition{}, err)
}

// openEnd answers for a range that the service cannot satisfy: at the blob's end there is
// nothing to read, past it there is no such offset.
func (s *Store) openEnd(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	p, err := s.properties(ctx, key)
	if err != nil {
		return nil, failure("open", key, condition{}, err)
	}
	object := describeHead(key, p)
	switch {
	case o.IfMatch != "" && o.IfMatch != object.ETag:
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrChanged}
	case o.Offset != object.Size:
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrRange}
	}
	return &backends.Reader{Object: object, ReadCloser: http.NoBody}, nil
}

func describeGet(key string, res blob.DownloadStreamResponse) (backends.Object, error) {
	p := properties{res.ContentLength, res.ETag, res.LastModified, res.ContentType, res.Metadata, res.ContentMD5}
	if res.ContentRange != nil {
		_, total, _ := strings.Cut(*res.ContentRange, "/")
		size, err := strconv.ParseUint(total, 10, 63)
		if err != nil {
			return backends.Object{}, fmt.Errorf("range %q of an answer: %w", *res.ContentRange, err)
		}
		p.size, p.md5 = to.Ptr(int64(size)), res.BlobContentMD5 // of the whole, not of the range
	}
	if p.size == nil || p.etag == nil {
		return backends.Object{}, errors.New("answer without a length or ETag")
	}
	return describe(key, p), nil
}
