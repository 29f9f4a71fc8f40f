package ldap

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"causeway/auth"
)

const (
	people  = "ou=people,dc=example,dc=org"
	service = "cn=gateway,dc=example,dc=org"
	acmeDN  = "uid=acme," + people
)

// searching is a configuration that searches with the rights of the gateway's own entry.
func searching(d *directory) Config {
	return Config{
		URL:    "ldap://" + d.listener.Addr().String(),
		Search: Search{Base: people, Filter: "(&(objectClass=person)(uid={user}))", BindDN: service, BindPassword: "service"},
		Groups: Groups{Attribute: "memberOf", Templates: []GroupTemplate{{"cn=partners,dc=example,dc=org", "partner"}, {"cn=staff,dc=example,dc=org", "staff"}}},
		Values: map[string]string{"home": "homeDirectory"},
	}
}

// binding is one that makes the entries' names by a pattern.
func binding(d *directory) Config {
	c := searching(d)
	c.Search, c.BindDN = Search{}, "uid={user},"+people
	return c
}

// acme is the entry of a partner.
func acme(attributes map[string][]string) *ldap.Entry {
	all := map[string][]string{"uid": {"acme"}, "memberOf": {"CN=Partners, DC=example,DC=org"}, "homeDirectory": {"/home/acme"}}
	for name, values := range attributes {
		all[name] = values
	}
	return ldap.NewEntry(acmeDN, all)
}

// populate makes the directory know the gateway and one partner.
func populate(d *directory, entry *ldap.Entry) {
	d.set(func(d *directory) {
		d.passwords = map[string]string{service: "service", acmeDN: "secret"}
		d.found["(&(objectClass=person)(uid=acme))"] = []*ldap.Entry{entry}
		d.found[acmeDN] = []*ldap.Entry{entry}
	})
}

func provider(t *testing.T, cfg Config) *Provider {
	t.Helper()
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func find(t *testing.T, p *Provider, name, password string) (*auth.Found, error) {
	t.Helper()
	return p.Find(t.Context(), auth.Attempt{Name: name, Password: password})
}

func TestFind(t *testing.T) {
	t.Parallel()
	d := serve(t)
	populate(d, acme(nil))
	want := &auth.Found{Name: "acme", Right: true, Template: "partner", Values: map[string]string{"home": "/home/acme"}}
	for name, cfg := range map[string]Config{"search": searching(d), "bind": binding(d)} {
		p := provider(t, cfg)
		if got, err := find(t, p, "acme", "secret"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if got, err := find(t, p, "acme", "wrong"); got != nil || !errors.Is(err, auth.ErrLogin) {
			t.Errorf("%s: wrong password: %+v, %v", name, got, err)
		}
	}
	d.log()
	p := provider(t, searching(d))
	if got, err := find(t, p, "stranger", "secret"); got != nil || !errors.Is(err, auth.ErrUnknown) {
		t.Errorf("unknown: %+v, %v", got, err)
	}
	if got, want := d.log(), "bind "+service+"\nsearch "+people+" (&(objectClass=person)(uid=stranger))\nbind "+nowhere+people; got != want {
		t.Errorf("an unknown name is not asked for as a known one:\n%s", got)
	}
	if got, err := find(t, provider(t, binding(d)), "stranger", "secret"); got != nil || !errors.Is(err, auth.ErrLogin) {
		t.Errorf("unknown, by a pattern: %+v, %v", got, err)
	}
}

// TestA7_NoPasswordIsNoBind: a server would take a bind without a password for one by
// nobody, and let it in.
func TestA7_NoPasswordIsNoBind(t *testing.T) {
	t.Parallel()
	d := serve(t)
	populate(d, acme(nil))
	d.set(func(d *directory) { d.passwords[acmeDN] = "" })
	for _, cfg := range []Config{searching(d), binding(d)} {
		if got, err := find(t, provider(t, cfg), "acme", ""); got != nil || !errors.Is(err, auth.ErrLogin) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if asked := d.log(); asked != "" {
		t.Errorf("the directory is asked:\n%s", asked)
	}
}

// TestA9_NamesAreEscaped: a name is a value in a filter and in a name, whatever it is.
func TestA9_NamesAreEscaped(t *testing.T) {
	t.Parallel()
	d := serve(t)
	populate(d, acme(nil))
	for name, want := range map[string][2]string{
		`*`:              {`(uid=\2a)`, `uid=*,`},
		`'%00)(*)`:       {`(uid='%00\29\28\2a\29)`, `uid='%00)(*),`},
		`a)(uid=*`:       {`(uid=a\29\28uid=\2a)`, `uid=a)(uid=*,`},
		`acme,` + people: {`(uid=acme,ou=people,dc=example,dc=org)`, `uid=acme\,ou=people\,dc=example\,dc=org,`},
		`a\2a`:           {`(uid=a\5c2a)`, `uid=a\\2a,`},
		`#a+b="<;>"`:     {`(uid=#a+b="<;>")`, `uid=\#a\+b=\"\<\;\>\",`},
		` a `:            {`(uid= a )`, `uid=\ a\ ,`},
		`{user}{dn}`:     {`(uid={user}{dn})`, `uid={user}{dn},`},
	} {
		if got, err := find(t, provider(t, searching(d)), name, "secret"); got != nil || !errors.Is(err, auth.ErrUnknown) {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
		if got := d.log(); !strings.Contains(got, "\nsearch "+people+" (&(objectClass=person)"+want[0]+")\n") {
			t.Errorf("%q is looked for as\n%s", name, got)
		}
		if got, err := find(t, provider(t, binding(d)), name, "secret"); got != nil || !errors.Is(err, auth.ErrLogin) {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
		if got := d.log(); got != "bind "+want[1]+people {
			t.Errorf("%q binds as\n%s", name, got)
		}
	}
}

// TestA8_AnEntryIsOneAccount, however its name is written by the client.
func TestA8_AnEntryIsOneAccount(t *testing.T) {
	t.Parallel()
	d := serve(t)
	populate(d, acme(map[string][]string{"uid": {"Acme", "acme-corp"}, "mail": {"it@acme.example"}}))
	d.set(func(d *directory) {
		for _, name := range []string{"ACME", "acme-corp", "it@acme.example"} {
			d.found["(|(uid="+name+")(mail="+name+"))"] = d.found[acmeDN]
		}
	})
	cfg := searching(d)
	cfg.Search.Filter = "(|(uid={user})(mail={user}))"
	p := provider(t, cfg)
	for name, want := range map[string]string{"ACME": "Acme", "acme-corp": "acme-corp", "it@acme.example": "Acme"} {
		if got, err := find(t, p, name, "secret"); err != nil || got.Name != want {
			t.Errorf("%s: %+v, %v, want %s", name, got, err, want)
		}
	}
	d.set(func(d *directory) {
		d.passwords["uid=ACME,"+people] = "secret"
		d.found["uid=ACME,"+people] = d.found[acmeDN]
	})
	if got, err := find(t, provider(t, binding(d)), "ACME", "secret"); err != nil || got.Name != "acme" {
		t.Errorf("by a pattern: %+v, %v", got, err)
	}
}

// TestA12_WhatCannotBeJudged lets nobody in, and is not a wrong password.
func TestA12_WhatCannotBeJudged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(d *directory){
		"two entries":        func(d *directory) { d.found["(&(objectClass=person)(uid=acme))"] = []*ldap.Entry{acme(nil), acme(nil)} },
		"busy":               func(d *directory) { d.code = ldap.LDAPResultBusy },
		"unavailable":        func(d *directory) { d.code = ldap.LDAPResultUnavailable },
		"service is refused": func(d *directory) { d.passwords[service] = "changed" },
		"everybody may bind": func(d *directory) {
			d.found = nil
			d.passwords[nowhere+people] = "secret"
		},
		"an odd flag":       func(d *directory) { *d.found[acmeDN][0] = *acme(map[string][]string{adControl: {"x"}}) },
		"an odd end":        func(d *directory) { *d.found[acmeDN][0] = *acme(map[string][]string{adExpires: {"x"}}) },
		"an odd day":        func(d *directory) { *d.found[acmeDN][0] = *acme(map[string][]string{shadowExpire: {"x"}}) },
		"an odd group":      func(d *directory) { *d.found[acmeDN][0] = *acme(map[string][]string{"memberOf": {"partners"}}) },
		"no name":           func(d *directory) { *d.found[acmeDN][0] = *acme(map[string][]string{"uid": nil}) },
		"an odd name":       func(d *directory) { *d.found[acmeDN][0] = *acme(map[string][]string{"uid": {"acme\n"}}) },
		"nobody is serving": func(d *directory) { _ = d.listener.Close() },
	} {
		d := serve(t)
		populate(d, acme(nil))
		d.set(change)
		got, err := find(t, provider(t, searching(d)), "acme", "secret")
		if got != nil || err == nil || errors.Is(err, auth.ErrLogin) || errors.Is(err, auth.ErrUnknown) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	d := serve(t)
	populate(d, acme(nil))
	d.set(func(d *directory) { delete(d.found, acmeDN) })
	if got, err := find(t, provider(t, binding(d)), "acme", "secret"); got != nil || !errors.Is(err, errUnreadable) {
		t.Errorf("an entry that its user may not read: %+v, %v", got, err)
	}
}

// TestA12_SilenceEnds: a directory that does not answer is waited for as long as is said.
func TestA12_SilenceEnds(t *testing.T) {
	t.Parallel()
	d := serve(t)
	populate(d, acme(nil))
	cfg := searching(d)
	cfg.Timeout = 50 * time.Millisecond
	p := provider(t, cfg)
	d.set(func(d *directory) { d.mute = true })
	if got, err := find(t, p, "acme", "secret"); got != nil || fmt.Sprint(err) != "search for an account: bind as \""+service+"\": context deadline exceeded" {
		t.Errorf("%+v, %v", got, err)
	}
	d.set(func(d *directory) { d.mute = false })
	p.cfg.Timeout = DefaultTimeout
	if got, err := find(t, p, "acme", "secret"); err != nil || got.Name != "acme" {
		t.Errorf("once it answers: %+v, %v", got, err)
	}
}

// TestCheck asks for nobody by the gateway's own rights, and tells what keeps it from that.
func TestCheck(t *testing.T) {
	t.Parallel()
	d := serve(t)
	populate(d, acme(nil))
	if err := provider(t, searching(d)).Check(t.Context()); err != nil || d.log() != "bind "+service+"\nsearch "+people+" (&(objectClass=person)(uid=causeway-nobody))" {
		t.Errorf("by search: %v", err)
	}
	if err := provider(t, binding(d)).Check(t.Context()); err != nil || d.log() != "" {
		t.Errorf("by a pattern: %v", err)
	}
	d.set(func(d *directory) { d.passwords[service] = "changed" })
	if err := provider(t, searching(d)).Check(t.Context()); !ldap.IsErrorWithCode(errors.Unwrap(errors.Unwrap(err)), ldap.LDAPResultInvalidCredentials) {
		t.Errorf("a wrong password: %v", err)
	}
	_ = d.listener.Close()
	if err := provider(t, binding(d)).Check(t.Context()); err == nil {
		t.Error("a directory that is not there is well")
	}
}

func TestWrongConfigurations(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(c *Config){
		"url":                       func(c *Config) { c.URL = "http://ldap.example.org" },
		"bind_dn_template":          func(c *Config) { c.BindDN = "{user}@example.org" },
		"search.base":               func(c *Config) { c.Search.Base = "people" },
		"search.filter":             func(c *Config) { c.Search.Filter = "(&(uid={user})" },
		"groups.base":               func(c *Config) { c.Groups.Base = "groups" },
		"groups.filter":             func(c *Config) { c.Groups.Filter = "member={dn}=" },
		"groups.templates[1].group": func(c *Config) { c.Groups.Templates[1].Group = "staff" },
	} {
		cfg := Config{
			URL:    "ldaps://ldap.example.org",
			Search: Search{Base: people, Filter: "(uid={user})"},
			Groups: Groups{Templates: []GroupTemplate{{"cn=a,dc=org", "a"}, {"cn=b,dc=org", "b"}}},
		}
		if _, err := New(cfg); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		var wrong *ConfigError
		if _, err := New(cfg); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestConnectionsAreKept, and replaced when they have died.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	d := serve(t)
	populate(d, acme(nil))
	p := provider(t, searching(d))
	for range 3 {
		if _, err := find(t, p, "acme", "secret"); err != nil {
			t.Fatal(err)
		}
	}
	if n := d.connected(); n != 2 {
		t.Errorf("%d connections, want one to search and one to bind", n)
	}
	d.hangUp()
	if _, err := find(t, p, "acme", "secret"); err != nil {
		t.Errorf("after the directory was restarted: %v", err)
	}
}
