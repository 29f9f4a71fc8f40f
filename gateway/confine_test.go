package gateway

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"causeway/configs"
)

// TestO12_WhatStaysOpen: the folders of files that may be replaced, where links lead, and
// never a folder with what is everybody's.
func TestO12_WhatStaysOpen(t *testing.T) {
	dir := t.TempDir()
	path := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	for _, d := range []string{"live", "archive", "users"} {
		if err := os.Mkdir(path(d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "archive/key1.pem", "")
	if err := os.Symlink("../archive/key1.pem", path("live", "key.pem")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "sa.json", `{"type": "external_account", "credential_source": {"file": "/mnt/token/now"}}`)
	cfg := configs.Default()
	cfg.TLS.Certificate, cfg.TLS.Key = "/etc/cert.pem", path("live", "key.pem")
	cfg.Spool.Dir, cfg.Audit.File = path("spool"), "/var/log/causeway/audit.log"
	cfg.Accounts = []configs.AccountSource{{File: path("users", "users.yaml"), Rehash: true}, {File: "/etc/users.yaml", Rehash: true}}
	cfg.Stores = map[string]configs.Store{
		"disk": {Kind: configs.LocalDir, Path: path("data")}, "gcs": {Kind: configs.GCS, CredentialsFile: path("sa.json")},
	}
	env := map[string]string{"HOME": "/home/c", "AWS_WEB_IDENTITY_TOKEN_FILE": "/mnt/aws/token", "SSL_CERT_DIR": "/mnt/ca1:/mnt/ca2"}
	files := openFiles(cfg, func(name string) string { return env[name] })
	for _, want := range []string{"/etc/cert.pem", path("live"), path("archive"), dir, "/mnt/token", "/mnt/aws", "/mnt/ca2", "/home/c/.aws", "/proc/self"} {
		if !slices.Contains(files.Read, want) {
			t.Errorf("%s cannot be read", want)
		}
	}
	for _, never := range []string{"", "/", "/etc", "/home/c", ".", "/dev", "/proc"} {
		if all := slices.Concat(files.Read, files.Append, files.Keep); slices.Contains(all, never) {
			t.Errorf("%q is open", never)
		}
	}
	if want := []string{"/var/log/causeway"}; !slices.Equal(files.Append, want) {
		t.Errorf("what is appended to: %q", files.Append)
	}
	for _, want := range []string{path("spool"), path("data"), path("users"), "/home/c/.aws/sso/cache", os.DevNull} {
		if !slices.Contains(files.Keep, want) {
			t.Errorf("%s cannot be written", want)
		}
	}
}
