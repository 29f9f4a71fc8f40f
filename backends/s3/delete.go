package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
)

// verdict is what is known of a server's ability.
type verdict int

const (
	unknown verdict = iota
	able
	unable
)

// Delete is [backends.Backend.Delete] by one DELETE. Where a compatible server ignores
// conditions on it, which the first conditional Delete finds out by one more request, the
// object is looked at first.
func (s *Store) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if !backends.ValidKey(key) {
		return invalid("delete", key)
	}
	ctx, cancel := context.WithTimeout(ctx, quick)
	defer cancel()
	if o.IfMatch != "" && !s.deletesByETag(ctx) {
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

// deletesByETag tells whether the server honours If-Match on DELETE. A server that does
// cannot say that it deleted a version that never was.
func (s *Store) deletesByETag(ctx context.Context) bool {
	if s.aws {
		return true
	}
	s.probe.Lock()
	defer s.probe.Unlock()
	if s.conditionalDelete == unknown {
		s.conditionalDelete = s.probeDelete(ctx)
	}
	return s.conditionalDelete == able
}

func (s *Store) probeDelete(ctx context.Context) verdict {
	key, etag := backends.Reserved+"/probe/"+rand.Text(), rand.Text()
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key, IfMatch: quoted(etag)})
	if err == nil {
		return unable
	}
	switch k := kind(call{}, err); {
	case errors.Is(k, backends.ErrChanged), errors.Is(k, fs.ErrNotExist):
		return able
	case errors.Is(k, backends.ErrUnavailable):
		return unknown
	}
	return unable
}
