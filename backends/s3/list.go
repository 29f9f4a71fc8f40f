package s3

import (
	"context"
	"errors"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"causeway/backends"
)

// maxPage is the most entries that ListObjectsV2 gives.
const maxPage = 1000

// List is [backends.Backend.List] by one ListObjectsV2. Its objects are Partial.
func (s *Store) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	ctx, cancel := bounded(ctx, listTime)
	defer cancel()
	in := &s3.ListObjectsV2Input{
		Bucket: &s.bucket,
		Prefix: &q.Prefix,
		// XML cannot carry every key.
		EncodingType: types.EncodingTypeUrl,
	}
	if q.Delimiter {
		in.Delimiter = aws.String("/")
	}
	if q.Token != "" {
		in.ContinuationToken = &q.Token
	}
	if q.Limit > 0 {
		in.MaxKeys = aws.Int32(int32(min(q.Limit, maxPage)))
	}
	reader := pageReader{store: s}
	out, err := s.client.ListObjectsV2(ctx, in, s.within(listTime), reader.option)
	if err != nil {
		return backends.Page{}, failed(ctx, call{op: "list", key: q.Prefix}, err)
	}
	if reader.read {
		return reader.page, nil
	}
	page, err := paged(out)
	if err != nil {
		return backends.Page{}, &backends.Error{Op: "list", Key: q.Prefix, Kind: backends.ErrUnavailable, Err: err}
	}
	return page, nil
}

// paged is a page that the SDK has read.
func paged(out *s3.ListObjectsV2Output) (backends.Page, error) {
	decode := func(s *string) (string, error) { return aws.ToString(s), nil }
	if out.EncodingType == types.EncodingTypeUrl {
		decode = func(s *string) (string, error) { return url.QueryUnescape(aws.ToString(s)) }
	}
	page := backends.Page{Objects: make([]backends.Object, 0, len(out.Contents))}
	for i := range out.Contents {
		o := &out.Contents[i]
		key, err := decode(o.Key)
		if err != nil {
			return page, err
		}
		page.Objects = append(page.Objects, backends.Object{
			Key: key, Size: aws.ToInt64(o.Size), ETag: unquoted(o.ETag), ModTime: utc(o.LastModified), Partial: true,
		})
	}
	for _, p := range out.CommonPrefixes {
		prefix, err := decode(p.Prefix)
		if err != nil {
			return page, err
		}
		page.Prefixes = append(page.Prefixes, prefix)
	}
	if !aws.ToBool(out.IsTruncated) {
		return page, nil
	}
	if page.Next = aws.ToString(out.NextContinuationToken); page.Next == "" {
		return page, errors.New("a page that is not the last has no token for the next")
	}
	return page, nil
}
