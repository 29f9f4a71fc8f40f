package gcs

import (
	"maps"
	"strconv"
	"strings"

	"cloud.google.com/go/storage"

	"causeway/backends"
)

// uploadKey is the metadata key that holds the random id of the upload which wrote an
// object. By it a lost answer is settled. It is hidden from users of the package.
const uploadKey = "causewayupload"

// defaultType is the content type of objects whose writer named none. Without it the SDK
// would guess, from content that is none of the gateway's business.
const defaultType = "application/octet-stream"

// describe is an object as the JSON API tells it. ModTime is that of the content: changes
// of the metadata alone do not touch it.
func describe(a *storage.ObjectAttrs) backends.Object {
	o := backends.Object{
		Key: a.Name, Size: a.Size, ETag: etag(a.Generation), ModTime: a.Created.UTC(),
		ContentType: a.ContentType, Metadata: shown(a.Metadata),
	}
	if len(a.MD5) > 0 {
		o.Sums = map[backends.Sum][]byte{backends.MD5: a.MD5}
	}
	return o
}

// shown is metadata as users of the package see it: keys in lower case, without our own.
func shown(metadata map[string]string) map[string]string {
	out := make(map[string]string, len(metadata))
	for k, v := range metadata {
		if k = strings.ToLower(k); k != uploadKey {
			out[k] = v
		}
	}
	return out
}

// stamped is metadata with the id of the upload that wrote the content, if there is one.
func stamped(metadata map[string]string, id string) map[string]string {
	out := make(map[string]string, len(metadata)+1)
	maps.Copy(out, metadata)
	if id != "" {
		out[uploadKey] = id
	}
	return out
}

// propertiesOf is what a new version of an object takes over from one before, with other
// metadata.
func propertiesOf(a *storage.ObjectAttrs, metadata map[string]string) storage.ObjectAttrs {
	return storage.ObjectAttrs{
		ContentType: a.ContentType, ContentEncoding: a.ContentEncoding,
		ContentLanguage: a.ContentLanguage, ContentDisposition: a.ContentDisposition,
		CacheControl: a.CacheControl, StorageClass: a.StorageClass, Metadata: metadata,
	}
}

func etag(generation int64) string { return strconv.FormatInt(generation, 10) }

// generation reads an ETag. What is not one of ours names no generation: it is 0 then, and
// false.
func generation(etag string) (int64, bool) {
	n, err := strconv.ParseInt(etag, 10, 64)
	return n, err == nil && n > 0
}

// condition is what must hold of the present object for a write to happen. The zero value
// asks nothing.
type condition struct {
	generation int64 // 0 for any
	absent     bool
}

// conditionOf reads the two conditions of an options struct, for a verb on key. An ETag
// that can match nothing is backends.ErrChanged.
func conditionOf(op, key, ifMatch string, ifAbsent bool) (condition, error) {
	c := condition{absent: ifAbsent}
	if ifMatch == "" {
		return c, nil
	}
	var ok bool
	if c.generation, ok = generation(ifMatch); !ok {
		return c, &backends.Error{Op: op, Key: key, Kind: backends.ErrChanged}
	}
	return c, nil
}

// on applies the condition to an object.
func (c condition) on(h *storage.ObjectHandle) *storage.ObjectHandle {
	if conds := c.conditions(); conds != nil {
		return h.If(*conds)
	}
	return h
}

// conditions is c in the SDK's words, nil if it asks nothing.
func (c condition) conditions() *storage.Conditions {
	switch {
	case c.absent:
		return &storage.Conditions{DoesNotExist: true}
	case c.generation != 0:
		return &storage.Conditions{GenerationMatch: c.generation}
	}
	return nil
}
