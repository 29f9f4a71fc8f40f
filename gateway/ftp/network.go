package ftp

import (
	"context"
	"net"
	"net/netip"
)

// Network is where data connections come from. Its methods may be called from any
// goroutine. Its connections have the addresses of TCP, and where they have the SetLinger
// of [net.TCPConn] can be reset, which is how the engine ends what must not be taken for
// the end of a file.
type Network interface {
	// Listen opens a port on a local address, port 0 any one. syscall.EADDRINUSE or
	// syscall.EACCES if that port cannot be had and another one may.
	Listen(local netip.AddrPort) (net.Listener, error)
	// Dial connects from a local address and port, 0 for any, until ctx ends. An error
	// about the local port is one of the system's: EACCES, EPERM, EADDRINUSE or
	// EADDRNOTAVAIL.
	Dial(ctx context.Context, from, to netip.AddrPort) (net.Conn, error)
}

// systemNetwork is the Network of the system.
type systemNetwork struct{}

// Listen makes no use of multipath TCP: its sockets take the system longer to make, and one is
// made for each PASV or EPSV.
func (systemNetwork) Listen(local netip.AddrPort) (net.Listener, error) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	return lc.Listen(context.Background(), "tcp", local.String())
}

func (systemNetwork) Dial(ctx context.Context, from, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(from), Control: reuseAddress}
	return d.DialContext(ctx, "tcp", to.String())
}
