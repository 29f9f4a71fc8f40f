package s3

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"causeway/backends"
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

// retryer repeats what the SDK's own does, and what was damaged or cut short on its way. The
// SDK's budget for all retries of a client stays: a store that is down is not stormed.
func retryer() aws.RetryerV2 {
	return telling{retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(pause)
		o.Retryables = append(o.Retryables,
			retry.RetryableErrorCode{Codes: map[string]struct{}{"BadDigest": {}, "IncompleteBody": {}}},
			retry.IsErrorRetryableFunc(cutShort))
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(stalled)}, o.Retryables...)
	})}
}

// telling tells of the retries that next grants.
type telling struct{ next aws.RetryerV2 }

// IsErrorRetryable is [aws.Retryer.IsErrorRetryable].
func (t telling) IsErrorRetryable(err error) bool { return t.next.IsErrorRetryable(err) }

// MaxAttempts is [aws.Retryer.MaxAttempts].
func (t telling) MaxAttempts() int { return t.next.MaxAttempts() }

// RetryDelay is [aws.Retryer.RetryDelay].
func (t telling) RetryDelay(attempt int, err error) (time.Duration, error) {
	return t.next.RetryDelay(attempt, err)
}

// GetRetryToken is [aws.Retryer.GetRetryToken]. A retry that is granted is made, unless the
// call is cancelled during the pause before it.
func (t telling) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	done, spent := t.next.GetRetryToken(ctx, err)
	if spent == nil {
		backends.Retried(ctx)
	}
	return done, spent
}

// GetInitialToken is [aws.Retryer.GetInitialToken].
func (t telling) GetInitialToken() func(error) error { return t.next.GetInitialToken() } //nolint:staticcheck // the interface has it still

// GetAttemptToken is [aws.RetryerV2.GetAttemptToken].
func (t telling) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	return t.next.GetAttemptToken(ctx)
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
