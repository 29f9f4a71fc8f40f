package configs

import "slices"

// CertificateAccounts are clients' certificates that stand for accounts. Clients are asked
// for one wherever TLS is offered.
type CertificateAccounts struct {
	CA       string              `yaml:"ca"`       // PEM file of the authorities
	CRL      string              `yaml:"crl"`      // file of their revocation lists, read again when it changes; "" for none
	Name     CertificateName     `yaml:"name"`     // "" is CommonName
	Password CertificatePassword `yaml:"password"` // "" is PasswordRequired
	Template string              `yaml:"template"` // a key of Config.Templates, for those who need no password
}

// CertificateName is the part of a certificate that has the account's name: "cn", or the
// one alternative name of a kind: "email", "dns" or "uri".
type CertificateName string

// The parts.
const (
	CommonName CertificateName = "cn"
	EmailName  CertificateName = "email"
	DNSName    CertificateName = "dns"
	URIName    CertificateName = "uri"
)

func (CertificateName) choices() []string {
	return []string{string(CommonName), string(EmailName), string(DNSName), string(URIName)}
}

// CertificatePassword says whether an account takes a password beside the certificate.
type CertificatePassword string

// With PasswordRequired, the sources that follow judge the password, and let nobody in whose
// certificate does not have the account's name.
const (
	PasswordRequired    CertificatePassword = "required"
	PasswordNotRequired CertificatePassword = "not_required"
)

func (CertificatePassword) choices() []string {
	return []string{string(PasswordRequired), string(PasswordNotRequired)}
}

// NeedsPassword tells whether the certificate alone is not enough.
func (a CertificateAccounts) NeedsPassword() bool { return a.Password != PasswordNotRequired }

func (c *checker) certificateAccounts(field string, i int) {
	a := c.cfg.Accounts[i].Certificate
	if a == nil {
		return
	}
	c.filled(field+".ca", a.CA, "name the PEM file of the authority that signs the clients' certificates")
	c.authority(field+".ca", a.CA)
	c.optional(field+".crl", a.CRL)
	if a.CRL != "" {
		c.file(field+".crl", a.CRL)
	}
	if !c.cfg.TLS.Enabled() && !c.has("tls") && !c.has("tls.certificate") {
		c.wrong(field, "there is no TLS to ask for certificates in", "set tls.certificate and tls.key")
	}
	after := c.cfg.Accounts[i+1:]
	switch {
	case !a.NeedsPassword():
		c.filled(field+".template", a.Template, "name the template of the accounts, or set password: required")
		c.sourceTemplate(field+".template", a.Template)
	case c.given(field + ".template"):
		c.wrong(field+".template", "does not count: what the account may do is for who judges its password", "remove it, or set password: not_required")
	case !slices.ContainsFunc(after, func(o AccountSource) bool { return o.Certificate == nil }):
		c.wrong(field, "there is nobody to judge the password", "name the sources whose accounts take a certificate behind this one, or set password: not_required")
	}
}
