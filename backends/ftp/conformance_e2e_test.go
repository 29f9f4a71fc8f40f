//go:build e2e

package ftp

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"causeway/backends/backendtest"
	"causeway/backends/ftp/ftpclient"
	"causeway/e2e/oldservers"
)

// TestConformanceLIST is TestConformance with a server that knows no MLSD.
func TestConformanceLIST(t *testing.T) {
	conforms(t, func(t *testing.T) (*Store, string) {
		f := newFake(t)
		f.noMLST = true
		return f.store(t, nil), f.dir
	}, func(f *backendtest.Features) { f.RoughListings = true })
}

// TestConformanceOldServers is against the real ones, with TLS.
func TestConformanceOldServers(t *testing.T) {
	for _, kind := range oldservers.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server, err := oldservers.Start(t.Context(), kind, oldservers.Options{
				Dir: t.TempDir(), TLS: true, RequireReuse: kind != oldservers.PureFTPd,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Kill)
			conforms(t, func(t *testing.T) (*Store, string) { return overServer(t, server) },
				func(f *backendtest.Features) {
					f.RoughListings = kind == oldservers.VSFTPD // which has no MLSD
					if kind == oldservers.PureFTPd {
						f.Refused = []string{`\`, `a\b`} // it takes them for paths of DOS
						f.Mangled = []string{"trailing space ", "tab\tx"}
					}
				})
		})
	}
}

// overServer makes a store of a new directory of a server.
func overServer(t *testing.T, server *oldservers.Server) (s *Store, dir string) {
	t.Helper()
	dir, err := os.MkdirTemp(server.Homes, "case-")
	if err == nil {
		err = oldservers.Give(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err = New(Config{Server: clientOf(t, server), Root: filepath.Base(dir), Connections: 8, AutoZone: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, dir
}

// clientOf logs in as the server's admin, by TLS.
func clientOf(t *testing.T, server *oldservers.Server) ftpclient.Config {
	t.Helper()
	certificate, err := os.ReadFile(server.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificate) {
		t.Fatal("no certificate")
	}
	return ftpclient.Config{
		Address: server.Address, TLS: ftpclient.Explicit, TLSConfig: ftpclient.Trust{Roots: roots}.TLSConfig(),
		User: server.Admin.Name, Password: server.Admin.Password,
	}
}
