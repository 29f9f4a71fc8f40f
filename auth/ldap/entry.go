package ldap

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"

	"causeway/auth"
)

// Attributes that close an account or end it.
const (
	adControl    = "userAccountControl" // Active Directory, MS-ADTS 2.2.16
	adExpires    = "accountExpires"     // Active Directory, MS-ADA1 2.1
	shadowExpire = "shadowExpire"       // RFC 2307 §3
	nsLock       = "nsAccountLock"      // 389 Directory Server, FreeIPA
)

func entryAttributes() []string { return []string{adControl, adExpires, shadowExpire, nsLock} }

var (
	nameInFilter = regexp.MustCompile(`\(\s*([A-Za-z][A-Za-z0-9;.-]*)\s*=` + regexp.QuoteMeta(UserMark) + `\)`)
	nameInDN     = regexp.MustCompile(`^\s*([A-Za-z][A-Za-z0-9.-]*)\s*=` + regexp.QuoteMeta(UserMark) + `\s*,`)
)

// ErrNoName is a filter or pattern that compares no attribute with UserMark alone.
var ErrNoName = errors.New("nothing tells which attribute has the account's name")

// NameAttribute is the attribute that has the account's name: the first that a filter
// compares with UserMark, as in (uid={user}), or that of the pattern of a name, as in
// uid={user},ou=people,dc=example,dc=org. ErrNoName if there is none.
func NameAttribute(text string) (string, error) {
	form := nameInDN
	if strings.HasPrefix(text, "(") {
		form = nameInFilter
	}
	m := form.FindStringSubmatch(text)
	if m == nil {
		return "", ErrNoName
	}
	return m[1], nil
}

// nameOf is the account's name: of its attribute's values the one that was asked for, in
// the directory's spelling. If it was found by another attribute it is the first.
func nameOf(values []string, asked string) (string, error) {
	sorted := slices.Sorted(slices.Values(values))
	for _, same := range []func(v string) bool{
		func(v string) bool { return norm.NFC.String(v) == asked },
		func(v string) bool { return strings.EqualFold(norm.NFC.String(v), asked) },
		func(string) bool { return true },
	} {
		if i := slices.IndexFunc(sorted, same); i >= 0 {
			return canonical(sorted[i])
		}
	}
	return "", errNameless
}

var errNameless = errors.New("the entry does not show its name")

func canonical(name string) (string, error) {
	c, ok := auth.Canonical(name)
	if !ok {
		return "", auth.ErrName
	}
	return c, nil
}

// firstValue is an attribute's in the first part of an entry's name.
func firstValue(dn, attribute string) (string, error) {
	parsed, err := ldap.ParseDN(dn)
	if err != nil || len(parsed.RDNs) == 0 {
		return "", errNameless
	}
	for _, a := range parsed.RDNs[0].Attributes {
		if strings.EqualFold(a.Type, attribute) {
			return canonical(a.Value)
		}
	}
	return "", errNameless
}

// maxGroups bounds how many groups of one user are read.
const maxGroups = 1000

// groupsOf returns the names of the user's groups, as far as they matter.
func (p *Provider) groupsOf(search searchFunc, e *ldap.Entry, name string) ([]string, error) {
	g := p.cfg.Groups
	if g.Filter == "" {
		return e.GetEqualFoldAttributeValues(g.Attribute), nil
	}
	filter := strings.NewReplacer(UserMark, ldap.EscapeFilter(name), EntryMark, ldap.EscapeFilter(e.DN)).Replace(g.Filter)
	request := ldap.NewSearchRequest(g.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, maxGroups, 0, false, filter, []string{"1.1"}, nil)
	entries, err := search(request)
	if err != nil {
		return nil, fmt.Errorf("search for groups: %w", err)
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.DN
	}
	return names, nil
}

// templateOf is that of the first group that the user is in; "" if there is none.
func (p *Provider) templateOf(groups []string) (string, error) {
	member := make([]*ldap.DN, 0, len(groups))
	for _, group := range groups {
		dn, err := ldap.ParseDN(group)
		if err != nil {
			return "", fmt.Errorf("group %q: %w", group, err)
		}
		member = append(member, dn)
	}
	for i, group := range p.groups {
		if slices.ContainsFunc(member, group.EqualFold) {
			return p.cfg.Groups.Templates[i].Template, nil
		}
	}
	return "", nil
}

// found is what the entry says of the account.
func (p *Provider) found(name string, e *ldap.Entry, groups []string) (*auth.Found, error) {
	template, err := p.templateOf(groups)
	if err != nil {
		return nil, err
	}
	f := &auth.Found{Name: name, Right: true, Template: template, Values: map[string]string{}}
	for mark, attribute := range p.cfg.Values {
		if values := e.GetEqualFoldAttributeValues(attribute); len(values) > 0 {
			f.Values[mark] = values[0]
		}
	}
	if f.Disabled, err = disabled(e); err != nil {
		return nil, err
	}
	if f.Expires, err = expires(e); err != nil {
		return nil, err
	}
	return f, nil
}

// disabled is ADS_UF_ACCOUNTDISABLE, or 389's lock.
func disabled(e *ldap.Entry) (bool, error) {
	if strings.EqualFold(e.GetEqualFoldAttributeValue(nsLock), "true") {
		return true, nil
	}
	flags, err := number(e, adControl)
	return flags&2 != 0, err
}

// expires is the earlier of what Active Directory and shadow(5) say; zero for never.
func expires(e *ldap.Entry) (time.Time, error) {
	ticks, err := number(e, adExpires)
	if err != nil {
		return time.Time{}, err
	}
	days, err := number(e, shadowExpire)
	if err != nil {
		return time.Time{}, err
	}
	var end time.Time
	const never = 1<<63 - 1
	if ticks > 0 && ticks != never {
		// Of 100 ns, since 1601.
		end = time.Unix(ticks/10_000_000-11_644_473_600, 0).UTC()
	}
	if day := time.Unix(0, 0).UTC().AddDate(0, 0, int(min(days, 1e6))); days > 0 && (end.IsZero() || day.Before(end)) {
		end = day
	}
	return end, nil
}

// number is an attribute's, 0 if there is none.
func number(e *ldap.Entry, attribute string) (int64, error) {
	text := e.GetEqualFoldAttributeValue(attribute)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("attribute %s: %w", attribute, err)
	}
	return n, nil
}
