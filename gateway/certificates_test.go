package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/configs"
)

// certifier is an authority for clients' certificates.
type certifier struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // with the certificate
}

func newCertifier(t *testing.T) *certifier {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &certifier{t: t, key: key}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a.file = write(t, t.TempDir(), "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return a
}

// client is a client with a certificate for a user that ends then. It keeps TLS sessions.
func (a *certifier) client(user string, end time.Time) *tls.Config {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: user}, NotBefore: end.Add(-2 * time.Hour), NotAfter: end,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	c := clientTLS()
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { // whatever the server asks for
		return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
	}
	return c
}

// withCertificates is a gateway whose users of files take a certificate of an authority
// beside the password, or, if need is not_required, whoever has one takes no password.
func withCertificates(t *testing.T, a *certifier, need configs.CertificatePassword) *running {
	t.Helper()
	files := withFiles(t, partners)
	return start(t, func(c *configs.Config) {
		c.Templates = map[string]configs.Template{
			"vouched": {Mounts: []configs.Mount{{Path: "/", Store: "disk", Prefix: "vouched/{user}/", Rights: []configs.Right{configs.List, configs.Write}}}},
		}
		source := configs.AccountSource{Certificate: &configs.CertificateAccounts{CA: a.file, Password: need, Template: "vouched"}}
		c.Accounts = append([]configs.AccountSource{source}, files.Accounts...)
	})
}

// TestA14_CertificateInPlaceOfAPassword: USER is enough for whom it names, and PASS does no
// harm; for all others it is nothing.
func TestA14_CertificateInPlaceOfAPassword(t *testing.T) {
	t.Parallel()
	a := newCertifier(t)
	r := withCertificates(t, a, configs.PasswordNotRequired)
	later := time.Now().Add(time.Hour)
	c := dial(t, r.explicit, nil)
	c.upgrade(a.client("initech", later))
	c.do(331, "USER cam1")
	c.do(232, "USER initech")
	c.do(202, "PASS superfluous")
	c.do(331, "USER cam1")
	c.do(530, "PWD")
	c.do(232, "USER initech")
	c.do(200, "PBSZ 0")
	c.do(200, "PROT P")
	c.do(200, "TYPE I")
	c.upload("/new.txt", "vouched for")
	if on, err := os.ReadFile(filepath.Join(r.dir, "vouched/initech/new.txt")); err != nil || string(on) != "vouched for" {
		t.Errorf("on disk: %q, %v", on, err)
	}
	plain := dial(t, r.implicit, clientTLS())
	plain.login("acme", password) // of the users file, as before
	plain.do(331, "USER initech")
	plain.do(530, "PASS "+password)

	other := dial(t, r.implicit, a.client("initech", later))
	other.do(331, "USER acme")
	other.do(530, "PASS "+password)
	other.do(232, "USER initech")
	other.do(220, "REIN")
	other.do(530, "PWD")
	other.do(503, "PASS "+password)
	other.do(232, "USER initech")
	if !strings.Contains(r.log.String(), "it is for another account") {
		t.Errorf("the reason is not in the log:\n%s", r.log)
	}
}

func TestA14_CertificateBesideAPassword(t *testing.T) {
	t.Parallel()
	a := newCertifier(t)
	r := withCertificates(t, a, configs.PasswordRequired)
	later := time.Now().Add(time.Hour)
	c := dial(t, r.implicit, a.client("acme", later))
	c.login("acme", password)
	c.do(331, "USER globex")
	c.do(530, "PASS "+password)
	plain := dial(t, r.explicit, nil)
	plain.do(331, "USER acme")
	plain.do(530, "PASS "+password)
	plain.login("cam1", password) // who is asked before
}

// TestA14_HandshakesWithBadCertificatesFail: expired, or of an authority that nobody knows.
func TestA14_HandshakesWithBadCertificatesFail(t *testing.T) {
	t.Parallel()
	a := newCertifier(t)
	r := withCertificates(t, a, configs.PasswordNotRequired)
	for name, bad := range map[string]*tls.Config{
		"expired":    a.client("acme", time.Now().Add(-time.Minute)),
		"stranger's": newCertifier(t).client("acme", time.Now().Add(time.Hour)),
	} {
		for _, newest := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			bad.MaxVersion = newest
			conn, err := tls.Dial("tcp", r.implicit, bad)
			if err != nil {
				continue // as TLS 1.2 has it
			}
			if n, err := conn.Read(make([]byte, 1)); err == nil {
				t.Errorf("%s: %d octets of a greeting", name, n)
			}
			conn.Close()
		}
	}
}

// TestT15_NoSessionTakesTheCheckOver: control connections resume nothing, so who has shown a
// certificate once has to do so again, and a session that began without one gets none.
// Data connections resume that of their own control connection only.
func TestT15_NoSessionTakesTheCheckOver(t *testing.T) {
	t.Parallel()
	a := newCertifier(t)
	r := withCertificates(t, a, configs.PasswordNotRequired)
	for _, newest := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		with := a.client("initech", time.Now().Add(time.Hour))
		with.MaxVersion = newest
		without := with.Clone()
		without.GetClientCertificate = nil // the same sessions
		c := dial(t, r.implicit, with)
		c.do(232, "USER initech")
		c.do(200, "PBSZ 0")
		c.do(200, "PROT P")
		for _, data := range []*tls.Config{with, without} {
			c.tls = data
			conn := c.data("NLST /")
			if !conn.(*tls.Conn).ConnectionState().DidResume {
				t.Error("a data connection does not resume its control connection's session")
			}
			conn.Close()
			c.text.ReadResponse(0)
		}
		thief := dial(t, r.implicit, without)
		if thief.conn.(*tls.Conn).ConnectionState().DidResume {
			t.Error("a control connection resumed a session")
		}
		thief.do(331, "USER initech")
		owner := dial(t, r.implicit, with) // with what the thief's session has left
		if owner.conn.(*tls.Conn).ConnectionState().DidResume {
			t.Error("a control connection resumed a session")
		}
		owner.do(232, "USER initech")
	}
}
