package azblob

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"causeway/backends"
	"causeway/backends/multipart"
	"causeway/backends/transport"
)

// limits are the service's, and how the store stays within them
// (learn.microsoft.com/azure/storage/blobs/scalability-targets).
type limits struct {
	firstPart int64 // octets
	mostPart  int64 // octets of one block
	parts     int   // blocks of one blob
	syncCopy  int64 // octets of the largest blob that one request copies
	copyBlock int64 // octets of a block that is copied on the server's side
}

func defaultLimits() limits {
	return limits{firstPart: 8 << 20, mostPart: 4000 << 20, parts: 50_000, syncCopy: 256 << 20, copyBlock: 256 << 20}
}

// Create is [backends.Backend.Create].
func (s *Store) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if err := check("create", key); err != nil {
		return nil, err
	}
	id := rand.Text()
	u := &upload{store: s, key: key, id: id, condition: condition{etag: o.IfMatch, absent: o.IfAbsent}, options: o, blocks: make(map[int]int64)}
	if u.options.ContentType == "" {
		u.options.ContentType = defaultType
	}
	return multipart.New(ctx, u, s.budget, multipart.Options{
		PartSize: s.limits.firstPart, MaxPartSize: s.limits.mostPart, MaxParts: s.limits.parts,
		MD5: true, Size: o.Size, Key: key,
	}), nil
}

// upload is the multipart.Target of one upload.
type upload struct {
	store     *Store
	key       string
	id        string // random
	condition condition
	options   backends.CreateOptions

	mu     sync.Mutex
	blocks map[int]int64 // octets of each block that is staged
}

// Put is multipart.Target's.
func (u *upload) Put(ctx context.Context, body *multipart.Body) (backends.Object, error) {
	return u.publish(ctx, body.Size(), body.MD5(), func(ctx context.Context) (written, error) {
		res, err := u.store.blockBlob(u.key).Upload(ctx, streaming.NopCloser(body.Reader()), &blockblob.UploadOptions{
			TransactionalValidation: blob.TransferValidationTypeMD5(body.MD5()),
			HTTPHeaders:             &blob.HTTPHeaders{BlobContentType: &u.options.ContentType},
			Metadata:                stamped(u.options.Metadata, u.id),
			AccessConditions:        u.condition.access(),
		})
		return written{res.ETag, res.LastModified}, err
	})
}

// Start is multipart.Target's: there is nothing to begin.
func (u *upload) Start(context.Context) error { return nil }

// Part is multipart.Target's. The service refuses a block that does not have the declared
// digest.
func (u *upload) Part(ctx context.Context, n int, body *multipart.Body) error {
	err := transport.Retry(ctx, transient, func() error {
		_, err := u.store.blockBlob(u.key).StageBlock(ctx, blockID(u.id, n), streaming.NopCloser(body.Reader()),
			&blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeMD5(body.MD5())})
		return err
	})
	if err != nil {
		return failure("write", u.key, condition{}, missing("write", u.key, err))
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.blocks[n] = body.Size()
	return nil
}

// Complete is multipart.Target's.
func (u *upload) Complete(ctx context.Context, parts int) (backends.Object, error) {
	ids := make([]string, parts)
	var size int64
	u.mu.Lock()
	for i := range ids {
		ids[i] = blockID(u.id, i+1)
		size += u.blocks[i+1]
	}
	u.mu.Unlock()
	return u.publish(ctx, size, nil, func(ctx context.Context) (written, error) {
		res, err := u.store.blockBlob(u.key).CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{
			HTTPHeaders:      &blob.HTTPHeaders{BlobContentType: &u.options.ContentType},
			Metadata:         stamped(u.options.Metadata, u.id),
			AccessConditions: u.condition.access(),
		})
		return written{res.ETag, res.LastModified}, err
	})
}

// Keep is multipart.Target's.
func (u *upload) Keep(context.Context, int, *multipart.Body) (int64, error) {
	return 0, &backends.Error{Op: "park", Key: u.key, Kind: errors.ErrUnsupported}
}

// Abort is multipart.Target's. Staged blocks can only be ended by the service itself, after
// seven days, or by a commit, which would replace what is there under the name. See the
// package's comment.
func (u *upload) Abort(context.Context) error { return nil }

// written is what the service says of a blob that it has just written.
type written struct {
	etag     *azcore.ETag
	modified *time.Time
}

// publish makes the request that makes the blob visible, and settles lost answers by the
// upload's id.
func (u *upload) publish(ctx context.Context, size int64, md5 []byte, send func(context.Context) (written, error)) (backends.Object, error) {
	w, err := u.store.settle(ctx, u.key, u.id, send)
	if err != nil {
		return backends.Object{}, failure("commit", u.key, u.condition, missing("commit", u.key, err))
	}
	return describe(u.key, properties{
		&size, w.etag, w.modified, &u.options.ContentType, stamped(u.options.Metadata, u.id), md5,
	}), nil
}

// settle makes a request that stamps key's blob with id, and when its answer was lost looks
// whether it did.
func (s *Store) settle(ctx context.Context, key, id string, send func(context.Context) (written, error)) (written, error) {
	return transport.Once[written]{
		Send: send, Transient: transient,
		Mine: func(ctx context.Context) (written, bool) {
			p, err := s.blob(key).GetProperties(ctx, nil)
			return written{p.ETag, p.LastModified}, err == nil && stamp(p.Metadata) == id
		},
	}.Settle(ctx)
}

// missing puts right a "not found" of a request that writes something new: what is not
// there is the container, or a blob that had to be.
func missing(op, key string, err error) error {
	if errors.Is(kind(condition{}, err), fs.ErrNotExist) {
		return &backends.Error{Op: op, Key: key, Kind: backends.ErrChanged, Err: err}
	}
	return err
}

// blockID is the id of a block of an upload. All ids of a blob must be equally long.
func blockID(upload string, n int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%05d", upload, n))
}

var _ multipart.Target = (*upload)(nil)
