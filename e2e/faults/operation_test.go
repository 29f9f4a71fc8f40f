package faults

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOperations(t *testing.T) {
	tests := []struct {
		name          func(*http.Request) string
		method, url   string
		header, value string
		want          string
	}{
		{S3Operation, "PUT", "/b/a/k", "", "", "PutObject"},
		{S3Operation, "PUT", "/b/k", "X-Amz-Copy-Source", "b/l", "CopyObject"},
		{S3Operation, "PUT", "/b/k?partNumber=1&uploadId=u", "", "", "UploadPart"},
		{S3Operation, "PUT", "/b/k?partNumber=1&uploadId=u", "X-Amz-Copy-Source", "b/l", "UploadPartCopy"},
		{S3Operation, "POST", "/b/k?uploads", "", "", "CreateMultipartUpload"},
		{S3Operation, "POST", "/b/k?uploadId=u", "", "", "CompleteMultipartUpload"},
		{S3Operation, "POST", "/b?delete", "", "", "DeleteObjects"},
		{S3Operation, "DELETE", "/b/k?uploadId=u", "", "", "AbortMultipartUpload"},
		{S3Operation, "DELETE", "/b/k", "", "", "DeleteObject"},
		{S3Operation, "GET", "/b/k?uploadId=u", "", "", "ListParts"},
		{S3Operation, "GET", "/b?uploads", "", "", "ListMultipartUploads"},
		{S3Operation, "GET", "/b?list-type=2&prefix=x%2Fy", "", "", "ListObjectsV2"},
		{S3Operation, "GET", "/b/k", "", "", "GetObject"},
		{S3Operation, "HEAD", "/b/k", "", "", "HeadObject"},
		{S3Operation, "HEAD", "/b", "", "", "HEAD"},
		{AzureOperation, "PUT", "/a/c/k", "", "", "PutBlob"},
		{AzureOperation, "PUT", "/a/c/k?comp=block&blockid=x", "", "", "PutBlock"},
		{AzureOperation, "PUT", "/a/c/k?comp=block&blockid=x", "X-Ms-Copy-Source", "x", "PutBlockFromURL"},
		{AzureOperation, "PUT", "/a/c/k", "X-Ms-Copy-Source", "x", "CopyBlobFromURL"},
		{AzureOperation, "PUT", "/a/c/k?comp=blocklist", "", "", "PutBlockList"},
		{AzureOperation, "PUT", "/a/c/k?comp=metadata", "", "", "SetBlobMetadata"},
		{AzureOperation, "PUT", "/a/c/k?comp=tier", "", "", "PUT tier"},
		{AzureOperation, "GET", "/a/c/k?comp=blocklist&blocklisttype=all", "", "", "GetBlockList"},
		{AzureOperation, "GET", "/a/c?restype=container&comp=list", "", "", "ListBlobs"},
		{AzureOperation, "GET", "/a/c/k", "", "", "GetBlob"},
		{AzureOperation, "HEAD", "/a/c/k", "", "", "GetBlobProperties"},
		{AzureOperation, "DELETE", "/a/c/k", "", "", "DeleteBlob"},
		{GCSOperation, "POST", "/upload/storage/v1/b/b/o?uploadType=multipart&name=k", "", "", "objects.insert"},
		{GCSOperation, "PUT", "/upload/storage/v1/b/b/o?uploadType=resumable&upload_id=u", "", "", "objects.insert.chunk"},
		{GCSOperation, "GET", "/storage/v1/b/b/o?prefix=x", "", "", "objects.list"},
		{GCSOperation, "GET", "/storage/v1/b/b/o/a%2Fk", "", "", "objects.get"},
		{GCSOperation, "GET", "/storage/v1/b/b/o/k?alt=media", "", "", "media.get"},
		{GCSOperation, "GET", "/b-1/a/k", "", "", "media.get"},
		{GCSOperation, "DELETE", "/storage/v1/b/b/o/k", "", "", "objects.delete"},
		{GCSOperation, "PATCH", "/storage/v1/b/b/o/k", "", "", "objects.patch"},
		{GCSOperation, "POST", "/storage/v1/b/b/o/k/compose", "", "", "objects.compose"},
		{GCSOperation, "POST", "/storage/v1/b/b/o/k/rewriteTo/b/b/o/l", "", "", "objects.rewrite"},
		{GCSOperation, "POST", "/storage/v1/b/b/o/k/moveTo/o/l", "", "", "objects.move"},
	}
	for _, test := range tests {
		r := httptest.NewRequest(test.method, test.url, nil)
		if test.header != "" {
			r.Header.Set(test.header, test.value)
		}
		if got := test.name(r); got != test.want {
			t.Errorf("%s %s: %q, want %q", test.method, test.url, got, test.want)
		}
	}
}
