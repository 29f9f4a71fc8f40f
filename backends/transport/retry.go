package transport

import (
	"context"
	"math/rand/v2"
	"time"

	"causeway/backends"
)

const (
	// retryFor bounds a call: no attempt begins later than this after the first one.
	// With the last attempt it makes "the store is unavailable" known in about 10 s.
	retryFor = 8 * time.Second
	// The pause before an attempt is random between nothing and a bound that doubles
	// from firstPause to lastPause, so that clients do not come back in step.
	firstPause = 100 * time.Millisecond
	lastPause  = 2 * time.Second
	// settleFor bounds the question what became of a request.
	settleFor = 5 * time.Second
)

// Retry calls attempt until it succeeds, fails with an error that is not transient, ctx
// ends, or the time is up, and returns its last error.
func Retry(ctx context.Context, transient func(error) bool, attempt func() error) error {
	start := time.Now()
	for bound := firstPause; ; bound = min(2*bound, lastPause) {
		err := attempt()
		if err == nil || !transient(err) || ctx.Err() != nil {
			return err
		}
		pause := rand.N(bound)
		if time.Since(start)+pause > retryFor {
			return err
		}
		select {
		case <-time.After(pause):
			backends.Retried(ctx)
		case <-ctx.Done():
			return err
		}
	}
}

// Once is a request that makes something durable, and how to find out whether it did.
type Once[T any] struct {
	// Send makes the request.
	Send func(ctx context.Context) (T, error)
	// Transient tells whether an error of Send is worth another attempt. The request may
	// then have been carried out, with only its answer lost.
	Transient func(error) bool
	// Mine looks whether the request has been carried out.
	Mine func(ctx context.Context) (T, bool)
}

// Settle makes the request as Retry does. When an attempt has been left in doubt, a later
// refusal ("precondition failed") may be due to its own success, and giving up may be
// wrong too: in both cases Mine decides.
func (o Once[T]) Settle(ctx context.Context) (T, error) {
	var done T
	doubt := false
	err := Retry(ctx, o.Transient, func() error {
		v, err := o.Send(ctx)
		if err == nil {
			done = v
			return nil
		}
		doubt = doubt || o.Transient(err)
		return err
	})
	if err == nil || !doubt || ctx.Err() != nil {
		return done, err
	}
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	if v, ok := o.Mine(ctx); ok {
		return v, nil
	}
	return done, err
}
