package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"

	"causeway/e2e/bench/nulls3"
)

// Store is a running S3 server.
type Store struct {
	*Process
	URL    string // of its endpoint
	Bucket string

	key, secret string
	control     string // URL of package nulls3's Control

	mu     sync.Mutex
	direct *Process // the SDK's client for this store, once there was a job for it
}

// StoreOptions is how a null server behaves.
type StoreOptions = nulls3.Options

// storeReady is the first line of the part "store".
type storeReady struct{ URL, Control string }

// Store starts a server with an empty bucket: a null server, or in a run against real ones
// (see Case.Real) one of these, to which the options are nothing.
func (e *Env) Store(ctx context.Context, o StoreOptions) (*Store, error) {
	if e.Server != "" && e.Server != nullServer {
		return e.realStore(ctx)
	}
	var ready storeReady
	p, err := e.role(ctx, "store", o, &ready)
	if err != nil {
		return nil, err
	}
	return &Store{Process: p, URL: ready.URL, Bucket: "bench", key: "bench", secret: "bench-secret", control: ready.Control}, nil
}

// Stop ends the server, and the SDK's client for it.
func (s *Store) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.direct != nil {
		err = s.direct.Stop()
	}
	return errors.Join(err, s.Process.Stop())
}

// Counts tells whether the server counts. Stats of one that does not are zero.
func (s *Store) Counts() bool { return s.control != "" }

// Stats returns what the server has counted since the start or the last Reset.
func (s *Store) Stats(ctx context.Context) (nulls3.Stats, error) {
	var stats nulls3.Stats
	if !s.Counts() {
		return stats, nil
	}
	body, err := s.ask(ctx, http.MethodGet)
	if err != nil {
		return stats, err
	}
	return stats, json.Unmarshal(body, &stats)
}

// arrived fails if fewer octets of bodies have come to the store than clients were told since
// the last Reset.
func (s *Store) arrived(ctx context.Context, told int64) error {
	stats, err := s.Stats(ctx)
	if err == nil && s.Counts() && stats.BytesIn < told {
		err = fmt.Errorf("%d octets came to the store of %d that clients hold for stored", stats.BytesIn, told)
	}
	return err
}

// Reset sets the server's counts to nothing.
func (s *Store) Reset(ctx context.Context) error {
	if !s.Counts() {
		return nil
	}
	_, err := s.ask(ctx, http.MethodDelete)
	return err
}

func (s *Store) ask(ctx context.Context, method string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.control, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // read to its end
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("store answers %s", res.Status)
	}
	return body, err
}

// beStore is the part "store": it serves until its input ends.
func beStore(ctx context.Context, options []byte) error {
	var o StoreOptions
	if err := json.Unmarshal(options, &o); err != nil {
		return err
	}
	data, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, data.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := nulls3.New(o)
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(ctx, data) }()
	go func() { ended <- server.ServeControl(ctx, control) }()
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin)) // until the parent closes it
	}()
	err = json.NewEncoder(os.Stdout).Encode(storeReady{"http://" + data.Addr().String(), "http://" + control.Addr().String()})
	if err != nil {
		return err
	}
	return errors.Join(<-ended, <-ended)
}
