package configs

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
)

// AccountSource is a provider of accounts beside [Config.Users]. They are asked in order,
// after those users, and the first that has a name decides. It is of one kind: exactly one
// field is set, but for Rehash, and Key, which goes with Store.
type AccountSource struct {
	File        string               `yaml:"file"`   // a users file; see [Config.ParseUsers]
	Store       string               `yaml:"store"`  // a users file in a store; a key of Config.Stores
	Key         string               `yaml:"key"`    // of the object in Store
	Rehash      bool                 `yaml:"rehash"` // of a users file: old kinds of hash are replaced after a login
	HTTP        *HTTPAccounts        `yaml:"http"`
	Certificate *CertificateAccounts `yaml:"certificate"`
	LDAP        *LDAPAccounts        `yaml:"ldap"`
	SQL         *SQLAccounts         `yaml:"sql"`
	Learn       *LearnAccounts       `yaml:"learn"`
}

// HTTPAccounts is a service of the operator's that is asked for accounts.
type HTTPAccounts struct {
	URL       string        `yaml:"url"`
	Token     Secret        `yaml:"token"`     // sent as a bearer token; "" for none
	CA        string        `yaml:"ca"`        // PEM file of who may sign the service's certificate; "" is the system's
	Timeout   time.Duration `yaml:"timeout"`   // of one question; 5 s if 0
	Cache     time.Duration `yaml:"cache"`     // for which an account is remembered by its password; 0 for none
	Questions int           `yaml:"questions"` // at once; 16 if 0
	Template  string        `yaml:"template"`  // of accounts for which the service names none; a key of Config.Templates
	Cleartext bool          `yaml:"cleartext"` // http to other machines
}

// maxCache bounds how long an account may be remembered that is closed meanwhile.
const maxCache = 5 * time.Minute

// accounts judges where accounts come from, not what is found there.
func (c *checker) accounts() {
	for i, a := range c.cfg.Accounts {
		field := fmt.Sprintf("accounts[%d]", i)
		if c.oneKind(field) {
			c.usersFile(field+".file", i)
			c.storedUsers(field, i)
			c.httpAccounts(field+".http", a.HTTP)
			c.certificateAccounts(field+".certificate", i)
			c.ldapAccounts(field+".ldap", i)
			c.sqlAccounts(field+".sql", a.SQL)
			c.learnAccounts(field+".learn", i)
		}
	}
}

// oneKind reports a source that is of no kind, or of several.
func (c *checker) oneKind(field string) bool {
	kinds, _ := keysOf(reflect.TypeFor[AccountSource]())
	kinds = slices.DeleteFunc(kinds, func(k string) bool { return k == rehash || k == "key" })
	given := slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return !c.given(field + "." + k) })
	switch {
	case len(given) == 0:
		c.wrong(field, "names no source", "write one of: "+strings.Join(kinds, ", "))
	case len(given) > 1:
		c.wrong(field, "names several sources: "+strings.Join(given, ", "), "give each a list item of its own")
	}
	return len(given) == 1
}

// rehash is the key that goes with a file.
const rehash = "rehash"

// usersFile judges the name of a file, unless the source is of another kind.
func (c *checker) usersFile(field string, i int) {
	if !c.given(field) {
		if c.cfg.Accounts[i].Rehash {
			c.wrong(fmt.Sprintf("accounts[%d].%s", i, rehash), "there is no file to write new hashes to", "remove it")
		}
		return
	}
	file := c.cfg.Accounts[i].File
	c.filled(field, file, "name a users file, such as users.yaml")
	first := slices.IndexFunc(c.cfg.Accounts, func(o AccountSource) bool { return sameFile(o.File, file) })
	if file != "" && first < i {
		c.wrong(field, fmt.Sprintf("is that of accounts[%d] too", first), "name each file once")
	}
	if file != "" {
		c.outsideStores(field, file)
	}
}

// sameFile tells whether two paths name one file, as far as names can tell.
func sameFile(a, b string) bool { return filepath.Clean(a) == filepath.Clean(b) }

func (c *checker) httpAccounts(field string, h *HTTPAccounts) {
	if h == nil {
		return
	}
	c.filled(field+".url", h.URL, "write the address of the service, such as https://accounts.example/ftp")
	c.service(field+".url", h.URL)
	if u, err := url.Parse(h.URL); err == nil && u.Scheme == "http" && !h.Cleartext && !onThisMachine(u.Hostname()) {
		c.wrong(field+".url", "passwords would go to another machine in clear", "write https://, or set cleartext: true")
	}
	c.optional(field+".token", h.Token.Reveal())
	c.authority(field+".ca", h.CA)
	if h.Cache > maxCache {
		c.wrong(field+".cache", "is long: who is closed there could log in here for that time", "write at most "+maxCache.String()+", such as 10s")
	}
	if c.given(field + ".timeout") {
		c.positive(field+".timeout", int64(h.Timeout), "5s")
	}
	if c.given(field + ".questions") {
		c.positive(field+".questions", int64(h.Questions), "16")
	}
	c.sourceTemplate(field+".template", h.Template)
}

// onThisMachine tells whether a host is this machine by its name alone.
func onThisMachine(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && net.IP(a.AsSlice()).IsLoopback()
}

// optional reports a text that is there and empty.
func (c *checker) optional(field, value string) {
	if c.given(field) && !c.has(field) && value == "" {
		c.wrong(field, "is empty", "write it, or remove the key")
	}
}

// authority reads a file of certificates that others are verified by.
func (c *checker) authority(field, path string) {
	c.optional(field, path)
	if path == "" {
		return
	}
	if text, ok := c.file(field, path); ok && !x509.NewCertPool().AppendCertsFromPEM(text) {
		c.wrong(field, "holds no certificate", "name a PEM file with the certificate of the authority")
	}
}

// sourceTemplate judges the template of a source's accounts. It may be left to the source.
func (c *checker) sourceTemplate(field, name string) {
	c.optional(field, name)
	if _, ok := c.cfg.Templates[name]; name != "" && !ok && !c.has("templates") {
		c.unknownTemplate(field, name, c.cfg.Templates)
	}
}
