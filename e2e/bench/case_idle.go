package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// settleTime bounds how long the memory of a gateway is watched until it stays the same.
	settleTime = 30 * time.Second
	// settleBeat is how often it is looked at.
	settleBeat = 500 * time.Millisecond
	// settled is how many looks in a row must tell the same, within 1 %.
	settled = 6
)

func idleCases() []Case {
	return []Case{
		{Name: "idle-plain", Beside: true, Run: func(ctx context.Context, e *Env) ([]Row, error) { return idle(ctx, e, Plain, AtMost(12)) }},
		{Name: "idle-tls", Beside: true, Run: func(ctx context.Context, e *Env) ([]Row, error) { return idle(ctx, e, TLS, AtMost(32)) }},
	}
}

// idle tells what a session that is logged in and does nothing costs the gateway. The
// target is for the largest number of sessions, where what they share counts least.
func idle(ctx context.Context, e *Env, s Security, target *Target) ([]Row, error) {
	return e.with(ctx, GatewayOptions{}, func(_ *Store, g *Gateway) (rows []Row, err error) {
		before, err := e.rested(ctx, g, s)
		if err != nil {
			return nil, err
		}
		counts := []int{1000, 5000, 10_000}
		if e.Quick {
			counts = []int{1000}
		}
		var f fleet
		defer func() { f.close() }() // before the gateway is asked to end
		for _, n := range counts {
			if f, err = e.muster(ctx, g, s, f, n-len(f)); err != nil {
				return nil, err
			}
			row, err := g.perSession(ctx, n, before)
			if err != nil {
				return nil, err
			}
			row.Work = fmt.Sprintf("%d idle sessions, %s", n, s)
			rows = append(rows, row)
		}
		if !e.Quick {
			rows[len(rows)-1].Target = target
		}
		return rows, nil
	})
}

// rested is the memory of a gateway that has had sessions, and has none.
func (e *Env) rested(ctx context.Context, g *Gateway, s Security) (int64, error) {
	f, err := e.muster(ctx, g, s, nil, atOnce)
	f.close()
	if err != nil {
		return 0, err
	}
	return g.settle(ctx)
}

// perSession is what each of n sessions has added to the memory of before, in KiB.
func (g *Gateway) perSession(ctx context.Context, n int, before int64) (Row, error) {
	after, err := g.settle(ctx)
	if err != nil {
		return Row{}, err
	}
	return Row{
		Figure: "PSS per session", Unit: "KiB",
		Rounds: []float64{float64(after-before) / float64(n) / (1 << 10)},
		Note:   fmt.Sprintf("%d MiB in all", after>>20),
	}, nil
}

// settle watches the proportional set size until it stays the same, and returns it, or
// what it is after settleTime.
func (p *Process) settle(ctx context.Context) (int64, error) {
	tick := time.NewTicker(settleBeat)
	defer tick.Stop()
	last, same := int64(0), 0
	for range settleTime / settleBeat {
		now, err := p.PSS()
		if err != nil {
			return 0, err
		}
		if diff := now - last; max(diff, -diff) <= now/100 {
			same++
		} else {
			last, same = now, 0
		}
		if same == settled {
			return now, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	return last, nil
}
