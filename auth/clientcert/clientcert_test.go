package clientcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"causeway/auth"
)

// authority signs certificates and revocation lists.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t), pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
	}
	a.cert = a.sign(template, template, a.key)
	a.pool.AddCert(a.cert)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes the certificate of a template, whose subject has the key of of.
func (a *authority) sign(template, parent *x509.Certificate, of *ecdsa.PrivateKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &of.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// client makes a client's certificate, after what change says of it.
func (a *authority) client(change func(*x509.Certificate)) []*x509.Certificate {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "acme"}, NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	change(template)
	return []*x509.Certificate{a.sign(template, a.cert, newKey(a.t))}
}

// revoke makes a revocation list.
func (a *authority) revoke(next time.Time, serials ...int64) []byte {
	a.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: next}
	for _, s := range serials {
		entry := x509.RevocationListEntry{SerialNumber: big.NewInt(s), RevocationTime: time.Now().Add(-time.Hour)}
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, entry)
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

func mustNew(t *testing.T, c Config) *Provider {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func find(t *testing.T, p *Provider, name string, certificates []*x509.Certificate) error {
	t.Helper()
	found, err := p.Find(t.Context(), auth.Attempt{Name: name, Certificates: certificates})
	if err == nil && (found.Name != name || !found.Right) {
		t.Errorf("found %+v", found)
	}
	return err
}

func asIs(*x509.Certificate) {}

func TestA14_WhoseCertificatesAreRefused(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	p := mustNew(t, Config{Authorities: a.pool})
	named := func(cn string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.Subject.CommonName = cn }
	}
	usages := func(u ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = u }
	}
	for _, c := range []struct {
		name         string
		user         string
		certificates []*x509.Certificate
		want         error
	}{
		{"right", "acme", a.client(asIs), nil},
		{"another's", "globex", a.client(asIs), auth.ErrCertificate},
		{"other case", "Acme", a.client(asIs), auth.ErrCertificate},
		{"wildcard", "*", a.client(named("*")), auth.ErrCertificate},
		{"wildcard within", "acme", a.client(named("acm*")), auth.ErrCertificate},
		{"nobody's", "", a.client(named("")), auth.ErrCertificate},
		{"control", "acme\x00", a.client(named("acme\x00")), auth.ErrCertificate},
		{"two names", "acme", a.client(func(c *x509.Certificate) {
			c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: commonName, Value: "root"}, {Type: commonName, Value: "acme"}}
		}), auth.ErrCertificate},
		{"alternative name", "acme", a.client(func(c *x509.Certificate) {
			c.Subject.CommonName = "someone"
			c.DNSNames = []string{"acme"}
		}), auth.ErrCertificate},
		{"server's", "acme", a.client(usages(x509.ExtKeyUsageServerAuth)), auth.ErrUnknown},
		{"any usage", "acme", a.client(usages()), auth.ErrCertificate},
		{"expired", "acme", a.client(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), auth.ErrUnknown},
		{"early", "acme", a.client(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), auth.ErrUnknown},
		{"stranger's", "acme", stranger.client(asIs), auth.ErrUnknown},
		{"none", "acme", nil, auth.ErrUnknown},
	} {
		if err := find(t, p, c.user, c.certificates); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if c.want == nil {
			c.want = auth.ErrUnknown // the next provider judges the password
		} else {
			c.want = auth.ErrCertificate
		}
		strict := mustNew(t, Config{Authorities: a.pool, Password: true})
		if err := find(t, strict, c.user, c.certificates); !errors.Is(err, c.want) || errors.Is(c.want, auth.ErrCertificate) != errors.Is(err, auth.ErrLogin) {
			t.Errorf("%s, with a password: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestAlternativeNames(t *testing.T) {
	a := newAuthority(t)
	certificate := a.client(func(c *x509.Certificate) {
		c.EmailAddresses, c.DNSNames = []string{"ops@acme.example"}, []string{"acme.example"}
		c.URIs = []*url.URL{{Scheme: "urn", Opaque: "acme"}}
	})
	for field, name := range map[Field]string{CommonName: "acme", Email: "ops@acme.example", DNS: "acme.example", URI: "urn:acme"} {
		p := mustNew(t, Config{Authorities: a.pool, Field: field})
		if err := find(t, p, name, certificate); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := find(t, p, "other", certificate); !errors.Is(err, auth.ErrLogin) {
			t.Errorf("another name than %s: %v", name, err)
		}
	}
	p := mustNew(t, Config{Authorities: a.pool, Field: DNS})
	two := a.client(func(c *x509.Certificate) { c.DNSNames = []string{"acme", "globex"} })
	if err := find(t, p, "acme", two); !errors.Is(err, auth.ErrCertificate) {
		t.Errorf("one of two names: %v", err)
	}
}

// TestA14_RevokedCertificatesAreRefused as soon as the list says so. Where it cannot be told
// nobody is let in.
func TestA14_RevokedCertificatesAreRefused(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	later := time.Now().Add(time.Hour)
	path := filepath.Join(t.TempDir(), "revoked.pem")
	put := func(texts ...[]byte) {
		t.Helper()
		var all []byte
		for _, text := range texts {
			all = append(all, text...)
		}
		if err := errors.Join(os.WriteFile(path+"~", all, 0o600), os.Rename(path+"~", path)); err != nil {
			t.Fatal(err)
		}
	}
	put(a.revoke(later, 8))
	p := mustNew(t, Config{Authorities: a.pool, Revoked: path})
	certificate := a.client(asIs)
	block, _ := pem.Decode(a.revoke(later, 7))
	for _, c := range []struct {
		name  string
		texts [][]byte
		want  error // errUntold for one that is no refusal
	}{
		{"not listed", [][]byte{a.revoke(later, 8)}, nil},
		{"revoked", [][]byte{other.revoke(later), a.revoke(later, 6, 7)}, auth.ErrCertificate},
		{"revoked, in DER", [][]byte{block.Bytes}, auth.ErrCertificate},
		{"another's list", [][]byte{other.revoke(later, 7)}, errUnlisted},
		{"stale", [][]byte{a.revoke(time.Now().Add(-time.Minute), 8)}, errStale},
		{"cut off", [][]byte{a.revoke(later), a.revoke(later, 7)[:100]}, errNoList},
		{"empty", nil, errNoList},
		{"mended", [][]byte{a.revoke(later)}, nil},
	} {
		if put(c.texts...); c.name == "empty" {
			put([]byte("-----BEGIN"))
		}
		err := find(t, p, "acme", certificate)
		if !errors.Is(err, c.want) || c.want != nil && !errors.Is(c.want, auth.ErrCertificate) && errors.Is(err, auth.ErrLogin) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := find(t, p, "acme", certificate); err == nil || errors.Is(err, auth.ErrLogin) {
		t.Errorf("without the file: %v", err)
	}
	if _, err := New(Config{Authorities: a.pool, Revoked: path}); err == nil {
		t.Error("made without the file")
	}
}
