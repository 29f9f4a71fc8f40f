package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
)

var (
	errNoAnswer = fmt.Errorf("no answer in %v", quick)
	errRange    = errors.New("the server did not send the range that was asked for")
)

// Open is [backends.Backend.Open] by one GET; one more HEAD when Offset is not before
// the object's end.
func (s *Store) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	if !backends.ValidKey(key) {
		return nil, invalid("open", key)
	}
	if o.Offset < 0 {
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrRange}
	}
	bound, cancel := context.WithCancelCause(ctx)
	r, err := s.get(bound, cancel, key, o)
	if err == nil {
		return r, nil
	}
	cancel(nil)
	if errors.Is(err, backends.ErrRange) {
		return s.openEnd(ctx, key, o)
	}
	return nil, err
}

// get makes the request. cancel ends ctx, which bounds the Reader too.
func (s *Store) get(ctx context.Context, cancel context.CancelCauseFunc, key string, o backends.OpenOptions) (*backends.Reader, error) {
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &key, IfMatch: quoted(o.IfMatch), Range: byteRange(o)}
	watch := time.AfterFunc(quick, func() { cancel(errNoAnswer) })
	out, err := s.lean.get(ctx, in)
	watch.Stop()
	if err != nil {
		return nil, failed(ctx, call{op: "open", key: key, ifMatch: o.IfMatch != "", reads: true}, err)
	}
	size, err := wholeSize(out, o)
	if err != nil {
		_ = out.Body.Close() // the error to tell is err
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrUnavailable, Err: err}
	}
	obj := backends.Object{
		Key: key, Size: size, ETag: unquoted(out.ETag), ModTime: utc(out.LastModified),
		ContentType: aws.ToString(out.ContentType), Metadata: received(out.Metadata),
	}
	return &backends.Reader{Object: obj, ReadCloser: &reader{ctx: ctx, cancel: cancel, key: key, body: out.Body}}, nil
}

// openEnd answers for a range that the server found empty: at the end there is nothing to
// read, past it there is an error.
func (s *Store) openEnd(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	out, err := s.head(ctx, "open", key, o.IfMatch)
	if err != nil {
		return nil, err
	}
	obj := headed(key, out)
	if o.Offset != obj.Size {
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrRange}
	}
	return &backends.Reader{Object: obj, ReadCloser: http.NoBody}, nil
}

// byteRange is the Range header, nil for the whole object.
func byteRange(o backends.OpenOptions) *string {
	switch {
	case o.Length > 0 && o.Length <= math.MaxInt64-o.Offset:
		return aws.String(fmt.Sprintf("bytes=%d-%d", o.Offset, o.Offset+o.Length-1))
	case o.Offset > 0:
		return aws.String(fmt.Sprintf("bytes=%d-", o.Offset))
	}
	return nil
}

// wholeSize is the size of the object of which out may be a range, after making sure that
// it is the one that was asked for.
func wholeSize(out *s3.GetObjectOutput, o backends.OpenOptions) (int64, error) {
	if byteRange(o) == nil {
		return aws.ToInt64(out.ContentLength), nil
	}
	span, whole, _ := strings.Cut(aws.ToString(out.ContentRange), "/")
	if !strings.HasPrefix(span, fmt.Sprintf("bytes %d-", o.Offset)) {
		return 0, errRange
	}
	size, err := strconv.ParseUint(whole, 10, 63)
	if err != nil {
		return 0, errRange
	}
	return int64(size), nil
}

// reader is a body with the store's errors.
type reader struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	key    string
	body   io.ReadCloser
}

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, r.failed(r.ctx.Err())
	}
	n, err := r.body.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, r.failed(err)
}

// failed says why reading ended, which is not err if we ended it ourselves.
func (r *reader) failed(err error) error {
	if cause := context.Cause(r.ctx); cause != nil {
		err = cause
	}
	return &backends.Error{Op: "read", Key: r.key, Kind: backends.ErrUnavailable, Err: err}
}

func (r *reader) Close() error {
	r.cancel(nil)
	// Closing before the end drops the connection, which is no failure.
	_ = r.body.Close()
	return nil
}
