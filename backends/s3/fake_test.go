package s3

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends/multipart"
)

// fake is an S3 server in memory with one bucket. It answers as AWS does, unless lax: then
// it ignores the conditions of CopyObject and DeleteObject, as MinIO does.
type fake struct {
	lax bool

	// before may answer a request by itself, and reports whether it did. after may do so
	// when the request has taken effect. Both may panic(http.ErrAbortHandler) to cut
	// the connection.
	before, after func(w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	requests []*http.Request
	objects  map[string]*fakeObject
	uploads  map[string]*fakeUpload
	serial   int
}

type fakeObject struct {
	content []byte
	etag    string
	header  http.Header
	time    time.Time
}

type fakeUpload struct {
	key    string
	header http.Header
	parts  map[int]*fakeObject
}

// fakePartSize is the least size of a part in octets. Real ones, watched by the race
// detector, would take minutes.
const fakePartSize = 64 << 10

// serve starts a fake and opens a store on it.
func serve(t *testing.T, f *fake) *Store {
	t.Helper()
	f.objects, f.uploads = map[string]*fakeObject{}, map[string]*fakeUpload{}
	s := storeOn(t, f)
	s.aws, s.limits.PartSize, s.least = !f.lax, fakePartSize, fakePartSize
	return s
}

// storeOn opens a store on a server of any kind.
func storeOn(t testing.TB, h http.Handler) *Store {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	s, err := New(t.Context(), Config{
		Bucket: "bucket", Endpoint: server.URL, PathStyle: true, AccessKey: "key", SecretKey: "secret",
		Budget: multipart.NewBudget(64<<20, nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.limits.Pause = time.Millisecond
	s.client = s3.New(s.client.Options(), func(o *s3.Options) {
		o.Retryer = retry.AddWithMaxBackoffDelay(o.Retryer, time.Millisecond)
	})
	s.lean = newLean(t.Context(), s.client, s.bucket, &s.identity)
	return s
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r)
	f.mu.Unlock()
	if f.before != nil && f.before(w, r) {
		return
	}
	body := make([]byte, max(r.ContentLength, 0))
	if _, err := io.ReadFull(r.Body, body); err != nil {
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder()
	f.mu.Lock()
	f.handle(answer, r, body)
	f.mu.Unlock()
	if f.after != nil && f.after(w, r) {
		return
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// recordID is the random part of a record's key, or its first half. Read only.
var recordID = regexp.MustCompile(`~([A-Z2-7]{26}|[A-Z2-7]{13}\b)`)

// asked is the requests so far, as "METHOD path?query" with ids and the SDK's own
// parameter left out, and forgets them.
func (f *fake) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var lines []string
	for _, r := range f.requests {
		q := r.URL.Query()
		q.Del("x-id")
		q.Del("uploadId")
		line := strings.TrimSuffix(r.Method+" "+strings.TrimPrefix(r.URL.Path, "/bucket")+"?"+q.Encode(), "?")
		lines = append(lines, recordID.ReplaceAllString(line, "~ID"))
	}
	f.requests = nil
	return lines
}

func (f *fake) handle(w http.ResponseWriter, r *http.Request, body []byte) {
	key := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/bucket"), "/")
	q := r.URL.Query()
	upload, inParts := f.uploads[q.Get("uploadId")]
	switch {
	case q.Has("uploadId") && !inParts:
		refuse(w, http.StatusNotFound, "NoSuchUpload")
	case r.Method == http.MethodGet && inParts:
		listParts(w, q, upload)
	case r.Method == http.MethodGet && q.Has("uploads"):
		f.listUploads(w)
	case r.Method == http.MethodGet && q.Has("list-type"):
		f.list(w, q)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		f.get(w, r, key)
	case r.Method == http.MethodPost && q.Has("uploads"):
		f.serial++
		id := fmt.Sprint("upload-", f.serial)
		f.uploads[id] = &fakeUpload{key: key, header: r.Header, parts: map[int]*fakeObject{}}
		answerXML(w, struct {
			XMLName xml.Name `xml:"InitiateMultipartUploadResult"`
			ID      string   `xml:"UploadId"`
		}{ID: id})
	case r.Method == http.MethodPost:
		f.complete(w, r, key, upload, body)
	case r.Method == http.MethodPut:
		f.put(w, r, key, upload, body)
	case inParts:
		delete(f.uploads, q.Get("uploadId"))
		w.WriteHeader(http.StatusNoContent)
	default:
		f.delete(w, r, key)
	}
}

// condition refuses a write whose conditions do not hold.
func (f *fake) condition(w http.ResponseWriter, r *http.Request, key string) bool {
	o, exists := f.objects[key]
	match := r.Header.Get("If-Match")
	switch {
	case r.Header.Get("If-None-Match") == "*" && exists:
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
	case match != "" && !exists:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	case match != "" && match != o.etag:
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
	default:
		return true
	}
	return false
}

func (f *fake) put(w http.ResponseWriter, r *http.Request, key string, upload *fakeUpload, body []byte) {
	source, copies := r.Header["X-Amz-Copy-Source"]
	if !(copies && f.lax) && upload == nil && !f.condition(w, r, key) {
		return
	}
	o := &fakeObject{content: body, header: r.Header, time: time.Now()}
	if !copies && !intact(r, upload, body) {
		refuse(w, http.StatusBadRequest, "BadDigest")
		return
	}
	if copies && !f.copySource(w, r, key, o, source[0]) {
		return
	}
	f.serial++
	o.etag = fmt.Sprintf(`"%08x"`, f.serial)
	if upload == nil {
		f.objects[key] = o
	} else {
		n, _ := strconv.Atoi(r.URL.Query().Get("partNumber"))
		sum := md5.Sum(o.content)
		o.etag = fmt.Sprintf(`"%x"`, sum)
		upload.parts[n] = o
	}
	w.Header().Set("ETag", o.etag)
	if copies {
		result := struct {
			XMLName      xml.Name
			ETag         string
			LastModified time.Time
		}{xml.Name{Local: "CopyResult"}, o.etag, o.time}
		answerXML(w, result)
	}
}

// copySource makes o what the request says of its source.
func (f *fake) copySource(w http.ResponseWriter, r *http.Request, key string, o *fakeObject, source string) bool {
	source, err := url.PathUnescape(source)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidArgument")
		return false
	}
	from, ok := f.objects[strings.TrimPrefix(source, "bucket/")]
	replace := r.Header.Get("X-Amz-Metadata-Directive") == "REPLACE"
	switch match := r.Header.Get("X-Amz-Copy-Source-If-Match"); {
	case !ok:
		refuse(w, http.StatusNotFound, "NoSuchKey")
		return false
	case match != "" && match != from.etag:
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return false
	case from == f.objects[key] && !replace && !r.URL.Query().Has("uploadId"):
		refuse(w, http.StatusBadRequest, "InvalidRequest")
		return false
	}
	o.content = from.content
	if !replace {
		o.header = from.header.Clone()
		o.header.Del("X-Amz-Storage-Class") // is the request's
	}
	var first, last int
	if span := r.Header.Get("X-Amz-Copy-Source-Range"); span != "" {
		fmt.Sscanf(span, "bytes=%d-%d", &first, &last)
		o.content = from.content[first : last+1]
	}
	return true
}

// kept are the headers of an upload that come back with the object. Read only.
var kept = []string{"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires",
	"X-Amz-Storage-Class", "X-Amz-Website-Redirect-Location"}

func (f *fake) get(w http.ResponseWriter, r *http.Request, key string) {
	o, ok := f.objects[key]
	if !ok {
		refuse(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	if match := r.Header.Get("If-Match"); match != "" && match != o.etag {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	for k, v := range o.header {
		if strings.HasPrefix(k, "X-Amz-Meta-") || slices.Contains(kept, k) {
			w.Header()[k] = v
		}
	}
	w.Header().Set("ETag", o.etag)
	if r.Header.Get("Range") != "" && len(o.content) == 0 {
		refuse(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange")
		return
	}
	http.ServeContent(w, r, "", o.time, bytes.NewReader(o.content))
}

func (f *fake) delete(w http.ResponseWriter, r *http.Request, key string) {
	if !f.lax && !f.condition(w, r, key) {
		return
	}
	delete(f.objects, key)
	w.WriteHeader(http.StatusNoContent)
}

// list is ListObjectsV2. Its token is the last entry of the page.
func (f *fake) list(w http.ResponseWriter, q url.Values) {
	type entry struct {
		Key, ETag    string
		Size         int
		LastModified time.Time
	}
	type prefix struct{ Prefix string }
	var out struct {
		XMLName                             xml.Name `xml:"ListBucketResult"`
		IsTruncated                         bool
		EncodingType, NextContinuationToken string
		Contents                            []entry
		CommonPrefixes                      []prefix
	}
	out.EncodingType = q.Get("encoding-type")
	limit := 1000
	if n, err := strconv.Atoi(q.Get("max-keys")); err == nil {
		limit = min(limit, n)
	}
	last := q.Get("continuation-token")
	for _, key := range slices.Sorted(maps.Keys(f.objects)) {
		name, rest := key, strings.TrimPrefix(key, q.Get("prefix"))
		if i := strings.Index(rest, "/"); i >= 0 && q.Get("delimiter") != "" {
			name = key[:len(key)-len(rest)+i+1]
		}
		if !strings.HasPrefix(key, q.Get("prefix")) || name <= last {
			continue
		}
		if len(out.Contents)+len(out.CommonPrefixes) == limit {
			out.IsTruncated, out.NextContinuationToken = true, last
			break
		}
		last = name
		if name != key || q.Get("delimiter") != "" && strings.Contains(rest, "/") {
			out.CommonPrefixes = append(out.CommonPrefixes, prefix{url.QueryEscape(name)})
			continue
		}
		o := f.objects[key]
		out.Contents = append(out.Contents, entry{url.QueryEscape(key), o.etag, len(o.content), o.time.UTC()})
	}
	answerXML(w, out)
}

func answerXML(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/xml")
	xml.NewEncoder(w).Encode(v)
}

// refuse answers with an error as S3 does.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>told by the fake</Message></Error>", code)
}

func checksum(p []byte) string {
	sum := crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}
