package ftp

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
)

func tlsVersions() map[string]uint16 {
	return map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
}

// tlsConfig is testConfig with TLS.
func tlsConfig(t *testing.T, files FS, reuse SessionReuse) Config {
	c := testConfig(files)
	c.TLS, c.SessionReuse = testTLS(t), reuse
	return c
}

// read finishes a transfer that has been begun and returns its data.
func readTLS(t *testing.T, raw net.Conn, config *tls.Config) (string, *tls.Conn, error) {
	t.Helper()
	conn := tls.Client(raw, config)
	b, err := io.ReadAll(conn)
	return string(b), conn, err
}

func TestD7_UnboundDataConnectionIsRefused(t *testing.T) {
	for name, version := range tlsVersions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := newFakeFS()
			_, addr := serveTCP(t, tlsConfig(t, files, ReuseRequired), ListenOptions{})
			c := dialClient(t, addr).private(clientTLS(version))
			data := c.data()
			c.do("STOR x", "150")
			stranger := tls.Client(data, clientTLS(version)) // knows no session
			if err := stranger.Handshake(); err == nil {
				io.WriteString(stranger, "evil")
				stranger.Close()
			}
			c.expect("522")
			wantAbsent(t, files, "x")
		})
	}
}

func TestD8_OnlyTheOwnSessionBinds(t *testing.T) {
	for name, version := range tlsVersions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := newFakeFS()
			_, addr := serveTCP(t, tlsConfig(t, files, ReuseRequired), ListenOptions{})
			mine, theirs := clientTLS(version), clientTLS(version)
			c := dialClient(t, addr).private(mine)
			dialClient(t, addr).private(theirs)

			data := c.data()
			c.do("RETR readme.txt", "150")
			if got, conn, _ := readTLS(t, data, theirs); got != "" || conn.ConnectionState().DidResume {
				t.Errorf("another control connection's session was resumed, %q read", got)
			}
			c.expect("522")

			for range 3 { // each with the ticket of the one before
				data = c.data()
				c.do("RETR readme.txt", "150")
				got, conn, err := readTLS(t, data, mine)
				if err != nil || got != "hello\nworld\n" || !conn.ConnectionState().DidResume {
					t.Errorf("own session: %q, %v, resumed %v", got, err, conn.ConnectionState().DidResume)
				}
				c.expect("226")
			}
		})
	}
}

func TestD6_ThiefAtTheSameAddressUnderTLS(t *testing.T) {
	files := newFakeFS()
	reuse := tlsConfig(t, files, ReuseRequired)
	var log lockedBuilder
	reuse.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	_, addr := serveTCP(t, reuse, ListenOptions{})
	config := clientTLS(tls.VersionTLS13)
	c := dialClient(t, addr).private(config)
	port := c.passive()
	plain := dialFromAddr(t, "127.0.0.1", port)
	io.WriteString(plain, "this is no handshake")
	forged := dialFromAddr(t, "127.0.0.1", port)
	go tls.Client(forged, clientTLS(tls.VersionTLS13)).Handshake()
	owner := tls.Client(dialFromAddr(t, "127.0.0.1", port), config)
	c.do("STOR x", "150")
	if _, err := io.WriteString(owner, "mine"); err != nil {
		t.Fatal(err)
	}
	owner.Close()
	c.expect("226")
	wantContent(t, files, "x", "mine")
	if n := strings.Count(log.String(), `"remote":"127.0.0.1"`); n != 2 {
		t.Errorf("%d alarms, want 2:\n%s", n, log.String())
	}
}

func TestD18_TwoUsersBehindOneAddress(t *testing.T) {
	files := newFakeFS()
	c := tlsConfig(t, files, ReuseRequired)
	_, addr := serveTCP(t, c, ListenOptions{})
	configs := []*tls.Config{clientTLS(tls.VersionTLS13), clientTLS(tls.VersionTLS13)}
	clients := []*client{dialClient(t, addr).private(configs[0]), dialClient(t, addr).private(configs[1])}
	ports := []string{clients[0].passive(), clients[1].passive()}
	if ports[0] == ports[1] {
		t.Fatal("two sessions of one address share a port")
	}
	// Each connects to the other's port first.
	for i, c := range clients {
		wrong := tls.Client(dialFromAddr(t, "127.0.0.1", ports[1-i]), configs[i])
		go wrong.Handshake()
		defer wrong.Close()
		c.send(fmt.Sprintf("STOR user%d", i))
	}
	for i, c := range clients {
		c.expect("150")
		right := tls.Client(dialFromAddr(t, "127.0.0.1", ports[i]), configs[i])
		fmt.Fprintf(right, "user%d", i)
		right.Close()
		c.expect("226")
		wantContent(t, files, fmt.Sprintf("user%d", i), fmt.Sprintf("user%d", i))
	}
}

func TestSessionReuseIsOffered(t *testing.T) {
	files := newFakeFS()
	_, addr := serveTCP(t, tlsConfig(t, files, ReuseOffered), ListenOptions{})
	config := clientTLS(tls.VersionTLS13)
	c := dialClient(t, addr).private(config)
	for _, config := range []*tls.Config{config, clientTLS(tls.VersionTLS12)} {
		data := c.data()
		c.do("LIST", "150")
		got, conn, err := readTLS(t, data, config)
		if err != nil || !strings.Contains(got, "readme.txt") {
			t.Errorf("listing %q, %v", got, err)
		}
		if want := config.MinVersion == tls.VersionTLS13; conn.ConnectionState().DidResume != want {
			t.Errorf("resumed: %v, want %v", !want, want)
		}
		c.expect("226")
	}
}

func TestT14_TicketsAreUselessOnAnotherControlConnection(t *testing.T) {
	_, addr := serveTCP(t, tlsConfig(t, newFakeFS(), ReuseOffered), ListenOptions{})
	config := clientTLS(tls.VersionTLS13)
	for range 2 {
		c := dialClient(t, addr)
		c.startTLS(config)
		if c.conn.(*tls.Conn).ConnectionState().DidResume {
			t.Error("a control connection resumed a session")
		}
		c.do("QUIT", "221")
	}
}

func TestT1_CommandsBeforeTheHandshakeAreNotRun(t *testing.T) {
	_, addr := serveTCP(t, tlsConfig(t, newFakeFS(), ReuseOffered), ListenOptions{})
	c := dialClient(t, addr)
	c.send("AUTH TLS\r\nSYST")
	c.expect("503")
	c.closed()
}

func TestT2_NothingInClearAfter234(t *testing.T) {
	_, addr := serveTCP(t, tlsConfig(t, newFakeFS(), ReuseOffered), ListenOptions{})
	c := dialClient(t, addr)
	c.do("AUTH TLS", "234")
	if c.r.Buffered() != 0 {
		t.Error("octets in clear follow the reply")
	}
	c.send("SYST") // no handshake
	b, _ := io.ReadAll(c.r)
	if len(b) > 0 && b[0] != 21 { // a TLS alert is all right
		t.Errorf("answered in clear: %q", b)
	}
}

func TestT3_AuthForgetsWhatWasSaidInClear(t *testing.T) {
	_, addr := serveTCP(t, tlsConfig(t, newFakeFS(), ReuseOffered), ListenOptions{})
	c := dialClient(t, addr).login()
	c.do("CWD in", "250")
	c.do("RNFR b.bin", "350")
	port := c.passive()
	c.startTLS(clientTLS(tls.VersionTLS13))
	c.do("PWD", "530")
	c.do("RNTO x", "530")
	if conn, err := net.Dial("tcp", port); err == nil {
		conn.Close()
		t.Error("the passive port of the clear session is open")
	}
	c.do("USER u", "331")
	c.do("PASS p", "230")
	if got := c.do("PWD", "257"); !strings.Contains(got, `"/"`) {
		t.Errorf("working directory of the clear session: %s", got)
	}
	if got := c.do("RNTO x", "503"); got == "" {
		t.Error("RNFR of the clear session")
	}
}

func TestT4_T5_T6_RefusalsUnderTLS(t *testing.T) {
	config := tlsConfig(t, newFakeFS(), ReuseOffered)
	config.TLSRequired = true
	_, addr := serveTCP(t, config, ListenOptions{})
	c := dialClient(t, addr)
	c.do("USER u", "530") // T7: before PASS is asked for
	c.startTLS(clientTLS(tls.VersionTLS13))
	c.do("AUTH TLS", "503")
	c.do("CCC", "534")
	c.login()
	c.do("PROT P", "503")
	c.do("PBSZ x", "501")
	c.do("PBSZ 0", "200 PBSZ=0")
	c.do("PROT S", "536")
	c.do("PROT E", "536")
	c.do("PROT X", "504")
	c.do("PROT C", "534")
	c.passive()
	c.do("LIST", "521")
	c.do("PROT P", "200")
}

func TestT16_ALPN(t *testing.T) {
	_, addr := serveTCP(t, tlsConfig(t, newFakeFS(), ReuseOffered), ListenOptions{ImplicitTLS: true})
	for _, tt := range []struct {
		offer []string
		want  string
		ok    bool
	}{
		{nil, "", true},
		{[]string{"ftp"}, "ftp", true},
		{[]string{"h2", "ftp"}, "ftp", true},
		{[]string{"http/1.1"}, "", false},
		{[]string{"h2", "http/1.1"}, "", false},
	} {
		config := clientTLS(tls.VersionTLS13)
		config.NextProtos = tt.offer
		conn, err := tls.Dial("tcp", addr, config)
		if (err == nil) != tt.ok {
			t.Errorf("%v: %v", tt.offer, err)
		}
		if err != nil {
			continue
		}
		if got := conn.ConnectionState().NegotiatedProtocol; got != tt.want {
			t.Errorf("%v: chosen %q, want %q", tt.offer, got, tt.want)
		}
		conn.Close()
	}
}

// dialImplicit connects to a listener with TLS from the first octet.
func dialImplicit(t *testing.T, addr string, config *tls.Config) *client {
	t.Helper()
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	conn := tls.Client(raw, config)
	c := &client{t: t, raw: raw, conn: conn, r: bufio.NewReader(conn)}
	c.expect("220")
	return c
}

func TestImplicitTLS(t *testing.T) {
	files := newFakeFS()
	_, addr := serveTCP(t, tlsConfig(t, files, ReuseOffered), ListenOptions{ImplicitTLS: true})
	config := clientTLS(tls.VersionTLS12)
	c := dialImplicit(t, addr, config)
	c.do("AUTH TLS", "503")
	c.login()
	c.do("PBSZ 0", "200")
	c.do("PROT P", "200")
	_, data := c.upload("x", config)
	io.WriteString(data, "x")
	data.Close()
	c.expect("226")
	wantContent(t, files, "x", "x")
	c.do("QUIT", "221")
}

func TestHostMustMatchServerName(t *testing.T) {
	config := tlsConfig(t, newFakeFS(), ReuseOffered)
	var seen Credentials
	login := config.Login
	config.Login = func(ctx context.Context, c Credentials) (*Account, error) {
		seen = c
		return login(ctx, c)
	}
	_, addr := serveTCP(t, config, ListenOptions{})
	c := dialClient(t, addr)
	c.startTLS(clientTLS(tls.VersionTLS13))
	c.do("HOST other.test", "504")
	c.do("HOST FTP.test", "220")
	c.login()
	if seen.Host != "ftp.test" || seen.TLS == nil || seen.User != "u" || seen.Remote.String() != "127.0.0.1" {
		t.Errorf("credentials %+v", seen)
	}
	if seen.Log == nil {
		t.Error("no log for the login")
	}
}
