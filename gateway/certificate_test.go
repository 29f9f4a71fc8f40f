package gateway

import (
	"crypto/tls"
	"errors"
	"os"
	"strings"
	"testing"

	"causeway/configs"
)

// TestCertificateIsReadAgain replaces both files, one after the other, and spoils them. A
// client sees the old certificate until there is a whole new one, and sees which one it is.
func TestCertificateIsReadAgain(t *testing.T) {
	cfg := configs.Default()
	cfg.TLS.Certificate, cfg.TLS.Key = rsaCertificate(t)
	var log syncBuffer
	server, shown, err := newTLS(cfg, NewLog(&log, configs.Log{Format: "json", Level: "info"}))
	if err != nil {
		t.Fatal(err)
	}
	newChain, newKey := rsaCertificate(t)
	replace := func(path, by string) error {
		text, err := os.ReadFile(by)
		return errors.Join(err, os.WriteFile(path+"~", text, 0o600), os.Rename(path+"~", path))
	}
	serial := func() string {
		state, err := handshake(t, server, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		return string(state.PeerCertificates[0].Raw)
	}
	old := serial()
	for _, step := range []struct {
		name    string
		change  func() error
		changed bool // the certificate is another one
		log     string
	}{
		{"nothing", func() error { return nil }, false, ""},
		{"one of two", func() error { return replace(cfg.TLS.Certificate, newChain) }, false, ""},
		{"still one of two", func() error { return nil }, false, "private key does not match public key"},
		{"said already", func() error { return nil }, false, ""},
		{"both", func() error { return replace(cfg.TLS.Key, newKey) }, true, "certificate was read again"},
		{"open to all", func() error { return os.Chmod(cfg.TLS.Key, 0o644) }, true, ""},
		{"still open", func() error { return nil }, true, "key.pem is open to every user"},
		{"gone", func() error { return os.Remove(cfg.TLS.Key) }, true, ""},
		{"still gone", func() error { return nil }, true, "no such file"},
		{"there again", func() error { return replace(cfg.TLS.Key, newKey) }, true, ""},
	} {
		if err := step.change(); err != nil {
			t.Fatal(err)
		}
		before := len(log.String())
		shown.look()
		said := log.String()[before:]
		if (serial() != old) != step.changed {
			t.Errorf("%s: the certificate is the old one: %v", step.name, !step.changed)
		}
		if !strings.Contains(said, step.log) || step.log == "" && said != "" {
			t.Errorf("%s: the log says %q, not %q", step.name, said, step.log)
		}
	}
}
