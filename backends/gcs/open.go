package gcs

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/api/googleapi"

	"causeway/backends"
	"causeway/backends/transport"
)

// Open is [backends.Backend.Open]. It does not use the SDK's reader, which reopens a
// broken body without a limit and tells no MD5.
func (s *Store) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	if err := check("open", key); err != nil {
		return nil, err
	}
	c, err := conditionOf("open", key, o.IfMatch, false)
	if err != nil {
		return nil, err
	}
	if o.Offset < 0 || o.Length < 0 {
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrRange}
	}
	r, err := s.open(ctx, key, o, c)
	if errors.Is(kind(c, err), backends.ErrRange) {
		return s.openEnd(ctx, key, o, c)
	}
	return r, failure("open", key, c, err)
}

func (s *Store) open(ctx context.Context, key string, o backends.OpenOptions, c condition) (*backends.Reader, error) {
	res, err := s.get(ctx, key, o, c)
	if err != nil {
		return nil, err
	}
	content, err := described(key, res)
	if err == nil && c.generation != 0 && content.ETag != etag(c.generation) {
		// Servers that imitate the service may ignore the condition.
		err = &backends.Error{Op: "open", Key: key, Kind: backends.ErrChanged}
	}
	if err != nil {
		_ = res.Body.Close() // the first error is the one to tell
		return nil, err
	}
	return &backends.Reader{Object: content.Object, ReadCloser: ranged(ctx, content, res.Body, o)}, nil
}

// ranged reads a range, and checks a whole object's checksum.
func ranged(ctx context.Context, of content, octets io.ReadCloser, o backends.OpenOptions) io.ReadCloser {
	want := of.Size - o.Offset
	if o.Length > 0 {
		want = min(want, o.Length)
	}
	b := &body{ReadCloser: transport.Exactly(ctx, octets, want), key: of.Key}
	if of.checked && want == of.Size {
		b.left, b.want, b.checked = want, of.crc32c, true
	}
	return b
}

// openEnd answers for a range that the service cannot satisfy: at the object's end there
// is nothing to read, past it there is no such offset.
func (s *Store) openEnd(ctx context.Context, key string, o backends.OpenOptions, c condition) (*backends.Reader, error) {
	a, err := s.attrs(ctx, key)
	if err != nil {
		return nil, failure("open", key, condition{}, err)
	}
	switch {
	case c.generation != 0 && a.Generation != c.generation:
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrChanged}
	case o.Offset != a.Size:
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrRange}
	}
	return &backends.Reader{Object: describe(a), ReadCloser: http.NoBody}, nil
}

// get returns an answer of 200 or 206, whose body the caller closes.
func (s *Store) get(ctx context.Context, key string, o backends.OpenOptions, c condition) (*http.Response, error) {
	var res *http.Response
	err := s.retry(ctx, func() (err error) {
		res, err = s.getOnce(ctx, key, o, c) //nolint:bodyclose // the caller closes it
		return err
	})
	return res, err
}

func (s *Store) getOnce(ctx context.Context, key string, o backends.OpenOptions, c condition) (*http.Response, error) {
	u := s.base
	u.Path = "/" + s.name + "/" + key
	u.RawPath = "/" + s.name + "/" + url.PathEscape(key)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	// The octets as they are stored: a REST offset counts those, and their checksum is theirs.
	req.Header.Set("Accept-Encoding", "gzip")
	if c.generation != 0 {
		req.Header.Set("X-Goog-If-Generation-Match", etag(c.generation))
	}
	switch {
	case o.Length > 0:
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", o.Offset, o.Offset+o.Length-1))
	case o.Offset > 0:
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", o.Offset))
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusPartialContent || res.StatusCode == http.StatusOK && o.Offset == 0 {
		return res, nil
	}
	defer res.Body.Close() //nolint:errcheck // an answer that is an error
	if res.StatusCode < http.StatusBadRequest {
		// Not worth a retry: such a server does not know ranges.
		return nil, &backends.Error{Op: "open", Key: key, Kind: errors.ErrUnsupported,
			Err: fmt.Errorf("answer %s to a request for a range", res.Status)}
	}
	return nil, refusal(res)
}

// maxRefusal is how much of an error's text is read, in octets.
const maxRefusal = 16 << 10

// refusal is the error that an answer of the XML API tells, in the type of the JSON API.
func refusal(res *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(res.Body, maxRefusal)) // what is there of it
	answer := &googleapi.Error{Code: res.StatusCode, Header: res.Header, Body: string(text)}
	var told struct{ Code, Message string }
	if xml.Unmarshal(text, &told) == nil {
		answer.Message = told.Message
		answer.Errors = []googleapi.ErrorItem{{Reason: told.Code, Message: told.Message}}
	}
	return answer
}

// content is what the headers of an answer tell of an object.
type content struct {
	backends.Object
	crc32c  uint32
	checked bool // crc32c is known
}

// metaPrefix begins the headers of metadata, in Go's canonical form.
const metaPrefix = "X-Goog-Meta-"

func described(key string, res *http.Response) (content, error) {
	c := content{Object: backends.Object{
		Key: key, ETag: res.Header.Get("X-Goog-Generation"), ContentType: res.Header.Get("Content-Type"),
	}}
	var err error
	if c.Size, err = sizeOf(res); err != nil {
		return c, err
	}
	if _, ok := generation(c.ETag); !ok {
		return c, fmt.Errorf("answer without a generation: %q", c.ETag)
	}
	if t, err := http.ParseTime(res.Header.Get("Last-Modified")); err == nil {
		c.ModTime = t.UTC()
	}
	metadata := make(map[string]string)
	for name := range res.Header {
		if k, ok := strings.CutPrefix(name, metaPrefix); ok {
			metadata[k] = res.Header.Get(name)
		}
	}
	c.Metadata = shown(metadata)
	c.hashes(res.Header.Values("X-Goog-Hash"))
	return c, nil
}

// sizeOf is the size of the whole object in octets.
func sizeOf(res *http.Response) (int64, error) {
	if res.StatusCode == http.StatusOK {
		if res.ContentLength < 0 {
			return 0, errors.New("answer without a length")
		}
		return res.ContentLength, nil
	}
	of := res.Header.Get("Content-Range")
	_, total, _ := strings.Cut(of, "/")
	n, err := strconv.ParseUint(total, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("range %q of an answer: %w", of, err)
	}
	return int64(n), nil
}

// hashes reads "crc32c=…" and "md5=…", in one header or two.
func (c *content) hashes(headers []string) {
	for _, h := range strings.Split(strings.Join(headers, ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(h), "=")
		sum, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			continue
		}
		switch {
		case name == "crc32c" && len(sum) == 4:
			c.crc32c, c.checked = uint32(sum[0])<<24|uint32(sum[1])<<16|uint32(sum[2])<<8|uint32(sum[3]), true
		case name == "md5":
			c.Sums = map[backends.Sum][]byte{backends.MD5: sum}
		}
	}
}
