package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"causeway/e2e/bench/ftpc"
)

// bulkCases move large files: one alone, and sixteen over four sessions.
func bulkCases() []Case {
	var all []Case
	for _, b := range []bulk{
		{name: "stor-1x1GiB", verb: "STOR", files: 1, sessions: 1, size: 1 << 30},
		{name: "retr-1x1GiB", verb: "RETR", files: 1, sessions: 1, size: 1 << 30},
		{name: "stor-16x64MiB", verb: "STOR", files: 16, sessions: 4, size: 64 << 20},
		{name: "retr-16x64MiB", verb: "RETR", files: 16, sessions: 4, size: 64 << 20},
	} {
		all = append(all, Case{Name: b.name, Real: true, Run: b.run})
	}
	return all
}

// bulk is one such case.
type bulk struct {
	name, verb      string
	files, sessions int
	size            int64 // of a file, octets
}

// quickShare is how much less a quick run moves.
const quickShare = 4

// bulkRound is what was measured one after another: the same work done four times.
type bulkRound struct {
	direct, sockets, plain, tls Usage
	cipher                      float64 // CPU seconds for all octets of the file
	requests                    float64 // of the gateway, plain
	directRequests              float64
}

// bulkSetup is what the rounds share.
type bulkSetup struct {
	bulk
	e       *Env
	store   *Store
	gateway *Gateway
	sockets *Sockets
	clients map[Security][]*ftpc.Client
}

func (b bulk) run(ctx context.Context, e *Env) ([]Row, error) {
	if e.Quick {
		b.size /= quickShare
	}
	rows, err := b.unpaced(ctx, e)
	if err == nil && b.verb == "RETR" && b.files == 1 {
		var first Row
		first, err = b.firstByte(ctx, e)
		rows = append(rows, first)
	}
	if err != nil || e.Server != nullServer {
		return rows, err
	}
	row, err := b.paced(ctx, e)
	return append(rows, row), err
}

// unpaced measures at a store that is as fast as it can be.
func (b bulk) unpaced(ctx context.Context, e *Env) ([]Row, error) {
	s, err := b.setUp(ctx, e, StoreOptions{})
	if err != nil {
		return nil, err
	}
	rounds := make([]bulkRound, e.Rounds)
	for i := range rounds {
		if rounds[i], err = s.round(ctx); err != nil {
			return nil, err
		}
	}
	return b.rows(rounds), s.tearDown()
}

// pacedRate is that of a store on a line of 4 Gbit/s, octets a second: one that all
// programs of the chain can keep up with on two CPUs.
const pacedRate = 500 << 20

// paced measures the throughput where the store, and not the CPUs, bounds it.
func (b bulk) paced(ctx context.Context, e *Env) (Row, error) {
	row := Row{
		Work: b.work(), Figure: "throughput / direct's, store at 500 MiB/s", Target: AtLeast(leastThroughput),
	}
	s, err := b.setUp(ctx, e, StoreOptions{Rate: pacedRate})
	if err != nil {
		return row, err
	}
	for range e.Rounds {
		direct, err := s.straight(ctx)
		if err != nil {
			return row, err
		}
		gateway, err := s.through(Plain)
		if err != nil {
			return row, err
		}
		row.Rounds = append(row.Rounds, direct.Wall.Seconds()/gateway.Wall.Seconds())
	}
	return row, s.tearDown()
}

// setUp starts everything, and moves each file once every way.
func (b bulk) setUp(ctx context.Context, e *Env, o StoreOptions) (*bulkSetup, error) {
	s := &bulkSetup{bulk: b, e: e, clients: make(map[Security][]*ftpc.Client)}
	var err error
	if s.store, err = e.Store(ctx, o); err != nil {
		return nil, err
	}
	if s.gateway, err = e.Gateway(ctx, s.store, GatewayOptions{}); err != nil {
		return nil, err
	}
	if s.sockets, err = e.Sockets(ctx); err != nil {
		return nil, err
	}
	for _, security := range []Security{Plain, TLS} {
		for range b.sessions {
			c, err := e.Login(ctx, s.gateway, e.Options(security))
			if err != nil {
				return nil, err
			}
			s.clients[security] = append(s.clients[security], c)
		}
	}
	return s, s.warmUp(ctx)
}

func (s *bulkSetup) tearDown() error {
	var errs []error
	for _, clients := range s.clients {
		for _, c := range clients {
			errs = append(errs, c.Quit())
		}
	}
	return errors.Join(append(errs, s.gateway.Stop(), s.store.Stop(), s.sockets.Stop())...)
}

// prefix is that of the keys: to read, invented ones where the server does so.
func (s *bulkSetup) prefix() string {
	if s.verb == "RETR" {
		return fmt.Sprintf("sized-%d/", s.size)
	}
	return "bulk/"
}

// warmUp moves each file once every way, reads with their content checked.
func (s *bulkSetup) warmUp(ctx context.Context) error {
	if s.verb == "RETR" && !s.store.Counts() {
		put := s.job()
		put.Op = "put"
		if _, err := s.e.Direct(ctx, s.store, put); err != nil {
			return err
		}
	}
	for _, security := range []Security{Plain, TLS} {
		if err := s.transfer(security, ftpc.CheckContent); err != nil {
			return err
		}
	}
	if _, err := s.straight(ctx); err != nil {
		return err
	}
	_, err := s.overSockets(ctx)
	return err
}

// round does the work in turn straight, over sockets, and through the gateway.
func (s *bulkSetup) round(ctx context.Context) (bulkRound, error) {
	var r bulkRound
	var err error
	steps := []func() error{
		func() error {
			r.directRequests, err = s.requests(ctx, func() error { r.direct, err = s.straight(ctx); return err })
			return err
		},
		func() error { r.sockets, err = s.overSockets(ctx); return err },
		func() error {
			r.requests, err = s.requests(ctx, func() error { r.plain, err = s.through(Plain); return err })
			return err
		},
		func() error { r.tls, err = s.through(TLS); return err },
		func() error { r.cipher, err = cipherSeconds(ctx, s.clients[TLS][0].Cipher(), s.octets()); return err },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (b bulk) octets() int64 { return int64(b.files) * b.size }

// job is the work for the SDK.
func (s *bulkSetup) job() DirectJob {
	op := map[string]string{"STOR": "put", "RETR": "get"}[s.verb]
	return DirectJob{Op: op, Prefix: s.prefix(), Count: s.files, Size: s.size, Concurrency: s.sessions}
}

// straight is the work done by the SDK.
func (s *bulkSetup) straight(ctx context.Context) (Usage, error) {
	return s.e.Direct(ctx, s.store, s.job())
}

func (s *bulkSetup) overSockets(ctx context.Context) (Usage, error) {
	d := map[string]Direction{"STOR": Up, "RETR": Down}[s.verb]
	return s.sockets.Move(ctx, d, s.files, s.size, s.sessions)
}

// through is the work done by the gateway.
func (s *bulkSetup) through(security Security) (Usage, error) {
	return s.gateway.Measure(func() error { return s.transfer(security, ftpc.CheckSize) })
}

// transfer moves the files over the sessions.
func (s *bulkSetup) transfer(security Security, check ftpc.Check) error {
	var g errgroup.Group
	for n, c := range s.clients[security] {
		g.Go(func() error {
			for i := n; i < s.files; i += s.sessions {
				file := "/" + s.job().Key(i)
				if s.verb == "STOR" {
					if err := c.Store(file, s.size); err != nil {
						return err
					}
				} else if _, err := c.Retrieve(file, s.size, check); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// requests counts those that work makes to the store, and holds it to its octets.
func (s *bulkSetup) requests(ctx context.Context, work func() error) (float64, error) {
	if err := s.store.Reset(ctx); err != nil {
		return 0, err
	}
	if err := work(); err != nil {
		return 0, err
	}
	stats, err := s.store.Stats(ctx)
	if err != nil || !s.store.Counts() {
		return 0, err
	}
	moved := stats.BytesIn
	if s.verb == "RETR" {
		moved = stats.BytesOut
	}
	if moved < s.octets() {
		return 0, fmt.Errorf("%s: %d octets at the store instead of %d", s.name, moved, s.octets())
	}
	return float64(stats.Total()), nil
}

// How first octets are timed. At a store that took no time, one request too many before the
// first octet would not show.
const (
	firstFiles = 20
	firstSize  = 1 << 20
	firstDelay = 50 * time.Millisecond // of the store, for each request
	firstLimit = 5                     // ms
)

// firstByte compares how long downloads of files that nobody has asked for before wait for
// their first octet.
func (b bulk) firstByte(ctx context.Context, e *Env) (Row, error) {
	row := Row{Work: b.work(), Figure: "first octet later than direct's", Unit: "ms", Target: AtMost(firstLimit)}
	b.size = firstSize
	s, err := b.setUp(ctx, e, StoreOptions{Delay: firstDelay})
	if err != nil {
		return row, err
	}
	if s.store.Counts() {
		row.Note = fmt.Sprintf("store takes %v", firstDelay)
	}
	for i := range firstFiles {
		job := DirectJob{Op: "get", Prefix: fmt.Sprintf("%sfirst-%d-", s.prefix(), i), Count: 1, Size: firstSize}
		if !s.store.Counts() {
			put := job
			put.Op = "put"
			if _, err := e.Direct(ctx, s.store, put); err != nil {
				return row, err
			}
		}
		u, err := e.Direct(ctx, s.store, job)
		if err != nil {
			return row, err
		}
		got, err := s.clients[Plain][0].Retrieve("/"+job.Key(0), firstSize, ftpc.CheckSize)
		if err != nil {
			return row, err
		}
		row.Rounds = append(row.Rounds, float64(got.First-u.First[0])/float64(time.Millisecond))
	}
	return row, s.tearDown()
}
