// Package nulls3 is an S3 server that keeps next to nothing and is fast: what is measured
// against it is the client. It knows sizes, ETags, conditions, metadata and multipart
// uploads as the service does; contents it counts and forgets, except below ".causeway/",
// where the gateway keeps its records. What is read back is [pattern.Pattern] from offset 0,
// which is what the benchmarks write. It checks no signature and knows one bucket, whatever
// its name. Its central type is [Server].
//
// Objects that nobody has put: "sized-N/anything" has N octets; "names-N/" has N objects,
// see [Synthetic].
package nulls3

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"causeway/e2e/bench/pattern"
)

// Options is how the server behaves. The zero value is as fast as it can be.
type Options struct {
	Delay  time.Duration `json:"delay,omitempty"`  // before each answer
	Rate   int64         `json:"rate,omitempty"`   // octets a second of all bodies of one direction together, 0 for any
	Verify bool          `json:"verify,omitempty"` // bodies are compared with the pattern and the CRC32C that was sent
}

// Server is the server. Serve may be called for any number of listeners.
type Server struct {
	o       Options
	content *pattern.Pattern
	buffers sync.Pool
	in, out pace
	stats   counters
	bucket  bucket
}

// New makes a server with an empty bucket.
func New(o Options) *Server {
	s := &Server{o: o, content: pattern.New(), in: pace{rate: o.Rate}, out: pace{rate: o.Rate}}
	s.buffers.New = func() any { b := make([]byte, bufferSize); return &b }
	s.bucket.objects = make(map[string]*object)
	s.bucket.uploads = make(map[string]*upload)
	return s
}

// bufferSize is what a body is read by, and at most written by.
const bufferSize = 256 << 10

// Serve answers on the listener, which it closes, until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return serve(ctx, l, &http.Server{
		Handler: s,
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				s.stats.connections.Add(1)
			}
		},
		ReadHeaderTimeout: time.Minute,
	})
}

func serve(ctx context.Context, l net.Listener, server *http.Server) error {
	defer context.AfterFunc(ctx, func() { _ = server.Close() })() // what Serve returns tells enough
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := request{Request: r, w: w, s: s}
	q.parse()
	s.stats.count(q.operation)
	if s.o.Delay > 0 {
		wait(r.Context(), s.o.Delay)
	}
	q.answer()
}

// wait lasts until d is over or ctx ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// pace spreads octets over time. The zero value does not.
type pace struct {
	rate int64 // octets a second
	mu   sync.Mutex
	next time.Time // when all that was let through has had its time
}

// slack is how far a pace may be behind and make up for it, which timers that fire late
// need.
const slack = 20 * time.Millisecond

// spend waits until n more octets have had their time.
func (p *pace) spend(ctx context.Context, n int) {
	if p.rate <= 0 {
		return
	}
	p.mu.Lock()
	now := time.Now()
	if behind := now.Add(-slack); p.next.Before(behind) {
		p.next = behind
	}
	p.next = p.next.Add(time.Duration(int64(n) * int64(time.Second) / p.rate))
	ahead := p.next.Sub(now)
	p.mu.Unlock()
	if ahead > 0 {
		wait(ctx, ahead)
	}
}
