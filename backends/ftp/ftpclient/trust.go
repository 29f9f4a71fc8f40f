package ftpclient

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
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

// pinError is a server with another certificate than the pinned one. It is told by its
// SHA-256.
type pinError struct{ shown [sha256.Size]byte }

func (e *pinError) Error() string {
	return fmt.Sprintf("the server's certificate is not the one that is trusted: its SHA-256 is %x", e.shown)
}

// TLSConfig is what [Config] wants.
func (t Trust) TLSConfig() *tls.Config {
	cfg := &tls.Config{ServerName: t.ServerName, RootCAs: t.Roots, MinVersion: tls.VersionTLS12}
	if len(t.SHA256) > 0 {
		cfg.InsecureSkipVerify = true
		cfg.VerifyConnection = func(state tls.ConnectionState) error {
			sum := sha256.Sum256(state.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare(sum[:], t.SHA256) != 1 {
				return &pinError{sum}
			}
			return nil
		}
	}
	return cfg
}

// distrusted tells an error about the server's certificate from one of the network.
func distrusted(err error) bool {
	var verification *tls.CertificateVerificationError
	var pin *pinError
	return errors.As(err, &verification) || errors.As(err, &pin)
}

// withCertificate adds to an error about the server's certificate which one it is, so that
// it can be compared and pinned.
func withCertificate(err error) error {
	var verification *tls.CertificateVerificationError
	if !errors.As(err, &verification) || len(verification.UnverifiedCertificates) == 0 {
		return err
	}
	return fmt.Errorf("%w; the certificate's SHA-256 is %x", err, sha256.Sum256(verification.UnverifiedCertificates[0].Raw))
}
