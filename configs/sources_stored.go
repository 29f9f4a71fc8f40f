package configs

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// HasUsers tells whether the source is a users file, on a disk or in a store.
func (a AccountSource) HasUsers() bool { return a.File != "" || a.Store != "" }

// Place names the users file of the source, for people.
func (a AccountSource) Place() string {
	if a.Store != "" {
		return a.Store + ":" + a.Key
	}
	return a.File
}

// storedUsers judges where in a store a users file is, unless the source is of another kind.
func (c *checker) storedUsers(field string, i int) {
	a := c.cfg.Accounts[i]
	if !c.given(field + ".store") {
		return
	}
	c.mountStore(field+".store", a.Store)
	c.filled(field+".key", a.Key, "name the object, such as "+reserved+"/users.yaml, which no account can reach")
	if a.Key != "" && (a.Key != strings.TrimPrefix(path.Clean("/"+a.Key), "/") || len(a.Key) > maxPath || !printable(a.Key)) {
		c.wrong(field+".key", fmt.Sprintf("%q is not a key for a users file", a.Key), "write one such as "+reserved+"/users.yaml")
	}
	first := slices.IndexFunc(c.cfg.Accounts, func(o AccountSource) bool { return o.Store == a.Store && o.Key == a.Key })
	if first < i {
		c.wrong(field+".key", fmt.Sprintf("is that of accounts[%d] too", first), "name each file once")
	}
}

// keptApart reports a mount through which an account could read or replace a users file,
// whatever stands for the marks of a template: by its prefix, or by what it moves away.
func (c *checker) keptApart(field string, m Mount) {
	for _, a := range c.cfg.Accounts {
		if a.Store == "" || a.Store != m.Store || hasReserved(a.Key) {
			continue
		}
		judge := func(field, prefix string) {
			if within(a.Key, prefix) {
				c.wrong(field, fmt.Sprintf("covers %s, where the accounts are", a.Place()),
					"move the users file to "+reserved+"/users.yaml, which no account can reach, or choose another prefix")
			}
		}
		judge(field+".prefix", m.Prefix)
		if m.Retention.To != "" {
			judge(field+".retention.to", m.Retention.To)
		}
	}
}

// outsideStores reports a users file on the disk that is an object of a store too: under
// its own name, or under that of a link to it.
func (c *checker) outsideStores(field, file string) {
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Stores)) {
		bucket := c.bucket(name)
		if c.cfg.Stores[name].Kind != LocalDir || bucket == "" {
			continue
		}
		link := filepath.Join(c.host.directory(filepath.Dir(file)), filepath.Base(file))
		for _, path := range []string{link, c.host.directory(file)} {
			key, inside := strings.CutPrefix("localdir:"+filepath.ToSlash(path), bucket)
			if inside && !hasReserved(key) {
				c.wrong(field, "is in the store "+name+", where accounts may reach it", "move it out of the store's folder")
			}
		}
	}
}

// within tells whether a key may begin with a prefix that may have marks.
func within(key, prefix string) bool {
	var pattern strings.Builder
	for before, mark := range cutMarks(prefix) {
		pattern.WriteString(regexp.QuoteMeta(before))
		switch "{" + mark + "}" {
		case "{}":
		case HomeMark:
			pattern.WriteString(".+")
		default:
			pattern.WriteString("[^/]+")
		}
	}
	covered, err := regexp.MatchString("^"+pattern.String(), key)
	return covered || err != nil
}
