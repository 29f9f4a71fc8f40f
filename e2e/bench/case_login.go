package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/go-crypt/crypt/algorithm/argon2"
	"golang.org/x/sync/errgroup"

	"causeway/e2e/bench/ftpc"
)

func loginCases() []Case { return []Case{{Name: "login", Run: logins}} }

const (
	loginCount    = 200
	loginSessions = 8 // at a time
	// What a login with an upload may cost beside the password hash.
	loginAllowance = 1.15
	loginCPU       = 2 * time.Millisecond
)

// loginRound is what was measured in one round.
type loginRound struct {
	hash, gateway Usage
	connections   int64
}

// logins logs in anew for each file, as devices do, with the hash that causeway passwd makes.
func logins(ctx context.Context, e *Env) ([]Row, error) {
	var hash string
	hashing, err := e.role(ctx, "hash", struct{}{}, &hash)
	if err != nil {
		return nil, err
	}
	rows, err := e.with(ctx, GatewayOptions{Hash: hash}, func(store *Store, g *Gateway) ([]Row, error) {
		if err := e.warmLogin(ctx, g); err != nil {
			return nil, err
		}
		var rounds []loginRound
		for i := range min(e.Rounds, 3) {
			r, err := e.loginRound(ctx, hashing, store, g, fmt.Sprint("/login/", i))
			if err != nil {
				return nil, err
			}
			rounds = append(rounds, r)
		}
		return loginRows(rounds), nil
	})
	return rows, errors.Join(err, hashing.Stop())
}

// warmLogin has as many uploads at a time as there will ever be.
func (e *Env) warmLogin(ctx context.Context, g *Gateway) error {
	f, err := e.muster(ctx, g, Plain, nil, loginSessions)
	defer f.close()
	if err != nil {
		return err
	}
	return first(f.each(func(i int, c *ftpc.Client) error {
		for n := range loginSessions {
			if err := c.Store(fmt.Sprintf("/login/warm%d-%d", i, n), smallSize); err != nil {
				return err
			}
		}
		return nil
	}))
}

// loginRound verifies the hash as often as there are logins, and logs in.
func (e *Env) loginRound(ctx context.Context, hashing *Process, store *Store, g *Gateway, prefix string) (loginRound, error) {
	var r loginRound
	var err error
	r.hash, err = hashing.Measure(func() error {
		var done int
		return hashing.Ask(ctx, loginCount, &done)
	})
	if err != nil {
		return r, err
	}
	if err := store.Reset(ctx); err != nil {
		return r, err
	}
	r.gateway, err = g.Measure(func() error {
		all, ctx := errgroup.WithContext(ctx)
		all.SetLimit(loginSessions)
		for i := range loginCount {
			all.Go(func() error { return e.loginOnce(ctx, g, fmt.Sprint(prefix, "-", i)) })
		}
		return all.Wait()
	})
	if err != nil {
		return r, err
	}
	stats, err := store.Stats(ctx)
	r.connections = stats.Connections
	return r, err
}

func (e *Env) loginOnce(ctx context.Context, g *Gateway, name string) error {
	c, err := e.Login(ctx, g, e.Options(Plain))
	if err != nil {
		return err
	}
	if err := c.Store(name, smallSize); err != nil {
		return errors.Join(err, c.Close())
	}
	return c.Quit()
}

func loginRows(rounds []loginRound) []Row {
	work := fmt.Sprintf("login, STOR, QUIT %d x, %d at a time", loginCount, loginSessions)
	each := func(figure func(loginRound) float64) []float64 {
		out := make([]float64, len(rounds))
		for i, r := range rounds {
			out[i] = figure(r)
		}
		return out
	}
	perLogin := func(d time.Duration) float64 { return d.Seconds() / loginCount }
	return []Row{
		{Work: work, Figure: "new store connections", Target: AtMost(0), Rounds: each(func(r loginRound) float64 { return float64(r.connections) })},
		{Work: work, Figure: "gateway CPU / (1.15 hash's + 2 ms)", Target: AtMost(1), Rounds: each(func(r loginRound) float64 {
			return perLogin(r.gateway.CPU) / (loginAllowance*perLogin(r.hash.CPU) + loginCPU.Seconds())
		})},
		{Work: work, Figure: "gateway CPU per login", Unit: "ms", Rounds: each(func(r loginRound) float64 { return 1000 * perLogin(r.gateway.CPU) })},
		{Work: work, Figure: "hash CPU", Unit: "ms", Rounds: each(func(r loginRound) float64 { return 1000 * perLogin(r.hash.CPU) })},
		{Work: work, Figure: "logins/s", Rounds: each(func(r loginRound) float64 { return loginCount / r.gateway.Wall.Seconds() })},
		{Work: work, Figure: "hashes/s alone", Rounds: each(func(r loginRound) float64 { return loginCount / r.hash.Wall.Seconds() })},
		{Work: work, Figure: "peak RSS", Unit: "MiB", Rounds: each(func(r loginRound) float64 { return mib(r.gateway.Peak) })},
	}
}

// beHash is the part "hash": it makes the hash that causeway passwd would make, and for each
// number that it reads verifies it as often, on all cores, by the library that the gateway
// uses.
func beHash(ctx context.Context, _ []byte) error {
	h, err := argon2.New(argon2.WithVariantID(), argon2.WithM(19*1024), argon2.WithT(2), argon2.WithP(1))
	if err != nil {
		return err
	}
	made, err := h.Hash(password)
	if err != nil {
		return err
	}
	digest, err := argon2.DecodeVariant(argon2.VariantID)(made.Encode())
	if err != nil {
		return err
	}
	return serveJobs(made.Encode(), func(times int) (int, error) {
		all, _ := errgroup.WithContext(ctx)
		all.SetLimit(runtime.GOMAXPROCS(0)) // as many as the gateway has at a time
		for range times {
			all.Go(func() error {
				if !digest.Match(password) {
					return errors.New("the hash does not match")
				}
				return nil
			})
		}
		return times, all.Wait()
	})
}
