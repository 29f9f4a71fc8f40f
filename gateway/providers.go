package gateway

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"causeway/auth"
	"causeway/auth/clientcert"
	"causeway/auth/httphook"
	"causeway/auth/ldap"
	"causeway/auth/sqldb"
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
		case source.LDAP != nil:
			template = source.LDAP.Template
			p, err = newDirectory(a.cfg, field+".ldap", source.LDAP)
		case source.SQL != nil:
			template = source.SQL.Template
			p, err = newDatabase(a.cfg, field+".sql", source.SQL)
		case source.Learn != nil:
			template = source.Learn.Template
			p, err = a.newLearner(i)
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
		if cmp.Or(f.Template, template) == "" {
			return nil, fmt.Errorf("%w: %w", auth.ErrLogin, errNoTemplate)
		}
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

// errNoTemplate is an account for which neither the provider nor the configuration has a
// template.
var errNoTemplate = errors.New("the account has no template")

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
		return nil, cfg.Problem(field+".crl", err.Error(), "name a file of revocation lists of version 2 (which openssl ca writes with a crlnumber), in PEM, or of one in DER")
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

func newDirectory(cfg *configs.Config, field string, l *configs.LDAPAccounts) (auth.Provider, error) {
	roots, err := authorities(cfg, field+".ca", l.CA)
	if err != nil {
		return nil, err
	}
	groups := ldap.Groups{Attribute: l.Groups.Attribute, Base: l.Groups.Base, Filter: l.Groups.Filter}
	for _, t := range l.Groups.Templates {
		groups.Templates = append(groups.Templates, ldap.GroupTemplate(t))
	}
	p, err := ldap.New(ldap.Config{
		URL:      l.URL,
		StartTLS: l.StartTLS,
		Roots:    roots,
		BindDN:   l.BindDN,
		Search: ldap.Search{
			Base:         l.Search.Base,
			Filter:       l.Search.Filter,
			BindDN:       l.Search.BindDN,
			BindPassword: l.Search.BindPassword.Reveal(),
		},
		Groups:  groups,
		Values:  l.Values,
		Timeout: l.Timeout,
	})
	var wrong *ldap.ConfigError
	if errors.As(err, &wrong) {
		return nil, cfg.Problem(field+"."+wrong.Field, wrong.Err.Error(), rightLDAP(wrong))
	}
	return p, err
}

// rightLDAP is what would be right in place of what a directory cannot be asked with.
func rightLDAP(wrong *ldap.ConfigError) string {
	switch {
	case wrong.Field == "bind_dn_template":
		return "write for example uid={user},ou=people,dc=example,dc=org; Active Directory's other forms of names need search"
	case errors.Is(wrong, ldap.ErrNoName):
		return "compare the attribute that has the name with {user} alone, as in (&(objectClass=person)(uid={user}))"
	case strings.HasSuffix(wrong.Field, ".filter"):
		return "write a filter as RFC 4515 has them, such as (&(objectClass=person)(uid={user}))"
	}
	return "write a distinguished name, such as ou=people,dc=example,dc=org"
}

func newDatabase(cfg *configs.Config, field string, s *configs.SQLAccounts) (auth.Provider, error) {
	roots, err := authorities(cfg, field+".ca", s.CA)
	if err != nil {
		return nil, err
	}
	at, dsn := field+".dsn", s.DSN.Reveal()
	if s.DSNFile != "" {
		text, err := os.ReadFile(s.DSNFile)
		at, dsn = field+".dsn_file", strings.TrimSpace(string(text))
		if err != nil {
			return nil, cfg.Problem(at, "cannot be read: "+err.Error(), "name a file that the gateway's user may read")
		}
	}
	p, err := sqldb.New(sqldb.Config{
		Driver:  sqldb.Driver(s.Driver),
		DSN:     dsn,
		Roots:   roots,
		Query:   s.Query,
		Plain:   s.Plain,
		Timeout: s.Timeout,
	})
	switch {
	case errors.Is(err, sqldb.ErrDSN):
		return nil, cfg.Problem(at, err.Error(), "write it as the driver has it: configs/examples/sql.yaml")
	case err != nil:
		return nil, cfg.Problem(field+".query", err.Error(), "write {user} where the name goes, without quotes around it")
	}
	return p, nil
}
