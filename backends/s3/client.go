package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
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

// once is the option of calls that package multipart repeats.
func once(o *s3.Options) { o.RetryMaxAttempts = 1 }

// client never follows a redirect: one would take objects to a host that nobody configured.
func client(t http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
