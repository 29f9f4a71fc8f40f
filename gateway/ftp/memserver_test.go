package ftp

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"causeway/gateway/ftp/memnet"
)

var (
	serverAddr = netip.MustParseAddr("192.0.2.1")
	clientAddr = netip.MustParseAddr("198.51.100.7")
)

// memServer is a server on a network in memory, with a listener on port 21.
type memServer struct {
	*Server
	net *memnet.Network
	ln  net.Listener
	err chan error
}

// serveMem starts a server; it is shut down at the end of the test.
func serveMem(t *testing.T, c Config, o ListenOptions) *memServer {
	t.Helper()
	n := memnet.New()
	c.Network = n
	s, err := NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := n.Listen(netip.AddrPortFrom(serverAddr, 21))
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
	c, err := m.net.Dial(t.Context(), netip.AddrPortFrom(from, 0), netip.AddrPortFrom(serverAddr, 21))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
