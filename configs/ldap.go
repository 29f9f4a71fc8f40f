package configs

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"
)

// LDAPAccounts is a directory that is asked for accounts. Users are found by a search, or
// their entries' names are made of a pattern.
type LDAPAccounts struct {
	URL       string            `yaml:"url"`       // ldap://host[:port] or ldaps://host[:port]
	StartTLS  bool              `yaml:"start_tls"` // on ldap://
	CA        string            `yaml:"ca"`        // PEM file of who may sign the directory's certificate; "" is the system's
	Cleartext bool              `yaml:"cleartext"` // no TLS to other machines
	BindDN    string            `yaml:"bind_dn_template"`
	Search    LDAPSearch        `yaml:"search"`
	Groups    LDAPGroups        `yaml:"groups"`
	Template  string            `yaml:"template"` // of users in none of the groups; "" lets nobody else in
	Values    map[string]string `yaml:"values"`   // attributes by the marks of templates that they take the place of
	Timeout   time.Duration     `yaml:"timeout"`  // of one login; 10 s if 0
}

// LDAPSearch finds the entry of a user, in which {user} stands for the name.
type LDAPSearch struct {
	Base         string `yaml:"base"`
	Filter       string `yaml:"filter"`
	BindDN       string `yaml:"bind_dn"` // of who searches; "" does it anonymously
	BindPassword Secret `yaml:"bind_password"`
}

// LDAPGroups gives the members of groups templates. The first group decides that a user is
// in.
type LDAPGroups struct {
	Attribute string         `yaml:"attribute"` // of the user's entry, such as memberOf
	Base      string         `yaml:"base"`      // or where the groups are searched
	Filter    string         `yaml:"filter"`    // in which {user} and {dn} stand for the user's name and entry
	Templates []LDAPTemplate `yaml:"templates"`
}

// LDAPTemplate is the template of a group's members.
type LDAPTemplate struct {
	Group    string `yaml:"group"` // distinguished name
	Template string `yaml:"template"`
}

func (c *checker) ldapAccounts(field string, i int) {
	l := c.cfg.Accounts[i].LDAP
	if l == nil {
		return
	}
	c.directory(field, l)
	c.authority(field+".ca", l.CA)
	switch pattern, search := c.given(field+".bind_dn_template"), c.given(field+".search"); {
	case pattern && search:
		c.wrong(field, "has bind_dn_template and search", "remove one of the two")
	case !pattern && !search:
		c.wrong(field, "does not say how users are found", "write search: {base: ..., filter: \"(uid={user})\"}, or bind_dn_template")
	case pattern && i < len(c.cfg.Accounts)-1:
		c.wrong(field+".bind_dn_template", "does not tell unknown names from wrong passwords, so that nobody behind it is ever asked",
			"put it last, or write search")
	case search:
		c.filled(field+".search.base", l.Search.Base, "write where the users are, such as ou=people,dc=example,dc=org")
		c.filled(field+".search.filter", l.Search.Filter, "write for example (uid={user})")
		c.together(field+".search", "bind_dn", "bind_password")
	}
	c.optional(field+".bind_dn_template", l.BindDN)
	c.ldapGroups(field, l)
	c.sourceTemplate(field+".template", l.Template)
	c.values(field+".values", l.Values)
	c.optionalTimeout(field+".timeout", l.Timeout)
}

// directory judges where a directory is and how it is reached.
func (c *checker) directory(field string, l *LDAPAccounts) {
	const right = "write for example ldaps://ldap.example.org"
	c.filled(field+".url", l.URL, right)
	if l.URL == "" {
		return
	}
	u, err := url.Parse(l.URL)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "ldap" && u.Scheme != "ldaps":
		c.wrong(field+".url", fmt.Sprintf("%q is not the address of a directory", redact(l.URL)), right)
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		c.wrong(field+".url", "holds more than a host and a port", "remove the rest; it has its own keys")
	case u.Scheme == "ldaps" && l.StartTLS:
		c.wrong(field+".start_tls", "is TLS within TLS", "write ldap://, or remove start_tls")
	case u.Scheme == "ldap" && !l.StartTLS && !l.Cleartext && !onThisMachine(u.Hostname()):
		c.wrong(field+".url", "passwords would go to another machine in clear", "write ldaps://, or set start_tls: true, or cleartext: true")
	}
}

func (c *checker) ldapGroups(field string, l *LDAPAccounts) {
	g, groups := l.Groups, field+".groups"
	if !c.given(groups) {
		if !c.given(field + ".template") {
			c.wrong(field, "gives nobody a template", "name one as template, or write groups")
		}
		return
	}
	switch attribute, search := c.given(groups+".attribute"), c.given(groups+".filter") || c.given(groups+".base"); {
	case attribute && search:
		c.wrong(groups, "has attribute and a search", "remove attribute, or base and filter")
	case search:
		c.filled(groups+".base", g.Base, "write where the groups are, such as ou=groups,dc=example,dc=org")
		c.filled(groups+".filter", g.Filter, "write for example (member={dn})")
	default:
		c.filled(groups+".attribute", g.Attribute, "write memberOf, or base and filter")
	}
	if len(g.Templates) == 0 {
		c.wrong(groups+".templates", "there are none", "write at least one, such as {group: \"cn=partners,ou=groups,dc=example,dc=org\", template: partner}")
	}
	for i, t := range g.Templates {
		at := fmt.Sprintf("%s.templates[%d]", groups, i)
		c.filled(at+".group", t.Group, "write the group's distinguished name")
		c.filled(at+".template", t.Template, "name a template")
		c.sourceTemplate(at+".template", t.Template)
	}
}

// values judges what takes the place of marks in templates.
func (c *checker) values(field string, values map[string]string) {
	for _, mark := range slices.Sorted(maps.Keys(values)) {
		at := field + "." + mark
		switch {
		case "{"+mark+"}" == UserMark:
			c.wrong(at, UserMark+" is the account's name always", "choose another mark")
		case values[mark] == "":
			c.wrong(at, "is empty", "name an attribute, such as homeDirectory")
		}
	}
}

// together reports one of two keys that is there without the other, or empty.
func (c *checker) together(field, one, other string) {
	for _, pair := range [][2]string{{one, other}, {other, one}} {
		if c.given(field+"."+pair[0]) && !c.given(field+"."+pair[1]) {
			c.wrong(field+"."+pair[1], "is missing", "write it beside "+pair[0]+", or remove both")
		}
	}
}

func (c *checker) optionalTimeout(field string, timeout time.Duration) {
	if c.given(field) {
		c.positive(field, int64(timeout), "10s")
	}
}
