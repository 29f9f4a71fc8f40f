package ftp

import (
	"context"
	"errors"
	"net"
	"net/netip"
)

// route is the way to the next data connection, as the client has chosen it.
type route interface {
	// connect makes or accepts a connection; another one each time, if there can be.
	// errNoData if there is none before ctx ends.
	connect(ctx context.Context) (net.Conn, error)
	// close gives up the route; it may be called more than once, also at a time. Connections that connect
	// has returned live on.
	close()
}

func (s *session) portCommand(_ context.Context, arg string) (reply, error) {
	addr, err := parsePORT(arg)
	if err != nil {
		return reply{}, err
	}
	return s.active(addr)
}

func (s *session) eprt(_ context.Context, arg string) (reply, error) {
	addr, err := parseEPRT(arg)
	switch {
	case errors.Is(err, errProtocol), err == nil && addr.Addr().Is4() != s.local.Addr().Is4():
		return s.otherProtocol()
	case err != nil:
		return reply{}, err
	case !s.owns(addr.Addr()):
		return done(501, elsewhere)
	}
	return s.active(addr)
}

func (s *session) featEPRT() string {
	if s.manners().PassiveOnly {
		return ""
	}
	return "EPRT"
}

// elsewhere refuses addresses of third parties.
const elsewhere = "Data connections are made only to the address of the control connection."

// owns tells whether an address is the client's.
func (s *session) owns(addr netip.Addr) bool { return addr == s.client.WithZone("") }

// active takes an address to connect to. It must be the client's own and no service of the
// system, or the server could be made to attack others (RFC 2577 §3).
func (s *session) active(addr netip.AddrPort) (reply, error) {
	switch {
	case s.manners().PassiveOnly:
		return done(504, "Data connections are not made to clients of this account; use EPSV or PASV.")
	case !s.owns(addr.Addr()):
		return done(504, elsewhere)
	case addr.Port() < 1024:
		return done(504, "Data connections are made only to ports from 1024.")
	}
	addr = netip.AddrPortFrom(s.client, addr.Port())
	s.params.useRoute(&activeRoute{net: s.server.config.Network, from: s.local.Addr(), port: max(s.port, 1) - 1, to: addr})
	return done(200, "Ready to connect.")
}

func (s *session) pasv(context.Context, string) (reply, error) {
	if !s.local.Addr().Is4() {
		return done(522, "PASV is for IPv4; use EPSV.")
	}
	announced := s.local.Addr()
	if announce := s.server.config.Passive.Announce; announce != nil {
		announced = announce(s.local.Addr(), s.client).Unmap()
	}
	if !announced.Is4() {
		return done(522, "There is no IPv4 address for PASV; use EPSV.")
	}
	port, err := s.listen()
	if err != nil {
		return reply{}, err
	}
	return done(227, "Entering Passive Mode ("+formatPASV(netip.AddrPortFrom(announced, port))+")")
}

func (s *session) epsv(_ context.Context, arg string) (reply, error) {
	proto, all, err := parseEPSV(arg)
	switch {
	case errors.Is(err, errProtocol), proto != 0 && (proto == 1) != s.local.Addr().Is4():
		return s.otherProtocol()
	case err != nil:
		return reply{}, err
	case all:
		s.params.epsvAll = true
		return done(200, "From now on only EPSV is taken.")
	}
	port, err := s.listen()
	if err != nil {
		return reply{}, err
	}
	return done(229, "Entering Extended Passive Mode ("+formatEPSV(port)+")")
}

// otherProtocol refuses an address family other than the control connection's, which RFC
// 2428 §2 has the reply name.
func (s *session) otherProtocol() (reply, error) {
	if s.local.Addr().Is4() {
		return done(522, "Network protocol not supported, use (1).")
	}
	return done(522, "Network protocol not supported, use (2).")
}

// listen reserves a passive port, in place of the one reserved before.
func (s *session) listen() (port uint16, err error) {
	s.params.useRoute(nil)
	r, err := s.server.passive.reserve(s.local.Addr(), s.client, s.log)
	if err != nil {
		return 0, err
	}
	s.params.useRoute(r)
	return r.port.addr.Port(), nil
}
