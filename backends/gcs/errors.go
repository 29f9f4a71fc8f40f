package gcs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"causeway/backends"
	"causeway/backends/transport"
)

// noBucket is the reason of a 404 in the XML API that is the bucket's.
const noBucket = "NoSuchBucket"

// failure puts err, of a verb with the given condition on its destination, into the
// store's words. nil stays nil.
func failure(op, key string, c condition, err error) error {
	var known *backends.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &backends.Error{Op: op, Key: key, Kind: kind(c, err), Err: explained(err)}
}

// kind is the one map from the service's errors to kinds
// (cloud.google.com/storage/docs/json_api/v1/status-codes). c says what a failed
// precondition means.
func kind(c condition, err error) error {
	var answer *googleapi.Error
	switch {
	case errors.Is(err, storage.ErrBucketNotExist):
		return backends.ErrUnavailable // the operator's fault and to mend, not the client's
	case errors.Is(err, storage.ErrObjectNotExist):
		return fs.ErrNotExist
	case !errors.As(err, &answer):
		return backends.ErrUnavailable // no answer, or none that makes sense
	}
	switch answer.Code {
	case http.StatusBadRequest:
		return fs.ErrInvalid
	case http.StatusForbidden:
		if throttled(answer) {
			return backends.ErrUnavailable
		}
		return fs.ErrPermission
	case http.StatusNotFound:
		if reason(answer, noBucket) {
			return backends.ErrUnavailable
		}
		return fs.ErrNotExist
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return errors.ErrUnsupported
	case http.StatusPreconditionFailed:
		if c.absent {
			return fs.ErrExist
		}
		return backends.ErrChanged
	case http.StatusRequestEntityTooLarge, http.StatusInsufficientStorage:
		return backends.ErrQuota
	case http.StatusRequestedRangeNotSatisfiable:
		return backends.ErrRange
	}
	return backends.ErrUnavailable // 401, 408, 409, 429, 5xx
}

// explained is err led by what an operator has to mend, where that is known.
func explained(err error) error {
	var answer *googleapi.Error
	var token *auth.Error
	switch {
	case errors.As(err, &token):
		return fmt.Errorf("the credentials get no token: %w", err)
	case errors.Is(err, storage.ErrBucketNotExist):
		return fmt.Errorf("there is no bucket of this name: %w", err)
	case !errors.As(err, &answer):
	case answer.Code == http.StatusUnauthorized:
		return fmt.Errorf("the credentials are not accepted: %w", err)
	case answer.Code == http.StatusNotFound && reason(answer, noBucket):
		return fmt.Errorf("there is no bucket of this name: %w", err)
	}
	return err
}

// transient tells whether the same request may succeed in a moment.
func transient(err error) bool {
	var answer *googleapi.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		// Only a caller's context says so; a request that stalls is a transport.ErrStalled.
		return errors.Is(err, transport.ErrStalled)
	case errors.Is(err, storage.ErrBucketNotExist), errors.Is(err, storage.ErrObjectNotExist):
		return false
	case !errors.As(err, &answer):
		var known *backends.Error
		return !errors.As(err, &known)
	}
	switch answer.Code {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return throttled(answer)
	case http.StatusNotImplemented:
		return false
	}
	return answer.Code >= 500
}

// throttled tells a 403 for too many requests from one for want of permission.
func throttled(answer *googleapi.Error) bool {
	return reason(answer, "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded")
}

func reason(answer *googleapi.Error, reasons ...string) bool {
	for _, item := range answer.Errors {
		if slices.Contains(reasons, item.Reason) {
			return true
		}
	}
	return false
}

func isNotExist(err error) bool {
	return errors.Is(kind(condition{}, err), fs.ErrNotExist)
}
