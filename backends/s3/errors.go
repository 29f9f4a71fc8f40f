package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"causeway/backends"
)

// call is what has to be known of a request to understand its failure.
type call struct {
	op, key  string
	ifMatch  bool // a condition on the ETag was sent
	ifAbsent bool // If-None-Match: * was sent
	reads    bool // describes, reads or deletes: writes nothing
}

// failed turns an error of the SDK into one of the kinds of package backends. ctx is the
// call's own: when it has ended, its cause says more than the SDK, which says "canceled".
func failed(ctx context.Context, c call, err error) error {
	k := kind(c, err)
	if ctx.Err() != nil && errors.Is(k, backends.ErrUnavailable) {
		err = context.Cause(ctx)
	}
	return &backends.Error{Op: c.op, Key: c.key, Kind: k, Err: explained(err)}
}

// cause is an error without its kind.
func cause(err error) error {
	var e *backends.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// bounded is ctx for at most d.
func bounded(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("no answer in %v", d))
}

func invalid(op, key string) error {
	return &backends.Error{Op: op, Key: key, Kind: fs.ErrInvalid}
}

// kind judges by the error code where there is one, else by the status: answers to HEAD
// have no body and so no code. What is not understood is ErrUnavailable, which promises
// nothing.
func kind(c call, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		if k, known := codes[api.ErrorCode()]; known {
			return c.refine(k)
		}
	}
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		if k, known := statuses[answer.HTTPStatusCode()]; known {
			return c.refine(k)
		}
	}
	return backends.ErrUnavailable
}

// conflict tells whether the service wants a conditional write repeated.
func conflict(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ConditionalRequestConflict"
}

// gone tells whether the answer was that there is no such thing.
func gone(err error) bool {
	var answer *smithyhttp.ResponseError
	return errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusNotFound
}

// noUpload tells whether the answer was that the multipart upload is not there.
func noUpload(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "NoSuchUpload"
}

// refine is what a kind means for this call.
func (c call) refine(k error) error {
	switch {
	case errors.Is(k, backends.ErrChanged) && c.ifAbsent: // the condition that did not hold
		return fs.ErrExist
	case errors.Is(k, fs.ErrNotExist) && c.ifMatch && !c.reads: // If-Match of what is gone
		return backends.ErrChanged
	case errors.Is(k, fs.ErrExist) && c.reads: // below a file on servers that sit on a file system
		return fs.ErrNotExist
	}
	return k
}

// explained is err led by what an operator has to mend, where that is known.
func explained(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		if hint, known := hints[api.ErrorCode()]; known {
			return fmt.Errorf("%s: %w", hint, err)
		}
	}
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.Response == nil {
		return err
	}
	region := answer.Response.Header.Get("X-Amz-Bucket-Region")
	switch status := answer.HTTPStatusCode(); {
	case status != http.StatusMovedPermanently && status != http.StatusBadRequest:
		return err
	case region != "":
		return fmt.Errorf("the bucket is in the region %s: %w", region, err)
	case status == http.StatusMovedPermanently:
		return fmt.Errorf("the bucket is in another region, or wants another endpoint: %w", err)
	}
	return err
}

// hints are what codes mean to who runs the gateway. Read only.
var hints = map[string]string{
	"SignatureDoesNotMatch": "the secret key is wrong",
	"InvalidAccessKeyId":    "there is no such access key",
	"ExpiredToken":          "the credentials have expired",
	"RequestTimeTooSkewed":  "the clock of this machine is wrong",
	"NoSuchBucket":          "there is no bucket of this name",
	"InvalidBucketName":     "this cannot be the name of a bucket",
	"QuotaExceeded":         "the store is full",
	"XMinioStorageFull":     "the store is full",
}

// codes are those of the S3 API reference, "Error Responses", and of servers that have
// their own. Read only.
var codes = map[string]error{
	"NoSuchKey":     fs.ErrNotExist,
	"NotFound":      fs.ErrNotExist,
	"NoSuchVersion": fs.ErrNotExist,

	"AccessDenied":         fs.ErrPermission,
	"Forbidden":            fs.ErrPermission,
	"AllAccessDisabled":    fs.ErrPermission,
	"AccountProblem":       backends.ErrUnavailable,
	"InvalidAccessKeyId":   backends.ErrUnavailable, // the operator's to mend: "permission"
	"InvalidToken":         backends.ErrUnavailable, // would hide files from drop boxes
	"ExpiredToken":         backends.ErrUnavailable,
	"TokenRefreshRequired": backends.ErrUnavailable,
	"RequestTimeTooSkewed": backends.ErrUnavailable,
	"RequestExpired":       backends.ErrUnavailable,
	"NotSignedUp":          backends.ErrUnavailable,

	"SignatureDoesNotMatch": backends.ErrUnavailable,

	"NoSuchBucket":      backends.ErrUnavailable,
	"NoSuchUpload":      backends.ErrUnavailable, // ended by someone else; a new upload may pass
	"PermanentRedirect": backends.ErrUnavailable,
	"BadDigest":         backends.ErrUnavailable, // damaged on the way
	"OperationAborted":  backends.ErrUnavailable,

	"PreconditionFailed":         backends.ErrChanged,
	"ConditionalRequestConflict": backends.ErrChanged,
	"InvalidRange":               backends.ErrRange,

	"KeyTooLongError":         fs.ErrInvalid,
	"InvalidArgument":         fs.ErrInvalid,
	"InvalidURI":              fs.ErrInvalid,
	"MetadataTooLarge":        fs.ErrInvalid,
	"XMinioInvalidObjectName": fs.ErrInvalid,

	"EntityTooLarge":                 backends.ErrQuota,
	"QuotaExceeded":                  backends.ErrQuota,
	"TooManyParts":                   backends.ErrQuota,
	"XMinioAdminBucketQuotaExceeded": backends.ErrQuota,
	"XMinioStorageFull":              backends.ErrQuota,

	"ObjectParentIsFile":            fs.ErrExist,
	"ExistingObjectIsDirectory":     fs.ErrExist,
	"XMinioParentIsObject":          fs.ErrExist,
	"XMinioObjectExistsAsDirectory": fs.ErrExist,

	"MethodNotAllowed": errors.ErrUnsupported,
	"NotImplemented":   errors.ErrUnsupported,
}

// statuses are for answers without a code that is known. Read only.
var statuses = map[int]error{
	http.StatusNotFound:                     fs.ErrNotExist,
	http.StatusForbidden:                    fs.ErrPermission,
	http.StatusPreconditionFailed:           backends.ErrChanged,
	http.StatusRequestedRangeNotSatisfiable: backends.ErrRange,
	http.StatusRequestURITooLong:            fs.ErrInvalid,
	http.StatusRequestEntityTooLarge:        backends.ErrQuota,
	http.StatusInsufficientStorage:          backends.ErrQuota,
	http.StatusConflict:                     fs.ErrExist,
	http.StatusMethodNotAllowed:             errors.ErrUnsupported,
	http.StatusNotImplemented:               errors.ErrUnsupported,
}
