package azblob

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // a checksum that the service answers with, not a protection
	"errors"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"causeway/backends"
	"causeway/backends/transport"
)

// origin is one version of a blob, as the service itself can read it to copy from it.
type origin struct {
	store *Store
	key   string
	etag  string
	url   string  // with a signature by the account's key, where there is one
	token *string // to go with url otherwise
}

// origin makes no request to the service.
func (s *Store) origin(ctx context.Context, key, etag string) (origin, error) {
	o := origin{store: s, key: key, etag: etag, url: s.blob(key).URL()}
	if s.signed {
		return o, nil
	}
	if s.token == nil {
		var err error
		o.url, err = s.blob(key).GetSASURL(sas.BlobPermissions{Read: true}, time.Now().Add(sourceTime), nil)
		return o, err
	}
	t, err := s.token.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{tokenScope}})
	o.token = to.Ptr("Bearer " + t.Token)
	return o, err
}

// is is the condition on the origin for a request that reads it.
func (o origin) is() *blob.SourceModifiedAccessConditions {
	return &blob.SourceModifiedAccessConditions{SourceIfMatch: quoted(o.etag)}
}

// copied makes a range of the origin a block of dst, whatever the service can do.
func (o origin) copied(ctx context.Context, dst, id string, part blob.HTTPRange) error {
	for try := 1; ; try++ {
		err := o.stage(ctx, dst, id, part)
		if errors.Is(err, errors.ErrUnsupported) {
			err = o.restage(ctx, dst, id, part)
		}
		if try == tries || !errors.Is(err, backends.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
	}
}

// tries is how often a range is copied before it fails, each time with its own retries.
const tries = 3

// stage makes a range of the origin a block of dst, by the service alone.
// errors.ErrUnsupported where it cannot.
func (o origin) stage(ctx context.Context, dst, id string, part blob.HTTPRange) error {
	err := transport.Retry(ctx, transient, func() error {
		_, err := o.store.blockBlob(dst).StageBlockFromURL(ctx, id, o.url, &blockblob.StageBlockFromURLOptions{
			CopySourceAuthorization: o.token, SourceModifiedAccessConditions: o.is(), Range: part,
		})
		return err
	})
	if err != nil && errors.Is(kind(condition{}, err), backends.ErrChanged) {
		// No other condition than that on the source is in the request.
		return &backends.Error{Op: "copy", Key: o.key, Kind: backends.ErrChanged, Err: err}
	}
	return failure("copy", dst, condition{}, err)
}

// restage is stage for services that cannot: the range is read and sent again. Nothing of
// it is kept in memory.
func (o origin) restage(ctx context.Context, dst, id string, part blob.HTTPRange) error {
	return transport.Retry(ctx, func(err error) bool { return errors.Is(err, backends.ErrUnavailable) }, func() error {
		return o.pass(ctx, dst, id, part)
	})
}

// pass is one try at restage.
func (o origin) pass(ctx context.Context, dst, id string, part blob.HTTPRange) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := o.store.Open(ctx, o.key, backends.OpenOptions{Offset: part.Offset, Length: part.Count, IfMatch: o.etag})
	if err != nil {
		return err
	}
	body := &passing{from: r, size: part.Count, sum: md5.New()} //nolint:gosec // as above
	defer func() {
		cancel() // or Close would wait for a Read that hangs
		_ = body.Close()
	}()
	res, err := o.store.blockBlob(dst).StageBlock(ctx, id, body, nil)
	if err == nil && res.ContentMD5 != nil && !bytes.Equal(res.ContentMD5, body.digest()) {
		err = errDamaged
	}
	return failure("copy", dst, condition{}, err)
}

// errDamaged is no error of the service's: the octets may arrive whole the next time.
var errDamaged = errors.New("a block is not at the service as it was sent")

// passing is what is read from one blob, as the body of one request. The HTTP client may
// go on reading it for a moment after the request has failed.
type passing struct {
	size int64 // octets in all

	mu   sync.Mutex
	from io.ReadCloser
	read int64
	sum  hash.Hash
}

func (p *passing) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := p.from.Read(b)
	p.read += int64(n)
	p.sum.Write(b[:n])
	return n, err
}

// Seek lets the size be asked for, and goes back only before anything was read.
func (p *passing) Seek(offset int64, whence int) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case offset != 0 || p.read > 0:
		return 0, errors.ErrUnsupported
	case whence == io.SeekEnd:
		return p.size, nil
	}
	return 0, nil
}

func (p *passing) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.from.Close()
}

func (p *passing) digest() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sum.Sum(nil)
}
