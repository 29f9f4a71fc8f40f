package ftp

import (
	"errors"
	"os"
	"sync"
)

// evidence is what is known when the data of an upload has ended.
type evidence struct {
	end       error // of the last read of the data connection
	protected bool  // under TLS
	notified  bool  // the client ended TLS with a close_notify
	proper    bool  // this account has ended a TLS upload with a close_notify before
	whole     error // nil if the data's own structure is at its end (STRU R)
	cause     error // why the session ended the transfer: ABOR, or its own end without QUIT
}

// judge decides whether an upload is complete: nil, or the kind of error that says why
// not. Nothing else decides that.
//
// FTP marks the end of a file by closing the data connection, which a cut line does too.
// A missing close_notify tells them apart only with clients that send it at all: until an
// account has, it proves nothing by itself.
func judge(e evidence) error {
	switch {
	case e.cause != nil:
		return e.cause
	case errors.Is(e.end, os.ErrDeadlineExceeded):
		return because(errStalled, e.end)
	case !atEnd(e.end):
		return because(errDataLost, e.end)
	case e.protected && !e.notified && e.proper:
		return errCutOff
	case e.whole != nil:
		return because(errCutOff, e.whole)
	}
	return nil
}

// maxRemembered bounds the accounts of each half of an accountSet.
const maxRemembered = 10_000

// accountSet remembers accounts, those seen longest ago not for ever: when one half is
// full, it replaces the other. Its methods may be called from any goroutine.
type accountSet struct {
	mu          sync.Mutex
	recent, old map[string]struct{}
}

func newAccountSet() *accountSet {
	return &accountSet{recent: make(map[string]struct{})}
}

func (a *accountSet) add(account string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.recent) >= maxRemembered {
		a.recent, a.old = make(map[string]struct{}), a.recent
	}
	a.recent[account] = struct{}{}
}

func (a *accountSet) has(account string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, recent := a.recent[account]
	_, old := a.old[account]
	return recent || old
}
