package gateway

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"causeway/backends"
)

const (
	// readyKey is looked for and never there: a store that says so is there.
	readyKey = backends.Reserved + "/ready"
	// readyTimeout is how long a store may take to answer.
	readyTimeout = 2 * time.Second
	// readyFor is how long its answer counts, so that those who ask often cost little.
	readyFor = 5 * time.Second
)

// readiness tells whether the gateway can do what it is there for.
type readiness struct {
	stores   map[string]backends.Backend
	optional func(name string) bool // tells of stores without which clients are served
	log      *slog.Logger
	draining atomic.Bool
	flights  singleflight.Group

	mu    sync.Mutex
	asked time.Time
	down  []string
}

// silent are the names of the stores that do not answer, in order. Who asks while others
// do gets the same answer.
func (r *readiness) silent() []string {
	names, _, _ := r.flights.Do("all", func() (any, error) {
		if down, known := r.known(); known {
			return down, nil
		}
		return r.ask(), nil
	})
	return names.([]string)
}

func (r *readiness) known() (down []string, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down, !r.asked.IsZero() && time.Since(r.asked) < readyFor
}

// ask asks all stores at a time.
func (r *readiness) ask() []string {
	var (
		mu    sync.Mutex
		down  []string
		asked sync.WaitGroup
	)
	for name, store := range r.stores {
		asked.Go(func() {
			if err := r.probe(name, store); err != nil {
				r.log.Warn("store is not ready", slog.String("store", name), slog.Any("err", err))
				mu.Lock()
				defer mu.Unlock()
				down = append(down, name)
			}
		})
	}
	asked.Wait()
	slices.Sort(down)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down, r.asked = down, time.Now()
	return down
}

// errNoAnswer is a store that has not even given up in time.
var errNoAnswer = errors.New("no answer in time")

// probe is nil if the store answers in time, be it that it may not tell. A store that does
// not hear that its time is over has one request at most that hangs.
func (r *readiness) probe(name string, store backends.Backend) error {
	answer := r.flights.DoChan("store "+name, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
		defer cancel()
		_, err := store.Stat(ctx, readyKey, backends.StatOptions{})
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			err = nil
		}
		return nil, err
	})
	timer := time.NewTimer(readyTimeout)
	defer timer.Stop()
	select {
	case a := <-answer:
		return a.Err
	case <-timer.C:
		return errNoAnswer
	}
}
