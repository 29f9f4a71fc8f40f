// Package wan is a TCP proxy that makes loopback as slow as a long line: every octet
// arrives half a round trip after it was sent, and each connection carries so many octets
// a second in each direction. Octets on their way do not wait for each other: the delay
// is a pipe's length and not a stop at its end.
//
// It models what the standing connections of an HTTP client meet. It does not model loss,
// TCP's slow start, or a line that connections share. Its central type is [Line].
package wan

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// dialTimeout bounds the wait for a target on this machine.
const dialTimeout = 10 * time.Second

// Line is what every connection through a proxy is like.
type Line struct {
	RoundTrip time.Duration
	Rate      int64 // octets a second, of each connection and direction; required
}

// window is how many octets of one direction the proxy holds at a time: twice what is on
// the line, and a little for the queue in front of it.
func (l Line) window() int {
	return int(2*float64(l.Rate)*(l.RoundTrip/2).Seconds()) + 4*largest
}

// Serve carries the connections that l accepts to and from the TCP address target until
// ctx ends, which is no error. It closes l, and returns when all connections are closed.
// It is called once for each l.
func Serve(ctx context.Context, l net.Listener, target string, line Line) error {
	ctx, cancel := context.WithCancel(ctx)
	var open sync.WaitGroup
	defer open.Wait()
	defer cancel()
	context.AfterFunc(ctx, func() { _ = l.Close() }) // ends Accept
	for {
		client, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("wan: accept: %w", err)
		}
		accepted := time.Now()
		open.Go(func() { connect(ctx, client.(*net.TCPConn), target, line, accepted) })
	}
}

// connect carries one connection. That the target cannot be reached ends it, as it would
// end without a proxy.
func connect(ctx context.Context, client *net.TCPConn, target string, line Line, accepted time.Time) {
	defer client.Close() //nolint:errcheck // both directions have ended
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", target)
	if err != nil {
		_ = client.SetLinger(0) // a reset, as from a closed port
		return
	}
	server := conn.(*net.TCPConn)
	defer server.Close() //nolint:errcheck // both directions have ended
	defer context.AfterFunc(ctx, func() { reset(client, server) })()

	// The client has been connected at once; on the line its first octets would have
	// waited for a round trip.
	var both sync.WaitGroup
	both.Go(func() { carry(server, client, line, accepted.Add(line.RoundTrip)) })
	both.Go(func() { carry(client, server, line, accepted) })
	both.Wait()
}

// reset ends two connections so that neither peer can take the end for a proper one.
func reset(conns ...*net.TCPConn) {
	for _, c := range conns {
		_ = c.SetLinger(0)
		_ = c.Close()
	}
}

// carry takes the octets of src to dst, the first no earlier than open and half a round
// trip, and then src's end. If one connection fails, both are reset.
func carry(dst, src *net.TCPConn, line Line, open time.Time) {
	p := newPipe(line, open)
	var writing sync.WaitGroup
	writing.Go(func() {
		err := p.drain(dst)
		if err == nil {
			err = dst.CloseWrite()
		}
		if err != nil && !errors.Is(err, net.ErrClosed) {
			reset(dst, src)
		}
	})
	if err := p.fill(src); err != nil {
		reset(dst, src)
	}
	writing.Wait()
}
