//go:build e2e

package e2e

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// relay stands for the network between a client and the gateway. Once it is mute nothing
// gets through any more, nor does anything end: for both sides the other is gone.
type relay struct {
	t     testing.TB
	muted chan struct{} // closed when it is
	once  sync.Once
}

func newRelay(t testing.TB) *relay { return &relay{t: t, muted: make(chan struct{})} }

func (r *relay) mute() { r.once.Do(func() { close(r.muted) }) }

// to returns an address that leads to the target, for one connection.
func (r *relay) to(target string) string {
	r.t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { l.Close() })
	go r.serve(l, target)
	return l.Addr().String()
}

// serve ends with the test, which closes all that it has opened.
func (r *relay) serve(l net.Listener, target string) {
	client, err := l.Accept()
	if err != nil {
		return // the test is over
	}
	r.t.Cleanup(func() { client.Close() })
	server, err := net.DialTimeout("tcp", target, patience)
	if err != nil {
		_ = client.Close() // its client will tell
		return
	}
	r.t.Cleanup(func() { server.Close() })
	go r.pump(server, client)
	r.pump(client, server)
}

// pump passes on what comes, and that it ends.
func (r *relay) pump(to, from net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-r.muted:
			return
		default:
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if errors.Is(err, io.EOF) {
			_ = to.(*net.TCPConn).CloseWrite() // its other side is gone if that fails
		}
		if err != nil {
			return
		}
	}
}
