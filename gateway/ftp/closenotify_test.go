package ftp

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// upload begins a STOR over TLS and returns both layers of its data connection.
func (c *client) upload(name string, config *tls.Config) (*net.TCPConn, *tls.Conn) {
	c.t.Helper()
	raw := c.data()
	c.do("STOR "+name, "150")
	conn := tls.Client(raw, config)
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	return raw.(*net.TCPConn), conn
}

func TestT8_S11_UploadWithoutCloseNotify(t *testing.T) {
	files := newFakeFS()
	_, addr := serveTCP(t, tlsConfig(t, files, ReuseOffered), ListenOptions{})
	config := clientTLS(tls.VersionTLS13)
	c := dialClient(t, addr).private(config)

	// An account that never sent a close_notify may be one that cannot.
	raw, conn := c.upload("first", config)
	io.WriteString(conn, "first")
	raw.CloseWrite()
	c.expect("226")
	wantContent(t, files, "first", "first")

	_, conn = c.upload("second", config)
	io.WriteString(conn, "second")
	conn.Close()
	c.expect("226")

	// From now on its absence is a cut.
	raw, conn = c.upload("third", config)
	io.WriteString(conn, "third")
	raw.CloseWrite()
	c.expect("426")
	wantAbsent(t, files, "third")
}

// TestT8_S11_UploadThatReadsNothing is an old client that resumes nothing and just closes:
// nothing may wait to be read by it, or that would be a reset.
func TestT8_S11_UploadThatReadsNothing(t *testing.T) {
	for name, version := range tlsVersions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := newFakeFS()
			_, addr := serveTCP(t, tlsConfig(t, files, ReuseOffered), ListenOptions{})
			c := dialClient(t, addr).private(clientTLS(version))
			raw, conn := c.upload("x", clientTLS(version))
			io.WriteString(conn, "whole")
			raw.Close()
			c.expect("226")
			wantContent(t, files, "x", "whole")
		})
	}
}

func TestT10_EndWithinARecord(t *testing.T) {
	files := newFakeFS()
	_, addr := serveTCP(t, tlsConfig(t, files, ReuseOffered), ListenOptions{})
	config := clientTLS(tls.VersionTLS13)
	c := dialClient(t, addr).private(config)
	raw, _ := c.upload("x", config)
	raw.Write([]byte{23, 3, 3, 0, 100, 1, 2, 3})
	raw.CloseWrite()
	c.expect("426")
	wantAbsent(t, files, "x")
}

func TestResetAndReplacedUploads(t *testing.T) {
	files := newFakeFS()
	_, addr := serveTCP(t, testConfig(files), ListenOptions{})
	c := dialClient(t, addr).login()
	data := c.data().(*net.TCPConn)
	c.do("STOR readme.txt", "150")
	io.WriteString(data, "half")
	data.SetLinger(0)
	data.Close()
	c.expect("426")
	wantContent(t, files, "readme.txt", "hello\nworld\n")
	wantParked(t, files, "readme.txt", "half")
}

func TestT9_S21_DownloadThatFailsIsNotEnded(t *testing.T) {
	files := newFakeFS()
	files.readErr = errors.Join(ErrUnavailable, errors.New("midway"))
	_, addr := serveTCP(t, tlsConfig(t, files, ReuseOffered), ListenOptions{})
	config := clientTLS(tls.VersionTLS13)
	c := dialClient(t, addr).private(config)
	data := c.data()
	c.do("RETR readme.txt", "150")
	if got, _, err := readTLS(t, data, config); err == nil {
		t.Errorf("TLS ended properly after %q", got)
	}
	c.expect("451")

	c.do("PROT C", "200")
	data = c.data()
	c.do("RETR readme.txt", "150")
	if b, err := io.ReadAll(data); err == nil {
		t.Errorf("TCP ended properly after %q", b)
	}
	c.expect("451")
}

// TestT8_GoodbyeEndsTLS wants a close_notify behind the last reply, and none where the
// server hangs up.
func TestT8_GoodbyeEndsTLS(t *testing.T) {
	for _, tt := range []struct {
		line, reply string
		notified    bool
	}{
		{"QUIT", "221", true},
		{"REIN\r\nSYST", "503", true},
		{"GET / HTTP/1.1", "", false},
	} {
		for name, version := range tlsVersions() {
			t.Run(tt.line+" "+name, func(t *testing.T) {
				t.Parallel()
				_, addr := serveTCP(t, tlsConfig(t, newFakeFS(), ReuseOffered), ListenOptions{})
				c := dialClient(t, addr)
				raw := &watchedConn{Conn: c.raw, timeout: 20 * time.Second}
				c.raw = raw
				c.startTLS(clientTLS(version))
				c.send(tt.line)
				if tt.reply != "" {
					c.expect(tt.reply)
				}
				c.closed()
				if raw.ended == tt.notified {
					t.Errorf("TCP ended without a close_notify: %v", raw.ended)
				}
			})
		}
	}
}
