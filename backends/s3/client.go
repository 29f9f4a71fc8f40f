package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"causeway/backends/transport"
)

const (
	// attempts is how often a request is sent. With the pauses they make an outage of some
	// seconds pass unnoticed, and a longer one known in about ten.
	attempts = 10
	// The pause before an attempt is random between nothing and a bound that doubles from
	// firstPause to lastPause.
	firstPause = 100 * time.Millisecond
	lastPause  = 2 * time.Second
)

// options are those of the SDK's client, but for its HTTP client.
func options(ctx context.Context, c Config) (s3.Options, error) {
	o := s3.Options{
		Region:       c.Region,
		UsePathStyle: c.PathStyle,
		Retryer:      retryer(),
		Logger:       logging.Nop{}, // what matters is in the errors
		// Each request carries a CRC32C computed once; the SDK's own would be a second.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		// "Expect: 100-continue" would cost a round trip for each part.
		ContinueHeaderThresholdBytes: -1,
		// Over https the SDK does not hash payloads either. Over http the signed header
		// with the CRC32C still protects them from damage, at a tenth of the cost.
		APIOptions: []func(*middleware.Stack) error{v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware},
	}
	if c.Endpoint != "" {
		o.BaseEndpoint = &c.Endpoint
	}
	if c.AccessKey != "" {
		o.Credentials = aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, ""))
	} else if err := fromEnvironment(ctx, &o); err != nil {
		return o, err
	}
	if o.Region == "" && c.Endpoint != "" {
		o.Region = "us-east-1" // what compatible servers take unless told otherwise
	}
	if o.Region == "" {
		return o, errors.New("s3: no region is set, here or in the environment")
	}
	return o, nil
}

// fromEnvironment takes credentials, and the region if there is none yet, from the SDK's
// default chain. Nothing else: an AWS_ENDPOINT_URL in the environment would move the bucket.
func fromEnvironment(ctx context.Context, o *s3.Options) error {
	c, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	if err != nil {
		return fmt.Errorf("s3: default configuration: %w", err)
	}
	o.Credentials = c.Credentials // cached by the SDK
	if o.Region == "" {
		o.Region = c.Region
	}
	return nil
}

// retryer repeats what the SDK's own does, and what was damaged or cut short on its way. The
// SDK's budget for all retries of a client stays: a store that is down is not stormed.
func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(pause)
		o.Retryables = append(o.Retryables,
			retry.RetryableErrorCode{Codes: map[string]struct{}{"BadDigest": {}, "IncompleteBody": {}}},
			retry.IsErrorRetryableFunc(cutShort))
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(stalled)}, o.Retryables...)
	})
}

// pause is the time before an attempt after the one given.
func pause(attempt int, _ error) (time.Duration, error) {
	bound := firstPause
	for range attempt {
		bound = min(2*bound, lastPause)
	}
	return rand.N(bound), nil
}

// stalled finds requests that have waited long enough: ten times that would be minutes.
func stalled(err error) aws.Ternary {
	if errors.Is(err, transport.ErrStalled) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// cutShort finds answers that ended before their time.
func cutShort(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// once is the option of calls that package multipart repeats.
func once(o *s3.Options) { o.RetryMaxAttempts = 1 }

// client never follows a redirect: one would take objects to a host that nobody configured.
func client(t http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
