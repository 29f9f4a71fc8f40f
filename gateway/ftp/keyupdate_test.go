package ftp

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// tlsForger makes TLS 1.3 records on the client's behalf, since crypto/tls sends no
// KeyUpdate (RFC 8446 §4.6.3) of its own accord.
type tlsForger struct {
	t      testing.TB
	secret []byte // of what the client sends next
}

// forge takes over what the client of this connection sends.
func forge(c *client) *tlsForger {
	c.t.Helper()
	var secrets strings.Builder
	config := clientTLS(tls.VersionTLS13)
	config.KeyLogWriter = &secrets
	c.startTLS(config)
	if s := c.conn.(*tls.Conn).ConnectionState().CipherSuite; s != tls.TLS_AES_128_GCM_SHA256 {
		c.t.Fatal("this needs a machine with AES instructions; it prefers ", tls.CipherSuiteName(s))
	}
	_, line, _ := strings.Cut(secrets.String(), "CLIENT_TRAFFIC_SECRET_0 ")
	secret, err := hex.DecodeString(strings.Fields(line)[1])
	if err != nil {
		c.t.Fatal(err)
	}
	return &tlsForger{c.t, secret}
}

func (f *tlsForger) expand(label string, length int) []byte {
	f.t.Helper()
	label = "tls13 " + label
	info := binary.BigEndian.AppendUint16(nil, uint16(length))
	info = append(append(append(info, byte(len(label))), label...), 0)
	key, err := hkdf.Expand(sha256.New, f.secret, string(info), length)
	if err != nil {
		f.t.Fatal(err)
	}
	return key
}

// record is the first record under the keys of now, so its nonce is the IV itself.
func (f *tlsForger) record(content string, contentType byte) []byte {
	f.t.Helper()
	block, err := aes.NewCipher(f.expand("key", 16))
	if err != nil {
		f.t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		f.t.Fatal(err)
	}
	inner := append([]byte(content), contentType)
	header := []byte{23, 3, 3, 0, byte(len(inner) + aead.Overhead())}
	return aead.Seal(header, f.expand("iv", 12), inner, header)
}

// keyUpdate asks for new keys, without asking for new ones in return, and goes over to them.
func (f *tlsForger) keyUpdate() []byte {
	f.t.Helper()
	r := f.record("\x18\x00\x00\x01\x00", 22)
	f.secret = f.expand("traffic upd", sha256.Size)
	return r
}

func TestT12_FloodOfKeyUpdates(t *testing.T) {
	_, addr := serveTCP(t, tlsConfig(t, newFakeFS(), ReuseOffered), ListenOptions{})
	play := func(updates int) *client {
		c := dialClient(t, addr)
		f := forge(c)
		var flood bytes.Buffer
		for range updates {
			flood.Write(f.keyUpdate())
		}
		flood.Write(f.record("NOOP\r\n", 23))
		if err := c.raw.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		c.raw.Write(flood.Bytes()) // fails when the server has closed meanwhile
		return c
	}
	play(3).expect("200")
	if b, err := io.ReadAll(play(10_000).r); len(b) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q, %v after a flood", b, err)
	}
}
