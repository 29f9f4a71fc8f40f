package main

import (
	"context"
	"fmt"
	"time"

	"causeway/e2e/bench/ftpc"
)

func smallCases() []Case { return []Case{{Name: "small", Run: small}} }

// Small files, as cameras and scanners send them.
const (
	smallFiles     = 2000
	smallSize      = 4 << 10
	smallSessions  = 8
	leastFileRate  = 0.8 // of the SDK's
	smallQuickPart = 5   // of the files in a quick run
)

// smallSetup is what the rounds share.
type smallSetup struct {
	e     *Env
	store *Store
	g     *Gateway
	fleet fleet
	files int
}

// smallRound is what was measured of one verb in one round.
type smallRound struct {
	direct, gateway Usage
	requests        int64 // of the gateway
}

// small compares many small uploads and downloads with as many requests of the SDK at the
// same concurrency.
func small(ctx context.Context, e *Env) ([]Row, error) {
	return e.with(ctx, GatewayOptions{}, func(store *Store, g *Gateway) ([]Row, error) {
		s := &smallSetup{e: e, store: store, g: g, files: smallFiles}
		if e.Quick {
			s.files /= smallQuickPart
		}
		var err error
		s.fleet, err = e.muster(ctx, g, Plain, nil, smallSessions)
		defer s.fleet.close()
		if err != nil {
			return nil, err
		}
		if _, _, err := s.round(ctx, "warm"); err != nil {
			return nil, err
		}
		var stor, retr []smallRound
		for i := range e.Rounds {
			up, down, err := s.round(ctx, fmt.Sprint("round", i))
			if err != nil {
				return nil, err
			}
			stor, retr = append(stor, up), append(retr, down)
		}
		return append(s.rows("STOR", stor), s.rows("RETR after LIST", retr)...), nil
	})
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
	r.requests = stats.Total()
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

// rows are the figures of one verb.
func (s *smallSetup) rows(verb string, rounds []smallRound) []Row {
	work := fmt.Sprintf("%d x 4 KiB %s, %d sessions", s.files, verb, smallSessions)
	each := func(figure func(smallRound) float64) []float64 {
		out := make([]float64, len(rounds))
		for i, r := range rounds {
			out[i] = figure(r)
		}
		return out
	}
	files := float64(s.files)
	micros := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / files }
	return []Row{
		{Work: work, Figure: "files/s / direct's", Target: AtLeast(leastFileRate), Rounds: each(func(r smallRound) float64 {
			return r.direct.Wall.Seconds() / r.gateway.Wall.Seconds()
		})},
		{Work: work, Figure: "requests per file", Target: AtMost(1), Rounds: each(func(r smallRound) float64 { return float64(r.requests) / files })},
		{Work: work, Figure: "gateway files/s", Rounds: each(func(r smallRound) float64 { return files / r.gateway.Wall.Seconds() })},
		{Work: work, Figure: "direct files/s", Rounds: each(func(r smallRound) float64 { return files / r.direct.Wall.Seconds() })},
		{Work: work, Figure: "gateway CPU per file", Unit: "us", Rounds: each(func(r smallRound) float64 { return micros(r.gateway.CPU) })},
		{Work: work, Figure: "direct CPU per file", Unit: "us", Rounds: each(func(r smallRound) float64 { return micros(r.direct.CPU) })},
	}
}
