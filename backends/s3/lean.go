package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	xmlerror "github.com/aws/aws-sdk-go-v2/aws/protocol/xml"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth"
	"github.com/aws/smithy-go/encoding/httpbinding"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// unsigned is the hash of a payload that the signature does not cover; it covers the
	// payload's checksum, which is a header.
	unsigned = "UNSIGNED-PAYLOAD"
	// maxAnswer is how much of an answer that is no object is read, in octets.
	maxAnswer = 64 << 10
)

// lean makes the two requests that most of a gateway's work is made of, PutObject and
// GetObject, without the SDK's stack of forty layers, which takes more CPU than all else
// that a small file costs. Endpoint, credentials, signature and the judgement of errors are
// the SDK's. lean knows how it goes well, and plain refusals; what the SDK would repeat is
// handed to the SDK, and so is everything of a bucket that wants more than Signature
// Version 4. It is safe for concurrent use.
type lean struct {
	sdk         *s3.Client
	wire        http.RoundTripper
	signer      *v4.Signer
	credentials aws.CredentialsProvider
	retryer     aws.RetryerV2
	region      string  // to sign for
	bucket      url.URL // all objects are below it

	// off says that all is the SDK's: from the beginning, or since the store has found
	// fault with this machine's clock, which the SDK knows to allow for.
	off atomic.Bool
}

// newLean makes requests for one bucket, with sdk's options, by wire.
func newLean(ctx context.Context, sdk *s3.Client, bucket string, wire http.RoundTripper) *lean {
	o := sdk.Options()
	retryer, known := o.Retryer.(aws.RetryerV2)
	l := &lean{sdk: sdk, wire: wire, credentials: o.Credentials, retryer: retryer}
	l.signer = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	l.off.Store(!known || !l.resolve(ctx, o, bucket))
	return l
}

// resolve finds out where the bucket is and how requests are signed for it, and reports
// false if that is for the SDK to say, or to do.
func (l *lean) resolve(ctx context.Context, o s3.Options, bucket string) bool {
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, s3.EndpointParameters{
		Bucket: &bucket, Region: &o.Region, Endpoint: o.BaseEndpoint, ForcePathStyle: &o.UsePathStyle,
	}.WithDefaults())
	if err != nil || len(endpoint.Headers) > 0 || o.Credentials == nil || strings.HasPrefix(bucket, "arn:") {
		return false
	}
	schemes, _ := auth.GetAuthOptions(&endpoint.Properties)
	if len(schemes) == 0 || schemes[0].SchemeID != "sigv4" {
		return false
	}
	name, _ := smithyhttp.GetSigV4SigningName(&schemes[0].SignerProperties)
	l.region, _ = smithyhttp.GetSigV4SigningRegion(&schemes[0].SignerProperties)
	l.bucket = endpoint.URI
	return name == "s3" && l.region != ""
}

// put is the SDK's PutObject for what this package asks of it. The body is an io.Seeker at
// its beginning, of ContentLength octets.
func (l *lean) put(ctx context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	if l.off.Load() {
		return l.sdk.PutObject(ctx, in)
	}
	r := l.request(ctx, http.MethodPut, *in.Key)
	r.Header = putHeader(in)
	if r.ContentLength = *in.ContentLength; r.ContentLength > 0 {
		r.Body = &lent{octets: in.Body}
	}
	answer, err := l.send(r) //nolint:bodyclose // taken closes it
	if err == nil {
		err = taken(answer)
	}
	if err == nil {
		l.earn(ctx)
		return &s3.PutObjectOutput{ETag: headerOf(answer.Header, "Etag")}, nil
	}
	done, err := l.again(ctx, operation("PutObject", err))
	if err != nil {
		return nil, err
	}
	if _, err := in.Body.(io.Seeker).Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	out, err := l.sdk.PutObject(ctx, in)
	_ = done(err) // it never fails
	return out, err
}

// get is the SDK's GetObject for what this package asks of it. The caller closes the body.
func (l *lean) get(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	if l.off.Load() {
		return l.sdk.GetObject(ctx, in)
	}
	r := l.request(ctx, http.MethodGet, *in.Key)
	set(r.Header, "If-Match", in.IfMatch)
	set(r.Header, "Range", in.Range)
	answer, err := l.send(r) //nolint:bodyclose // the caller closes it
	if err == nil {
		l.earn(ctx)
		return got(answer), nil
	}
	done, err := l.again(ctx, operation("GetObject", err))
	if err != nil {
		return nil, err
	}
	out, err := l.sdk.GetObject(ctx, in)
	_ = done(err) // it never fails
	return out, err
}

func operation(name string, err error) error {
	return &smithy.OperationError{ServiceID: s3.ServiceID, OperationName: name, Err: err}
}

// again decides what becomes of a request that has failed with err: it returns err, or
// after a pause what is to be told of how the SDK has fared with it.
func (l *lean) again(ctx context.Context, err error) (done func(error) error, _ error) {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "RequestTimeTooSkewed" {
		l.off.Store(true)
		return func(error) error { return nil }, nil
	}
	if !l.retryer.IsErrorRetryable(err) {
		return nil, err
	}
	done, spent := l.retryer.GetRetryToken(ctx, err)
	if spent != nil {
		return nil, errors.Join(err, spent)
	}
	if d, perr := l.retryer.RetryDelay(1, err); perr != nil || !rest(ctx, d) {
		return nil, err
	}
	return done, nil
}

// earn pays a success into the SDK's budget for retries, of which again takes. Nothing else
// would fill it after an outage where all requests are put and get.
func (l *lean) earn(ctx context.Context) {
	if paid, err := l.retryer.GetAttemptToken(ctx); err == nil {
		_ = paid(nil) // it never fails
	}
}

// request is one for an object, not signed yet.
func (l *lean) request(ctx context.Context, method, key string) *http.Request {
	u := l.bucket
	u.RawPath = strings.TrimSuffix(u.EscapedPath(), "/") + "/" + httpbinding.EscapePath(key, false)
	u.Path = strings.TrimSuffix(u.Path, "/") + "/" + key
	r := &http.Request{Method: method, URL: &u, Host: u.Host, Header: make(http.Header, 8)}
	return r.WithContext(ctx)
}

// send signs and makes a request. Its answer is a success.
func (l *lean) send(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	who, err := l.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("get credentials: %w", err)
	}
	r.Header["X-Amz-Content-Sha256"] = []string{unsigned}
	if err := l.signer.SignHTTP(ctx, who, r, unsigned, "s3", l.region, time.Now()); err != nil {
		return nil, err
	}
	// What proxies may change is not signed.
	r.Header["User-Agent"], r.Header["Accept-Encoding"] = []string{"causeway"}, []string{"identity"}
	answer, err := l.wire.RoundTrip(r)
	if r.Body != nil {
		_ = r.Body.Close() // takes it back, and cannot fail
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, &smithy.CanceledError{Err: ctx.Err()}
	case err != nil:
		return nil, &smithyhttp.RequestSendError{Err: err}
	case answer.StatusCode < 200 || answer.StatusCode >= 300:
		return nil, refused(answer)
	}
	return answer, nil
}

// taken reads the answer to a PutObject, in which servers that have begun it too early
// tell of an error nevertheless.
func taken(answer *http.Response) error {
	text, err := read(answer)
	if err == nil && bytes.Contains(text, []byte("<Error")) {
		answer.StatusCode = http.StatusInternalServerError // as the SDK has it
		return refusal(answer, text)
	}
	return err
}

// refused is the error that an answer tells.
func refused(answer *http.Response) error {
	text, err := read(answer)
	if err != nil {
		return err
	}
	return refusal(answer, text)
}

// read reads an answer that is no object, and closes it.
func read(answer *http.Response) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	_ = answer.Body.Close() // what was read is all that counts
	if err != nil {
		return nil, fmt.Errorf("answer cut short: %w", err)
	}
	return text, nil
}

// refusal is an error as the SDK would tell it.
func refusal(answer *http.Response, text []byte) error {
	told, err := xmlerror.GetErrorResponseComponents(bytes.NewReader(text), true)
	if err != nil || told.Code == "" {
		told.Code = strings.ReplaceAll(http.StatusText(answer.StatusCode), " ", "")
	}
	return &awshttp.ResponseError{
		RequestID: answer.Header.Get("X-Amz-Request-Id"),
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: answer},
			Err:      &smithy.GenericAPIError{Code: told.Code, Message: told.Message},
		},
	}
}
