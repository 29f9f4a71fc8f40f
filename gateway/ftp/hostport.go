package ftp

import (
	"net/netip"
	"strconv"
	"strings"
)

// parsePORT parses "h1,h2,h3,h4,p1,p2" (RFC 959 §5.3.2): six decimal numbers of up to
// three digits, none above 255, and a port other than 0. It judges the form alone; whether
// the address may be connected to is for the session to say.
func parsePORT(arg string) (netip.AddrPort, error) {
	var n [6]byte
	rest := arg
	for i := range n {
		field, after, more := strings.Cut(rest, ",")
		if more != (i < len(n)-1) || len(field) > 3 || !allDigits(field) {
			return netip.AddrPort{}, errSyntax
		}
		rest = after
		v, err := strconv.ParseUint(field, 10, 8)
		if err != nil {
			return netip.AddrPort{}, errSyntax
		}
		n[i] = byte(v)
	}
	port := uint16(n[4])<<8 | uint16(n[5])
	if port == 0 {
		return netip.AddrPort{}, errSyntax
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(n[:4])), port), nil
}

// parseEPRT parses "<d>protocol<d>address<d>port<d>", where d is any one of the ASCII
// characters 33 to 126 (RFC 2428 §2). Addresses are literals without a zone: nothing is
// ever looked up. An IPv4 address inside an IPv6 one comes out as the IPv4 address, so
// that it compares equal with a peer's. errProtocol for protocols other than 1 and 2.
func parseEPRT(arg string) (netip.AddrPort, error) {
	if arg == "" || arg[0] < '!' || '~' < arg[0] {
		return netip.AddrPort{}, errSyntax
	}
	fields := strings.SplitN(arg, arg[:1], 6)
	if len(fields) != 5 || fields[4] != "" {
		return netip.AddrPort{}, errSyntax
	}
	proto, err := parseProtocol(fields[1])
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr, err := netip.ParseAddr(fields[2])
	if err != nil || addr.Zone() != "" || addr.Is4() != (proto == 1) {
		return netip.AddrPort{}, errSyntax
	}
	port, err := strconv.ParseUint(fields[3], 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}, errSyntax
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), nil
}

// parseProtocol parses an address family number: 1 is IPv4, 2 is IPv6, others are
// errProtocol.
func parseProtocol(s string) (int, error) {
	if !allDigits(s) {
		return 0, errSyntax
	}
	switch strings.TrimLeft(s, "0") {
	case "1":
		return 1, nil
	case "2":
		return 2, nil
	}
	return 0, errProtocol
}

// parseEPSV parses the argument of EPSV (RFC 2428 §3, §4): nothing, which leaves proto 0,
// a protocol, or ALL in any case of letters.
func parseEPSV(arg string) (proto int, all bool, err error) {
	switch {
	case arg == "":
		return 0, false, nil
	case strings.EqualFold(arg, "ALL"):
		return 0, true, nil
	}
	proto, err = parseProtocol(arg)
	return proto, false, err
}

// formatPASV writes an IPv4 address and port as "h1,h2,h3,h4,p1,p2", the form of PORT and
// of the reply to PASV.
func formatPASV(a netip.AddrPort) string {
	b := make([]byte, 0, len("255,255,255,255,255,255"))
	for _, octet := range a.Addr().Unmap().As4() {
		b = append(strconv.AppendUint(b, uint64(octet), 10), ',')
	}
	b = append(strconv.AppendUint(b, uint64(a.Port()>>8), 10), ',')
	return string(strconv.AppendUint(b, uint64(a.Port()&0xff), 10))
}

// formatEPSV writes a port as in the reply to EPSV: "|||port|".
func formatEPSV(port uint16) string {
	return "|||" + strconv.Itoa(int(port)) + "|"
}
