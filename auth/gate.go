package auth

import (
	"context"
	"runtime"
	"time"
)

// Bounds of the queue before the password hash. A verification with the parameters of
// [Hash] takes about 30 ms of a core, so a queue of 256 on two cores drains in 4 s; a
// waiting login costs a few kilobytes.
const (
	maxWaiting = 256
	maxWait    = 10 * time.Second
)

// gate bounds how many passwords are verified at once: as many as there are cores, since
// more would only take more memory (argon2id: 19 MiB each).
type gate struct {
	slots   chan struct{} // holds one value for each verification that runs
	waiting chan struct{} // and one for each that runs or waits
}

func newGate() *gate {
	slots := runtime.GOMAXPROCS(0)
	return &gate{
		slots:   make(chan struct{}, slots),
		waiting: make(chan struct{}, slots+maxWaiting),
	}
}

// enter waits for its turn. leave must follow if it returns nil.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.waiting <- struct{}{}:
	default:
		return ErrBusy
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	var err error
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-timer.C:
		err = ErrBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	<-g.waiting
	return err
}

func (g *gate) leave() {
	<-g.slots
	<-g.waiting
}
