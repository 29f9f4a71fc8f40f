package migrate

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"causeway/backends"
)

// A store that cannot be reached is asked so often, with pauses that double from the first
// one on: for about half a minute, which is what a server takes to start again.
const (
	tries      = 6
	firstPause = time.Second
)

// repeat calls do until it succeeds, or fails for another reason than that a store is
// unavailable or a key is being written, or has been tried for long enough.
func repeat(ctx context.Context, do func() error) error {
	for try, pause := 1, firstPause; ; try, pause = try+1, 2*pause {
		err := do()
		passing := errors.Is(err, backends.ErrUnavailable) || errors.Is(err, backends.ErrBusy)
		if !passing || try == tries || ctx.Err() != nil {
			return err
		}
		// Random, so that files which failed together do not come back in step.
		timer := time.NewTimer(pause/2 + rand.N(pause)) //nolint:gosec // nobody gains by guessing it
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}
