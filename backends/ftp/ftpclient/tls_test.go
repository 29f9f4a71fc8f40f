package ftpclient

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"causeway/backends/ftp/ftptest"
)

func TestTLSOnBothConnectionsWithOneSession(t *testing.T) {
	certificate, leaf := ftptest.Certificate(t)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, mode := range []TLSMode{Explicit, Implicit} {
			t.Run(tls.VersionName(version)+[]string{"", " explicit", " implicit"}[mode], func(t *testing.T) {
				certificate.MaxVersion = version
				s := ftptest.Start(t, ftptest.Options{TLS: certificate, Implicit: mode == Implicit})
				s.Put("/file", strings.Repeat("x", 100000), testTime)
				c := connect(t, s, func(cfg *Config) { cfg.TLS, cfg.TLSConfig = mode, Trust{Roots: roots}.TLSConfig() })
				for range 3 {
					if got, err := list(t, c, "/"); err != nil || len(got) == 0 {
						t.Errorf("%v, %v", got, err)
					}
					d, err := c.Retrieve(t.Context(), "/file", 10)
					if err != nil {
						t.Fatal(err)
					}
					if got, err := io.ReadAll(d); err != nil || len(got) != 100000-10 {
						t.Errorf("%d octets, %v", len(got), err)
					}
					u, err := c.Store(t.Context(), "/empty")
					if err != nil {
						t.Fatal(err)
					}
					if err := u.Commit(); err != nil {
						t.Error(err)
					}
				}
				if commands := s.Commands(); !slices.Contains(commands, "PROT P") {
					t.Errorf("%v", commands)
				}
			})
		}
	}
}

func TestBelievesOnlyTheRightCertificate(t *testing.T) {
	certificate, leaf := ftptest.Certificate(t)
	pin := sha256.Sum256(leaf.Raw)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	s := ftptest.Start(t, ftptest.Options{TLS: certificate})
	for name, c := range map[string]struct {
		trust    Trust
		believed bool
	}{
		"pinned":           {Trust{SHA256: pin[:]}, true},
		"other pin":        {Trust{SHA256: make([]byte, len(pin))}, false},
		"root":             {Trust{Roots: roots}, true},
		"system's roots":   {Trust{}, false},
		"other name":       {Trust{Roots: roots, ServerName: "old.example"}, false},
		"pin and the root": {Trust{Roots: roots, SHA256: make([]byte, 32)}, false},
	} {
		err := Login(t.Context(), config(s, func(cfg *Config) { cfg.TLS, cfg.TLSConfig = Explicit, c.trust.TLSConfig() }))
		if (err == nil) != c.believed || errors.Is(err, ErrTemporary) {
			t.Errorf("%s: %v", name, err)
		}
		if !c.believed && !strings.Contains(fmt.Sprint(err), fmt.Sprintf("SHA-256 is %x", pin)) {
			t.Errorf("%s: the certificate is not shown: %v", name, err)
		}
	}
	for _, command := range s.Commands() {
		if strings.HasPrefix(command, "PASS") {
			return
		}
	}
	t.Error("nobody has logged in")
}

func TestGoesOnInClearForNobody(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{})
	err := Login(t.Context(), config(s, func(cfg *Config) { cfg.TLS = Explicit }))
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if commands := s.Commands(); slices.Contains(commands, "PASS …") || slices.Contains(commands, "USER "+ftptest.User) {
		t.Errorf("%v", commands)
	}
}

// TestDropsWhatCameBeforeTLS: an answer sent in clear must not count as one through TLS.
func TestDropsWhatCameBeforeTLS(t *testing.T) {
	certificate, leaf := ftptest.Certificate(t)
	pin := sha256.Sum256(leaf.Raw)
	s := ftptest.Start(t, ftptest.Options{TLS: certificate, Answer: func(verb, _ string) (string, bool) {
		return "234 Go on\r\n230 Injected", verb == "AUTH"
	}})
	c, err := Dial(t.Context(), config(s, func(cfg *Config) { cfg.TLS, cfg.TLSConfig = Explicit, Trust{SHA256: pin[:]}.TLSConfig() }))
	if err == nil {
		c.Close()
		if commands := s.Commands(); !slices.Contains(commands, "PASS …") {
			t.Errorf("the injected answer was taken: %v", commands)
		}
	}
}
