package gateway

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"causeway/backends"
	"causeway/backends/readthrough"
)

// Bounds of the janitor's rounds.
const (
	minRound = time.Minute // unless the window is shorter
	maxRound = time.Hour
	// firstRest is how long after its start a gateway begins its first round: clients who
	// come back after a restart go first.
	firstRest = 10 * time.Second
	// sweepTimeout bounds one round on one store. What it has not reached is for the next.
	sweepTimeout = 30 * time.Minute
	// discardTimeout bounds the end of one upload, with the store's own retries.
	discardTimeout = time.Minute
	// pace is the rest after each upload that was ended: after the death of a gateway with
	// thousands of uploads the store still has clients to serve.
	pace = 20 * time.Millisecond
	// stonesRound is how long after tombstones were looked at that is done again, also if that was
	// not to the end: all of them are listed for it, the old server is asked, and a week's are there at least.
	stonesRound = 24 * time.Hour
	// maxComplaints is how many failures of one round are logged one by one.
	maxComplaints = 10
)

// renames is where package vfs keeps the journals of directories that are being renamed.
const renames = backends.Reserved + "/renames/"

// janitor ends the uploads that nobody has gone on with for the window, parked ones and
// those of gateways that have died, and forgets the renames of directories that nobody has
// gone on with, and of uploads what nothing written down tells of, and tombstones that hide
// nothing any more. It touches only what gateways have written below their reserved name. A
// store has a goroutine of its own.
type janitor struct {
	stores map[string]backends.Backend
	behind map[string]*readthrough.Routes // by the stores' names
	window time.Duration
	log    *slog.Logger
}

// run works soon, then every so often, until ctx ends.
func (j *janitor) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for name, store := range j.stores {
		k := &keeper{store: store, behind: j.behind[name], window: j.window, log: j.log.With("store", name)}
		all.Go(func() { k.keep(ctx, round(j.window)) })
	}
}

// round is how long after one round the next begins: what is kept for the window is kept
// for a round more at most.
func round(window time.Duration) time.Duration {
	return max(min(max(window/24, minRound), window, maxRound), time.Second)
}

// keeper is the janitor of one store.
type keeper struct {
	store    backends.Backend
	behind   *readthrough.Routes // nil for none
	window   time.Duration
	log      *slog.Logger
	resigned [4]bool   // the tasks that were told that the credentials may not do them
	cleaned  time.Time // when tombstones were looked at last
}

func (k *keeper) keep(ctx context.Context, every time.Duration) {
	rest := time.NewTimer(min(every, firstRest))
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-rest.C:
		}
		rest.Reset(every)
		k.sweep(ctx)
	}
}

// sweep is one round.
func (k *keeper) sweep(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	s := sweep{keeper: k, before: time.Now().Add(-k.window)}
	var refused, failed error
	for i, task := range [...]func(context.Context) error{s.uploads, s.renames, s.strays, s.stones} {
		switch err := task(bounded); {
		case !errors.Is(err, fs.ErrPermission):
			failed = errors.Join(failed, err)
		case !k.resigned[i]:
			k.resigned[i] = true // it is so for good; once is enough
			refused = errors.Join(refused, err)
		}
	}
	if s.failures > maxComplaints {
		k.log.Warn("much abandoned work could not be ended", slog.Int("count", s.failures))
	}
	if refused != nil && ctx.Err() == nil { // a gateway that ends has no complaints
		k.log.Warn("the store's credentials do not let the janitor look for abandoned uploads", slog.Any("err", refused))
	}
	if failed != nil && ctx.Err() == nil {
		k.log.Warn("the janitor could not look for all abandoned uploads", slog.Any("err", failed))
	}
}

// sweep is the state of one round.
type sweep struct {
	*keeper
	before   time.Time // what was last written before it is ended
	failures int
}

// uploads ends those that are past the window. What is parked is asked of the store, since
// another gateway may have gone on with an upload that the cache remembers as parked.
func (s *sweep) uploads(ctx context.Context) error {
	for p, err := range backends.ParkedUploads(ctx, s.store, backends.ParkedQuery{Fresh: true}) {
		if err != nil {
			return err
		}
		upload := leftover{what: "upload", key: p.Key, bytes: p.Size, since: p.ModTime}
		err := s.end(ctx, upload, func(ctx context.Context) error { return backends.Discard(ctx, s.store, p) })
		if err != nil {
			return err
		}
	}
	return nil
}

// renames forgets those that are past the window. The objects stay where each rename has
// left them, whole, some of them at both places.
func (s *sweep) renames(ctx context.Context) error {
	for e, err := range backends.Entries(ctx, s.store, renames) {
		if err != nil {
			return err
		}
		if e.Dir {
			continue
		}
		o := e.Object
		journal := leftover{what: "rename", key: o.Key, bytes: o.Size, since: o.ModTime}
		err := s.end(ctx, journal, func(ctx context.Context) error {
			return s.store.Delete(ctx, o.Key, backends.DeleteOptions{IfMatch: o.ETag})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// strays removes what landed of uploads when they had ended, their gateways killed.
func (s *sweep) strays(ctx context.Context) error {
	n, err := backends.Sweep(ctx, s.store, s.before)
	if n > 0 {
		s.log.Info("what ended uploads had left was removed", slog.Int("count", n))
	}
	return err
}

// stones removes tombstones that hide nothing any more.
func (s *sweep) stones(ctx context.Context) error {
	if s.behind == nil || time.Since(s.cleaned) < stonesRound || ctx.Err() != nil {
		return nil
	}
	s.cleaned = time.Now()
	n, err := s.behind.Clean(ctx)
	if n > 0 {
		s.log.Info("tombstones of files that are behind no more were removed", slog.Int("count", n))
	}
	return err
}

// leftover is what may have to be ended.
type leftover struct {
	what, key string
	bytes     int64
	since     time.Time // when it was last written to; zero if that is not known
}

// end ends a leftover if it is past the window. The error is one that ends the round: the
// store is out of order, or the time is up.
func (s *sweep) end(ctx context.Context, l leftover, do func(context.Context) error) error {
	if l.since.IsZero() || !l.since.Before(s.before) {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, discardTimeout)
	defer cancel()
	attrs := []any{slog.String("what", l.what), slog.String("key", l.key), slog.Int64("bytes", l.bytes),
		slog.String("age", time.Since(l.since).Round(time.Second).String())}
	err := do(bounded)
	switch {
	case err == nil:
		s.log.Info("abandoned work was ended", attrs...)
	case errors.Is(err, backends.ErrBusy), errors.Is(err, backends.ErrChanged), errors.Is(err, fs.ErrNotExist):
		// Somebody has just gone on with it, or ended it.
	case errors.Is(err, backends.ErrUnavailable):
		return err
	default:
		s.complain(err, attrs)
	}
	return rest(ctx)
}

// complain logs what could not be ended, and, where that is so of many, only some of it.
func (s *sweep) complain(err error, attrs []any) {
	if s.failures++; s.failures <= maxComplaints {
		s.log.Warn("abandoned work could not be ended", append(attrs, slog.Any("err", err))...)
	}
}

// rest waits for the pace, or until ctx ends, and returns its error then.
func rest(ctx context.Context) error {
	timer := time.NewTimer(pace)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
