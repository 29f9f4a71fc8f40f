package ftp

import (
	"context"
	"crypto/tls"
	"io"
	"testing"
	"time"
)

// withManners gives all accounts that log in the same manners.
func withManners(next func(context.Context, Credentials) (*Account, error), m Manners) func(context.Context, Credentials) (*Account, error) {
	return func(ctx context.Context, c Credentials) (*Account, error) {
		account, err := next(ctx, c)
		if account != nil {
			account.Manners = m
		}
		return account, err
	}
}

func TestT6_AccountsWhoseDataMustBePrivate(t *testing.T) {
	files := newFakeFS()
	config := tlsConfig(t, files, ReuseOffered)
	config.Login = withManners(config.Login, Manners{Least: Protection{Required: true}})
	_, addr := serveTCP(t, config, ListenOptions{})
	c := dialClient(t, addr)
	c.startTLS(clientTLS(tls.VersionTLS13))
	c.login()
	c.data()
	c.do("STOR x", "521")
	c.do("PBSZ 0", "200")
	c.do("PROT C", "534")
	c.do("PROT P", "200")
	data := c.data()
	c.do("RETR readme.txt", "150")
	if got, _, err := readTLS(t, data, clientTLS(tls.VersionTLS13)); got != "hello\nworld\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	c.expect("226")
	wantAbsent(t, files, "x")
}

// TestT13_WeakDataConnections: what an account demands of TLS it demands of data
// connections as well.
func TestT13_WeakDataConnections(t *testing.T) {
	weak := clientTLS(tls.VersionTLS12)
	weak.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
	for name, c := range map[string]struct {
		least Protection
		data  *tls.Config
	}{
		"version": {Protection{MinVersion: tls.VersionTLS13}, clientTLS(tls.VersionTLS12)},
		"suite":   {Protection{Modern: true}, weak},
	} {
		t.Run(name, func(t *testing.T) {
			files := newFakeFS()
			config := tlsConfig(t, files, ReuseOffered)
			config.TLS.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
			config.Login = withManners(config.Login, Manners{Least: c.least})
			_, addr := serveTCP(t, config, ListenOptions{})
			client := dialClient(t, addr).private(clientTLS(tls.VersionTLS13))
			raw := client.data()
			client.do("STOR x", "150")
			conn := tls.Client(raw, c.data)
			if err := conn.Handshake(); err == nil {
				io.WriteString(conn, "weakly protected")
				conn.Close()
			}
			client.expect("522")
			wantAbsent(t, files, "x")

			raw = client.data()
			client.do("STOR x", "150")
			conn = tls.Client(raw, clientTLS(tls.VersionTLS13))
			io.WriteString(conn, "strong")
			conn.Close()
			client.expect("226")
			wantContent(t, files, "x", "strong")
		})
	}
}

func TestProtection(t *testing.T) {
	state := func(version, suite uint16) *tls.ConnectionState {
		return &tls.ConnectionState{Version: version, CipherSuite: suite}
	}
	cbc, gcm := tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
	for _, c := range []struct {
		least Protection
		state *tls.ConnectionState
		met   bool
	}{
		{Protection{}, nil, true},
		{Protection{MinVersion: tls.VersionTLS13, Modern: true}, nil, true},
		{Protection{Required: true}, nil, false},
		{Protection{Required: true}, state(tls.VersionTLS10, cbc), true},
		{Protection{MinVersion: tls.VersionTLS12}, state(tls.VersionTLS11, cbc), false},
		{Protection{MinVersion: tls.VersionTLS12}, state(tls.VersionTLS12, cbc), true},
		{Protection{Modern: true}, state(tls.VersionTLS12, cbc), false},
		{Protection{Modern: true}, state(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256), false},
		{Protection{Modern: true}, state(tls.VersionTLS12, gcm), true},
		{Protection{Modern: true}, state(tls.VersionTLS13, tls.TLS_AES_128_GCM_SHA256), true},
	} {
		if met := c.least.Met(c.state); met != c.met {
			t.Errorf("%+v of %+v: %v", c.least, c.state, met)
		}
	}
}

func TestDOSLines(t *testing.T) {
	at := time.Date(2000, time.April, 7, 21, 9, 59, 0, time.FixedZone("", 3600))
	for want, e := range map[string]Entry{
		"04-07-00  08:09PM       <DIR>          licensed\r\n":    {Name: "licensed", Dir: true, ModTime: at},
		"04-07-00  08:09PM                  589 read me.htm\r\n": {Name: "read me.htm", Size: 589, ModTime: at},
		"01-01-70  12:00AM                    0 ?\r\n":           {Name: "\n"},
	} {
		if got := string(appendDOSLine(nil, e)); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
