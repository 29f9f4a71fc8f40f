package faults

import (
	"net/http"
	"strings"
)

// S3Operation names a request as the S3 API does: "UploadPart", "ListObjectsV2". What it
// does not know is its method.
func S3Operation(r *http.Request) string {
	query, copied := r.URL.Query(), r.Header.Get("X-Amz-Copy-Source") != ""
	bucket := !strings.Contains(strings.Trim(r.URL.Path, "/"), "/")
	for _, o := range []struct {
		method string
		when   bool
		name   string
	}{
		{http.MethodPut, query.Has("partNumber") && copied, "UploadPartCopy"},
		{http.MethodPut, query.Has("partNumber"), "UploadPart"},
		{http.MethodPut, copied, "CopyObject"},
		{http.MethodPut, !bucket, "PutObject"},
		{http.MethodPost, query.Has("uploads"), "CreateMultipartUpload"},
		{http.MethodPost, query.Has("uploadId"), "CompleteMultipartUpload"},
		{http.MethodPost, query.Has("delete"), "DeleteObjects"},
		{http.MethodDelete, query.Has("uploadId"), "AbortMultipartUpload"},
		{http.MethodDelete, !bucket, "DeleteObject"},
		{http.MethodGet, query.Has("uploadId"), "ListParts"},
		{http.MethodGet, query.Has("uploads"), "ListMultipartUploads"},
		{http.MethodGet, query.Has("list-type"), "ListObjectsV2"},
		{http.MethodGet, !bucket, "GetObject"},
		{http.MethodHead, !bucket, "HeadObject"},
	} {
		if o.method == r.Method && o.when {
			return o.name
		}
	}
	return r.Method
}

// AzureOperation names a request as Azure's reference does, without blanks: "PutBlock",
// "GetBlobProperties". What it does not know is its method and comp parameter.
func AzureOperation(r *http.Request) string {
	comp, copied := r.URL.Query().Get("comp"), r.Header.Get("X-Ms-Copy-Source") != ""
	if r.URL.Query().Get("restype") == "container" && comp == "list" {
		return "ListBlobs"
	}
	if r.Method == http.MethodPut && copied {
		if comp == "block" {
			return "PutBlockFromURL"
		}
		return "CopyBlobFromURL"
	}
	return otherwise(map[string]string{
		"PUT": "PutBlob", "PUT block": "PutBlock", "PUT blocklist": "PutBlockList", "PUT metadata": "SetBlobMetadata",
		"GET": "GetBlob", "GET blocklist": "GetBlockList", "HEAD": "GetBlobProperties", "DELETE": "DeleteBlob",
	}, strings.TrimSpace(r.Method+" "+comp))
}

// GCSOperation names a request as the reference of Google's JSON API does:
// "objects.compose". Contents are read by "media.get", or in the XML API's way, and written
// by "objects.insert"; "objects.insert.chunk" is a piece of a resumable upload. What it
// does not know is its method.
func GCSOperation(r *http.Request) string {
	if strings.Contains(r.URL.Path, "/upload/") {
		if r.URL.Query().Has("upload_id") {
			return "objects.insert.chunk"
		}
		return "objects.insert"
	}
	_, rest, ok := strings.Cut(r.URL.EscapedPath(), "/b/")
	if !ok {
		return otherwise(map[string]string{http.MethodGet: "media.get"}, r.Method)
	}
	segments := strings.Split(rest, "/") // bucket, "o", object, and what is done to it
	switch {
	case r.Method == http.MethodGet && len(segments) == 2:
		return "objects.list"
	case r.Method == http.MethodPost && len(segments) > 3:
		return "objects." + strings.TrimSuffix(segments[3], "To") // rewriteTo, moveTo
	case len(segments) != 3:
		return r.Method
	case r.Method == http.MethodGet && r.URL.Query().Get("alt") == "media":
		return "media.get"
	}
	return otherwise(map[string]string{
		http.MethodGet: "objects.get", http.MethodDelete: "objects.delete", http.MethodPatch: "objects.patch",
	}, r.Method)
}

// otherwise is the name that is known for a key, or the key.
func otherwise(known map[string]string, key string) string {
	if name, ok := known[key]; ok {
		return name
	}
	return key
}
