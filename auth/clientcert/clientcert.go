// Package clientcert knows accounts by the certificates of their clients: who has one of
// an authority may be the account that it names. It makes no handshake, and does not ask who
// has the key; it is told what the handshake has shown.
//
// Its central type is [Provider].
package clientcert

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"causeway/auth"
)

// Field is the part of a certificate that has the account's name.
type Field int

// The fields. Where a certificate has several of the one that counts, it names nobody.
const (
	CommonName Field = iota // of the subject (RFC 5280 §4.1.2.6)
	Email                   // alternative names (RFC 5280 §4.2.1.6)
	DNS
	URI
)

// Config says whose certificates count, and for what.
type Config struct {
	Authorities *x509.CertPool // required
	// Revoked is a file of revocation lists (RFC 5280 §5), in PEM, or one in DER; "" for
	// none. It is read again when it changes. A certificate whose authority has no list
	// there is not good, nor is any once the list should have been replaced.
	Revoked string
	Field   Field
	// Password says that a certificate is a condition and no more: who has the one of an
	// account is passed on to the next providers, who judge the password; all others are
	// refused.
	Password bool
}

// Provider implements [auth.Provider] and [auth.Voucher]. It may be used from any goroutine.
type Provider struct {
	config Config
	lists  *lists // nil for none
}

// New makes a provider. The error is of the revocation lists.
func New(c Config) (*Provider, error) {
	p := &Provider{config: c}
	if c.Revoked == "" {
		return p, nil
	}
	p.lists = &lists{path: c.Revoked}
	_, err := p.lists.current()
	return p, err
}

// Vouches is [auth.Voucher.Vouches]: nobody else is told of an attempt.
func (p *Provider) Vouches() bool { return true }

// Find is [auth.Provider.Find]: the attempt's name is that of its certificate, or refused.
// Without one of the authorities' certificates it is unknown, and refused if Password is
// set. The error then matches [auth.ErrCertificate], too.
func (p *Provider) Find(_ context.Context, a auth.Attempt) (*auth.Found, error) {
	chains := p.verify(a.Certificates)
	switch {
	case len(chains) == 0 && p.config.Password:
		return nil, refused("a certificate of the authority is required")
	case len(chains) == 0:
		return nil, auth.ErrUnknown
	}
	if err := p.judge(chains, a.Name); err != nil {
		return nil, err
	}
	if p.config.Password {
		return nil, auth.ErrUnknown
	}
	return &auth.Found{Name: a.Name, Right: true}, nil
}

// verify are the ways from a certificate to an authority. They are looked for at each login,
// whatever the handshake has found: that may have been another authority, or in a session
// that was resumed.
func (p *Provider) verify(certificates []*x509.Certificate) [][]*x509.Certificate {
	if len(certificates) == 0 {
		return nil
	}
	between := x509.NewCertPool()
	for _, c := range certificates[1:] {
		between.AddCert(c)
	}
	chains, err := certificates[0].Verify(x509.VerifyOptions{
		Roots:         p.config.Authorities,
		Intermediates: between,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil
	}
	return chains
}

// judge refuses a certificate that is not for clients, was revoked, or is another's.
func (p *Provider) judge(chains [][]*x509.Certificate, name string) error {
	own := chains[0][0]
	// Without the extension a certificate is for anything, and was not made with this in mind.
	if !slices.Contains(own.ExtKeyUsage, x509.ExtKeyUsageClientAuth) {
		return refused("it is not for clients: it needs the extended key usage clientAuth")
	}
	named, ok := p.nameOf(own)
	switch {
	case !ok:
		return refused("it does not name one account")
	case named != name:
		return refused("it is for another account")
	}
	if p.lists == nil {
		return nil
	}
	lists, err := p.lists.current()
	if err != nil {
		return err
	}
	return lists.judge(chains)
}

// nameOf is the account that a certificate is for.
func (p *Provider) nameOf(c *x509.Certificate) (string, bool) {
	var names []string
	switch p.config.Field {
	case Email:
		names = c.EmailAddresses
	case DNS:
		names = c.DNSNames
	case URI:
		for _, u := range c.URIs {
			names = append(names, u.String())
		}
	default:
		for _, part := range c.Subject.Names {
			if text, ok := part.Value.(string); ok && part.Type.Equal(commonName) {
				names = append(names, text)
			}
		}
	}
	if len(names) != 1 || strings.Contains(names[0], "*") {
		return "", false
	}
	return auth.Canonical(names[0])
}

// refused is an [auth.ErrLogin] with the reason for the log.
func refused(why string) error {
	return fmt.Errorf("%w: %w: %s", auth.ErrLogin, auth.ErrCertificate, why)
}
