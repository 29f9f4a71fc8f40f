package azblob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"causeway/backends"
	"causeway/backends/transport"
)

// failure puts err, of a verb with the given condition on its destination, into the
// store's words. nil stays nil.
func failure(op, key string, c condition, err error) error {
	var known *backends.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &backends.Error{Op: op, Key: key, Kind: kind(c, err), Err: explained(unsigned(err))}
}

// unsigned is an error of Go's HTTP client without the query of the address: a shared access
// signature may be in it.
func unsigned(err error) error {
	var failed *url.Error
	if !errors.As(err, &failed) {
		return err
	}
	address, _, _ := strings.Cut(failed.URL, "?")
	return &url.Error{Op: failed.Op, URL: address, Err: failed.Err}
}

// kind is the one map from the service's errors to kinds
// (learn.microsoft.com/rest/api/storageservices/blob-service-error-codes). c says what a
// failed condition means.
func kind(c condition, err error) error {
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) {
		return backends.ErrUnavailable // no answer, or none that makes sense
	}
	if k := kindOfCode(bloberror.Code(answer.ErrorCode)); k != nil {
		return k
	}
	switch answer.StatusCode {
	case http.StatusBadRequest:
		return fs.ErrInvalid
	case http.StatusForbidden:
		return fs.ErrPermission
	case http.StatusNotFound:
		return fs.ErrNotExist
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return errors.ErrUnsupported
	case http.StatusConflict:
		return backends.ErrBusy
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
	return backends.ErrUnavailable // 401, 408, 429, 5xx
}

// explained is err led by what an operator has to mend, where that is known.
func explained(err error) error {
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) {
		return err
	}
	var hint string
	switch bloberror.Code(answer.ErrorCode) {
	case bloberror.AuthenticationFailed, bloberror.InvalidAuthenticationInfo:
		hint = "the account's key or token is wrong, or the clock of this machine"
	case bloberror.ContainerNotFound:
		hint = "there is no container of this name"
	case bloberror.InvalidBlobOrBlock:
		hint = "another program has staged blocks of this name, whose ids have another length"
	case bloberror.AccountIsDisabled:
		hint = "the account is disabled"
	default:
		return err
	}
	return fmt.Errorf("%s: %w", hint, err)
}

// kindOfCode is the kind of the codes that say more than their status, nil for others.
func kindOfCode(code bloberror.Code) error {
	switch code {
	case bloberror.ContainerNotFound, bloberror.ContainerBeingDeleted, bloberror.ContainerDisabled,
		bloberror.AccountIsDisabled, bloberror.AuthenticationFailed, bloberror.InvalidAuthenticationInfo,
		bloberror.BlobArchived, bloberror.BlobBeingRehydrated:
		return backends.ErrUnavailable // the operator's to mend, not the client's
	case bloberror.MD5Mismatch:
		return backends.ErrUnavailable // damaged on the way
	case bloberror.BlobAlreadyExists:
		return fs.ErrExist
	case bloberror.SourceConditionNotMet, bloberror.InvalidBlockList:
		// The latter: another writer's commit has taken the blocks that were staged.
		return backends.ErrChanged
	case bloberror.LeaseIDMissing, bloberror.LeaseAlreadyPresent:
		return backends.ErrBusy
	case bloberror.InvalidBlobOrBlock:
		return backends.ErrBusy // another program is staging blocks of this name
	case bloberror.BlobImmutableDueToPolicy, bloberror.SnapshotsPresent, bloberror.UnauthorizedBlobOverwrite:
		return fs.ErrPermission
	case bloberror.InvalidBlobType, bloberror.BlobUsesCustomerSpecifiedEncryption:
		return errors.ErrUnsupported
	case bloberror.MetadataTooLarge, bloberror.BlockCountExceedsLimit:
		return backends.ErrQuota
	}
	return nil
}

// transient tells whether the same request may succeed in a moment.
func transient(err error) bool {
	var answer *azcore.ResponseError
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		// Only a caller's context says so; a request that stalls is a transport.ErrStalled.
		return errors.Is(err, transport.ErrStalled)
	case !errors.As(err, &answer):
		var known *backends.Error
		return !errors.As(err, &known)
	}
	switch answer.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented:
		return false
	}
	return answer.StatusCode >= 500 || answer.ErrorCode == string(bloberror.MD5Mismatch)
}
