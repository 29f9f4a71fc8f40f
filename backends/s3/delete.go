package s3

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
)

// conditional are the servers, by what they call themselves, that honour If-Match on
// DELETE. Read only.
var conditional = map[string]bool{"AmazonS3": true, "VERSITYGW": true}

// identity notes on the way whether the server is one of those. A proxy that puts its own
// name there costs a request, no object.
type identity struct {
	next        http.RoundTripper
	conditional atomic.Bool
}

func (i *identity) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := i.next.RoundTrip(r)
	if err == nil && conditional[answer.Header.Get("Server")] {
		i.conditional.Store(true)
	}
	return answer, err
}

// Delete is [backends.Backend.Delete] by one DELETE. With a condition, the object is
// looked at first unless the server is known to honour it.
func (s *Store) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if !backends.ValidKey(key) {
		return invalid("delete", key)
	}
	ctx, cancel := context.WithTimeout(ctx, quick)
	defer cancel()
	if o.IfMatch != "" && !s.aws && !s.identity.conditional.Load() {
		_, err := s.head(ctx, "delete", key, o.IfMatch)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key, IfMatch: quoted(o.IfMatch)})
	if err == nil {
		return nil
	}
	err = failed(call{op: "delete", key: key, reads: true}, err)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
