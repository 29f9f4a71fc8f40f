package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"causeway/e2e/bench/ftpc"
)

func timingCases() []Case { return []Case{{Name: "timing", Run: timings}} }

const (
	// timingCount is how often a login of each kind is refused.
	timingCount = 1000
	// timingPause is between one and the next: more than a hash takes, so that they do not wait
	// for each other.
	timingPause = 60 * time.Millisecond
	// timingSessions wait for their answers, which are put off by a second, at a time.
	timingSessions = 16
	// What strangers may see of a difference between medians, in milliseconds.
	timingLimit = 1.0
)

// refusal is a login that is refused, for a reason that its answer must not tell.
type refusal struct {
	name     string
	user     func() string
	password string
}

// refusals are compared with the first one.
func refusals() []refusal {
	fixed := func(name string) func() string { return func() string { return name } }
	return []refusal{
		{"existing", fixed(user), "wrong"},
		{"missing", func() string { return fmt.Sprint("nobody", rand.Uint32()) }, "wrong"},
		{"disabled", fixed("disabled"), password},
		{"address denied", fixed("elsewhere"), password},
	}
}

// timings measures how long answers to logins take that are refused for different reasons,
// in a random order: who exists must not be told by that.
func timings(ctx context.Context, e *Env) ([]Row, error) {
	var hash string
	hashing, err := e.role(ctx, "hash", struct{}{}, &hash)
	if err != nil {
		return nil, err
	}
	if err := hashing.Stop(); err != nil {
		return nil, err
	}
	o := GatewayOptions{
		Hash:  hash,
		Extra: "guard: {exempt: [127.0.0.0/8]}\n",
		Users: fmt.Sprintf("  - {name: disabled, password: %[1]q, disabled: true, mounts: [{path: /, store: s3, rights: [list]}]}\n"+
			"  - {name: elsewhere, password: %[1]q, networks: [192.0.2.0/24], mounts: [{path: /, store: s3, rights: [list]}]}\n", hash),
	}
	return e.with(ctx, o, func(_ *Store, g *Gateway) ([]Row, error) {
		took, err := e.refused(ctx, g)
		if err != nil {
			return nil, err
		}
		return timingRows(took), nil
	})
}

// refused is how long each answer took, in milliseconds, by the index of its kind.
func (e *Env) refused(ctx context.Context, g *Gateway) ([][]float64, error) {
	kinds, each := refusals(), timingCount
	if e.Quick {
		each = timingCount / 50
	}
	order := make([]int, 0, each*len(kinds))
	for i := range each * len(kinds) {
		order = append(order, i%len(kinds))
	}
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	took := make([][]float64, len(kinds))
	var mu sync.Mutex
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(timingSessions)
	tick := time.NewTicker(timingPause)
	defer tick.Stop()
	for _, kind := range order {
		all.Go(func() error {
			d, err := e.refuse(ctx, g, kinds[kind])
			mu.Lock()
			defer mu.Unlock()
			took[kind] = append(took[kind], 1000*d.Seconds())
			return err
		})
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, all.Wait()
		}
	}
	return took, all.Wait()
}

// refuse is one login, from PASS to its answer.
func (e *Env) refuse(ctx context.Context, g *Gateway, r refusal) (time.Duration, error) {
	c, err := ftpc.Dial(ctx, g.Address, e.Options(Plain))
	if err != nil {
		return 0, err
	}
	_, err = c.Command(331, "USER "+r.user())
	began := time.Now()
	if err == nil {
		_, err = c.Command(530, "PASS "+r.password)
	}
	return time.Since(began), errors.Join(err, c.Close())
}

func timingRows(took [][]float64) []Row {
	work := fmt.Sprintf("refused login %d x each, in random order", len(took[0]))
	middle := func(i int) float64 { return Row{Rounds: took[i]}.Median() }
	rows := []Row{{Work: work, Figure: "existing: median", Unit: "ms", Rounds: []float64{middle(0)}}}
	for i, r := range refusals()[1:] {
		rows = append(rows,
			Row{Work: work, Figure: r.name + ": median's difference", Unit: "ms", Target: AtMost(timingLimit), Rounds: []float64{math.Abs(middle(i+1) - middle(0))}},
			Row{Work: work, Figure: r.name + ": p by Kolmogorov-Smirnov", Rounds: []float64{kolmogorov(took[0], took[i+1])}})
	}
	return rows
}

// kolmogorov is how likely two samples of one distribution differ by as much as a and b, by
// the two-sample test of Kolmogorov and Smirnov with its asymptotic distribution.
func kolmogorov(a, b []float64) float64 {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	var i, j int
	var most float64
	for i < len(a) && j < len(b) {
		x := min(a[i], b[j])
		for i < len(a) && a[i] == x {
			i++
		}
		for j < len(b) && b[j] == x {
			j++
		}
		most = max(most, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	n := math.Sqrt(float64(len(a)*len(b)) / float64(len(a)+len(b)))
	lambda := (n + 0.12 + 0.11/n) * most
	if lambda < 0.2 {
		return 1 // where the series does not converge
	}
	var p float64
	for k := 1; k <= 100; k++ {
		p += 2 * math.Pow(-1, float64(k-1)) * math.Exp(-2*lambda*lambda*float64(k*k))
	}
	return min(max(p, 0), 1)
}
