package s3

import (
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// metaPrefix begins the headers of metadata, in Go's canonical form.
const metaPrefix = "X-Amz-Meta-"

// putHeader is the header of a PutObject.
func putHeader(in *s3.PutObjectInput) http.Header {
	h := make(http.Header, 16)
	h["Content-Type"] = []string{"application/octet-stream"} // the SDK's default
	set(h, "Content-Type", in.ContentType)
	set(h, "X-Amz-Checksum-Crc32c", in.ChecksumCRC32C)
	set(h, "If-Match", in.IfMatch)
	set(h, "If-None-Match", in.IfNoneMatch)
	set(h, "Cache-Control", in.CacheControl)
	set(h, "Content-Disposition", in.ContentDisposition)
	set(h, "Content-Encoding", in.ContentEncoding)
	set(h, "Content-Language", in.ContentLanguage)
	set(h, "X-Amz-Website-Redirect-Location", in.WebsiteRedirectLocation)
	if in.StorageClass != "" {
		h["X-Amz-Storage-Class"] = []string{string(in.StorageClass)}
	}
	if in.Expires != nil {
		h["Expires"] = []string{in.Expires.UTC().Format(http.TimeFormat)}
	}
	for k, v := range in.Metadata {
		h.Set(metaPrefix+k, v)
	}
	return h
}

// set sets a header in its canonical form, unless there is no value.
func set(h http.Header, name string, value *string) {
	if value != nil {
		h[name] = []string{*value}
	}
}

// headerOf is a header's value, nil if there is none.
func headerOf(h http.Header, name string) *string {
	if v := h[name]; len(v) > 0 {
		return &v[0]
	}
	return nil
}

// got is the answer to a GetObject.
func got(answer *http.Response) *s3.GetObjectOutput {
	h := answer.Header
	out := &s3.GetObjectOutput{
		Body: answer.Body, ETag: headerOf(h, "Etag"), ContentType: headerOf(h, "Content-Type"),
		ContentRange: headerOf(h, "Content-Range"), Metadata: make(map[string]string),
	}
	if answer.ContentLength >= 0 {
		out.ContentLength = aws.Int64(answer.ContentLength)
	}
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		out.LastModified = &t
	}
	for name, values := range h {
		if k, ok := strings.CutPrefix(name, metaPrefix); ok {
			out.Metadata[strings.ToLower(k)] = values[0]
		}
	}
	return out
}

// lent is the body of a request until it is closed. HTTP transports may go on reading the
// body of a request that has failed, while it is sent once more or its memory is another's.
type lent struct {
	mu     sync.Mutex
	octets io.Reader // nil once closed
}

func (l *lent) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.octets == nil {
		return 0, fs.ErrClosed
	}
	return l.octets.Read(p)
}

func (l *lent) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.octets = nil
	return nil
}
