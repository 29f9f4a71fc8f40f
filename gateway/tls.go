package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"time"

	"causeway/configs"
)

// newTLS is nil where TLS is off, and so is the certificate.
func newTLS(cfg *configs.Config, log *slog.Logger) (*tls.Config, *certificate, error) {
	if !cfg.TLS.Enabled() {
		return nil, nil, nil
	}
	shown, err := newCertificate(cfg, log)
	if err != nil {
		return nil, nil, err
	}
	oldest := tlsVersion(cfg.TLS.MinVersion)
	c := &tls.Config{
		GetCertificate: shown.get,
		MinVersion:     oldest,
		CipherSuites:   cipherSuites(oldest),
	}
	return c, shown, askClients(cfg, c)
}

// askClients has clients show a certificate, if they have one, where accounts are known by
// it. Data connections ask as well, and are content with none.
func askClients(cfg *configs.Config, c *tls.Config) error {
	for i, source := range cfg.Accounts {
		if source.Certificate == nil {
			continue
		}
		text, err := readAuthorities(cfg, fmt.Sprintf("accounts[%d].certificate.ca", i), source.Certificate.CA)
		if err != nil {
			return err
		}
		if c.ClientCAs == nil {
			c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.VerifyClientCertIfGiven
		}
		c.ClientCAs.AppendCertsFromPEM(text)
	}
	return nil
}

func tlsVersion(v configs.TLSVersion) uint16 {
	return map[configs.TLSVersion]uint16{
		"1.0": tls.VersionTLS10,
		"1.1": tls.VersionTLS11,
		"1.2": tls.VersionTLS12,
		"1.3": tls.VersionTLS13,
	}[v]
}

// cipherSuites are those of TLS 1.2 and older; the ones of TLS 1.3 are not to be chosen.
// From 1.2 on it is forward secrecy and AEAD only (RFC 9325 §4.2). Who asks for older
// versions has devices that know CBC alone, and some that know RSA key exchange alone.
func cipherSuites(oldest uint16) []uint16 {
	suites := []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
	if oldest >= tls.VersionTLS12 {
		return suites
	}
	return append(suites,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
		tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA,
		tls.TLS_RSA_WITH_AES_256_CBC_SHA,
		tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
	)
}

// selfSignedLife is that of a certificate which is new at every start.
const selfSignedLife = 825 * 24 * time.Hour

// selfSigned makes a certificate for the hosts. ECDSA P-256 costs less than half of
// RSA-2048 at each handshake.
func selfSigned(hosts []string, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Causeway"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(selfSignedLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// hostsOf are the names under which clients may know the gateway.
func hostsOf(cfg *configs.Config) []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	add := func(host string) {
		if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsLoopback() && !ip.IsUnspecified()) {
			hosts = append(hosts, host)
		}
	}
	if name, err := os.Hostname(); err == nil {
		add(name)
	}
	for _, l := range cfg.Listeners {
		if host, _, err := net.SplitHostPort(l.Address); err == nil {
			add(host)
		}
	}
	if cfg.Passive.Address.IsValid() {
		add(cfg.Passive.Address.String())
	}
	return hosts
}
