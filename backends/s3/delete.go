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
// looked at first unless the server is known to honour it. AWS takes an object that is gone
// for one that matches.
func (s *Store) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if !backends.ValidKey(key) {
		return invalid("delete", key)
	}
	ctx, cancel := bounded(ctx, quick)
	defer cancel()
	err := s.matches(ctx, key, o)
	if err == nil {
		err = s.remove(ctx, key, o)
	}
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case o.IfMatch != "":
		return &backends.Error{Op: "delete", Key: key, Kind: backends.ErrChanged, Err: err}
	}
	return nil
}

// matches looks at an object that is to be deleted on a condition, for servers that may
// ignore it.
func (s *Store) matches(ctx context.Context, key string, o backends.DeleteOptions) error {
	if o.IfMatch == "" || s.aws || s.identity.conditional.Load() {
		return nil
	}
	_, err := s.head(ctx, "delete", key, o.IfMatch)
	return err
}

// remove makes the request, itself again instead of the SDK, to know whether an object
// that is gone was deleted by a try whose answer was lost.
func (s *Store) remove(ctx context.Context, key string, o backends.DeleteOptions) error {
	in := &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key, IfMatch: quoted(o.IfMatch)}
	for try := 1; ; try++ {
		_, err := s.client.DeleteObject(ctx, in, once)
		if err == nil {
			return nil
		}
		retryer := s.client.Options().Retryer
		again := retryer.IsErrorRetryable(err)
		err = failed(ctx, call{op: "delete", key: key, reads: true}, err)
		switch {
		case try > 1 && errors.Is(err, fs.ErrNotExist):
			return nil
		case try == attempts, !again:
			return err
		}
		if d, perr := retryer.RetryDelay(try, err); perr != nil || !rest(ctx, d) {
			return err
		}
	}
}
