package ldap

import (
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"causeway/auth"
)

// TestClosedAccounts: what directories say of an account that nobody may use any more.
func TestClosedAccounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		attribute, value string
		disabled         bool
		expires          string // "" is never
	}{
		{adControl, "512", false, ""},
		{adControl, "514", true, ""}, // NORMAL_ACCOUNT and ACCOUNTDISABLE
		{adControl, "66050", true, ""},
		{"USERACCOUNTCONTROL", "514", true, ""},
		{nsLock, "TRUE", true, ""},
		{nsLock, "false", false, ""},
		{adExpires, "0", false, ""},
		{adExpires, "9223372036854775807", false, ""},
		{adExpires, "133801632000000000", false, "2025-01-01T00:00:00Z"},
		{shadowExpire, "-1", false, ""},
		{shadowExpire, "20089", false, "2025-01-01T00:00:00Z"},
		{shadowExpire, "9223372036854775807", false, "4707-11-29T00:00:00Z"},
	} {
		e := ldap.NewEntry(acmeDN, map[string][]string{c.attribute: {c.value}})
		closed, err := disabled(e)
		if err != nil || closed != c.disabled {
			t.Errorf("%s=%s: disabled: %v, %v", c.attribute, c.value, closed, err)
		}
		end, err := expires(e)
		if c.expires == "" && end.IsZero() && err == nil {
			continue
		}
		if got := end.Format(time.RFC3339); err != nil || got != c.expires {
			t.Errorf("%s=%s: ends %s, %v", c.attribute, c.value, got, err)
		}
	}
	both := ldap.NewEntry(acmeDN, map[string][]string{adExpires: {"133801632000000000"}, shadowExpire: {"20000"}})
	if end, err := expires(both); err != nil || end.Format(time.DateOnly) != "2024-10-04" {
		t.Errorf("the earlier of two ends: %v, %v", end, err)
	}
}

// TestTemplates: the first group that has a template and the user decides.
func TestTemplates(t *testing.T) {
	t.Parallel()
	d := serve(t)
	const staff, partners, others = "cn=staff,dc=example,dc=org", "cn=partners,dc=example,dc=org", "cn=others,dc=example,dc=org"
	for _, c := range []struct {
		groups []string
		want   string
	}{
		{[]string{staff, partners}, "partner"},
		{[]string{others, "CN=Staff,DC=Example,DC=org"}, "staff"},
		{[]string{others}, ""},
		{nil, ""},
	} {
		entry := acme(map[string][]string{"memberOf": c.groups})
		populate(d, entry)
		cfg := searching(d)
		byAttribute, errAttribute := find(t, provider(t, cfg), "acme", "secret")
		cfg.Groups.Attribute, cfg.Groups.Base, cfg.Groups.Filter = "", "dc=example,dc=org", "(|(member={dn})(memberUid={user}))"
		d.set(func(d *directory) {
			var groups []*ldap.Entry
			for _, name := range c.groups {
				groups = append(groups, ldap.NewEntry(name, nil))
			}
			d.found["(|(member="+acmeDN+")(memberUid=acme))"] = groups
		})
		bySearch, errSearch := find(t, provider(t, cfg), "acme", "secret")
		cfg.Search, cfg.BindDN = Search{}, "uid={user},"+people
		byUser, errUser := find(t, provider(t, cfg), "acme", "secret")
		for i, found := range []*auth.Found{byAttribute, bySearch, byUser} {
			err := []error{errAttribute, errSearch, errUser}[i]
			if err != nil || found.Template != c.want {
				t.Errorf("way %d, of %q: %+v, %v, want %q", i, c.groups, found, err, c.want)
			}
		}
	}
}

func TestNameAttribute(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"(uid={user})": "uid",
		"(&(objectClass=person)(|( sAMAccountName ={user})(mail={user})))": "sAMAccountName",
		"(mail={user}@example.org)":                                        "",
		"(uid=*{user}*)":                                                   "",
		"(uid>={user})":                                                    "",
		"(uid:caseExactMatch:={user})":                                     "",
		"uid={user},ou=people,dc=example":                                  "uid",
		"CN={user} ,ou=people":                                             "CN",
		"uid=x{user},ou=people":                                            "",
		"ou=people,uid={user},dc=example":                                  "",
		"uid={user}":                                                       "",
		"uid={user}+cn=x,ou=people,dc=org":                                 "",
	} {
		if got, err := NameAttribute(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}
