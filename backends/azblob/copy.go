package azblob

import (
	"context"
	"crypto/rand"
	"io/fs"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"golang.org/x/sync/errgroup"

	"causeway/backends"
)

const (
	// tokenScope is the audience of tokens for the service.
	tokenScope = "https://storage.azure.com/.default" //nolint:gosec // not a secret
	// sourceTime is how long a signed source URL is valid: ample for one copy of the
	// largest blob.
	sourceTime = 24 * time.Hour
	// parallel is how many blocks are copied at a time.
	parallel = 8
)

// Copy is [backends.Copier.Copy]. Onto itself it changes the metadata in place, which
// gives the blob a new ETag.
func (s *Store) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if err := check("copy", dst, src); err != nil {
		return backends.Object{}, err
	}
	c := &copying{store: s, dst: dst, src: src, id: rand.Text(), to: condition{etag: o.IfMatch, absent: o.IfAbsent}}
	var err error
	if c.source, err = s.properties(ctx, src); err != nil {
		return backends.Object{}, failure("copy", src, condition{}, err)
	}
	from := describeHead(src, c.source)
	if o.SourceIfMatch != "" && o.SourceIfMatch != from.ETag {
		return backends.Object{}, &backends.Error{Op: "copy", Key: src, Kind: backends.ErrChanged}
	}
	if c.metadata = o.Metadata; c.metadata == nil {
		c.metadata, c.keep = from.Metadata, true
	}
	w, err := c.run(ctx)
	if err != nil {
		return backends.Object{}, failure("copy", dst, c.to, err)
	}
	if w.etag == nil { // nothing was to be done
		return from, nil
	}
	return describe(dst, properties{
		c.source.ContentLength, w.etag, w.modified, c.source.ContentType, stamped(c.metadata, c.id), c.source.ContentMD5,
	}), nil
}

// copying is one Copy under way.
type copying struct {
	store    *Store
	dst, src string
	id       string // random, to know the result by
	to       condition
	source   blob.GetPropertiesResponse // what is copied is this very version
	metadata map[string]string
	keep     bool // metadata is the source's
}

// run chooses the way to copy. No etag is returned where nothing had to be done.
func (c *copying) run(ctx context.Context) (written, error) {
	switch {
	case c.dst == c.src:
		return c.onto(ctx)
	case value(c.source.ContentLength) <= c.store.limits.syncCopy:
		return c.whole(ctx)
	}
	return c.blocks(ctx)
}

// onto changes the metadata of the source itself.
func (c *copying) onto(ctx context.Context) (written, error) {
	etag := unquoted(c.source.ETag)
	switch {
	case c.to.absent:
		return written{}, &backends.Error{Op: "copy", Key: c.dst, Kind: fs.ErrExist}
	case c.to.etag != "" && c.to.etag != etag:
		return written{}, &backends.Error{Op: "copy", Key: c.dst, Kind: backends.ErrChanged}
	case c.keep:
		return written{}, nil
	}
	return c.store.settle(ctx, c.dst, c.id, func(ctx context.Context) (written, error) {
		res, err := c.store.blob(c.dst).SetMetadata(ctx, stamped(c.metadata, c.id),
			&blob.SetMetadataOptions{AccessConditions: condition{etag: etag}.access()})
		return written{res.ETag, res.LastModified}, err
	})
}

// whole copies by one request, which answers when the copy is complete.
func (c *copying) whole(ctx context.Context) (written, error) {
	from, err := c.store.origin(ctx, c.src, unquoted(c.source.ETag))
	if err != nil {
		return written{}, err
	}
	return c.store.settle(ctx, c.dst, c.id, func(ctx context.Context) (written, error) {
		res, err := c.store.blob(c.dst).CopyFromURL(ctx, from.url, &blob.CopyFromURLOptions{
			CopySourceAuthorization:        from.token,
			SourceModifiedAccessConditions: from.is(),
			BlobAccessConditions:           c.to.access(),
			Metadata:                       stamped(c.metadata, c.id),
		})
		return written{res.ETag, res.LastModified}, err
	})
}

// blocks copies ranges of the source as blocks of the destination and commits their list.
func (c *copying) blocks(ctx context.Context) (written, error) {
	from, err := c.store.origin(ctx, c.src, unquoted(c.source.ETag))
	if err != nil {
		return written{}, err
	}
	size, step := value(c.source.ContentLength), c.store.limits.copyBlock
	var ids []string
	group, stageCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for at := int64(0); at < size; at += step {
		id := blockID(c.id, len(ids)+1)
		ids = append(ids, id)
		group.Go(func() error {
			return from.stage(stageCtx, c.dst, id, blob.HTTPRange{Offset: at, Count: min(step, size-at)})
		})
	}
	if err := group.Wait(); err != nil {
		return written{}, err
	}
	return c.store.settle(ctx, c.dst, c.id, func(ctx context.Context) (written, error) {
		res, err := c.store.blockBlob(c.dst).CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{
			HTTPHeaders: headers(c.source), Metadata: stamped(c.metadata, c.id), AccessConditions: c.to.access(),
		})
		return written{res.ETag, res.LastModified}, err
	})
}

// headers are the properties of a blob that a list of blocks does not carry along.
func headers(p blob.GetPropertiesResponse) *blob.HTTPHeaders {
	return &blob.HTTPHeaders{
		BlobContentType: p.ContentType, BlobContentEncoding: p.ContentEncoding, BlobContentLanguage: p.ContentLanguage,
		BlobContentDisposition: p.ContentDisposition, BlobCacheControl: p.CacheControl, BlobContentMD5: p.ContentMD5,
	}
}
