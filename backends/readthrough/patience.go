package readthrough

import (
	"context"
	"errors"
	"sync"
	"time"

	"causeway/backends"
)

// patience is how long what is here waits to be told what is behind it: longer than old servers
// take that look up names at logins, and shorter than clients wait for an answer.
const patience = 10 * time.Second

// errSlow is what is behind when it has not answered in that time.
var errSlow = errors.New("no answer in time")

// beside asks what is behind the key while front asks the front, which has the key if it returns
// nil: then there is no need to wait for long.
func (l look) beside(ctx context.Context, o backends.StatOptions, front func() error) (behind outcome) {
	asking, give := context.WithCancelCause(ctx)
	defer give(nil)
	var both sync.WaitGroup
	both.Go(func() {
		if front() == nil {
			timer := time.AfterFunc(patience, func() { give(errSlow) })
			context.AfterFunc(asking, func() { timer.Stop() })
		}
	})
	both.Go(func() { behind = l.asked(asking, o) })
	both.Wait()
	return l.impatient(ctx, asking, behind)
}

// soon is what is behind the key if that is told in time.
func (l look) soon(ctx context.Context, o backends.StatOptions) outcome {
	asking, end := context.WithTimeoutCause(ctx, patience, errSlow)
	defer end()
	return l.impatient(ctx, asking, l.asked(asking, o))
}

func (l look) asked(ctx context.Context, o backends.StatOptions) outcome {
	obj, err := l.statBehind(ctx, o)
	return outcome{obj, err}
}

// impatient is behind, which was asked for in the context asking, or the error that this has come
// to its end, which the observer has not been told.
func (l look) impatient(ctx, asking context.Context, behind outcome) outcome {
	if behind.err != nil && !absent(behind.err) && errors.Is(context.Cause(asking), errSlow) {
		behind.err = l.failed(ctx, &backends.Error{Op: "stat", Key: l.key, Kind: backends.ErrUnavailable, Err: errSlow})
	}
	return behind
}
