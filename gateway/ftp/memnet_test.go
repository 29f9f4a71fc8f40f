package ftp

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
)

// memNet is a network in memory, for tests in a bubble of synctest: connections are pipes
// with TCP addresses.
type memNet struct {
	mu        sync.Mutex
	listeners map[netip.AddrPort]*memListener
	nextPort  uint16
}

var (
	serverAddr = netip.MustParseAddr("192.0.2.1")
	clientAddr = netip.MustParseAddr("198.51.100.7")
)

func newMemNet() *memNet {
	return &memNet{listeners: map[netip.AddrPort]*memListener{}, nextPort: 40000}
}

type memListener struct {
	net   *memNet
	addr  netip.AddrPort
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (n *memNet) listen(addr netip.AddrPort) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if addr.Port() == 0 {
		n.nextPort++
		addr = netip.AddrPortFrom(addr.Addr(), n.nextPort)
	}
	if n.listeners[addr] != nil {
		return nil, syscall.EADDRINUSE
	}
	l := &memListener{net: n, addr: addr, conns: make(chan net.Conn, 8), done: make(chan struct{})}
	n.listeners[addr] = l
	return l, nil
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() {
		close(l.done)
		l.net.mu.Lock()
		defer l.net.mu.Unlock()
		delete(l.net.listeners, l.addr)
	})
	return nil
}

func (l *memListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// memConn is a pipe with addresses.
type memConn struct {
	net.Conn
	local, remote netip.AddrPort
}

func (c *memConn) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c *memConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

func pipe(a, b netip.AddrPort) (net.Conn, net.Conn) {
	x, y := net.Pipe()
	return &memConn{x, a, b}, &memConn{y, b, a}
}

// dial connects to a listener; ECONNREFUSED if there is none.
func (n *memNet) dial(_ context.Context, from, to netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.listeners[to]
	if l == nil {
		return nil, syscall.ECONNREFUSED
	}
	if from.Port() == 0 {
		n.nextPort++
		from = netip.AddrPortFrom(from.Addr(), n.nextPort)
	}
	ours, theirs := pipe(from, to)
	l.conns <- theirs
	return ours, nil
}

// memServer is a server on a memNet, with a listener on port 21.
type memServer struct {
	*Server
	net *memNet
	ln  net.Listener
	err chan error
}

// serveMem starts a server; it is shut down at the end of the test.
func serveMem(t *testing.T, c Config, o ListenOptions) *memServer {
	t.Helper()
	s, err := NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	n := newMemNet()
	s.passive.listen, s.dial = n.listen, n.dial
	ln, err := n.listen(netip.AddrPortFrom(serverAddr, 21))
	if err != nil {
		t.Fatal(err)
	}
	m := &memServer{Server: s, net: n, ln: ln, err: make(chan error, 1)}
	go func() { m.err <- s.Serve(ln, o) }()
	return m
}

// end shuts the server down at once and checks that nothing is left.
func (m *memServer) end(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := m.Shutdown(ctx); err != nil && m.Sessions() != 0 {
		t.Error(err)
	}
	if err := <-m.err; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if n := m.Sessions(); n != 0 {
		t.Errorf("%d sessions left", n)
	}
	if len(m.passive.ports) != 0 {
		t.Errorf("%d passive ports left", len(m.passive.ports))
	}
}

func (m *memServer) connect(t *testing.T, from netip.Addr) net.Conn {
	t.Helper()
	c, err := m.net.dial(t.Context(), netip.AddrPortFrom(from, 0), netip.AddrPortFrom(serverAddr, 21))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
