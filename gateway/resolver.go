package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
)

// resolvConf names the servers that resolve names, on Unix.
const resolvConf = "/etc/resolv.conf"

// KeepResolving prepares Go's resolver for the sandbox: it must not load libraries of the
// system, and it must not fall back to this machine when DHCP has put a new resolv.conf in
// the place of the one that is open. It is called before anything is resolved.
func KeepResolving(log *slog.Logger) {
	net.DefaultResolver.PreferGo = true
	if servers := nameServers(resolvConf); len(servers) > 0 {
		net.DefaultResolver.Dial = dialServers(resolvConf, servers, log)
	}
}

// dialServers dials the server that is asked for as long as the file can be read that names
// it, and then those that it has named before, in turn.
func dialServers(path string, servers []string, log *slog.Logger) func(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	var next atomic.Uint32
	var told sync.Once
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if f, err := os.Open(path); err == nil {
			_ = f.Close() // nothing was read
			return dialer.DialContext(ctx, network, address)
		}
		told.Do(func() {
			log.Warn("resolv.conf was replaced and the sandbox keeps the new one closed; the servers of the old one are asked until the gateway is restarted")
		})
		return dialer.DialContext(ctx, network, servers[int(next.Add(1))%len(servers)])
	}
}

// nameServers are the addresses that a file like resolv.conf(5) names.
func nameServers(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil // so does Go's resolver: it asks this machine
	}
	var servers []string
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" {
			continue
		}
		if addr, err := netip.ParseAddr(words[1]); err == nil {
			servers = append(servers, netip.AddrPortFrom(addr, 53).String())
		}
	}
	return servers
}
