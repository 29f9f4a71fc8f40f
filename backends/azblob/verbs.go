package azblob

import (
	"context"
	"errors"
	"io/fs"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"causeway/backends"
	"causeway/backends/transport"
)

// pageSize is how many entries are asked for at a time. The service would give 5,000.
const pageSize = 1000

// Stat is [backends.Backend.Stat]. The answer is always complete.
func (s *Store) Stat(ctx context.Context, key string, _ backends.StatOptions) (backends.Object, error) {
	if err := check("stat", key); err != nil {
		return backends.Object{}, err
	}
	p, err := s.properties(ctx, key)
	if err != nil {
		return backends.Object{}, failure("stat", key, condition{}, err)
	}
	return describeHead(key, p), nil
}

// properties asks for the description of the present blob.
func (s *Store) properties(ctx context.Context, key string) (blob.GetPropertiesResponse, error) {
	var p blob.GetPropertiesResponse
	err := transport.Retry(ctx, transient, func() (err error) {
		p, err = s.blob(key).GetProperties(ctx, nil)
		return err
	})
	return p, err
}

func describeHead(key string, p blob.GetPropertiesResponse) backends.Object {
	return describe(key, properties{p.ContentLength, p.ETag, p.LastModified, p.ContentType, p.Metadata, p.ContentMD5})
}

// List is [backends.Backend.List]. Objects tell their metadata and checksums. The order is
// the service's: that of bytes, as far as is known.
func (s *Store) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	limit := pageSize
	if q.Limit > 0 {
		limit = min(q.Limit, pageSize)
	}
	var page backends.Page
	err := transport.Retry(ctx, transient, func() (err error) {
		if q.Delimiter {
			page, err = s.listFolded(ctx, q, int32(limit))
		} else {
			page, err = s.listFlat(ctx, q, int32(limit))
		}
		return err
	})
	return page, failure("list", q.Prefix, condition{}, err)
}

func (s *Store) listFlat(ctx context.Context, q backends.Query, limit int32) (backends.Page, error) {
	res, err := s.container.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{
		Prefix: &q.Prefix, Marker: marker(q), MaxResults: &limit,
		Include: container.ListBlobsInclude{Metadata: true},
	}).NextPage(ctx)
	if err != nil {
		return backends.Page{}, err
	}
	return backends.Page{Objects: describeItems(res.Segment.BlobItems), Next: value(res.NextMarker)}, nil
}

func (s *Store) listFolded(ctx context.Context, q backends.Query, limit int32) (backends.Page, error) {
	res, err := s.container.NewListBlobsHierarchyPager("/", &container.ListBlobsHierarchyOptions{
		Prefix: &q.Prefix, Marker: marker(q), MaxResults: &limit,
		Include: container.ListBlobsInclude{Metadata: true},
	}).NextPage(ctx)
	if err != nil {
		return backends.Page{}, err
	}
	page := backends.Page{Objects: describeItems(res.Segment.BlobItems), Next: value(res.NextMarker)}
	for _, p := range res.Segment.BlobPrefixes {
		page.Prefixes = append(page.Prefixes, value(p.Name))
	}
	return page, nil
}

func marker(q backends.Query) *string {
	if q.Token == "" {
		return nil
	}
	return to.Ptr(q.Token)
}

func describeItems(items []*container.BlobItem) []backends.Object {
	objects := make([]backends.Object, 0, len(items))
	for _, item := range items {
		p := item.Properties
		objects = append(objects, describe(value(item.Name),
			properties{p.ContentLength, p.ETag, p.LastModified, p.ContentType, item.Metadata, p.ContentMD5}))
	}
	return objects
}

// Delete is [backends.Backend.Delete]. A blob with snapshots is fs.ErrPermission: they are
// somebody's backup.
func (s *Store) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if err := check("delete", key); err != nil {
		return err
	}
	c := condition{etag: o.IfMatch}
	doubt := false
	err := transport.Retry(ctx, transient, func() error {
		_, err := s.blob(key).Delete(ctx, &blob.DeleteOptions{AccessConditions: c.access()})
		if doubt && errors.Is(kind(c, err), fs.ErrNotExist) {
			return nil // an attempt before this one has done it
		}
		doubt = doubt || transient(err)
		return err
	})
	if err = failure("delete", key, c, err); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if c.etag != "" {
		return &backends.Error{Op: "delete", Key: key, Kind: backends.ErrChanged, Err: err}
	}
	return nil
}
