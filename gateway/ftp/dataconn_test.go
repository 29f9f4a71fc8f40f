package ftp

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
)

// wantReset wants a connection to be closed without a byte.
func wantReset(t *testing.T, conn net.Conn) {
	t.Helper()
	if b, err := io.ReadAll(conn); len(b) > 0 {
		t.Errorf("read %q, %v; want nothing", b, err)
	}
}

func TestD1_NoConnectionToThirdParties(t *testing.T) {
	target, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)})
	if err != nil {
		t.Skip("no second loopback address:", err)
	}
	defer target.Close()
	_, addr := serveTCP(t, testConfig(newFakeFS()), ListenOptions{})
	c := dialClient(t, addr).login()
	c.do("PORT "+portArgument(target.Addr()), "504")
	c.do(fmt.Sprintf("EPRT |1|127.0.0.2|%d|", target.Addr().(*net.TCPAddr).Port), "501")
	c.do("RETR readme.txt", "425")
	raw, err := target.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	// What is in the backlog can be accepted at once.
	var waiting bool
	if err := raw.Control(func(fd uintptr) {
		n, _, err := syscall.Accept(int(fd))
		if waiting = err == nil; waiting {
			syscall.Close(n)
		}
	}); err != nil || waiting {
		t.Errorf("the server connected to a third party (%v)", err)
	}
}

func TestD2_NoPrivilegedPorts(t *testing.T) {
	_, addr := serveTCP(t, testConfig(newFakeFS()), ListenOptions{})
	c := dialClient(t, addr).login()
	for _, port := range []int{1, 22, 1023} {
		c.do(fmt.Sprintf("PORT 127,0,0,1,%d,%d", port>>8, port&255), "504")
		c.do(fmt.Sprintf("EPRT |1|127.0.0.1|%d|", port), "504")
	}
	c.do("PORT 127,0,0,1,0,0", "501")
}

func TestActiveModeFromThePortBefore(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, addr := serveTCP(t, testConfig(newFakeFS()), ListenOptions{})
	before := netip.MustParseAddrPort(addr).Port() - 1
	c := dialClient(t, addr).login()
	for range 3 { // the same pair of addresses again, the last one in TIME-WAIT
		c.do("PORT "+portArgument(ln.Addr()), "200")
		c.send("RETR readme.txt")
		conn, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		from := netip.MustParseAddrPort(conn.RemoteAddr().String())
		if from.Addr() != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("connected from %v", from)
		}
		if from.Port() != before {
			t.Logf("port %d is not free; connected from %d", before, from.Port())
		}
		got, err := io.ReadAll(conn)
		if err != nil || string(got) != "hello\nworld\n" {
			t.Errorf("got %q, %v", got, err)
		}
		conn.Close()
		c.expect("150")
		c.expect("226")
	}
}

// TestD5_StrangerIsDroppedAndOwnerServed also is D6: who operates the server hears of it.
func TestD5_StrangerIsDroppedAndOwnerServed(t *testing.T) {
	files := newFakeFS()
	config := testConfig(files)
	var log lockedBuilder
	config.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	_, addr := serveTCP(t, config, ListenOptions{})
	c := dialClient(t, addr).login()
	port := c.passive()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	for range 2 * maxAlarms {
		if thief, err := d.Dial("tcp", port); err == nil { // the reset may be faster
			io.WriteString(thief, "EVIL")
			wantReset(t, thief)
			thief.Close()
		}
	}
	c.send("STOR mine")
	owner := dialFromAddr(t, "127.0.0.1", port)
	c.expect("150")
	io.WriteString(owner, "mine")
	owner.Close()
	c.expect("226")
	wantContent(t, files, "mine", "mine")
	if n := strings.Count(log.String(), `"remote":"127.0.0.2"`); n != maxAlarms {
		t.Errorf("%d alarms, want %d:\n%s", n, maxAlarms, log.String())
	}
}

func TestD9_PassivePortsAreUniform(t *testing.T) {
	n := newMemNet()
	const low, size, draws = 50000, 100, 10_000
	p := newPassivePool(low, low+size-1)
	p.listen = n.listen
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
	n := newMemNet()
	p := newPassivePool(50000, 50001)
	p.listen = n.listen
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
	conn, err := n.dial(t.Context(), netip.AddrPortFrom(other, 0), held[0].port.addr)
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
		second, err := k.server.net.dial(t.Context(), netip.AddrPortFrom(clientAddr, 0), addrPortOf(k.data.RemoteAddr()))
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

func TestD14_EarlierConnectionIsNeverUsed(t *testing.T) {
	files := newFakeFS()
	_, addr := serveTCP(t, testConfig(files), ListenOptions{})
	c := dialClient(t, addr).login()
	old := c.data()
	io.WriteString(old, "evil")
	data := c.data()
	wantReset(t, old)
	c.do("STOR x", "150")
	io.WriteString(data, "good")
	data.Close()
	c.expect("226")
	wantContent(t, files, "x", "good")
}

func TestD15_EPSVAllOutlivesAFailedTransfer(t *testing.T) {
	_, addr := serveTCP(t, testConfig(newFakeFS()), ListenOptions{})
	c := dialClient(t, addr).login()
	c.do("EPSV ALL", "200")
	c.data()
	c.do("RETR nothing", "550")
	for _, line := range []string{"PASV", "PORT 127,0,0,1,200,1", "EPRT |1|127.0.0.1|51201|"} {
		c.do(line, "501")
	}
	data := c.data()
	c.do("LIST", "150")
	if b, err := io.ReadAll(data); err != nil || len(b) == 0 {
		t.Errorf("listing %q, %v", b, err)
	}
	c.expect("226")
}

func TestD17_AborWithUrgentSignals(t *testing.T) {
	files := newFakeFS()
	_, addr := serveTCP(t, testConfig(files), ListenOptions{})
	c := dialClient(t, addr).login()
	c.data()
	c.do("STOR x", "150")
	// Far more Telnet codes than any buffer holds.
	if _, err := c.conn.Write(bytes.Repeat([]byte{255, 241}, 1<<20)); err != nil {
		t.Fatal(err)
	}
	c.send("\xff\xf4\xff\xf2ABOR")
	c.expect("426")
	c.expect("226")
	c.do("NOOP", "200")
	wantAbsent(t, files, "x")
}

func TestIPv6(t *testing.T) {
	ln, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6:", err)
	}
	s, err := NewServer(testConfig(newFakeFS()))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln, ListenOptions{}) }()
	c := dialClient(t, ln.Addr().String()).login()
	c.do("PASV", "522")
	c.do("EPSV 1", "522")
	c.do("EPRT |1|127.0.0.1|5000|", "522 Network protocol not supported, use (2)")
	c.do("EPRT |3|::1|5000|", "522 Network protocol not supported, use (2)")
	data := dialFromAddr(t, "::1", c.passive())
	c.do("RETR readme.txt", "150")
	if b, err := io.ReadAll(data); err != nil || !strings.HasPrefix(string(b), "hello") {
		t.Errorf("got %q, %v", b, err)
	}
	c.expect("226")
	back, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	c.do(fmt.Sprintf("EPRT |2|::1|%d|", back.Addr().(*net.TCPAddr).Port), "200")
	c.send("NLST")
	conn, err := back.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c.expect("150")
	c.expect("226")
	c.do("QUIT", "221")
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
