package ftp

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// evidence is what is known when the data of an upload has ended.
type evidence struct {
	policy Policy

	end       error // of the last read of the data connection; nil if the upload failed first
	protected bool  // under TLS
	notified  bool  // the client ended TLS with a close_notify
	proper    bool  // this account has ended a TLS upload with a close_notify before
	whole     error // nil if the data's own structure is at its end (STRU R)
	failed    error // of the upload itself: the store's, or of data that cannot be
	octets    int64 // that came on the data connection
	changed   bool  // those of the file are not the same (TYPE A, STRU R)
	announced int64 // by ALLO; 0 if nothing was
	goodbye   bool  // QUIT came
	cause     error // why the session ended the transfer: ABOR, or its own end without QUIT
}

// judge decides whether an upload is complete: nil, or the kind of error that says why
// not. Nothing else decides that.
//
// FTP marks the end of a file by closing the data connection, which a cut line does too.
// A missing close_notify tells them apart only with clients that send it at all: until an
// account has, it proves nothing by itself, unless the policy says so.
func judge(e evidence) error {
	switch {
	case e.cause != nil:
		return e.ended()
	case e.failed != nil:
		return e.failed
	case errors.Is(e.end, os.ErrDeadlineExceeded):
		return because(errStalled, e.end)
	case !atEnd(e.end):
		return because(errDataLost, e.end)
	case e.protected && !e.notified && e.policy.CloseNotify.proves(e.proper):
		return because(errCutOff, errNoNotify)
	case e.whole != nil:
		return because(errCutOff, e.whole)
	case e.policy.EnforceALLO && e.octets < e.announced:
		return errShort
	}
	return nil
}

// ended is why the session has ended the transfer, with the failure of the upload if it is
// one of its own and not that very end.
func (e evidence) ended() error {
	if e.failed == nil || errors.Is(e.failed, e.cause) {
		return e.cause
	}
	return because(e.cause, e.failed)
}

// proves tells whether the end of TLS without close_notify is a cut-off, by itself, of an
// account that has or has not been seen to end one properly.
func (c CloseNotify) proves(proper bool) bool {
	switch c {
	case RequireCloseNotify:
		return true
	case IgnoreCloseNotify:
		return false
	default:
		return proper
	}
}

// fate is what becomes of an upload that judge has not found complete.
//
// Where no octet came, what had been kept before is kept again, and nothing else. What the
// store refuses to take more of, and data that cannot be, is not worth keeping, but for what
// had been there before. Nor are octets that have changed on their way: a
// client that took their number for a restart point would make a mix of its file. And
// nothing becomes a file that ended for a reason of the server's side.
func fate(verdict error, e evidence, o StoreOptions) Incomplete {
	refused := e.cause == nil && e.failed != nil && !errors.Is(e.failed, ErrUnavailable)
	ours := e.failed != nil || errors.Is(verdict, errStopping)
	switch {
	case e.octets == 0 && o.continues():
		return ParkIncomplete
	case e.octets == 0, e.policy.Incomplete == DiscardIncomplete:
		return DiscardIncomplete
	case e.policy.Incomplete == PublishIncomplete && !ours:
		return PublishIncomplete
	case (refused || e.changed) && !o.continues():
		return DiscardIncomplete
	}
	return ParkIncomplete
}

// String tells in words how an upload ended, for the log.
func (e evidence) String() string {
	words := []string{e.dataEnd()}
	if e.whole != nil {
		words = append(words, "structure without its end")
	}
	if e.octets < e.announced {
		words = append(words, fmt.Sprintf("%d of %d octets announced", e.octets, e.announced))
	}
	if e.goodbye {
		words = append(words, "QUIT")
	}
	if e.cause != nil {
		words = append(words, e.cause.Error())
	}
	return strings.Join(words, ", ")
}

// dataEnd tells how the data ended.
func (e evidence) dataEnd() string {
	switch {
	case e.notified:
		return "data ended with close_notify"
	case e.protected && atEnd(e.end):
		return "data ended without close_notify"
	case atEnd(e.end):
		return "data ended"
	case e.end == nil:
		return "upload failed"
	case errors.Is(e.end, os.ErrDeadlineExceeded):
		return "data stalled"
	case errors.Is(e.end, syscall.ECONNRESET):
		return "data reset"
	case e.cause != nil:
		return "data not ended" // its connection was closed on this side
	}
	return "data broken off"
}
