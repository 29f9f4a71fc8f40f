package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const guarded = `
listeners: [{address: ":2121"}]
stores:
  disk: {kind: localdir, path: data}
  s3: {kind: s3, bucket: bucket, region: r, access_key: "${O6_KEY}", secret_key: "${O6_SECRET}"}
users: [{name: cam1, password: "${O6_HASH}", mounts: [{path: /, store: disk, rights: [list]}]}]
`

// TestO6_OpenFilesWithSecrets: a configuration that everybody may read is refused if there
// is a secret in it, wherever it stands; one whose secrets are elsewhere is not.
func TestO6_OpenFilesWithSecrets(t *testing.T) {
	hash := "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGFzaGFzaGFzaA"
	for name, value := range map[string]string{"O6_KEY": "k", "O6_SECRET": "canary s", "O6_HASH": hash} {
		t.Setenv(name, value)
	}
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		want       string // in the error; "" for none
	}{
		{"secrets from the environment", guarded, 0o644, ""},
		{"a hash", strings.Replace(guarded, "${O6_HASH}", hash, 1), 0o644, `causeway.yaml:6: users[0].password: is a secret in a file that is open to every user`},
		{"a hash that others may write", strings.Replace(guarded, "${O6_HASH}", hash, 1), 0o602, `is a secret in a file`},
		{"keys", strings.NewReplacer("${O6_KEY}", "key", "${O6_SECRET}", "canary s").Replace(guarded), 0o644, `stores.s3.access_key: is one of 2 secrets`},
		{"part of a key", strings.Replace(guarded, "${O6_SECRET}", "${O6_SECRET}canary t", 1), 0o604, `chmod o= `},
		{"hidden", strings.Replace(guarded, "${O6_HASH}", hash, 1), 0o640, ""},
	} {
		path := filepath.Join(t.TempDir(), "causeway.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: a secret shows: %v", c.name, err)
		}
	}
}

// TestO6_OpenKeyFiles: so are the key of the certificate and a store's credentials.
func TestO6_OpenKeyFiles(t *testing.T) {
	text := "tls: {certificate: c.pem, key: /etc/k.pem}\nstores: {gcs: {kind: gcs, bucket: b, credentials_file: /etc/sa.json}}\n"
	open := host{evalLinks: bare.evalLinks, readFile: func(string) ([]byte, error) { return nil, nil }}
	open.exposed = func(path string) bool { return path == "/etc/k.pem" || path == "/etc/sa.json" }
	_, err := parse("/etc/causeway.yaml", []byte(text), open)
	for _, want := range []string{
		"tls.key: /etc/k.pem is open to every user of the machine, and holds the private key; take the others' rights away: chmod o= /etc/k.pem",
		"stores.gcs.credentials_file: /etc/sa.json is open to every user of the machine, and holds the store's credentials",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestFiles: each path of a configuration is told with its use, after it was resolved.
func TestFiles(t *testing.T) {
	cfg, err := parse("/etc/causeway/causeway.yaml", []byte(whole), host{evalLinks: bare.evalLinks, env: func(string) (string, bool) { return "a2V5", true }})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Spool.Dir = "/var/spool"
	uses := map[FileUse][]string{}
	for path, use := range cfg.Files() {
		uses[use] = append(uses[use], path)
	}
	for use, want := range map[FileUse][]string{
		ReadUse:   {"/etc/causeway/causeway.yaml", "/etc/causeway/users.yaml", "/etc/other.yaml"},
		AppendUse: {"/etc/causeway/audit.log"},
		KeepUse:   {"/var/spool", "/etc/causeway/data"},
	} {
		if !slices.Equal(uses[use], want) {
			t.Errorf("use %d: got %q, want %q", use, uses[use], want)
		}
	}
	for path := range cfg.Files() {
		if path != "/etc/causeway/causeway.yaml" {
			t.Errorf("the first is %s", path)
		}
		break
	}
}
