package s3

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"causeway/backends"
)

// maxPageBody is the longest answer that is read as a whole: a page of the longest keys, each
// octet of them escaped. A longer one is left to the SDK, which reads octet by octet.
const maxPageBody = 4 << 20

// pageReader reads the answer to one ListObjectsV2 by [scanPage], inside the SDK's retries,
// and leaves to the SDK what scanPage does not know.
type pageReader struct {
	store *Store
	page  backends.Page
	read  bool // page is the answer; else the SDK has it
}

// option makes the call's answers go through the reader.
func (r *pageReader) option(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(r, middleware.After)
	})
}

// ID names the reader among the SDK's middleware.
func (*pageReader) ID() string { return "pageReader" }

// HandleDeserialize is called once for each attempt.
func (r *pageReader) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	r.page, r.read = backends.Page{}, false
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if response, ok := out.RawResponse.(*smithyhttp.Response); ok && err == nil && response.StatusCode == http.StatusOK {
		response.Body = r.take(response.Body)
	}
	return out, metadata, err
}

// take reads a body, and returns what is left for the SDK: nothing, or all of it.
func (r *pageReader) take(body io.ReadCloser) io.ReadCloser {
	buf, _ := r.store.pages.Get().(*bytes.Buffer)
	if buf == nil {
		buf = new(bytes.Buffer)
	}
	buf.Reset()
	_, err := buf.ReadFrom(io.LimitReader(body, maxPageBody))
	if err == nil {
		r.page, r.read = scanPage(buf.Bytes())
	}
	left := replacement{Closer: body}
	if r.read {
		r.store.pages.Put(buf)
		left.Reader = strings.NewReader("<ListBucketResult/>")
	} else {
		left.Reader = io.MultiReader(buf, failing{err}, body)
	}
	return left
}

// replacement is a body to be read in place of that which is closed.
type replacement struct {
	io.Reader
	io.Closer
}

// failing is the error that a body's reading has ended with, an end if it is nil.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}
