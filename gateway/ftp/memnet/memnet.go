// Package memnet is a network in memory, for tests that run the engine in a bubble of
// testing/synctest: its connections are pipes with TCP addresses, which tell an end from a
// reset. It has no delay, no buffers and no loss; who needs those wraps its connections.
//
// Its central type is [Network], an ftp.Network.
package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// firstPort is the first of the ports that are given out, in order.
	firstPort = 40001
	// backlog is how many connections may wait to be accepted.
	backlog = 64
)

// Network connects who dials with who listens. Its methods may be called from any
// goroutine.
type Network struct {
	mu        sync.Mutex
	listeners map[netip.AddrPort]*listener
	nextPort  uint16
}

// New returns a network on which nobody listens.
func New() *Network {
	return &Network{listeners: make(map[netip.AddrPort]*listener), nextPort: firstPort}
}

// Listen opens a listener; port 0 is the next free one. syscall.EADDRINUSE if the port is
// taken.
func (n *Network) Listen(addr netip.AddrPort) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	addr = n.fill(addr)
	if n.listeners[addr] != nil {
		return nil, syscall.EADDRINUSE
	}
	l := &listener{net: n, addr: addr, arrived: make(chan net.Conn, backlog), done: make(chan struct{})}
	n.listeners[addr] = l
	return l, nil
}

// Dial connects to a listener at once; syscall.ECONNREFUSED if there is none, or too many
// wait there. Port 0 of from is the next free one.
func (n *Network) Dial(_ context.Context, from, to netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.listeners[to]
	if l == nil {
		return nil, syscall.ECONNREFUSED
	}
	ours, theirs := pipe(n.fill(from), to)
	select {
	case l.arrived <- theirs:
		return ours, nil
	default:
		return nil, syscall.ECONNREFUSED
	}
}

// fill gives an address its port.
func (n *Network) fill(addr netip.AddrPort) netip.AddrPort {
	if addr.Port() != 0 {
		return addr
	}
	port := n.nextPort
	n.nextPort = max(n.nextPort+1, firstPort)
	return netip.AddrPortFrom(addr.Addr(), port)
}

type listener struct {
	net     *Network
	addr    netip.AddrPort
	arrived chan net.Conn
	done    chan struct{} // closed by Close
	once    sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.arrived:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close resets the connections that nobody has accepted.
func (l *listener) Close() error {
	l.once.Do(func() {
		l.net.mu.Lock()
		defer l.net.mu.Unlock()
		delete(l.net.listeners, l.addr)
		close(l.done)
	})
	for {
		select {
		case c := <-l.arrived:
			reset(c)
		default:
			return nil
		}
	}
}

// reset closes a connection of this package so that its peer reads no end.
func reset(c net.Conn) {
	if c, ok := c.(*conn); ok {
		_ = c.SetLinger(0) // it never fails
	}
	_ = c.Close() // nor does this
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// conn is one end of a pipe.
type conn struct {
	net.Conn
	local, remote netip.AddrPort
	hard          atomic.Bool  // SetLinger(0) came: Close is a reset
	once          sync.Once    // Close
	closed        atomic.Bool  // on this side
	reset         *atomic.Bool // of both ends
}

func pipe(a, b netip.AddrPort) (net.Conn, net.Conn) {
	x, y := net.Pipe()
	reset := new(atomic.Bool)
	return &conn{Conn: x, local: a, remote: b, reset: reset}, &conn{Conn: y, local: b, remote: a, reset: reset}
}

func (c *conn) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c *conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// SetLinger is that of net.TCPConn: with 0, Close is a reset.
func (c *conn) SetLinger(seconds int) error {
	c.hard.Store(seconds == 0)
	return nil
}

// Close ends the connection. It may be called more than once, and the first call counts.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.closed.Store(true)
		c.reset.CompareAndSwap(false, c.hard.Load())
	})
	return c.Conn.Close()
}

func (c *conn) SetDeadline(t time.Time) error      { return c.open(c.Conn.SetDeadline(t)) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.open(c.Conn.SetReadDeadline(t)) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.open(c.Conn.SetWriteDeadline(t)) }

// open takes an error from what is no error on TCP, to set a deadline after the peer has
// closed: the end is still to be read.
func (c *conn) open(err error) error {
	if c.closed.Load() {
		return err
	}
	return nil
}

// Read fails with syscall.ECONNRESET where the peer has reset the connection.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) && c.reset.Load() {
		err = &net.OpError{Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: syscall.ECONNRESET}
	}
	return n, err
}
