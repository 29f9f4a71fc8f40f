package ftp

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"causeway/gateway/ftp/memnet"
)

func TestD9_PassivePortsAreUniform(t *testing.T) {
	n := memnet.New()
	const low, size, draws = 50000, 100, 10_000
	p := newPassivePool(n, low, low+size-1)
	counts, steps := make([]int, size), 0
	var last uint16
	for range draws {
		r, err := p.reserve(serverAddr, clientAddr, quiet())
		if err != nil {
			t.Fatal(err)
		}
		port := r.port.addr.Port()
		counts[port-low]++
		if port == last+1 {
			steps++
		}
		last = port
		r.close()
		p.wait()
	}
	chi := 0.0
	for _, c := range counts {
		d := float64(c) - draws/size
		chi += d * d / (draws / size)
	}
	// 99 degrees of freedom: the mean is 99, 200 has a probability below 1e-8.
	if chi > 200 || steps > 200 {
		t.Errorf("chi-square %.0f, %d ports followed the one before by one", chi, steps)
	}
}

// TestD9_PortsOfTheSystemsChoice wants many of them, not ever more, taken at random, and one
// that somebody else has meanwhile to be no obstacle.
func TestD9_PortsOfTheSystemsChoice(t *testing.T) {
	n := memnet.New()
	p := newPassivePool(n, 0, 0)
	counts := map[uint16]int{}
	draw := func() {
		r, err := p.reserve(serverAddr, clientAddr, quiet())
		if err != nil {
			t.Fatal(err)
		}
		counts[r.port.addr.Port()]++
		r.close()
		p.wait()
	}
	for range 4 * maxChosen {
		draw()
	}
	most := slices.Max(slices.Collect(maps.Values(counts)))
	if len(counts) != maxChosen || most > 30 { // a port has 4 on average
		t.Errorf("%d ports, one of them %d times", len(counts), most)
	}
	for port := range counts {
		ln, err := n.Listen(netip.AddrPortFrom(serverAddr, port))
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
	}
	draw()
}

func TestD10_OneReservationPerSession(t *testing.T) {
	s, addr := serveTCP(t, testConfig(newFakeFS()), ListenOptions{})
	c := dialClient(t, addr).login()
	for range 200 {
		c.passive()
	}
	s.passive.mu.Lock()
	open := len(s.passive.ports)
	s.passive.mu.Unlock()
	if open != 1 {
		t.Errorf("%d listeners open, want 1", open)
	}
}

func TestD10_FullRangeRefusesAndSharesByAddress(t *testing.T) {
	n := memnet.New()
	p := newPassivePool(n, 50000, 50001)
	other := netip.MustParseAddr("198.51.100.8")
	var held []*reservation
	for _, client := range []netip.Addr{clientAddr, clientAddr, other, other} {
		r, err := p.reserve(serverAddr, client, quiet())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, r)
	}
	if r, err := p.reserve(serverAddr, clientAddr, quiet()); !errors.Is(err, errNoPort) {
		t.Errorf("a third port of two: %v, %v", r, err)
	}
	if len(p.ports) != 2 {
		t.Errorf("%d listeners for two ports", len(p.ports))
	}
	// Each client gets its own connection on the shared port.
	conn, err := n.Dial(t.Context(), netip.AddrPortFrom(other, 0), held[0].port.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var owner *reservation
	for _, r := range held {
		if r.client == other && r.port == held[0].port {
			owner = r
		}
	}
	got, err := owner.connect(t.Context())
	if err != nil || addrPortOf(got.RemoteAddr()).Addr() != other {
		t.Errorf("connected %v, %v", got, err)
	}
	got.Close()
	for _, r := range held {
		if len(r.arrived) > 0 {
			t.Error("a connection reached someone else")
		}
		r.close()
	}
	p.wait()
	if len(p.ports) != 0 {
		t.Errorf("%d listeners left", len(p.ports))
	}
}

func TestD13_SecondConnectionIsRefused(t *testing.T) {
	files := newFakeFS()
	_, addr := serveTCP(t, tlsConfig(t, files, ReuseOffered), ListenOptions{})
	refused := func(port string) {
		t.Helper()
		if conn, err := net.Dial("tcp", port); err == nil {
			conn.Close()
			t.Error("the port is open while the transfer runs")
		}
	}

	c := dialClient(t, addr).login()
	port := c.passive()
	data := dialFromAddr(t, "127.0.0.1", port)
	c.do("STOR one", "150")
	refused(port)
	io.WriteString(data, "good")
	data.Close()
	c.expect("226")
	wantContent(t, files, "one", "good")

	files.put("/big", strings.Repeat("x", 64<<20)) // no buffers hold it
	config := clientTLS(tls.VersionTLS13)
	c = dialClient(t, addr).private(config)
	port = c.passive()
	data = dialFromAddr(t, "127.0.0.1", port)
	c.do("RETR big", "150")
	protected := tls.Client(data, config)
	if _, err := io.ReadFull(protected, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	refused(port)
	c.do("ABOR", "426")
	c.expect("226")
}

// TestD13_PortIsFreeDuringTheTransfer has two sessions of one address and one port.
func TestD13_PortIsFreeDuringTheTransfer(t *testing.T) {
	config := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Passive = Passive{MinPort: 50000, MaxPort: 50000}
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		other := &talker{t: t, server: k.server, control: record(k.server.connect(t, clientAddr))}
		other.login()
		defer other.control.Close()
		k.login()
		k.passive()
		other.say("EPSV", "425")
		k.say("STOR x", "150")
		other.passive()
		other.say("STOR y", "150")
		for _, k := range []*talker{k, other} {
			k.data.Write([]byte("whole"))
			k.data.Close()
			k.hear("226")
		}
		wantContent(t, k.files, "x", "whole")
		wantContent(t, k.files, "y", "whole")
	})
}

// TestD6_SecondConnectionRaisesAnAlarm has two connections in clear from one address, of
// which nobody can tell which is the owner's; and one whose command fails, as clients make
// them all day.
func TestD6_SecondConnectionRaisesAnAlarm(t *testing.T) {
	var log lockedBuilder
	config := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.passive()
		k.say("RETR nothing", "550")
		if log.String() != "" {
			t.Errorf("alarm for a command that failed: %s", log.String())
		}
		k.passive()
		second, err := k.server.net.Dial(t.Context(), netip.AddrPortFrom(clientAddr, 0), addrPortOf(k.data.RemoteAddr()))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		k.say("STOR x", "150")
		wantReset(t, second)
		k.data.Close()
		k.hear("226")
		if n := strings.Count(log.String(), `"remote":"`+clientAddr.String()); n != 1 {
			t.Errorf("%d alarms, want 1: %s", n, log.String())
		}
	})
}
