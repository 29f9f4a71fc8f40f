package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"causeway/e2e/bench/ftpc"
	"causeway/e2e/bench/nulls3"
)

// listCases list directories of many names.
func listCases() []Case {
	all := []Case{{Name: "list-first", Run: listFirst}}
	for _, names := range []int{10_000, 100_000, 1_000_000} {
		l := listing{names: names}
		all = append(all, Case{Name: fmt.Sprintf("list-%d", names), Run: l.run})
	}
	return all
}

// The limits of listings.
const (
	listTime   = 1.1 // of the time in which the SDK fetches and parses the pages
	listMemory = 16  // MiB more than before
	listWrite  = 32 << 10
	listWrites = 1         // for each of these; the system counts what wakes threads as well
	largeList  = 1_000_000 // names, from which on memory and writes have limits, and there are fewer rounds
)

// listing is a directory of so many names, listed in each form.
type listing struct{ names int }

// listVerbs are the forms.
func listVerbs() []string { return []string{"LIST", "MLSD", "NLST"} }

// listRound is what was measured of one form in one round.
type listRound struct {
	direct, gateway Usage
	grown           int64   // peak of the resident memory over what it was before all rounds, octets
	writes          float64 // of the gateway to the data connection, for each 32 KiB
}

func (l listing) run(ctx context.Context, e *Env) ([]Row, error) {
	rounds := e.Rounds
	if e.Quick && l.names > largeList/10 {
		l.names = largeList / 10
	}
	if l.names >= largeList {
		rounds = min(rounds, 2)
	}
	return e.with(ctx, GatewayOptions{}, func(store *Store, g *Gateway) ([]Row, error) {
		c, err := e.Login(ctx, g, e.Options(Plain))
		if err != nil {
			return nil, err
		}
		defer func() { _ = c.Close() }() // nothing depends on it any more
		if err := warmList(ctx, e, store, c); err != nil {
			return nil, err
		}
		before, err := g.RSS()
		if err != nil {
			return nil, err
		}
		s := &listSetup{store, g, c, before}
		found := make(map[string][]listRound)
		for i := range rounds {
			direct, err := e.Direct(ctx, store, DirectJob{Op: "list", Prefix: nulls3.NamesDir(l.names)})
			if err != nil {
				return nil, err
			}
			for n, verb := range listVerbs() {
				// A directory of its own, one name larger than the last, which no cache has.
				r, err := s.once(ctx, verb, l.names+len(listVerbs())*i+n)
				if err != nil {
					return nil, err
				}
				r.direct = direct
				found[verb] = append(found[verb], r)
			}
		}
		var rows []Row
		for _, verb := range listVerbs() {
			rows = append(rows, l.rows(verb, found[verb])...)
		}
		return rows, nil
	})
}

// warmList has both list a directory of ten pages once.
func warmList(ctx context.Context, e *Env, store *Store, c *ftpc.Client) error {
	const names = 9_999
	if _, err := e.Direct(ctx, store, DirectJob{Op: "list", Prefix: nulls3.NamesDir(names)}); err != nil {
		return err
	}
	_, err := c.List("LIST /"+nulls3.NamesDir(names), nil)
	return err
}

// listSetup is what the rounds share.
type listSetup struct {
	store  *Store
	g      *Gateway
	c      *ftpc.Client
	before int64 // resident memory of the gateway, octets
}

// once lists a directory of so many names and holds the answer to them.
func (s *listSetup) once(ctx context.Context, verb string, names int) (listRound, error) {
	var r listRound
	var size int64
	writes, err := s.writes(ctx, func() error {
		var err error
		r.gateway, err = s.g.Measure(func() error {
			n, err := s.c.List(verb+" /"+nulls3.NamesDir(names), func(line []byte) { size += int64(len(line)) + 2 })
			if err == nil && n != names {
				err = fmt.Errorf("%s: %d lines instead of %d", verb, n, names)
			}
			return err
		})
		return err
	})
	r.grown = r.gateway.Peak - s.before
	r.writes = float64(writes) / (float64(size) / listWrite)
	return r, err
}

// otherWrites are those of a listing that are neither data nor requests: the replies 229, 150
// and 226, and what is logged.
const otherWrites = 4

// writes counts the gateway's writes to the data connection during one listing, and what
// wakes its threads.
func (s *listSetup) writes(ctx context.Context, list func() error) (int64, error) {
	if err := s.store.Reset(ctx); err != nil {
		return 0, err
	}
	before, err := s.g.Writes()
	if err != nil {
		return 0, err
	}
	if err := list(); err != nil {
		return 0, err
	}
	after, err := s.g.Writes()
	if err != nil {
		return 0, err
	}
	stats, err := s.store.Stats(ctx)
	return after - before - stats.Total() - otherWrites, err
}

// rows are the figures of one form.
func (l listing) rows(verb string, rounds []listRound) []Row {
	work := fmt.Sprintf("%s of %d names", verb, l.names)
	each := func(figure func(listRound) float64) []float64 {
		out := make([]float64, len(rounds))
		for i, r := range rounds {
			out[i] = figure(r)
		}
		return out
	}
	micros := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / float64(l.names) }
	memory := Row{Work: work, Figure: "RSS grown by", Unit: "MiB", Rounds: each(func(r listRound) float64 { return mib(r.grown) })}
	writes := Row{Work: work, Figure: "writes per 32 KiB", Rounds: each(func(r listRound) float64 { return r.writes })}
	if l.names >= largeList {
		memory.Target, writes.Target = AtMost(listMemory), AtMost(listWrites)
	}
	return []Row{
		{Work: work, Figure: "time / direct's", Target: AtMost(listTime), Rounds: each(func(r listRound) float64 {
			return r.gateway.Wall.Seconds() / r.direct.Wall.Seconds()
		})},
		memory,
		{Work: work, Figure: "gateway CPU per name", Unit: "us", Rounds: each(func(r listRound) float64 { return micros(r.gateway.CPU) })},
		{Work: work, Figure: "direct CPU per name", Unit: "us", Rounds: each(func(r listRound) float64 { return micros(r.direct.CPU) })},
		writes,
	}
}

// listFirst measures after how many pages of a slow store the first octet comes.
func listFirst(ctx context.Context, e *Env) ([]Row, error) {
	const page = 50 * time.Millisecond
	const names = 5_000
	store, err := e.Store(ctx, StoreOptions{Delay: page})
	if err != nil {
		return nil, err
	}
	g, err := e.Gateway(ctx, store, GatewayOptions{})
	if err != nil {
		return nil, err
	}
	c, err := e.Login(ctx, g, e.Options(Plain))
	if err != nil {
		return nil, err
	}
	// What is parked is asked for once in half a minute, by whatever listing.
	if _, err := c.List("LIST /"+nulls3.NamesDir(1), nil); err != nil {
		return nil, err
	}
	var rows []Row
	for n, verb := range listVerbs() {
		row := Row{
			Work: verb + " of a store that takes 50 ms for a page", Figure: "first octet after", Unit: "pages", Target: AtMost(1.5),
		}
		for i := range e.Rounds {
			// As clients do; and NLST tells bare names then, the shortest lines there are.
			if _, err := c.Command(250, "CWD /"+nulls3.NamesDir(names+len(listVerbs())*i+n)); err != nil {
				return nil, err
			}
			after, err := firstOctet(c, verb)
			if err != nil {
				return nil, err
			}
			row.Rounds = append(row.Rounds, float64(after)/float64(page))
		}
		rows = append(rows, row)
	}
	return rows, errors.Join(c.Quit(), g.Stop(), store.Stop())
}

// firstOctet is how long after the command the first octet of the answer comes.
func firstOctet(c *ftpc.Client, line string) (time.Duration, error) {
	start := time.Now()
	d, err := c.Open(line)
	if err != nil {
		return 0, err
	}
	var one [1]byte
	_, err = io.ReadFull(d, one[:])
	after := time.Since(start)
	if err == nil {
		_, err = io.Copy(io.Discard, d)
	}
	if err != nil {
		d.Abandon()
		return 0, err
	}
	return after, d.Finish()
}
