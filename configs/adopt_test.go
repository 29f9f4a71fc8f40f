package configs

import (
	"slices"
	"strings"
	"testing"
)

const running = `
listeners: [{address: ":2121"}]
tls: {self_signed: true}
stores: {disk: {kind: localdir, path: data}}
users: [{name: cam1, password: "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGFzaGFzaGFzaA", mounts: [{path: /, store: disk, rights: [list]}]}]
limits: {sessions: 10, drain_timeout: 5s}
guard: {ban_after: 5, exempt: [10.0.0.0/8]}
log: {level: info}
`

// TestAdopt: each key that has changed is either followed or takes a restart, and what
// takes one stays as it was.
func TestAdopt(t *testing.T) {
	load := func(old, spoiled string) *Config {
		t.Helper()
		if !strings.Contains(running, old) {
			t.Fatalf("no %q to replace", old)
		}
		cfg, r := examine("/etc/causeway.yaml", []byte(strings.Replace(running, old, spoiled, 1)), host{evalLinks: bare.evalLinks, readFile: func(string) ([]byte, error) { return nil, nil }})
		if err := r.err(); err != nil && !strings.Contains(spoiled, "/c.pem") {
			t.Fatal(err)
		}
		return cfg
	}
	cfg := load("", "")
	for _, c := range []struct{ old, changed, keys, restart string }{
		{"", "", "", ""},
		{"rights: [list]", "rights: [list, read]", "users", ""},
		{"ban_after: 5", "ban_after: 6", "guard.ban_after", ""},
		{"10.0.0.0/8", "10.0.0.0/9", "guard.exempt", ""},
		{"level: info", "level: debug, format: text", "log.level", "log.format"},
		{"drain_timeout: 5s", "drain_timeout: 6s", "", "limits.drain_timeout"},
		{":2121", ":2122", "", "listeners"},
		{"path: data", "path: other", "", "stores"},
		{"self_signed: true", "self_signed: true, min_version: \"1.3\"", "", "tls.min_version"},
		{"self_signed: true", "certificate: /c.pem, key: /k.pem", "", "tls.certificate tls.key tls.self_signed"},
		{"log:", "sandbox: off\nlog:", "", "sandbox"},
		{"users: ", "password_hashes: {allow: [des-crypt]}\naccounts: [{file: users.yaml}]\nusers: ", "accounts password_hashes.allow", ""},
	} {
		next := load(c.old, c.changed)
		change, err := cfg.Adopt(next)
		if err != nil {
			t.Errorf("%s: %v", c.changed, err)
			continue
		}
		if got := strings.Join(change.Keys, " "); got != c.keys {
			t.Errorf("%s: follows %q, not %q", c.changed, got, c.keys)
		}
		if got := strings.Join(change.Restart, " "); got != c.restart {
			t.Errorf("%s: restart for %q, not %q", c.changed, got, c.restart)
		}
		if left := change.Config.changed(next); !slices.Equal(left, change.Restart) {
			t.Errorf("%s: what differs then is %q", c.changed, left)
		}
	}
	withStore := load("stores: {", "stores: {new: {kind: localdir, path: new}, ")
	withStore.Users[0].Mounts[0].Store = "new"
	_, err := cfg.Adopt(withStore)
	if err == nil || !strings.Contains(err.Error(), `users[0].mounts[0].store: the store "new" is new; restart the gateway`) {
		t.Errorf("a new store: %v", err)
	}
	withStore.Users[0].Mounts[0].Store, withStore.Users[0].Mounts[0].Behind = "disk", Behind{Store: "new", Path: "/"}
	if _, err = cfg.Adopt(withStore); err == nil || !strings.Contains(err.Error(), `users[0].mounts[0].behind.store: the store "new" is new; restart the gateway`) {
		t.Errorf("a new store behind a mount: %v", err)
	}
	withStore.Users, withStore.Accounts = nil, []AccountSource{{Store: "new", Key: "users.yaml"}}
	if _, err = cfg.Adopt(withStore); err == nil || !strings.Contains(err.Error(), `accounts[0].store: the store "new" is new; restart the gateway`) {
		t.Errorf("a users file in a new store: %v", err)
	}
}

// TestA14_AuthoritiesTakeARestart: a certificate source whose authority TLS does not ask by
// would refuse everybody, or nobody.
func TestA14_AuthoritiesTakeARestart(t *testing.T) {
	certificates := func(cas ...string) *Config {
		cfg := Default()
		for _, ca := range cas {
			cfg.Accounts = append(cfg.Accounts, AccountSource{Certificate: &CertificateAccounts{CA: ca}})
		}
		return cfg
	}
	for _, c := range []struct {
		from, to *Config
		restart  bool
	}{
		{certificates(), certificates("a.pem"), true},
		{certificates("a.pem"), certificates(), true},
		{certificates("a.pem"), certificates("b.pem"), true},
		{certificates("a.pem"), certificates("a.pem", "b.pem"), true},
		{certificates("a.pem", "b.pem"), certificates("b.pem", "a.pem"), false},
	} {
		_, err := c.from.Adopt(c.to)
		if told := err != nil && strings.Contains(err.Error(), "accounts: the authorities of clients' certificates are others; restart the gateway"); told != c.restart {
			t.Errorf("%v to %v: %v", c.from.clientAuthorities(), c.to.clientAuthorities(), err)
		}
	}
	next := certificates("a.pem")
	next.Accounts[0].Certificate.CRL = "crl.pem"
	if change, err := certificates("a.pem").Adopt(next); err != nil || !slices.Equal(change.Keys, []string{"accounts"}) {
		t.Errorf("a revocation list: %v", err)
	}
}
