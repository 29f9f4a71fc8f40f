package ftp

import (
	"net"
	"net/netip"
)

// census counts the sessions, all of them and by address, against the limits. The server's
// mutex guards it.
type census struct {
	limits    Limits
	sessions  map[*session]struct{}
	byAddress map[netip.Prefix]int
	admitted  uint64 // since the start
	refused   uint64
}

func newCensus(l Limits) census {
	return census{limits: l, sessions: make(map[*session]struct{}), byAddress: make(map[netip.Prefix]int)}
}

// add counts a session in, unless that would be one too many.
func (c *census) add(s *session) bool {
	home := neighbourhood(s.client)
	if len(c.sessions) >= c.limits.Sessions || c.byAddress[home] >= c.limits.SessionsPerAddress {
		c.refused++
		return false
	}
	c.admitted++
	c.sessions[s] = struct{}{}
	c.byAddress[home]++
	return true
}

func (c *census) remove(s *session) {
	delete(c.sessions, s)
	home := neighbourhood(s.client)
	if c.byAddress[home]--; c.byAddress[home] == 0 {
		delete(c.byAddress, home)
	}
}

func (c *census) count() int { return len(c.sessions) }

func (c *census) each(do func(*session)) {
	for s := range c.sessions {
		do(s)
	}
}

// neighbourhood is what counts as one address: an IPv4 address or an IPv6 /64, the least
// that a single customer is given.
func neighbourhood(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 32
	}
	// The zero Addr, of a connection that is not TCP, has the zero Prefix.
	prefix, _ := a.WithZone("").Prefix(bits)
	return prefix
}

// addrPortOf is the address and port of one end of a connection; zero if it is not TCP.
func addrPortOf(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
