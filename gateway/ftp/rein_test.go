package ftp

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// heldConn is a client's connection that can hold its writes back to send them in one
// segment.
type heldConn struct {
	net.Conn
	holding bool
	held    bytes.Buffer
}

func (h *heldConn) Write(p []byte) (int, error) {
	if h.holding {
		return h.held.Write(p)
	}
	return h.Conn.Write(p)
}

// startHeldTLS is startTLS on a connection that can hold its writes.
func (c *client) startHeldTLS(config *tls.Config) (*heldConn, *tls.Conn) {
	c.t.Helper()
	c.do("AUTH TLS", "234")
	held := &heldConn{Conn: c.raw}
	conn := tls.Client(held, config)
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.r = conn, bufio.NewReader(conn)
	return held, conn
}

// endOfTLS wants the server's close_notify, and answers it together with a first command
// in clear.
func (c *client) endOfTLS(held *heldConn, conn *tls.Conn, command string) {
	c.t.Helper()
	c.closed()
	held.holding = true
	if err := conn.CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
	if err := c.raw.SetDeadline(time.Time{}); err != nil { // CloseWrite leaves one that is past
		c.t.Fatal(err)
	}
	held.held.WriteString(command + "\r\n")
	if _, err := held.Conn.Write(held.held.Bytes()); err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.r = c.raw, bufio.NewReader(c.raw)
}

// TestReinGoesBackToClear is RFC 4217 §13: the reply comes under TLS, then TLS ends on both
// sides, and the session begins anew in clear.
func TestReinGoesBackToClear(t *testing.T) {
	for name, version := range tlsVersions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, addr := serveTCP(t, tlsConfig(t, newFakeFS(), ReuseOffered), ListenOptions{})
			config := clientTLS(version)
			c := dialClient(t, addr)
			for range 2 { // and TLS can begin anew as well
				held, conn := c.startHeldTLS(config)
				c.login()
				c.do("PBSZ 0", "200")
				c.do("CWD in", "250")
				c.do("RNFR b.bin", "350")
				port := c.passive()
				c.do("REIN", "220")
				c.endOfTLS(held, conn, "PWD")
				c.expect("530")
				if conn, err := net.Dial("tcp", port); err == nil {
					conn.Close()
					t.Error("the passive port outlives REIN")
				}
				c.do("PROT P", "503")
				c.login()
				c.do("RNTO x", "503")
				if got := c.do("PWD", "257"); !strings.Contains(got, `"/"`) {
					t.Errorf("working directory from before REIN: %s", got)
				}
				data := c.data()
				c.do("RETR readme.txt", "150")
				if got, err := io.ReadAll(data); err != nil || string(got) != "hello\nworld\n" {
					t.Errorf("read %q, %v in clear", got, err)
				}
				c.expect("226")
			}
		})
	}
}

func TestReinWhereTLSIsRequired(t *testing.T) {
	config := tlsConfig(t, newFakeFS(), ReuseOffered)
	config.TLSRequired = true
	_, addr := serveTCP(t, config, ListenOptions{})
	c := dialClient(t, addr)
	held, conn := c.startHeldTLS(clientTLS(tls.VersionTLS13))
	c.login()
	c.do("REIN", "220")
	c.endOfTLS(held, conn, "USER u")
	c.expect("530")
	c.startTLS(clientTLS(tls.VersionTLS13))
	c.login()
}

// TestReinUnderImplicitTLS keeps TLS, which is a property of the listener.
func TestReinUnderImplicitTLS(t *testing.T) {
	_, addr := serveTCP(t, tlsConfig(t, newFakeFS(), ReuseOffered), ListenOptions{ImplicitTLS: true})
	c := dialImplicit(t, addr, clientTLS(tls.VersionTLS13))
	c.login()
	c.do("PBSZ 0", "200")
	c.do("PROT P", "200")
	c.do("CWD in", "250")
	c.do("REIN", "220")
	c.do("PWD", "530")
	c.do("PROT P", "503")
	c.login()
	if got := c.do("PWD", "257"); !strings.Contains(got, `"/"`) {
		t.Errorf("working directory from before REIN: %s", got)
	}
}

// TestA10_ReinTakesNothingAlong sends commands that were protected behind REIN: nobody must
// take them for commands in clear, or for protected ones.
func TestA10_ReinTakesNothingAlong(t *testing.T) {
	_, addr := serveTCP(t, tlsConfig(t, newFakeFS(), ReuseOffered), ListenOptions{})

	t.Run("in one record", func(t *testing.T) {
		c := dialClient(t, addr)
		c.startTLS(clientTLS(tls.VersionTLS13))
		c.send("REIN\r\nSYST")
		c.expect("503")
		c.closed()
	})
	t.Run("in a record of its own", func(t *testing.T) {
		c := dialClient(t, addr)
		c.startTLS(clientTLS(tls.VersionTLS13))
		c.do("REIN", "220")
		c.closed() // the server's close_notify
		c.send("SYST")
		if b, _ := io.ReadAll(c.raw); len(b) > 0 {
			t.Errorf("the server goes on with %q", b)
		}
	})
	t.Run("in clear before the end of TLS", func(t *testing.T) {
		c := dialClient(t, addr)
		c.startTLS(clientTLS(tls.VersionTLS13))
		c.do("REIN", "220")
		c.closed()
		io.WriteString(c.raw, "SYST\r\n")
		if b, _ := io.ReadAll(c.raw); len(b) > 0 {
			t.Errorf("the server goes on with %q", b)
		}
	})
}

// TestReinWithoutCloseNotify is a client that does not end TLS on its side.
func TestReinWithoutCloseNotify(t *testing.T) {
	config := func(files *fakeFS) Config { return tlsConfig(t, files, ReuseOffered) }
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		raw := k.server.connect(t, clientAddr)
		defer raw.Close()
		c := &client{t: t, raw: raw, conn: raw, r: bufio.NewReader(raw)}
		c.expect("220")
		c.startTLS(clientTLS(tls.VersionTLS12)) // 1.3 writes a ticket that a pipe has no room for
		c.do("REIN", "220")
		c.closed()
		began := time.Now()
		if b, _ := io.ReadAll(raw); len(b) > 0 || time.Since(began) != handshakeTimeout {
			t.Errorf("%q after %v", b, time.Since(began))
		}
	})
}

// FuzzTLSRecordConn reads a stream in pieces of every size: nothing is changed, lost or
// read past the end of a record.
func FuzzTLSRecordConn(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x02ab\x17\x03\x03\x00\x00\x15\x03\x03\x00\x02\x01\x00USER u\r\n"), []byte{1, 200, 3})
	f.Add([]byte("GET / HTTP/1.1\r\n"), []byte{0, 7})
	f.Fuzz(func(t *testing.T, stream, sizes []byte) {
		c := &tlsRecordConn{Conn: readerConn{r: bytes.NewReader(stream)}}
		var got []byte
		for i := 0; ; i++ {
			size := 1
			if len(sizes) > 0 {
				size += int(sizes[i%len(sizes)])
			}
			buf := make([]byte, size)
			n, err := c.Read(buf)
			if end := recordEnd(stream, len(got)); len(got)+n > end {
				t.Fatalf("a read of %d octets at %d goes past the record's end at %d", n, len(got), end)
			}
			got = append(got, buf[:n]...)
			if err != nil {
				break
			}
		}
		if !bytes.Equal(got, stream) {
			t.Fatalf("got %q, want %q", got, stream)
		}
	})
}

// recordEnd is the end of the record that the octet at this offset belongs to.
func recordEnd(stream []byte, at int) int {
	for end := 0; ; {
		if len(stream) < end+5 {
			return len(stream)
		}
		end += 5 + int(stream[end+3])<<8 + int(stream[end+4])
		if end > at {
			return end
		}
	}
}

// readerConn is a connection of which only reads are used.
type readerConn struct {
	net.Conn
	r io.Reader
}

func (c readerConn) Read(p []byte) (int, error) { return c.r.Read(p) }
