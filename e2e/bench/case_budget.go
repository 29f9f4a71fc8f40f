package main

import (
	"context"
	"errors"
	"fmt"

	"causeway/e2e/bench/ftpc"
)

func budgetCases() []Case {
	return []Case{{Name: "budget", Beside: true, Run: budget}}
}

// budget has far more uploads at once than fit in the smallest budget that there is: they
// wait, and all end well.
func budget(ctx context.Context, e *Env) ([]Row, error) {
	const size = 20 << 20
	uploads := 200
	if e.Quick {
		uploads = 25
	}
	return e.with(ctx, GatewayOptions{Limits: ", buffers: 32MiB"}, func(store *Store, g *Gateway) ([]Row, error) {
		f, err := e.muster(ctx, g, Plain, nil, uploads)
		defer f.close()
		if err != nil {
			return nil, err
		}
		var errs []error
		u, err := g.Measure(func() error {
			errs = f.each(func(i int, c *ftpc.Client) error { return storeAndAsk(c, fmt.Sprintf("budget-%d", i), size) })
			return nil
		})
		finished, trouble := succeeded(errs)
		err = errors.Join(err, store.arrived(ctx, int64(finished)*size))
		work := fmt.Sprintf("%d STOR of %s at once, buffers 32 MiB", uploads, octets(size))
		return []Row{
			{Work: work, Figure: "finished, of the right size", Rounds: []float64{float64(finished)}, Target: AtLeast(float64(uploads)), Note: trouble},
			{Work: work, Figure: "peak RSS", Unit: "MiB", Rounds: []float64{mib(u.Peak)}},
			{Work: work, Figure: "gateway CPU", Unit: "s/GiB", Rounds: []float64{perGiB(u, int64(uploads)*size)}, Note: rate(u, int64(uploads)*size)},
		}, err
	})
}

// perGiB is the CPU time that so many octets took, in s/GiB.
func perGiB(u Usage, octets int64) float64 { return u.CPU.Seconds() / (float64(octets) / (1 << 30)) }

// rate tells how fast so many octets were moved.
func rate(u Usage, octets int64) string {
	return fmt.Sprintf("%.0f MiB/s", mib(octets)/u.Wall.Seconds())
}

// storeAndAsk uploads a file and asks how large it is.
func storeAndAsk(c *ftpc.Client, name string, size int64) error {
	if err := c.Store(name, size); err != nil {
		return err
	}
	return askSize(c, name, size)
}

// askSize fails unless the file has size octets.
func askSize(c *ftpc.Client, name string, size int64) error {
	if _, err := c.Command(200, "TYPE I"); err != nil {
		return err
	}
	reply, err := c.Command(213, "SIZE "+name)
	if err == nil && reply != fmt.Sprintf("213 %d", size) {
		err = fmt.Errorf("SIZE %s: %s instead of %d", name, reply, size)
	}
	return err
}
