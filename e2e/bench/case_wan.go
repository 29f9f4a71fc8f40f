package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"causeway/e2e/bench/ftpc"
	"causeway/e2e/bench/wan"
)

// The line between the gateway and a store in another place.
const (
	wanRoundTrip = 50 * time.Millisecond
	wanRate      = 40_000_000 // octets a second
)

// wanOptions says what the part "wan" stands before.
type wanOptions struct {
	Target string // host:port
	Line   wan.Line
}

// Far returns the store as it is over a long line. Its clients are its own.
func (e *Env) Far(ctx context.Context, s *Store, line wan.Line) (*Store, error) {
	var address string
	p, err := e.role(ctx, "wan", wanOptions{s.URL[len("http://"):], line}, &address)
	if err != nil {
		return nil, err
	}
	return &Store{Process: p, URL: "http://" + address, Bucket: s.Bucket, key: s.key, secret: s.secret, control: s.control}, nil
}

// beWan is the part "wan": a proxy until its input ends.
func beWan(ctx context.Context, options []byte) error {
	var o wanOptions
	if err := json.Unmarshal(options, &o); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent closes it
	}()
	if err := json.NewEncoder(os.Stdout).Encode(l.Addr().String()); err != nil {
		return errors.Join(err, l.Close())
	}
	return wan.Serve(ctx, l, o.Target, o.Line)
}

func wanCases() []Case {
	return []Case{{Name: "wan", Run: runWAN}}
}

// far is a gateway whose store is over a long line, and one client of it.
type far struct {
	store   *Store
	gateway *Gateway
	client  *ftpc.Client
}

func runWAN(ctx context.Context, e *Env) (rows []Row, err error) {
	near, err := e.Store(ctx, StoreOptions{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, near.Stop()) }()
	store, err := e.Far(ctx, near, wan.Line{RoundTrip: wanRoundTrip, Rate: wanRate})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Stop()) }()
	g, err := e.Gateway(ctx, store, GatewayOptions{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.Stop()) }()
	client, err := e.Login(ctx, g, e.Options(Plain))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, client.Quit()) }()
	f := far{store, g, client}
	for _, work := range []func(context.Context, *Env) ([]Row, error){f.bulk, f.small, f.list} {
		more, err := work(ctx, e)
		rows = append(rows, more...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// bulk moves a large file each way, and compares with what one connection to the store
// carries.
func (f far) bulk(ctx context.Context, e *Env) ([]Row, error) {
	const size = 512 << 20
	single := DirectJob{Op: "get", Prefix: fmt.Sprintf("sized-%d/", 128<<20), Count: 1, Size: 128 << 20}
	remote := fmt.Sprintf("sized-%d/wan", size)
	up := Row{Work: "WAN, STOR " + octets(size), Figure: "rate / one connection's", Target: AtLeast(3.5)}
	down := Row{Work: "WAN, RETR " + octets(size), Figure: "rate / one connection's", Target: AtLeast(3.5)}
	one := Row{Work: "WAN, one GET of " + octets(single.Size), Figure: "rate", Unit: "MB/s"}
	cpu := Row{Work: up.Work, Figure: "gateway CPU", Unit: "s/GiB"}
	for range min(e.Rounds, 3) {
		direct, err := e.Direct(ctx, f.store, single)
		if err != nil {
			return nil, err
		}
		rate := float64(single.Size) / direct.Wall.Seconds()
		one.Rounds = append(one.Rounds, rate/1e6)
		if err := f.store.Reset(ctx); err != nil {
			return nil, err
		}
		u, err := f.gateway.Measure(func() error { return f.client.Store("wan-large", size) })
		if err = errors.Join(err, f.store.arrived(ctx, size)); err != nil {
			return nil, err
		}
		up.Rounds = append(up.Rounds, size/u.Wall.Seconds()/rate)
		cpu.Rounds = append(cpu.Rounds, u.CPU.Seconds()/(size/float64(1<<30)))
		u, err = f.gateway.Measure(func() error {
			_, err := f.client.Retrieve(remote, size, ftpc.CheckContent)
			return err
		})
		if err != nil {
			return nil, err
		}
		down.Rounds = append(down.Rounds, size/u.Wall.Seconds()/rate)
	}
	return []Row{one, up, cpu, down}, nil
}

// wanFiles is how many small files are moved one after another: few enough that a listing
// is still in the cache, which keeps it for 5 s, when the last is read.
const wanFiles = 50

// oneTrip is the limit for what is one request, in ms.
const oneTrip = 1.3*50 + 5

// small moves small files one after another: each costs one round trip.
func (f far) small(ctx context.Context, _ *Env) ([]Row, error) {
	const size = 4 << 10
	name := func(i int) string { return fmt.Sprintf("small/%03d", i) }
	up, err := f.sequence(ctx, "WAN, STOR 4 KiB, one after another", func(i int) error {
		return f.client.Store(name(i), size)
	})
	if err != nil {
		return nil, err
	}
	if n, err := f.client.List("LIST small", nil); err != nil {
		return nil, err
	} else if n != wanFiles {
		return nil, fmt.Errorf("LIST small: %d names", n)
	}
	down, err := f.sequence(ctx, "WAN, RETR 4 KiB after LIST, one after another", func(i int) error {
		_, err := f.client.Retrieve(name(i), size, ftpc.CheckContent)
		return err
	})
	return append(up, down...), err
}

// sequence does the work for each of the small files, and tells the time and the requests
// that one takes.
func (f far) sequence(ctx context.Context, name string, work func(i int) error) ([]Row, error) {
	if err := f.store.Reset(ctx); err != nil {
		return nil, err
	}
	took := Row{Work: name, Figure: "time of each", Unit: "ms", Target: AtMost(oneTrip)}
	for i := range wanFiles {
		start := time.Now()
		if err := work(i); err != nil {
			return nil, err
		}
		took.Rounds = append(took.Rounds, float64(time.Since(start).Microseconds())/1000)
	}
	stats, err := f.store.Stats(ctx)
	requests := Row{Work: name, Figure: "requests of each", Rounds: []float64{float64(stats.Total()) / wanFiles}, Target: AtMost(1)}
	return []Row{took, requests}, err
}

// list compares a listing with fetching its pages.
func (f far) list(ctx context.Context, e *Env) ([]Row, error) {
	const names = 10_000
	row := Row{Work: fmt.Sprintf("WAN, LIST of %d names", names), Figure: "time / direct time", Target: AtMost(1.1)}
	for i := range min(e.Rounds, 3) {
		dir := fmt.Sprintf("names-%d/", names-i) // each round another, since the cache has the last
		direct, err := e.Direct(ctx, f.store, DirectJob{Op: "list", Prefix: dir})
		if err != nil {
			return nil, err
		}
		start := time.Now()
		n, err := f.client.List("LIST "+dir, nil)
		if err == nil && (n != names-i || direct.Count != n) {
			err = fmt.Errorf("LIST %s: %d names, directly %d", dir, n, direct.Count)
		}
		if err != nil {
			return nil, err
		}
		row.Rounds = append(row.Rounds, time.Since(start).Seconds()/direct.Wall.Seconds())
	}
	return []Row{row}, nil
}
