package azblob

import (
	"maps"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"causeway/backends"
)

// uploadKey is the metadata key that holds the random id of the request which made a blob
// or its metadata what it is. By it a lost answer is settled. It is hidden from users of
// the package.
const uploadKey = "causewayupload"

// defaultType is the content type of blobs whose writer named none.
const defaultType = "application/octet-stream"

// properties are what headers and listings tell of a blob, in the SDK's types.
type properties struct {
	size     *int64
	etag     *azcore.ETag
	modified *time.Time
	kind     *string
	metadata map[string]*string
	md5      []byte
}

func describe(key string, p properties) backends.Object {
	o := backends.Object{
		Key: key, Size: value(p.size), ETag: unquoted(p.etag), ModTime: value(p.modified).UTC(),
		ContentType: value(p.kind), Metadata: shown(p.metadata),
	}
	if len(p.md5) > 0 {
		o.Sums = map[backends.Sum][]byte{backends.MD5: p.md5}
	}
	return o
}

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// unquoted is an ETag without quotes: headers have them, listings do not.
func unquoted(e *azcore.ETag) string { return strings.Trim(string(value(e)), `"`) }

// shown is metadata as users of the package see it: keys in lower case, whatever HTTP made
// of them, without our own.
func shown(metadata map[string]*string) map[string]string {
	out := make(map[string]string, len(metadata))
	for k, v := range metadata {
		if k = strings.ToLower(k); k != uploadKey {
			out[k] = value(v)
		}
	}
	return out
}

// stamped is metadata for the service, with the id of the request that writes it.
func stamped(metadata map[string]string, id string) map[string]*string {
	out := make(map[string]*string, len(metadata)+1)
	for k, v := range maps.All(metadata) {
		out[k] = to.Ptr(v)
	}
	out[uploadKey] = to.Ptr(id)
	return out
}

// stamp is the id in metadata that was read, or "".
func stamp(metadata map[string]*string) string {
	for k, v := range metadata {
		if strings.EqualFold(k, uploadKey) {
			return value(v)
		}
	}
	return ""
}

// condition is what must hold of the present blob for a request to be carried out. The
// zero value asks nothing.
type condition struct {
	etag   string // "" for any
	absent bool
}

// access is the condition in the SDK's words, nil if it asks nothing.
func (c condition) access() *blob.AccessConditions {
	switch {
	case c.absent:
		return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}}
	case c.etag != "":
		return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: quoted(c.etag)}}
	}
	return nil
}

func quoted(etag string) *azcore.ETag { return to.Ptr(azcore.ETag(`"` + etag + `"`)) }
