package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"causeway/e2e/bench/ftpc"
)

// slowLoad is many clients that upload at once over poor links.
type slowLoad struct {
	uploads int
	size    int64 // octets of each
	rate    int64 // octets a second of each
	buffers int64 // MiB, of the gateway's configuration
	spool   bool
	most    float64 // MiB of resident memory
	note    string
}

func slowCases() []Case {
	return []Case{
		{Name: "slow-16MiB", Beside: true, Run: func(ctx context.Context, e *Env) ([]Row, error) {
			l := slowLoad{uploads: 1000, size: 16 << 20, rate: 32 << 10, buffers: 256, spool: true, most: 256 + 128}
			if e.Quick {
				l = slowLoad{uploads: 250, size: 1 << 20, rate: 128 << 10, buffers: 32, spool: true, most: 32 + 128,
					note: "quick: the full load takes 9 minutes"}
			}
			return l.run(ctx, e)
		}},
		{Name: "slow-256KiB", Beside: true, Run: func(ctx context.Context, e *Env) ([]Row, error) {
			l := slowLoad{uploads: 1000, size: 256 << 10, rate: 32 << 10, buffers: 256, most: 350}
			return l.run(ctx, e)
		}},
	}
}

func (l slowLoad) String() string {
	s := fmt.Sprintf("%d slow STOR of %s at %d KiB/s", l.uploads, octets(l.size), l.rate>>10)
	if l.spool {
		s += fmt.Sprintf(", buffers %d MiB and spool", l.buffers)
	}
	return s
}

// octets writes a size in the largest unit that it is a multiple of.
func octets(n int64) string {
	for i, unit := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if one := int64(1) << (40 - 10*i); n >= one && n%one == 0 {
			return fmt.Sprintf("%d %s", n/one, unit)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// options is the gateway's configuration. The spool, where there is one, has room for
// everything that the clients send.
func (l slowLoad) options(e *Env) (GatewayOptions, error) {
	o := GatewayOptions{Limits: fmt.Sprintf(", buffers: %dMiB", l.buffers)}
	if l.spool {
		dir, err := os.MkdirTemp(e.Dir, "spool-")
		if err != nil {
			return o, err
		}
		o.Extra = fmt.Sprintf("spool: {dir: %q, bytes: %d}\n", dir, int64(l.uploads)*l.size)
	}
	return o, nil
}

func (l slowLoad) run(ctx context.Context, e *Env) ([]Row, error) {
	o, err := l.options(e)
	if err != nil {
		return nil, err
	}
	return e.with(ctx, o, func(store *Store, g *Gateway) ([]Row, error) {
		f, err := e.muster(ctx, g, Plain, nil, l.uploads)
		defer f.close()
		if err != nil {
			return nil, err
		}
		var errs []error
		u, err := g.Measure(func() error {
			errs = f.each(func(i int, c *ftpc.Client) error { return l.upload(ctx, e, fmt.Sprintf("slow-%d", i), c) })
			return nil
		})
		finished, trouble := succeeded(errs)
		err = errors.Join(err, store.arrived(ctx, int64(finished)*l.size))
		work := l.String()
		return []Row{
			{Work: work, Figure: "peak RSS", Unit: "MiB", Rounds: []float64{mib(u.Peak)}, Target: AtMost(l.most), Note: l.note},
			{Work: work, Figure: "finished", Rounds: []float64{float64(finished)}, Target: AtLeast(float64(l.uploads)), Note: trouble},
			{Work: work, Figure: "gateway CPU", Unit: "s", Rounds: []float64{u.CPU.Seconds()}, Note: fmt.Sprintf("in %.0f s", u.Wall.Seconds())},
		}, err
	})
}

func mib(octets int64) float64 { return float64(octets) / (1 << 20) }

// slowBeat is how often a slow client sends.
const slowBeat = 250 * time.Millisecond

// upload sends one file at its rate, and is never faster to make up for what was slower.
func (l slowLoad) upload(ctx context.Context, e *Env, name string, c *ftpc.Client) error {
	d, err := c.Open("STOR " + name)
	if err != nil {
		return err
	}
	tick := time.NewTicker(slowBeat)
	defer tick.Stop()
	piece := l.rate * int64(slowBeat) / int64(time.Second)
	for at := int64(0); at < l.size; {
		n, err := d.Write(e.Content.At(at)[:min(piece, l.size-at)])
		if err != nil {
			// The reply says more than that the gateway has closed.
			return fmt.Errorf("%s: after %d octets: %w", name, at, errors.Join(err, d.Finish()))
		}
		at += int64(n)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return d.Finish()
}
