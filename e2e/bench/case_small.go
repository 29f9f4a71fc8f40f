package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"causeway/e2e/bench/ftpc"
)

func smallCases() []Case { return []Case{{Name: "small", Real: true, Run: small}} }

// Small files, as cameras and scanners send them.
const (
	smallFiles     = 2000
	smallSize      = 4 << 10
	smallSessions  = 8
	leastFileRate  = 0.8 // of the SDK's
	smallQuickPart = 5   // of the files in a quick run
	smallRounds    = 3   // at most: each leaves 4,000 ports of loopback waiting
	// smallDelay is about what a real store takes, in the same rack and on a disk that is
	// memory. One that takes no time is as fast as the CPUs that all share.
	smallDelay = 8 * time.Millisecond
)

// smallSetup is what the rounds share.
type smallSetup struct {
	e     *Env
	store *Store
	g     *Gateway
	fleet fleet
	delay time.Duration // of the store
	files int
}

// smallRound is what was measured of one verb in one round.
type smallRound struct {
	direct, gateway Usage
	requests        int64 // of the gateway
	operations      string
}

// small compares many small uploads and downloads with as many requests of the SDK at the
// same concurrency.
func small(ctx context.Context, e *Env) ([]Row, error) {
	rows, err := smallAt(ctx, e, StoreOptions{}, (*smallSetup).rows)
	if err != nil || e.Server != nullServer {
		return rows, err
	}
	waiting, err := smallAt(ctx, e, StoreOptions{Delay: smallDelay}, (*smallSetup).ratio)
	return append(rows, waiting...), err
}

// smallAt measures at a store of its own.
func smallAt(ctx context.Context, e *Env, o StoreOptions, rows func(s *smallSetup, work string, rounds []smallRound) []Row) (found []Row, err error) {
	s := &smallSetup{e: e, delay: o.Delay, files: smallFiles}
	if e.Quick {
		s.files /= smallQuickPart
	}
	if s.store, err = e.Store(ctx, o); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.store.Stop()) }()
	if s.g, err = e.Gateway(ctx, s.store, GatewayOptions{}); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.g.Stop()) }()
	s.fleet, err = e.muster(ctx, s.g, Plain, nil, smallSessions)
	defer s.fleet.close()
	if err != nil {
		return nil, err
	}
	var stor, retr []smallRound
	for i := range 1 + min(e.Rounds, smallRounds) {
		up, down, err := s.round(ctx, fmt.Sprint("round", i))
		if err != nil {
			return nil, err
		}
		if i > 0 { // the first warms up
			stor, retr = append(stor, up), append(retr, down)
		}
	}
	return append(rows(s, s.work("STOR"), stor), rows(s, s.work("RETR after LIST"), retr)...), nil
}

func (s *smallSetup) work(verb string) string {
	return fmt.Sprintf("%d x 4 KiB %s, %d sessions", s.files, verb, smallSessions)
}

// round writes new files and reads them, straight and then through the gateway.
func (s *smallSetup) round(ctx context.Context, name string) (stor, retr smallRound, err error) {
	job := DirectJob{Op: "put", Prefix: "small/direct-" + name + "/", Count: s.files, Size: smallSize, Concurrency: smallSessions}
	if stor.direct, err = s.e.Direct(ctx, s.store, job); err != nil {
		return stor, retr, err
	}
	dir := "/small/" + name + "/"
	err = s.through(ctx, &stor, func(c *ftpc.Client, i int) error { return c.Store(fmt.Sprintf("%s%06d", dir, i), smallSize) })
	if err != nil {
		return stor, retr, err
	}
	job.Op = "get"
	if retr.direct, err = s.e.Direct(ctx, s.store, job); err != nil {
		return stor, retr, err
	}
	if n, err := s.fleet[0].List("LIST "+dir, nil); err != nil || n != s.files {
		return stor, retr, fmt.Errorf("LIST %s: %d files instead of %d: %w", dir, n, s.files, err)
	}
	err = s.through(ctx, &retr, func(c *ftpc.Client, i int) error {
		_, err := c.Retrieve(fmt.Sprintf("%s%06d", dir, i), smallSize, ftpc.CheckContent)
		return err
	})
	return stor, retr, err
}

// through moves every file by one of the sessions, and counts the requests.
func (s *smallSetup) through(ctx context.Context, r *smallRound, move func(c *ftpc.Client, i int) error) error {
	if err := s.store.Reset(ctx); err != nil {
		return err
	}
	var err error
	r.gateway, err = s.g.Measure(func() error {
		return first(s.fleet.each(func(n int, c *ftpc.Client) error {
			for i := n; i < s.files; i += smallSessions {
				if err := move(c, i); err != nil {
					return err
				}
			}
			return nil
		}))
	})
	if err != nil {
		return err
	}
	stats, err := s.store.Stats(ctx)
	r.requests, r.operations = stats.Total(), fmt.Sprint(stats.Requests)
	return err
}

// first is the first error that there is.
func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// eachSmall is a figure of every round.
func eachSmall(rounds []smallRound, figure func(smallRound) float64) []float64 {
	out := make([]float64, len(rounds))
	for i, r := range rounds {
		out[i] = figure(r)
	}
	return out
}

// ratio is the figure that is compared, of one verb.
func (s *smallSetup) ratio(work string, rounds []smallRound) []Row {
	figure := "files/s / direct's"
	if s.delay > 0 {
		figure += fmt.Sprintf(", store takes %v", s.delay)
	}
	return []Row{{Work: work, Figure: figure, Target: AtLeast(leastFileRate), Rounds: eachSmall(rounds, func(r smallRound) float64 {
		return r.direct.Wall.Seconds() / r.gateway.Wall.Seconds()
	})}}
}

// rows are all figures of one verb.
func (s *smallSetup) rows(work string, rounds []smallRound) []Row {
	files := float64(s.files)
	micros := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / files }
	rows := s.ratio(work, rounds)
	if s.store.Counts() {
		requests := Row{Work: work, Figure: "requests per file", Target: AtMost(1)}
		for _, r := range rounds {
			requests.Rounds = append(requests.Rounds, float64(r.requests)/files)
			if r.requests != int64(s.files) {
				requests.Note = r.operations
			}
		}
		rows = append(rows, requests)
	}
	return append(rows,
		Row{Work: work, Figure: "gateway files/s", Rounds: eachSmall(rounds, func(r smallRound) float64 { return files / r.gateway.Wall.Seconds() })},
		Row{Work: work, Figure: "direct files/s", Rounds: eachSmall(rounds, func(r smallRound) float64 { return files / r.direct.Wall.Seconds() })},
		Row{Work: work, Figure: "gateway CPU per file", Unit: "us", Rounds: eachSmall(rounds, func(r smallRound) float64 { return micros(r.gateway.CPU) })},
		Row{Work: work, Figure: "direct CPU per file", Unit: "us", Rounds: eachSmall(rounds, func(r smallRound) float64 { return micros(r.direct.CPU) })},
	)
}
