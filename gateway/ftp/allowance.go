package ftp

import (
	"context"
	"errors"
)

// Allowance is what an account may use, all its sessions together, as one of them sees it.
// Its methods may be called from any goroutine.
type Allowance interface {
	// Command waits until one more command may be carried out.
	Command(ctx context.Context) error
	// Transfer takes a place for an upload or a download; release gives it back. ErrTransfers
	// if there is none.
	Transfer() (release func(), err error)
	// Receive waits until so many octets more may be taken from the client, Send until they
	// may be given to it. The error is that of ctx.
	Receive(ctx context.Context, octets int) error
	Send(ctx context.Context, octets int) error
	// Leave gives back what the session has; nothing is called after it.
	Leave()
}

// What an Allowance, or Config.Login, does not grant.
var (
	// ErrSessions: the account has as many sessions as it may have.
	ErrSessions = errors.New("too many sessions of the account")
	// ErrTransfers: the account, or the server, runs as many transfers as it may.
	ErrTransfers = errors.New("too many transfers at once")
)

// unbounded is an Allowance without bounds.
type unbounded struct{}

func (unbounded) Command(context.Context) error      { return nil }
func (unbounded) Transfer() (func(), error)          { return func() {}, nil }
func (unbounded) Receive(context.Context, int) error { return nil }
func (unbounded) Send(context.Context, int) error    { return nil }
func (unbounded) Leave()                             {}

// allowance is that of who is logged in.
func (s *session) allowance() Allowance {
	if s.login.account == nil || s.login.account.Allowance == nil {
		return unbounded{}
	}
	return s.login.account.Allowance
}
