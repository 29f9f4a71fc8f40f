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
		all = append(all, Case{Name: b.name, Run: b.run})
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
	s, err := b.setUp(ctx, e)
	if err != nil {
		return nil, err
	}
	if err := s.warmUp(ctx); err != nil {
		return nil, err
	}
	rounds := make([]bulkRound, e.Rounds)
	for i := range rounds {
		if rounds[i], err = s.round(ctx, i); err != nil {
			return nil, err
		}
	}
	rows := b.rows(rounds)
	if b.verb == "RETR" && b.files == 1 {
		first, err := s.firstByte(ctx)
		if err != nil {
			return nil, err
		}
		rows = append(rows, first)
	}
	return rows, s.tearDown()
}

func (b bulk) setUp(ctx context.Context, e *Env) (*bulkSetup, error) {
	s := &bulkSetup{bulk: b, e: e, clients: make(map[Security][]*ftpc.Client)}
	var err error
	if s.store, err = e.Store(ctx, StoreOptions{}); err != nil {
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
	return s, nil
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

// prefix is that of the keys of a round: new ones to write, invented ones to read.
func (s *bulkSetup) prefix(of string) string {
	if s.verb == "RETR" {
		return fmt.Sprintf("sized-%d/", s.size)
	}
	return "bulk/" + of + "-"
}

// warmUp moves each file once every way, reads with their content checked.
func (s *bulkSetup) warmUp(ctx context.Context) error {
	for _, security := range []Security{Plain, TLS} {
		if err := s.transfer(security, "warm", ftpc.CheckContent); err != nil {
			return err
		}
	}
	if _, err := s.straight(ctx, "warm"); err != nil {
		return err
	}
	_, err := s.overSockets(ctx)
	return err
}

// round does the work in turn straight, over sockets, and through the gateway.
func (s *bulkSetup) round(ctx context.Context, i int) (bulkRound, error) {
	var r bulkRound
	var err error
	name := fmt.Sprint("round", i)
	steps := []func() error{
		func() error {
			r.directRequests, err = s.requests(ctx, func() error { r.direct, err = s.straight(ctx, name); return err })
			return err
		},
		func() error { r.sockets, err = s.overSockets(ctx); return err },
		func() error {
			r.requests, err = s.requests(ctx, func() error { r.plain, err = s.through(Plain, name); return err })
			return err
		},
		func() error { r.tls, err = s.through(TLS, name); return err },
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

// straight is the work done by the SDK.
func (s *bulkSetup) straight(ctx context.Context, name string) (Usage, error) {
	op := map[string]string{"STOR": "put", "RETR": "get"}[s.verb]
	return s.e.Direct(ctx, s.store, DirectJob{Op: op, Prefix: s.prefix("direct-" + name), Count: s.files, Size: s.size, Concurrency: s.sessions})
}

func (s *bulkSetup) overSockets(ctx context.Context) (Usage, error) {
	d := map[string]Direction{"STOR": Up, "RETR": Down}[s.verb]
	return s.sockets.Move(ctx, d, s.files, s.size, s.sessions)
}

// through is the work done by the gateway.
func (s *bulkSetup) through(security Security, name string) (Usage, error) {
	return s.gateway.Measure(func() error { return s.transfer(security, name, ftpc.CheckSize) })
}

// transfer moves the files over the sessions.
func (s *bulkSetup) transfer(security Security, name string, check ftpc.Check) error {
	var g errgroup.Group
	prefix := s.prefix(security.String() + "-" + name)
	for n, c := range s.clients[security] {
		g.Go(func() error {
			for i := n; i < s.files; i += s.sessions {
				file := fmt.Sprintf("/%s%06d", prefix, i)
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
	if err != nil {
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

// firstFiles is how many first octets are timed.
const firstFiles = 20

// firstByte compares how long small downloads wait for their first octet.
func (s *bulkSetup) firstByte(ctx context.Context) (Row, error) {
	const size = 1 << 20
	row := Row{Work: s.work(), Figure: "first octet later than direct's", Unit: "ms", Target: AtMost(5)}
	prefix := fmt.Sprintf("sized-%d/", size)
	for range firstFiles {
		u, err := s.e.Direct(ctx, s.store, DirectJob{Op: "get", Prefix: prefix, Count: 1, Size: size})
		if err != nil {
			return row, err
		}
		got, err := s.clients[Plain][0].Retrieve("/"+prefix+"000000", size, ftpc.CheckSize)
		if err != nil {
			return row, err
		}
		row.Rounds = append(row.Rounds, float64(got.First-u.First[0])/float64(time.Millisecond))
	}
	return row, nil
}
