package ftpclient

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// Trust says which certificate of a server is believed. The zero value: one by the system's
// roots, for the host of the address.
type Trust struct {
	ServerName string         // whom the certificate must name; empty is the host of the address
	Roots      *x509.CertPool // nil is the system's
	// SHA256 pins the certificate: that of its DER form, 32 octets. Names, roots and dates
	// then do not count, as old servers' certificates are often self-signed and out of date.
	SHA256 []byte
}

// errPin is a server with another certificate than the pinned one.
var errPin = errors.New("the server's certificate is not the one with the given SHA-256")

// TLSConfig is what [Config] wants.
func (t Trust) TLSConfig() *tls.Config {
	cfg := &tls.Config{ServerName: t.ServerName, RootCAs: t.Roots, MinVersion: tls.VersionTLS12}
	if len(t.SHA256) > 0 {
		cfg.InsecureSkipVerify = true
		cfg.VerifyConnection = func(state tls.ConnectionState) error {
			sum := sha256.Sum256(state.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare(sum[:], t.SHA256) != 1 {
				return errPin
			}
			return nil
		}
	}
	return cfg
}

// distrusted tells an error about the server's certificate from one of the network.
func distrusted(err error) bool {
	var verification *tls.CertificateVerificationError
	return errors.As(err, &verification) || errors.Is(err, errPin)
}
