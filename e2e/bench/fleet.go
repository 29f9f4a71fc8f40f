package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"causeway/e2e/bench/ftpc"
)

const (
	// perAddress is how many sessions of a fleet come from one address of loopback: as many
	// as a gateway lets one client have by default.
	perAddress = 100
	// atOnce is how many sessions of a fleet connect at a time.
	atOnce = 32
)

// with has work done at a gateway of its own, with a null store, and ends both.
func (e *Env) with(ctx context.Context, o GatewayOptions, work func(*Store, *Gateway) ([]Row, error)) (rows []Row, err error) {
	store, err := e.Store(ctx, StoreOptions{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Stop()) }()
	g, err := e.Gateway(ctx, store, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.Stop()) }()
	return work(store, g)
}

// fleet is sessions of one gateway, all logged in.
type fleet []*ftpc.Client

// muster logs n sessions more in, from addresses of 127.0.0.0/16. The caller must close the
// fleet that it returns, which has all of f, also after an error. Go has raised the limit on
// open files to the hard one in both processes (package os).
func (e *Env) muster(ctx context.Context, g *Gateway, s Security, f fleet, n int) (fleet, error) {
	first := len(f)
	f = append(f, make(fleet, n)...)
	errs := make([]error, n)
	turns := make(chan int)
	var workers sync.WaitGroup
	for range min(atOnce, n) {
		workers.Go(func() {
			for i := range turns {
				o := e.Options(s)
				at := (first + i) / perAddress
				o.Local = fmt.Sprintf("127.0.%d.%d", 1+at/250, 1+at%250)
				f[first+i], errs[i] = e.Login(ctx, g, o)
			}
		})
	}
	for i := range n {
		turns <- i
	}
	close(turns)
	workers.Wait()
	if err := errors.Join(errs...); err != nil {
		return f, fmt.Errorf("log in %d sessions: %w", n, err)
	}
	return f, nil
}

// each has all sessions do their work at the same time, and returns how each has ended.
func (f fleet) each(work func(i int, c *ftpc.Client) error) []error {
	errs := make([]error, len(f))
	var all sync.WaitGroup
	for i, c := range f {
		all.Go(func() { errs[i] = work(i, c) })
	}
	all.Wait()
	return errs
}

// close hangs up all sessions.
func (f fleet) close() {
	for _, c := range f {
		if c != nil {
			_ = c.Close() // nothing depends on it any more
		}
	}
}

// succeeded is how many have ended without an error, and what the first of the others says.
func succeeded(errs []error) (n int, note string) {
	for _, err := range errs {
		switch {
		case err == nil:
			n++
		case note == "":
			note = err.Error()
		}
	}
	return n, note
}
