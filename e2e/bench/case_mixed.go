package main

import (
	"context"
	"errors"
	"fmt"

	"causeway/e2e/bench/ftpc"
)

func mixedCases() []Case { return []Case{{Name: "mixed", Run: mixed}} }

const (
	mixedSessions = 50
	mixedTurns    = 4
	// What the gateway may hold: the default buffers, the default cache, and all else.
	mixedMemory = 256 + 64 + 128 // MiB
)

// mixedSizes are what a session uploads in a turn, and half of them downloads, in octets.
func mixedSizes() []int64 { return []int64{0, 700, 4 << 10, 4 << 10, 100 << 10, 1 << 20, 9 << 20} }

// mixed has many sessions do everything at a time. The store checks each octet that it is
// sent, and the clients each that they get.
func mixed(ctx context.Context, e *Env) (rows []Row, err error) {
	store, err := e.Store(ctx, StoreOptions{Verify: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Stop()) }()
	g, err := e.Gateway(ctx, store, GatewayOptions{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.Stop()) }()
	f, err := e.muster(ctx, g, Plain, nil, mixedSessions/2)
	if err == nil {
		f, err = e.muster(ctx, g, TLS, f, mixedSessions-mixedSessions/2)
	}
	defer f.close()
	if err != nil {
		return nil, err
	}
	turns := mixedTurns
	if e.Quick {
		turns = 1
	}
	var moved int64
	u, err := g.Measure(func() error {
		return first(f.each(func(i int, c *ftpc.Client) error { return mixedSession(c, fmt.Sprintf("/mixed/%d/", i), turns) }))
	})
	if err != nil {
		return nil, err
	}
	stats, err := store.Stats(ctx)
	moved = stats.BytesIn + stats.BytesOut
	work := fmt.Sprintf("%d sessions, half with TLS: STOR, RETR, LIST, SIZE, NOOP", mixedSessions)
	return []Row{
		{Work: work, Figure: "refused by the store", Target: AtMost(0), Rounds: []float64{float64(stats.Refused)}},
		{Work: work, Figure: "peak RSS", Unit: "MiB", Target: AtMost(mixedMemory), Rounds: []float64{mib(u.Peak)}},
		{Work: work, Figure: "gateway CPU", Unit: "s/GiB", Rounds: []float64{perGiB(u, moved)}, Note: rate(u, moved)},
		{Work: work, Figure: "requests", Rounds: []float64{float64(stats.Total())}},
	}, err
}

// mixedSession is what one session does.
func mixedSession(c *ftpc.Client, dir string, turns int) error {
	for turn := range turns {
		for i, size := range mixedSizes() {
			name := fmt.Sprintf("%s%d-%d", dir, turn, i)
			if err := storeAndAsk(c, name, size); err != nil {
				return err
			}
			if _, err := c.Command(200, "NOOP"); err != nil {
				return err
			}
			if i%2 == 0 {
				continue
			}
			if _, err := c.Retrieve(name, size, ftpc.CheckContent); err != nil {
				return err
			}
		}
		n, err := c.List("MLSD "+dir, nil)
		if want := (turn + 1) * len(mixedSizes()); err == nil && n != want {
			err = fmt.Errorf("MLSD %s: %d files instead of %d", dir, n, want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
