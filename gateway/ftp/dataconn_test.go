package ftp

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
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
		t.Fatal("this needs a second loopback address: ", err)
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
		t.Fatal("this needs IPv6 on the loopback interface: ", err)
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
