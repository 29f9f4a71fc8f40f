package s3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
)

const (
	// dialTime and attempts together answer for a store that is gone within quick.
	dialTime = 3 * time.Second
	attempts = 3
	// answerTime is how long a server may take between the last octet of a request and
	// the first of its answer.
	answerTime = 30 * time.Second
	// progressTime is how long a connection may take no octet, or a body bring none.
	progressTime = 30 * time.Second
)

// options are those of the SDK's client, but for its HTTP client.
func options(ctx context.Context, c Config) (s3.Options, error) {
	o := s3.Options{
		Region:       c.Region,
		UsePathStyle: c.PathStyle,
		Retryer:      retryer(),
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
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("s3: default configuration: %w", err)
	}
	o.Credentials = c.Credentials // cached by the SDK
	if o.Region == "" {
		o.Region = c.Region
	}
	return nil
}

func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = time.Second
	})
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

// transport makes connections that cannot hang: to open, to send, or to be answered in
// answer after that. Bodies that come back are watched by their readers.
func transport(answer time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTime}
	// One connection per request in flight beats streams that share one.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return sending{conn}, nil
		},
		Protocols:             protocols,
		TLSHandshakeTimeout:   dialTime,
		ResponseHeaderTimeout: answer,
		IdleConnTimeout:       time.Minute,
		MaxIdleConns:          0, // no limit but the next
		MaxIdleConnsPerHost:   256,
		WriteBufferSize:       64 << 10,
		ReadBufferSize:        64 << 10,
		DisableCompression:    true, // objects are what they are
	}
}

// sending is a connection whose peer must keep taking what is sent.
type sending struct{ net.Conn }

func (c sending) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(progressTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
