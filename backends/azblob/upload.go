package azblob

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"causeway/backends"
	"causeway/backends/journal"
	"causeway/backends/multipart"
	"causeway/backends/transport"
)

// limits are the service's, and how the store stays within them
// (learn.microsoft.com/azure/storage/blobs/scalability-targets).
type limits struct {
	firstPart int64 // octets
	mostPart  int64 // octets of one block
	parts     int   // blocks of one blob
	inFlight  int   // blocks of one upload on their way
	syncCopy  int64 // octets of the largest blob that one request copies
	copyBlock int64 // octets of a block that is copied on the server's side

	touch time.Duration // age at which the record of a living upload is written again
}

// startTime bounds the writing of an upload's record, endTime its removal when nobody waits
// for that any more.
const (
	startTime = 10 * time.Second
	endTime   = 5 * time.Second
)

// signs is how many signs of life an upload gives in the time after which it would be ended:
// they come with its parts, and one may be late.
const signs = 4

func defaultLimits() limits {
	return limits{firstPart: 8 << 20, mostPart: 4000 << 20, parts: 50_000, inFlight: 8, syncCopy: 256 << 20, copyBlock: 256 << 20, touch: time.Hour}
}

// Create is [backends.Backend.Create].
func (s *Store) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if err := check("create", key); err != nil {
		return nil, err
	}
	u := &upload{store: s, key: key, id: rand.Text(), condition: condition{etag: o.IfMatch, absent: o.IfAbsent}, options: o, blocks: make(map[int]int64)}
	head, err := u.begin(ctx)
	if err != nil {
		return nil, failure("create", key, u.condition, err)
	}
	return multipart.New(ctx, u, s.budget, multipart.Options{
		PartSize: s.limits.firstPart, MaxPartSize: s.limits.mostPart, MaxParts: s.limits.parts, InFlight: s.limits.inFlight,
		MD5: true, Size: o.Size, Key: key, Head: head, Least: u.least(), Turns: s.turns, Steps: o.Tag != "",
	}), nil
}

// upload is the multipart.Target of one upload.
type upload struct {
	store     *Store
	key       string
	id        string // random, the nonce of the blocks that it stages
	condition condition
	options   backends.CreateOptions
	headers   blob.HTTPHeaders // of the object that is appended to; of others, the content type alone
	head      []block          // that precede the blocks of parts
	chain     chain            // that head comes from

	mu     sync.Mutex
	blocks map[int]int64 // octets of each block that is staged

	recording sync.Mutex
	entry     *journal.Entry // nil before there is something to record, and where nothing can be
	unwanted  bool           // the store takes no records: the upload cannot be parked
	touched   time.Time      // when the entry was written
}

// begin finds what the upload begins with.
func (u *upload) begin(ctx context.Context) (head multipart.Head, err error) {
	switch {
	case u.options.At < 0:
		err = &backends.Error{Op: "create", Key: u.key, Kind: backends.ErrRange}
	case u.options.Resume != "":
		head, err = u.resume(ctx)
	case u.options.At > 0:
		head, err = u.extend(ctx)
	}
	if u.options.ContentType == "" {
		u.options.ContentType = defaultType
	}
	u.headers.BlobContentType = &u.options.ContentType
	return head, err
}

// least is how many octets are not worth keeping without one more.
func (u *upload) least() int64 {
	if u.chain.bare() {
		return u.options.At
	}
	return 0
}

// Put is multipart.Target's. A name that is taken is changed for an alternate.
func (u *upload) Put(ctx context.Context, body *multipart.Body) (backends.Object, error) {
	for try := 0; ; try++ {
		obj, err := u.put(ctx, body)
		if try == alternates || u.options.Alternate == nil || !errors.Is(err, fs.ErrExist) {
			return obj, err
		}
		key := u.options.Alternate()
		if err := check("commit", key); err != nil {
			return backends.Object{}, err
		}
		u.key = key
	}
}

// alternates is how many other names are tried, each of them random: whoever has taken
// them all is not chance.
const alternates = 10

func (u *upload) put(ctx context.Context, body *multipart.Body) (backends.Object, error) {
	return u.publish(ctx, body.Size(), body.MD5(), func(ctx context.Context) (written, error) {
		res, err := u.store.blockBlob(u.key).Upload(ctx, streaming.NopCloser(body.Reader()), &blockblob.UploadOptions{
			TransactionalValidation: blob.TransferValidationTypeMD5(body.MD5()),
			HTTPHeaders:             &u.headers,
			Metadata:                stamped(u.options.Metadata, u.id),
			AccessConditions:        u.condition.access(),
		})
		return written{res.ETag, res.LastModified}, err
	})
}

// Start is multipart.Target's: the upload is recorded before any block is staged. The
// record of an upload that is cancelled meanwhile must be known, to be removed.
func (u *upload) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTime)
	defer cancel()
	return u.note(ctx)
}

// Part is multipart.Target's. The service refuses a block that does not have the declared
// digest.
func (u *upload) Part(ctx context.Context, n int, body *multipart.Body) error {
	if err := u.note(ctx); err != nil {
		return err
	}
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

// Complete is multipart.Target's. The record goes last: a gateway that dies before leaves
// one whose blocks are gone, which nobody can resume.
func (u *upload) Complete(ctx context.Context, parts int) (backends.Object, error) {
	ids := make([]string, parts)
	size := sum(u.head)
	for i, b := range u.head {
		ids[i] = b.id
	}
	u.mu.Lock()
	for i := len(u.head); i < parts; i++ {
		ids[i] = blockID(u.id, i+1)
		size += u.blocks[i+1]
	}
	u.mu.Unlock()
	return u.publish(ctx, size, nil, func(ctx context.Context) (written, error) {
		res, err := u.store.blockBlob(u.key).CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{
			HTTPHeaders:      &u.headers,
			Metadata:         stamped(u.options.Metadata, u.id),
			AccessConditions: u.condition.access(),
		})
		return written{res.ETag, res.LastModified}, err
	})
}

// Made is multipart.Target's.
func (u *upload) Made(ctx context.Context) (bool, error) {
	p, err := u.store.blob(u.key).GetProperties(ctx, nil)
	err = failure("commit", u.key, condition{}, err)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && stamp(p.Metadata) == u.id, err
}

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
	u.forget(ctx)
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

var _ multipart.Target = (*upload)(nil)
