//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// sound is a configuration without a mistake; each case spoils one line of it.
const sound = `listeners:
  - {address: "127.0.0.1:0"}
tls: {self_signed: true}
stores:
  disk: {kind: localdir, path: ./data}
users:
  - name: cam1
    password: "$5$saltsalt$"
    mounts:
      - {path: /, store: disk, prefix: in/, rights: [list, read]}
limits: {idle_timeout: 5m}
`

// TestS52_WrongConfiguration checks that serve and check refuse a wrong file with file and
// line, the field, and what would be right.
func TestS52_WrongConfiguration(t *testing.T) {
	cases := []struct {
		name, old, spoiled string
		says               []string
	}{
		{"unknown key", "tls: {self_signed: true}", "tlss: {self_signed: true}", []string{":3:", "tlss", "tls"}},
		{"unknown nested key", "prefix: in/", "prefx: in/", []string{":10:", "prefx", "prefix"}},
		{"wrong type", "idle_timeout: 5m", "idle_timeout: [5m]", []string{":11:", "idle_timeout"}},
		{"wrong duration", "idle_timeout: 5m", "idle_timeout: soon", []string{":11:", "idle_timeout", "soon"}},
		{"wrong kind", "kind: localdir", "kind: webdav", []string{":5:", "kind", "localdir", "s3", "gcs", "azblob", "ftp"}},
		{"wrong right", "[list, read]", "[list, look]", []string{":10:", "rights", "look", "read"}},
		{"missing store", "store: disk", "store: disc", []string{":10:", "store", "disc", "disk"}},
		{"one path twice", "      - {path: /,", "      - {path: /, store: disk, prefix: out/}\n      - {path: /,", []string{":11:", "path"}},
		{"missing environment variable", "path: ./data", `path: "${CAUSEWAY_E2E_NOT_SET}"`, []string{":5:", "path", "CAUSEWAY_E2E_NOT_SET"}},
		{"missing certificate", "{self_signed: true}", "{certificate: no-such.pem, key: no-such.key}", []string{":3:", "tls.certificate", "no-such.pem"}},
		{"not a hash", `"$5$saltsalt$"`, `"plain"`, []string{":8:", "password"}},
		{"not YAML", "listeners:", "listeners: {", []string{":"}},
		{"no such address", "127.0.0.1:0", "127.0.0.1", []string{":2:", "address"}},
	}
	good := strings.Replace(sound, "$5$saltsalt$", shared.hash, 1)
	if o := causeway(t, "", "check", "-c", writeFile(t, "sound.yaml", good)); o.code != 0 {
		t.Fatalf("the sound configuration is refused: %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			config := good
			if c.name == "not a hash" {
				config = sound
			}
			if !strings.Contains(config, c.old) {
				t.Fatalf("%q is not in the configuration", c.old)
			}
			file := writeFile(t, "causeway.yaml", strings.Replace(config, c.old, c.spoiled, 1))
			for _, subcommand := range []string{"serve", "check"} {
				o := causeway(t, "", subcommand, "-c", file)
				if o.code == 0 {
					t.Errorf("%s accepts it", subcommand)
				}
				o.says(t, append(c.says, filepath.Base(file)+":")...)
				if strings.Contains(o.stderr, "goroutine ") {
					t.Errorf("%s panics:\n%s", subcommand, o.stderr)
				}
			}
		})
	}
}

func TestMissingConfiguration(t *testing.T) {
	for _, subcommand := range []string{"serve", "check"} {
		o := causeway(t, "", subcommand, "-c", filepath.Join(t.TempDir(), "none.yaml"))
		if o.code == 0 {
			t.Errorf("%s: exit code 0", subcommand)
		}
		o.says(t, "none.yaml")
	}
}

// A port that is taken ends serve with a clear message.
func TestAddressInUse(t *testing.T) {
	g := start(t, setup{accounts: []account{{name: user, store: bucketOf("localdir")}}, plain4: true})
	config := strings.Replace(strings.Replace(sound, "$5$saltsalt$", shared.hash, 1), "127.0.0.1:0", g.address(false, false), 1)
	o := causeway(t, "", "serve", "-c", writeFile(t, "causeway.yaml", config))
	if o.code == 0 {
		t.Error("exit code 0")
	}
	o.says(t, g.address(false, false), "address already in use")
}

// passwd's hash lets the user in; a wrong password and an unknown user hear the same.
func TestS42_Passwd(t *testing.T) {
	for _, secret := range []string{"p:w%d \" ü", "x"} {
		o := causeway(t, secret+"\n", "passwd")
		hash := strings.TrimSpace(o.stdout)
		if o.code != 0 || !strings.HasPrefix(hash, "$argon2id$") || strings.Contains(hash, "\n") {
			t.Fatalf("passwd: %d %q %q", o.code, o.stdout, o.stderr)
		}
		g := start(t, setup{plain4: true, accounts: []account{{name: user, store: bucketOf("localdir"), hash: hash}}})
		s := connect(t, g.address(false, false))
		s.do("USER "+user, "331")
		wrong := s.do("PASS wrong", "530").String()
		s.do("USER nobody", "331")
		if unknown := s.do("PASS wrong", "530").String(); unknown != wrong {
			t.Errorf("a wrong password hears %q, an unknown user %q", wrong, unknown)
		}
		s.do("USER "+user, "331")
		s.do("PASS "+secret, "230")
		if log := g.log.String(); strings.Contains(log, hash) || strings.Contains(log, fmt.Sprintf("PASS %s", secret)) {
			t.Error("the log tells a secret")
		}
	}
}

func TestVersion(t *testing.T) {
	if o := causeway(t, "", "version"); o.code != 0 || strings.TrimSpace(o.stdout) == "" {
		t.Errorf("version: %+v", o)
	}
}
