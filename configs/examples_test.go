package configs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestExamples loads every example where the files and variables that it names exist.
func TestExamples(t *testing.T) {
	t.Setenv("S3_ACCESS_KEY", "key")
	t.Setenv("S3_SECRET_KEY", "secret")
	t.Setenv("AZURE_KEY", "a2V5")
	for _, name := range []string{"STS_EXTERNAL_ID", "GLOBEX_ACCESS_KEY", "GLOBEX_SECRET_KEY", "LDAP_PASSWORD", "PROFTPD_DSN", "PUREFTPD_DSN", "ACCOUNTS_DSN"} {
		t.Setenv(name, "x")
	}
	t.Setenv("HOOK_TOKEN", "token")
	t.Setenv("OLD_PASSWORD", "secret")
	examples, err := filepath.Glob("examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := writeCertificate(dir); err != nil {
		t.Fatal(err)
	}
	if err := writeAuthorities(dir); err != nil {
		t.Fatal(err)
	}
	kinds, usersFiles := map[Kind]bool{}, 0
	for _, example := range examples {
		if filepath.Base(example) == "users.yaml" {
			continue // partners.yaml names it
		}
		data, err := os.ReadFile(example)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.Base(example))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := Load(path)
		if err != nil {
			t.Errorf("%s: %v", example, err)
			continue
		}
		for _, s := range cfg.Stores {
			kinds[s.Kind] = true
		}
		for _, a := range cfg.Accounts {
			if a.File == "" {
				continue
			}
			usersFiles++
			checkUsersFile(t, cfg, filepath.Base(a.File))
		}
	}
	if usersFiles == 0 {
		t.Error("no example of a users file")
	}
	for _, kind := range Kind("").choices() {
		if !kinds[Kind(kind)] {
			t.Errorf("no example for stores of kind %s", kind)
		}
	}
}

// checkUsersFile reads the users file that an example names, which is beside it.
func checkUsersFile(t *testing.T, cfg *Config, name string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("examples", name))
	if err != nil {
		t.Fatal(err)
	}
	f, err := cfg.ParseUsers(name, data)
	if err != nil || len(f.Users) == 0 || len(f.Templates) == 0 {
		t.Errorf("%s: %+v, %v", name, f, err)
	}
}

// writeCertificate writes the files that the examples name.
func writeCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	write := func(name string, data []byte) error {
		return os.WriteFile(filepath.Join(dir, name), data, 0o600)
	}
	return errors.Join(
		write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
		write("sa.json", []byte("{}")))
}

// writeAuthorities makes the files that certificates.yaml names, of what there is.
func writeAuthorities(dir string) error {
	certificate, err := os.ReadFile(filepath.Join(dir, "cert.pem"))
	for _, name := range []string{"devices-ca.pem", "partners-ca.pem", "partners.crl"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), certificate, 0o600))
	}
	return err
}
