//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"causeway/e2e/accounts"
	"causeway/e2e/process"
)

// people are the entries of the directory. Groups are told by memberOf, which slapd's
// overlay would write if they were added while it runs, and by the groups themselves.
const people = `
dn: dc=example,dc=org
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: cn=gateway,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: gateway
userPassword: canary of the gateway

dn: uid=acme,ou=people,dc=example,dc=org
COMMON
uid: acme
homeDirectory: /srv/acme
memberOf: cn=partners,ou=groups,dc=example,dc=org

dn: uid=globex,ou=people,dc=example,dc=org
COMMON
uid: globex
homeDirectory: /srv/globex
memberOf: cn=staff,ou=groups,dc=example,dc=org

dn: uid=alone,ou=people,dc=example,dc=org
COMMON
uid: alone
homeDirectory: /srv/alone

dn: uid=closed,ou=people,dc=example,dc=org
objectClass: adUser
COMMON
uid: closed
homeDirectory: /srv/closed
userAccountControl: 514
memberOf: cn=partners,ou=groups,dc=example,dc=org

dn: uid=over,ou=people,dc=example,dc=org
objectClass: adUser
COMMON
uid: over
homeDirectory: /srv/over
accountExpires: 133801632000000000
memberOf: cn=partners,ou=groups,dc=example,dc=org

dn: uid=past,ou=people,dc=example,dc=org
objectClass: shadowAccount
COMMON
uid: past
homeDirectory: /srv/past
shadowExpire: 20000
memberOf: cn=partners,ou=groups,dc=example,dc=org

dn: cn=partners,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: partners
member: uid=acme,ou=people,dc=example,dc=org
member: uid=closed,ou=people,dc=example,dc=org

dn: cn=staff,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: staff
member: uid=globex,ou=people,dc=example,dc=org
`

// person is what all people's entries have. The password is stored as OpenLDAP does it.
const person = `objectClass: inetOrgPerson
objectClass: posixAccount
cn: somebody
sn: somebody
uidNumber: 1000
gidNumber: 1000
userPassword: {SSHA}3q3r+05NGx2QWwF1CPQILv4tPzxzYWx0`

// templates of the gateways here.
const doorTemplates = `
templates:
  partner: {mounts: [{path: /, store: store0, prefix: "partners/{user}/", rights: [list, read, write]}]}
  staff: {mounts: [{path: /, store: store0, prefix: "{home}/", rights: [list, read, write]}]}
`

func startDirectory(t *testing.T, scheme string) *process.Server {
	t.Helper()
	server, err := accounts.StartDirectory(t.Context(), accounts.Directory{
		Dir:    t.TempDir(),
		Cert:   shared.cert.certFile,
		Key:    shared.cert.keyFile,
		Scheme: scheme,
		LDIF:   strings.ReplaceAll(people, "COMMON", person),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

// TestDirectory asks a slapd by a search and StartTLS.
func TestDirectory(t *testing.T) {
	t.Parallel()
	directory := startDirectory(t, "ldap")
	d := openDoor(t, doorTemplates+`
accounts:
  - ldap:
      url: ldap://`+directory.Address+`
      start_tls: true
      ca: `+quote(shared.cert.certFile)+`
      search: {base: "ou=people,dc=example,dc=org", filter: "(&(objectClass=person)(uid={user}))", bind_dn: "cn=gateway,dc=example,dc=org", bind_password: canary of the gateway}
      groups: {attribute: memberOf, templates: [{group: "CN=Partners,ou=groups,dc=example,dc=org", template: partner}, {group: "cn=staff,ou=groups,dc=example,dc=org", template: staff}]}
      values: {home: homeDirectory}
`)
	attempts := []attempt{
		{user, password, "230", "own"},
		{"acme", password, "230", "partners/acme"},
		{"ACME", password, "230", "partners/acme"}, // one entry is one account
		{"globex", password, "230", "srv/globex"},
		{"acme", "wrong", "530", ""},
		{"stranger", password, "530", ""},
		{"alone", password, "530", ""}, // in no group that has a template
		{"closed", password, "530", ""},
		{"over", password, "530", ""},
		{"past", password, "530", ""},
	}
	t.Run("TestA9", func(t *testing.T) { d.attempts(t, append(attempts, hostileNames(password)...)) })
	t.Run("TestA7", func(t *testing.T) { d.attempts(t, []attempt{{"acme", "", "530", ""}}) })
	t.Run("TestA12", func(t *testing.T) {
		directory.Stop()
		d.attempts(t, []attempt{{"acme", password, "421", ""}, {"stranger", password, "421", ""}, {user, password, "230", "own"}})
		if err := directory.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.attempts(t, []attempt{{"acme", password, "230", "partners/acme"}, {"acme", "wrong", "530", ""}})
	})
	for _, reason := range []string{"the account is disabled", "the account has expired", "the account has no template"} {
		d.tells(t, reason)
	}
	if strings.Contains(d.log.String(), "canary of the gateway") {
		t.Error("the gateway's own password is in its log")
	}
}

// TestDirectoryByPattern asks slapds by binds with names made of a pattern, over ldaps.
func TestDirectoryByPattern(t *testing.T) {
	t.Parallel()
	directory := startDirectory(t, "ldaps")
	source := func(ca string) string {
		return doorTemplates + `
accounts:
  - ldap:
      url: ldaps://` + directory.Address + `
      ` + ca + `
      bind_dn_template: "uid={user},ou=people,dc=example,dc=org"
      groups: {base: "ou=groups,dc=example,dc=org", filter: "(member={dn})", templates: [{group: "cn=staff,ou=groups,dc=example,dc=org", template: staff}]}
      template: partner
      values: {home: homeDirectory}
`
	}
	d := openDoor(t, source("ca: "+quote(shared.cert.certFile)))
	d.attempts(t, append(hostileNames(password), []attempt{
		{"acme", password, "230", "partners/acme"},
		{"Acme", password, "230", "partners/acme"},
		{"alone", password, "230", "partners/alone"},
		{"globex", password, "230", "srv/globex"},
		{"acme", "wrong", "530", ""},
		{"stranger", password, "530", ""},
		{"closed", password, "530", ""},
		{"past", password, "530", ""},
	}...))
	stranger := openDoor(t, source("timeout: 20s"))
	stranger.attempts(t, []attempt{{"acme", password, "421", ""}}) // by no authority of this machine
}

// TestDirectoryInClear: where a directory wants TLS, nobody is let in without, and the
// gateway does not take that for a wrong password.
func TestDirectoryInClear(t *testing.T) {
	t.Parallel()
	directory := startDirectory(t, "ldap")
	d := openDoor(t, doorTemplates+`
accounts: [{ldap: {url: "ldap://`+directory.Address+`", bind_dn_template: "uid={user},ou=people,dc=example,dc=org", template: partner}}]
`)
	d.attempts(t, []attempt{{"acme", password, "421", ""}})
}
