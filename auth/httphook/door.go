package httphook

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// DoorError is an address that a hook's name has led to and that is not to be called.
type DoorError struct {
	Address netip.Addr
	Why     string
}

func (e *DoorError) Error() string { return fmt.Sprintf("%s is not called: %s", e.Address, e.Why) }

// metadata are addresses of clouds' metadata services that are not link-local.
func metadata() []netip.Addr {
	return []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("168.63.129.16")}
}

// doorOf judges the address of a connection before it is made, as [net.Dialer] asks: after
// the name was resolved, so that a name which leads elsewhere from one time to the next
// leads nowhere.
func doorOf(scheme string, cleartext bool) func(ctx context.Context, network, address string, c syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if why := shut(plain(to.Addr()), scheme != "https" && !cleartext); why != "" {
			return &DoorError{to.Addr(), why}
		}
		return nil
	}
}

// nat64 is the prefix behind which a network shows IPv4 addresses (RFC 6052 §2.1).
func nat64() netip.Prefix { return netip.MustParsePrefix("64:ff9b::/96") }

// plain is the address that another form of it leads to.
func plain(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if nat64().Contains(a) {
		octets := a.As16()
		return netip.AddrFrom4([4]byte(octets[12:]))
	}
	return a
}

// shut tells why an address is not to be called; "" if it may be.
func shut(a netip.Addr, loopbackOnly bool) string {
	switch {
	case a.IsLinkLocalUnicast(), a.IsUnspecified(), a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "it is link-local, or nobody's"
	case slices.Contains(metadata(), a):
		return "it is a cloud's metadata service"
	case loopbackOnly && !a.IsLoopback():
		return "passwords would go to another machine in clear; use https"
	}
	return ""
}
