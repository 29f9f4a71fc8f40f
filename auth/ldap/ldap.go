// Package ldap asks a directory for accounts: whether a password is right, by a bind with
// it, and what the entry says of the account. It speaks LDAPv3 (RFC 4511) to OpenLDAP, 389
// Directory Server, Active Directory and their like. It writes nothing to the directory,
// follows no referrals, and knows neither templates nor configuration files.
//
// Its central type is [Provider].
package ldap

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"causeway/auth"
)

// Marks in names and filters. What takes their place is escaped, as RFC 4514 §2.4 and RFC
// 4515 §3 ask.
const (
	UserMark  = "{user}" // the name that the client gives
	EntryMark = "{dn}"   // the distinguished name of the user's entry
)

// DefaultTimeout bounds one login: connecting, and all that is asked.
const DefaultTimeout = 10 * time.Second

// Config says how accounts are found. Either BindDN or Search is set.
type Config struct {
	URL      string // ldap://host[:port] or ldaps://host[:port]
	StartTLS bool   // on ldap://, before anything else is sent
	Roots    *x509.CertPool
	BindDN   string // of a user's entry, with UserMark in its first part
	Search   Search
	Groups   Groups
	Values   map[string]string // attributes whose first values go with the account, by mark
	Timeout  time.Duration     // 0 is DefaultTimeout
}

// Search finds the entry of a user.
type Search struct {
	Base, Filter string // Filter has UserMark
	BindDN       string // of who searches; "" does it without a bind
	BindPassword string
}

// Groups say which template an account has. Where a user is in several, the first in
// Templates decides.
type Groups struct {
	Attribute    string // of the user's entry, with the groups' names, such as memberOf
	Base, Filter string // or how the groups are searched, with UserMark or EntryMark
	Templates    []GroupTemplate
}

// GroupTemplate gives the members of a group a template.
type GroupTemplate struct {
	Group    string // distinguished name
	Template string
}

// Provider is a directory as an [auth.Provider].
type Provider struct {
	cfg      Config
	groups   []*ldap.DN // of cfg.Groups.Templates
	named    string     // the attribute that has the account's name
	wanted   []string   // attributes that are asked for
	searches *pool      // bound as cfg.Search.BindDN
	binds    *pool      // for users' binds
}

// ConfigError tells which part of a configuration cannot be used.
type ConfigError struct {
	Field string // of Config, in words and dots: "url", "bind_dn_template", "search.filter"
	Err   error
}

func (e *ConfigError) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap returns what is wrong with it.
func (e *ConfigError) Unwrap() error { return e.Err }

// New makes a provider. It connects when it is asked first. The error is a [*ConfigError].
func New(cfg Config) (*Provider, error) {
	cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	at, err := endpointOf(cfg)
	if err != nil {
		return nil, &ConfigError{"url", err}
	}
	p := &Provider{cfg: cfg, binds: newPool(at.dial), wanted: entryAttributes()}
	p.searches = newPool(func(ctx context.Context) (*link, error) {
		return at.dialBound(ctx, cfg.Search.BindDN, cfg.Search.BindPassword)
	})
	if p.named, err = nameAttribute(cfg); err != nil {
		return nil, err
	}
	if p.groups, err = groupNames(cfg.Groups); err != nil {
		return nil, err
	}
	p.wanted = append(p.wanted, p.named)
	if cfg.Groups.Attribute != "" {
		p.wanted = append(p.wanted, cfg.Groups.Attribute)
	}
	for _, attribute := range cfg.Values {
		p.wanted = append(p.wanted, attribute)
	}
	slices.Sort(p.wanted)
	p.wanted = slices.Compact(p.wanted)
	return p, nil
}

// nameAttribute is the attribute that has the account's name, if all that users are found
// by can be used.
func nameAttribute(cfg Config) (string, error) {
	if cfg.BindDN != "" {
		name, err := NameAttribute(cfg.BindDN)
		if _, errDN := ldap.ParseDN(strings.ReplaceAll(cfg.BindDN, UserMark, "x")); errDN != nil {
			err = errDN
		}
		if err != nil {
			return "", &ConfigError{"bind_dn_template", err}
		}
		return name, nil
	}
	if _, err := ldap.ParseDN(cfg.Search.Base); err != nil {
		return "", &ConfigError{"search.base", err}
	}
	name, err := NameAttribute(cfg.Search.Filter)
	if _, errFilter := ldap.CompileFilter(strings.ReplaceAll(cfg.Search.Filter, UserMark, "x")); errFilter != nil {
		err = errFilter
	}
	if err != nil {
		return "", &ConfigError{"search.filter", err}
	}
	return name, nil
}

func groupNames(g Groups) ([]*ldap.DN, error) {
	if _, err := ldap.ParseDN(g.Base); err != nil {
		return nil, &ConfigError{"groups.base", err}
	}
	if _, err := ldap.CompileFilter(strings.NewReplacer(UserMark, "x", EntryMark, "x").Replace(g.Filter)); g.Filter != "" && err != nil {
		return nil, &ConfigError{"groups.filter", err}
	}
	names := make([]*ldap.DN, len(g.Templates))
	for i, t := range g.Templates {
		var err error
		if names[i], err = ldap.ParseDN(t.Group); err != nil {
			return nil, &ConfigError{fmt.Sprintf("groups.templates[%d].group", i), err}
		}
	}
	return names, nil
}

func endpointOf(cfg Config) (*endpoint, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	port := map[string]string{"ldap": "389", "ldaps": "636"}[u.Scheme]
	if port == "" || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is not ldap://host or ldaps://host", cfg.URL)
	}
	at := &endpoint{address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port)), startTLS: cfg.StartTLS}
	if u.Scheme == "ldaps" || cfg.StartTLS {
		at.tls = &tls.Config{ServerName: u.Hostname(), RootCAs: cfg.Roots, MinVersion: tls.VersionTLS12}
	}
	return at, nil
}

// Close ends all connections. Nothing may be asked then.
func (p *Provider) Close() error {
	p.searches.close()
	p.binds.close()
	return nil
}

// Find is [auth.Provider.Find]: it judges passwords itself. The account has the name that
// the directory writes, which finds it in other spellings too: else one entry would be many
// accounts, each with a place of its own.
//
// Where names are made of a pattern, a directory does not tell unknown ones from wrong
// passwords, and both are [auth.ErrLogin].
func (p *Provider) Find(ctx context.Context, a auth.Attempt) (*auth.Found, error) {
	if a.Password == "" {
		// A bind without a password succeeds and proves nothing (RFC 4513 §5.1.2).
		return nil, auth.ErrLogin
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	if p.cfg.BindDN != "" {
		return p.findByBind(ctx, a)
	}
	return p.findBySearch(ctx, a)
}

// Check is [auth.Checker.Check]. Where names are made of a pattern the directory is only
// connected to: a bind would be a login.
func (p *Provider) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	if p.cfg.BindDN != "" {
		return p.binds.do(ctx, func(*ldap.Conn) error { return nil })
	}
	_, err := p.lookUp(ctx, "causeway-nobody")
	return err
}

// findBySearch looks for the entry and binds with its name. A name without an entry is
// given one that does not exist, so that it takes the same steps.
func (p *Provider) findBySearch(ctx context.Context, a auth.Attempt) (*auth.Found, error) {
	entry, err := p.lookUp(ctx, a.Name)
	if err != nil {
		return nil, err
	}
	if entry == nil {
		return nil, p.unknown(ctx, a.Password)
	}
	if err := p.bind(ctx, entry.DN, a.Password); err != nil {
		return nil, err
	}
	search := func(r *ldap.SearchRequest) ([]*ldap.Entry, error) { return p.searches.search(ctx, r) }
	groups, err := p.groupsOf(search, entry, a.Name)
	if err != nil {
		return nil, err
	}
	name, err := nameOf(entry.GetEqualFoldAttributeValues(p.named), a.Name)
	if err != nil {
		return nil, err
	}
	return p.found(name, entry, groups)
}

// unknown binds as nobody and returns ErrUnknown, unless the directory has something else
// to say.
func (p *Provider) unknown(ctx context.Context, password string) error {
	switch err := p.bind(ctx, nowhere+p.cfg.Search.Base, password); {
	case err == nil:
		return errBoundNowhere
	case errors.Is(err, auth.ErrLogin):
		return auth.ErrUnknown
	default:
		return err
	}
}

// nowhere is the first part of a name that no entry has.
const nowhere = "cn=causeway-nobody,"

var (
	errBoundNowhere = errors.New("the directory lets in who does not exist")
	errAmbiguous    = errors.New("the filter finds more than one entry")
	errUnreadable   = errors.New("the user's own entry is not shown to the user")
)

// lookUp returns the entry that has the name, nil if there is none.
func (p *Provider) lookUp(ctx context.Context, name string) (*ldap.Entry, error) {
	filter := strings.ReplaceAll(p.cfg.Search.Filter, UserMark, ldap.EscapeFilter(name))
	request := ldap.NewSearchRequest(p.cfg.Search.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 2, 0, false, filter, p.wanted, nil)
	entries, err := p.searches.search(ctx, request)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded), len(entries) > 1:
		return nil, errAmbiguous
	case err != nil:
		return nil, fmt.Errorf("search for an account: %w", err)
	case len(entries) == 0:
		return nil, nil
	}
	return entries[0], nil
}

// bind tells whether the password is that of the entry: ErrLogin if it is not.
func (p *Provider) bind(ctx context.Context, dn, password string) error {
	err := p.binds.do(ctx, func(c *ldap.Conn) error { return c.Bind(dn, password) })
	return judgeBind(err)
}

// judgeBind tells answers about the account from others.
func judgeBind(err error) error {
	switch {
	case err == nil:
		return nil
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication,
		ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax,
		ldap.LDAPResultConstraintViolation, ldap.LDAPResultUnwillingToPerform): // the last two: locked out
		return auth.ErrLogin
	}
	return fmt.Errorf("bind: %w", err)
}

// findByBind binds with a name made of the pattern, then reads the entry as its user.
func (p *Provider) findByBind(ctx context.Context, a auth.Attempt) (*auth.Found, error) {
	dn := strings.ReplaceAll(p.cfg.BindDN, UserMark, ldap.EscapeDN(a.Name))
	var entry *ldap.Entry
	var groups []string
	err := p.binds.do(ctx, func(c *ldap.Conn) (err error) {
		if err := judgeBind(c.Bind(dn, a.Password)); err != nil {
			return err
		}
		if entry, err = p.own(c, dn); err != nil {
			return err
		}
		groups, err = p.groupsOf(searchBy(c), entry, a.Name)
		return err
	})
	if err != nil {
		return nil, err
	}
	name, err := firstValue(entry.DN, p.named)
	if err != nil {
		return nil, err
	}
	return p.found(name, entry, groups)
}

// own reads the entry of who has bound.
func (p *Provider) own(c *ldap.Conn, dn string) (*ldap.Entry, error) {
	request := ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", p.wanted, nil)
	entries, err := searchBy(c)(request)
	switch {
	case err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return nil, fmt.Errorf("read the user's entry: %w", err)
	case len(entries) == 0:
		return nil, errUnreadable
	}
	return entries[0], nil
}
