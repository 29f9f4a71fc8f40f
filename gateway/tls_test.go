package gateway

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"go/version"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"causeway/configs"
)

// handshake tries a client against a configuration and returns what was agreed on.
func handshake(t *testing.T, server *tls.Config, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	near, far := pair(t)
	go func() { _ = tls.Server(far, server).HandshakeContext(t.Context()) }() // the client tells
	conn := tls.Client(near, client)
	err := conn.HandshakeContext(t.Context())
	return conn.ConnectionState(), err
}

func TestT13_OnlyStrongTLSByDefault(t *testing.T) {
	cfg := configs.Default()
	cfg.TLS.SelfSigned = true
	server, _, err := newTLS(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	weak := []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA}
	for _, c := range []struct {
		name   string
		client *tls.Config
		ok     bool
	}{
		{"1.3", &tls.Config{MinVersion: tls.VersionTLS13}, true},
		{"1.2 with AEAD", &tls.Config{MaxVersion: tls.VersionTLS12}, true},
		{"1.2 with CBC", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: weak}, false},
		{"1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		{"1.0", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, false},
	} {
		c.client.InsecureSkipVerify = true
		if state, err := handshake(t, server, c.client); (err == nil) != c.ok {
			t.Errorf("%s: %v, %s", c.name, err, tls.CipherSuiteName(state.CipherSuite))
		}
	}
}

// TestOldTLSWhenConfigured is a device with an RSA certificate to check and nothing
// newer than TLS 1.0.
func TestOldTLSWhenConfigured(t *testing.T) {
	cfg := configs.Default()
	cfg.TLS.MinVersion = "1.0"
	cfg.TLS.Certificate, cfg.TLS.Key = rsaCertificate(t)
	server, _, err := newTLS(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, suite := range []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA} {
		state, err := handshake(t, server, &tls.Config{
			MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
			CipherSuites: []uint16{suite}, InsecureSkipVerify: true,
		})
		if err != nil || state.Version != tls.VersionTLS10 {
			t.Errorf("%s: %v", tls.CipherSuiteName(suite), err)
		}
	}
	if state, err := handshake(t, server, &tls.Config{InsecureSkipVerify: true}); err != nil || state.Version != tls.VersionTLS13 {
		t.Errorf("a new client gets %s, %v", tls.VersionName(state.Version), err)
	}
}

// TestT12_ToolchainIsFixed: floods of KeyUpdate are bounded by crypto/tls since Go 1.26.6
// (CVE-2026-32283, CVE-2026-56862).
func TestT12_ToolchainIsFixed(t *testing.T) {
	if v := runtime.Version(); version.Compare(v, "go1.26.6") < 0 {
		t.Errorf("built by %s, whose TLS can be flooded; use go1.26.6 or newer", v)
	}
}

func rsaCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: der},
		key:         {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

func TestSelfSignedCertificate(t *testing.T) {
	cfg := configs.Default()
	cfg.TLS.SelfSigned = true
	cfg.Listeners = []configs.Listener{{Address: "192.0.2.7:21"}, {Address: "ftp.example:21"}, {Address: ":990"}}
	c, err := newCertificate(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(c.current.Load().Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok {
		t.Errorf("the key is %T", leaf.PublicKey)
	}
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "192.0.2.7", "ftp.example"} {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	other, err := newCertificate(cfg, slog.New(slog.DiscardHandler))
	if err != nil || string(other.current.Load().Certificate[0]) == string(leaf.Raw) {
		t.Errorf("the second certificate is the first: %v", err)
	}
}

func TestS52_CertificateThatWentAway(t *testing.T) {
	cfg := configs.Default()
	cfg.TLS.Certificate, cfg.TLS.Key = filepath.Join(t.TempDir(), "none.pem"), "none.pem"
	_, _, err := newTLS(cfg, slog.New(slog.DiscardHandler))
	var p *configs.Problem
	if !errors.As(err, &p) || p.Field != "tls.certificate" {
		t.Errorf("got %v", err)
	}
	if off, _, err := newTLS(configs.Default(), slog.New(slog.DiscardHandler)); off != nil || err != nil {
		t.Errorf("without a certificate: %v, %v", off, err)
	}
}
