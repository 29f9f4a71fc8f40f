package configs

import (
	"errors"
	"math/rand/v2"
	"path"
	"reflect"
	"strings"
	"testing"
)

// patterned is stored with a template for each kind of mark.
func patterned(t *testing.T) *Config {
	t.Helper()
	cfg, err := parse("x.yaml", []byte(`
listeners: [{address: ":0"}]
stores: {disk: {kind: localdir, path: data}, behind: {kind: localdir, path: behind}}
accounts: [{file: users.yaml}]
templates:
  partner: {charset: latin1, mounts: [{path: /, store: disk, prefix: "in/x-{user}-y/", rights: [write]}, {path: "/{user}", store: disk, rights: [read]}]}
  moved: {mounts: [{path: /, store: disk, prefix: "old/{home}/{user}/{group}-{site}/", rights: [write], behind: {store: behind, path: "/{home}/{site}"}}]}
  fixed: {mounts: [{path: /, store: disk, prefix: public/, rights: [read]}]}
`), bare)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestUserOf(t *testing.T) {
	cfg := patterned(t)
	values := map[string]string{"home": "/home/ftp/acme/", "group": "{site}", "site": "x"}
	u, err := cfg.UserOf("moved", "{home}", values)
	if err != nil || u.Name != "{home}" || u.Template != "moved" || u.Mounts[0].Prefix != "old/home/ftp/acme/{home}/{site}-x/" ||
		u.Mounts[0].Behind.Prefix() != "home/ftp/acme/x/" {
		t.Errorf("%+v, %v", u, err)
	}
	if u, err = cfg.UserOf("partner", "acme", map[string]string{"user": "other"}); err != nil || u.Charset != "latin1" ||
		u.Mounts[0].Prefix != "in/x-acme-y/" || u.Mounts[1].Path != "/acme" {
		t.Errorf("%+v, %v", u, err)
	}
	if before := patterned(t); !reflect.DeepEqual(cfg.Templates, before.Templates) {
		t.Errorf("the templates have changed: %+v", cfg.Templates)
	}
	if u, err = cfg.UserOf("fixed", "a/b", nil); err != nil || u.Mounts[0].Prefix != "public/" {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := cfg.UserOf("none", "acme", values); !errors.Is(err, ErrTemplate) {
		t.Error(err)
	}
}

// TestA8_ValuesThatLeadElsewhere: neither a name nor what a provider tells of it leads out
// of its template's place, and the error does not repeat it.
func TestA8_ValuesThatLeadElsewhere(t *testing.T) {
	cfg := patterned(t)
	elsewhere := []string{"", ".", "..", "...", "../x", "a/b", "/x", "x/", `a\b`, `..\x`, ".causeway", "a\x00b", "a\r\nb", "\xff", "canary/..", strings.Repeat("x", 1100)}
	for _, value := range elsewhere {
		check := func(template, user string, values map[string]string) {
			t.Helper()
			u, err := cfg.UserOf(template, user, values)
			var of *ValueError
			if !errors.As(err, &of) || len(u.Mounts) > 0 || value != "" && len(value) > 2 && strings.Contains(err.Error(), value) && value != ".causeway" && value != "..." {
				t.Errorf("%s of %q: %+v, %v", template, value, u, err)
			}
		}
		check("partner", value, nil)
		check("moved", "acme", map[string]string{"home": "/home", "group": value, "site": "x"})
		if trimmed := strings.Trim(value, "/"); trimmed != "x" && trimmed != "a/b" {
			check("moved", "acme", map[string]string{"home": value, "group": "g", "site": "x"})
			check("moved", "acme", map[string]string{"home": "/home/" + value + "/x", "group": "g", "site": "x"})
		}
	}
	for _, missing := range []map[string]string{nil, {"home": "/home", "group": "x"}, {"group": "x", "site": "x"}} {
		if u, err := cfg.UserOf("moved", "acme", missing); err == nil {
			t.Errorf("%v: %+v", missing, u)
		}
	}
}

// TestA8_NoTwoUsersHaveOnePlace: where the name is part of the place, two names never have
// the same one, whatever else is told of them, nor by the name alone one inside another.
func TestA8_NoTwoUsersHaveOnePlace(t *testing.T) {
	cfg := patterned(t)
	rnd := rand.New(rand.NewPCG(8, 8))
	alphabet := []string{"a", "A", "ａ", "e\u0301", "é", "-", "y", ".", "{", "}", "{user}", " ", "x-"}
	word := func() string {
		var b strings.Builder
		for range 1 + rnd.IntN(3) {
			b.WriteString(alphabet[rnd.IntN(len(alphabet))])
		}
		return b.String()
	}
	owners := map[string]string{}
	for range 20_000 {
		name, home := word(), word()
		if rnd.IntN(2) == 0 {
			home += "/" + word()
		}
		for _, template := range []string{"partner", "moved"} {
			u, err := cfg.UserOf(template, name, map[string]string{"home": home, "group": word(), "site": word()})
			if err != nil {
				continue
			}
			prefix := u.Mounts[0].Prefix
			if owner, taken := owners[prefix]; taken && owner != name {
				t.Fatalf("%q and %q both have %q", owner, name, prefix)
			}
			owners[prefix] = name
		}
	}
	for prefix, name := range owners {
		for up := path.Dir(strings.TrimSuffix(prefix, "/")); up != "."; up = path.Dir(up) {
			if owner, taken := owners[up+"/"]; taken && strings.HasPrefix(prefix, "in/") && owner != name {
				t.Fatalf("%q has %q, inside the place of %q", name, prefix, owner)
			}
		}
	}
	if len(owners) < 1000 {
		t.Errorf("only %d places", len(owners))
	}
}

// TestTemplatesOfTheConfiguration: a users file has those of the configuration too, but for
// those of which it has its own.
func TestTemplatesOfTheConfiguration(t *testing.T) {
	f, err := patterned(t).ParseUsers("users.yaml", []byte(`
templates: {fixed: {mounts: [{path: /, store: disk, prefix: "own/{user}/", rights: [read]}]}}
users:
  - {name: a, password: '$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1', template: fixed}
  - {name: b, password: '$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1', template: partner}
`))
	if err != nil || f.Users[0].Mounts[0].Prefix != "own/a/" || f.Users[1].Mounts[0].Prefix != "in/x-b-y/" || f.Users[1].Charset != "latin1" {
		t.Errorf("%+v, %v", f, err)
	}
	f, err = patterned(t).ParseUsers("users.yaml", []byte(`users: [{name: a, password: '$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1', template: moved}]`))
	if err == nil || !strings.Contains(err.Error(), "users[0].template: home: the template needs it") {
		t.Errorf("%+v, %v", f, err)
	}
}
