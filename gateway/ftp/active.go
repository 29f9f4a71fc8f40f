package ftp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// activeRoute is the route of PORT and EPRT.
type activeRoute struct {
	net  Network
	from netip.Addr // the control connection's own, which clients check
	port uint16     // the one before the control port (RFC 959 §3.2); 0 for any
	to   netip.AddrPort
	used bool
}

// connect dials once: a second connection is nothing that a client listens for.
func (a *activeRoute) connect(ctx context.Context) (net.Conn, error) {
	if a.used {
		return nil, errNoData
	}
	a.used = true
	conn, err := a.net.Dial(ctx, netip.AddrPortFrom(a.from, a.port), a.to)
	if a.port != 0 && portDenied(err) {
		conn, err = a.net.Dial(ctx, netip.AddrPortFrom(a.from, 0), a.to)
	}
	if err != nil {
		return nil, because(errNoData, err)
	}
	return conn, nil
}

func (a *activeRoute) close() {}

// portDenied tells whether err is about the local port: privileged, taken, or still in
// TIME-WAIT towards the same peer.
func portDenied(err error) bool {
	return errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) ||
		errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EADDRNOTAVAIL)
}
