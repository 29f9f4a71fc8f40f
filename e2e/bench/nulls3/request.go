package nulls3

import (
	"net/http"
	"net/url"
	"strings"
)

// request is one request and its answer.
type request struct {
	*http.Request
	w http.ResponseWriter
	s *Server

	key       string // "" for the bucket
	query     url.Values
	operation string // as the service's reference names it
}

// parse finds out what is asked for.
func (q *request) parse() {
	_, q.key, _ = strings.Cut(strings.TrimPrefix(q.URL.Path, "/"), "/")
	q.query = q.URL.Query()
	if q.operation = q.named(); q.operation == "" {
		q.operation = q.Method
	}
}

// named is the operation, "" for one that is not known.
func (q *request) named() string {
	upload := q.query.Has("uploadId")
	copied := q.Header.Get("X-Amz-Copy-Source") != ""
	switch {
	case q.key == "":
		return map[string]string{http.MethodGet: "ListObjectsV2", http.MethodHead: "HeadBucket"}[q.Method]
	case q.Method == http.MethodPut && upload && copied:
		return "UploadPartCopy"
	case q.Method == http.MethodPut && upload:
		return "UploadPart"
	case q.Method == http.MethodPut && copied:
		return "CopyObject"
	case q.Method == http.MethodPost && q.query.Has("uploads"):
		return "CreateMultipartUpload"
	case upload:
		return map[string]string{
			http.MethodPost: "CompleteMultipartUpload", http.MethodDelete: "AbortMultipartUpload", http.MethodGet: "ListParts",
		}[q.Method]
	}
	return map[string]string{
		http.MethodPut: "PutObject", http.MethodGet: "GetObject",
		http.MethodHead: "HeadObject", http.MethodDelete: "DeleteObject",
	}[q.Method]
}

// answer does what is asked for.
func (q *request) answer() {
	switch q.operation {
	case "PutObject":
		q.putObject()
	case "GetObject", "HeadObject":
		q.getObject()
	case "DeleteObject":
		q.s.bucket.remove(q.key)
		q.w.WriteHeader(http.StatusNoContent)
	case "CopyObject":
		q.copyObject()
	case "ListObjectsV2":
		ServeList(q.w, q.Request, q.s.bucket.keys)
	case "HeadBucket":
		q.w.WriteHeader(http.StatusOK)
	case "CreateMultipartUpload":
		q.createUpload()
	case "UploadPart":
		q.uploadPart()
	case "CompleteMultipartUpload":
		q.completeUpload()
	case "AbortMultipartUpload":
		q.abortUpload()
	case "ListParts":
		q.listParts()
	default:
		q.refuse("NotImplemented")
	}
}

// refuse answers with an error of that code.
func (q *request) refuse(code string) {
	q.s.stats.refused.Add(1)
	status, ok := map[string]int{
		"NoSuchKey": http.StatusNotFound, "NoSuchUpload": http.StatusNotFound,
		"PreconditionFailed": http.StatusPreconditionFailed, "InvalidRange": http.StatusRequestedRangeNotSatisfiable,
		"NotImplemented": http.StatusNotImplemented,
	}[code]
	if !ok {
		status = http.StatusBadRequest
	}
	q.w.Header().Set("Content-Type", "application/xml")
	q.w.WriteHeader(status)
	if q.Method != http.MethodHead {
		// Who has gone needs no answer; the codes are all ours.
		_, _ = q.w.Write([]byte("<Error><Code>" + code + "</Code></Error>"))
	}
}

// kept are the headers of a request that an object keeps.
func kept(h http.Header) http.Header {
	keep := make(http.Header)
	for name, values := range h {
		if name == "Content-Type" || strings.HasPrefix(name, "X-Amz-Meta-") {
			keep[name] = values
		}
	}
	return keep
}
