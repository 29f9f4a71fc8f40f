package ftp

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errHashed is an account that has had too much read for checksums.
var errHashed = errors.New("too much was read for checksums")

// hashBudget bounds what checksums cost that no store keeps, and that the gateway has to read
// files for: a client asks for that with a line, and pays for no octet. An account has one
// read at a time, in whatever sessions, and as many octets within an hour as the limit says:
// more may be read once, if the file is longer, and then nothing until that is made up for.
type hashBudget struct {
	limit    float64 // octets in an hour
	mu       sync.Mutex
	accounts map[string]*hashAccount // of those that have had something read: no client makes up one
}

// hashAccount is what one account has left.
type hashAccount struct {
	turn chan struct{} // holds a value while a file is read
	left float64       // at that time; negative if it was more than there was
	at   time.Time
}

func newHashBudget(limit int64) *hashBudget {
	return &hashBudget{limit: float64(limit), accounts: make(map[string]*hashAccount)}
}

// begin waits for the account's turn. done must follow, with the octets that were read, if
// the error is nil; it matches errHashed where nothing is left to be read.
func (b *hashBudget) begin(ctx context.Context, account string) (done func(octets int64), err error) {
	a := b.account(account)
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if b.spend(a, 0) <= 0 {
		<-a.turn
		return nil, errHashed
	}
	return func(octets int64) {
		b.spend(a, octets)
		<-a.turn
	}, nil
}

func (b *hashBudget) account(name string) *hashAccount {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.accounts[name]
	if a == nil {
		a = &hashAccount{turn: make(chan struct{}, 1), left: b.limit, at: time.Now()}
		b.accounts[name] = a
	}
	return a
}

// spend takes octets from what an account has, and returns what is left.
func (b *hashBudget) spend(a *hashAccount, octets int64) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	a.left = min(a.left+b.limit*now.Sub(a.at).Hours(), b.limit) - float64(octets)
	a.at = now
	return a.left
}
