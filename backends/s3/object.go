package s3

import (
	"encoding/base64"
	"maps"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
)

// mark is the metadata key under which each object carries the name of the upload that
// wrote it, so that an upload whose answer was lost can tell whether it took place.
const mark = "causewayupload"

func headed(key string, out *s3.HeadObjectOutput) backends.Object {
	return backends.Object{
		Key: key, Size: aws.ToInt64(out.ContentLength), ETag: unquoted(out.ETag), ModTime: utc(out.LastModified),
		ContentType: aws.ToString(out.ContentType), Metadata: received(out.Metadata),
	}
}

// expires is the Expires header, nil if there is none or it is no date.
func expires(out *s3.HeadObjectOutput) *time.Time {
	t, err := http.ParseTime(aws.ToString(out.ExpiresString))
	if err != nil {
		return nil
	}
	return &t
}

func utc(t *time.Time) time.Time { return aws.ToTime(t).UTC() }

// unquoted is an ETag as we keep it. Servers differ in whether listings quote it.
func unquoted(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }

// quoted is an ETag as a condition, nil for none.
func quoted(etag string) *string {
	if etag == "" {
		return nil
	}
	return aws.String(`"` + etag + `"`)
}

// sent is metadata as headers carry it, with our mark. Values that a header would not
// keep as they are travel encoded by RFC 2047, as the service does it itself.
func sent(m map[string]string, id string) map[string]string {
	headers := make(map[string]string, len(m)+1)
	for k, v := range m {
		if !plain(v) {
			// mime.BEncoding leaves spaces at the ends as they are.
			v = "=?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte(v)) + "?="
		}
		headers[k] = v
	}
	headers[mark] = id
	return headers
}

// plain tells whether v survives as a header and is not mistaken for an encoded word.
func plain(v string) bool {
	odd := func(r rune) bool { return r < ' ' || r > '~' }
	return strings.TrimSpace(v) == v && strings.IndexFunc(v, odd) < 0 && !strings.Contains(v, "=?")
}

// received is the metadata that others shall see.
func received(headers map[string]string) map[string]string {
	m := make(map[string]string, len(headers))
	maps.Copy(m, headers)
	delete(m, mark)
	var words mime.WordDecoder
	for k, v := range m {
		if text, err := words.DecodeHeader(v); err == nil {
			m[k] = text
		}
	}
	return m
}
