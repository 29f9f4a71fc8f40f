package gateway

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"causeway/auth"
	"causeway/auth/clientcert"
	"causeway/auth/httphook"
	"causeway/configs"
)

// links are the providers of the configuration that are asked at each login, each in its
// place. This is the one file that names them all.
func (a *accounts) links() ([]auth.Link, error) {
	var links []auth.Link
	for i, source := range a.cfg.Accounts {
		var p auth.Provider
		var template string
		var err error
		switch field := fmt.Sprintf("accounts[%d]", i); {
		case source.HTTP != nil:
			template = source.HTTP.Template
			p, err = newHook(a.cfg, field+".http", source.HTTP)
		case source.Certificate != nil:
			template = source.Certificate.Template
			p, err = newCertificates(a.cfg, field+".certificate", source.Certificate)
		default:
			continue // a users file, whose accounts are in memory
		}
		if err != nil {
			return nil, err
		}
		links = append(links, auth.Link{Provider: p, Rank: rankOf(i), User: a.userBy(template)})
	}
	return links, nil
}

// userBy makes accounts of what a provider has found, by its template where it names none.
func (a *accounts) userBy(template string) func(*auth.Found) (*auth.User, error) {
	return func(f *auth.Found) (*auth.User, error) {
		u, err := a.cfg.UserOf(cmp.Or(f.Template, template), f.Name, f.Values)
		var value *configs.ValueError
		switch {
		case errors.As(err, &value):
			return nil, fmt.Errorf("%w: %w", auth.ErrLogin, err)
		case err != nil:
			return nil, fmt.Errorf("template %q: %w", cmp.Or(f.Template, template), err)
		}
		user := newUser(u)
		return &user, nil
	}
}

func newHook(cfg *configs.Config, field string, h *configs.HTTPAccounts) (auth.Provider, error) {
	roots, err := authorities(cfg, field+".ca", h.CA)
	if err != nil {
		return nil, err
	}
	hook, err := httphook.New(httphook.Config{
		URL:       h.URL,
		Token:     h.Token.Reveal(),
		Roots:     roots,
		Timeout:   h.Timeout,
		Cache:     h.Cache,
		Questions: h.Questions,
		Cleartext: h.Cleartext,
	})
	if err != nil {
		return nil, cfg.Problem(field+".url", err.Error(), "write the address of the service")
	}
	return hook, nil
}

func newCertificates(cfg *configs.Config, field string, c *configs.CertificateAccounts) (auth.Provider, error) {
	roots, err := authorities(cfg, field+".ca", c.CA)
	if err != nil {
		return nil, err
	}
	names := map[configs.CertificateName]clientcert.Field{
		configs.EmailName: clientcert.Email,
		configs.DNSName:   clientcert.DNS,
		configs.URIName:   clientcert.URI,
	}
	p, err := clientcert.New(clientcert.Config{Authorities: roots, Revoked: c.CRL, Field: names[c.Name], Password: c.NeedsPassword()})
	if err != nil {
		return nil, cfg.Problem(field+".crl", err.Error(), "name a file of revocation lists, in PEM, or of one in DER")
	}
	return p, nil
}

// authorities are the certificates of a PEM file; nil, which is the system's, for none.
func authorities(cfg *configs.Config, field, path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, err := readAuthorities(cfg, field, path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool, nil
}

// readAuthorities reads a PEM file with certificates in it.
func readAuthorities(cfg *configs.Config, field, path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, cfg.Problem(field, "cannot be read: "+err.Error(), "name a file that the gateway's user may read")
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return nil, cfg.Problem(field, "holds no certificate", "name a PEM file with the certificate of the authority")
	}
	return text, nil
}
