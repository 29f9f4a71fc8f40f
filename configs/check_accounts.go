package configs

import (
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// accounts judges where accounts come from, not what is found there.
func (c *checker) accounts() {
	for i, a := range c.cfg.Accounts {
		field := fmt.Sprintf("accounts[%d].file", i)
		c.filled(field, a.File, "name a users file, such as users.yaml")
		first := slices.IndexFunc(c.cfg.Accounts, func(o AccountSource) bool { return sameFile(o.File, a.File) })
		if a.File != "" && first < i {
			c.wrong(field, fmt.Sprintf("is that of accounts[%d] too", first), "name each file once")
		}
	}
	for i, u := range c.cfg.Users {
		if u.Template != "" {
			c.wrong(fmt.Sprintf("users[%d].template", i), "there are no templates here",
				"write mounts, or move the user to a users file (accounts: [{file: users.yaml}])")
		}
	}
}

func (c *checker) networks(field string, networks []netip.Prefix) {
	for i, n := range networks {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case n.Addr().Is4In6():
			c.wrong(at, "IPv4 clients are known by their IPv4 addresses", "write an IPv4 network, such as 10.0.0.0/8")
		case n != n.Masked():
			c.wrong(at, "the address has bits beyond the prefix length", "write "+n.Masked().String())
		}
	}
}

func (c *checker) templates(templates map[string]Template) {
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		t, field := templates[name], "templates."+name
		if len(t.Mounts) == 0 {
			c.wrong(field+".mounts", "there are none", "write at least one, such as {path: /, store: NAME, prefix: in/{user}/, rights: [write]}")
		}
		c.mounts(field+".mounts", t.Mounts)
		c.marks(field+".mounts", t.Mounts)
		c.networks(field+".networks", t.Networks)
		c.accountCredentials(field+".credentials", t.Credentials)
	}
}

// marks reports braces around anything else than the user: as a text they would be one
// place for all who use the template.
func (c *checker) marks(field string, mounts []Mount) {
	for at, text := range names(field, mounts) {
		if strings.ContainsAny(strings.ReplaceAll(text, UserMark, ""), "{}") {
			c.wrong(at, fmt.Sprintf("%q has braces around something unknown", text),
				"write "+UserMark+" where the user's name goes, and no other braces")
		}
	}
}

// literal reports {user} where nothing is put in its place.
func (c *checker) literal(field string, mounts []Mount) {
	for at, text := range names(field, mounts) {
		if strings.Contains(text, UserMark) {
			c.wrong(at, UserMark+" stands for the name in templates only",
				"write the name itself, or move the mount to a template of a users file")
		}
	}
}

// names are the paths and prefixes of mounts with their fields.
func names(field string, mounts []Mount) iter.Seq2[string, string] {
	return func(yield func(at, text string) bool) {
		for i, m := range mounts {
			at := fmt.Sprintf("%s[%d]", field, i)
			if !yield(at+".path", m.Path) || !yield(at+".prefix", m.Prefix) {
				return
			}
		}
	}
}

// applied is a user with its template, if nothing is wrong with either.
func (c *checker) applied(i int, u User, templates map[string]Template) User {
	field := fmt.Sprintf("users[%d]", i)
	if u.Template == "" {
		if c.given(field + ".template") {
			c.wrong(field+".template", "is empty", "name a template, or remove the key")
		}
		return u
	}
	t, ok := templates[u.Template]
	if !ok {
		c.unknownTemplate(field+".template", u.Template, templates)
		return u
	}
	if len(u.Mounts) > 0 {
		c.mounts(field+".mounts", u.Mounts)
		c.literal(field+".mounts", u.Mounts)
		return t.apply(u)
	}
	if slices.ContainsFunc(t.Mounts, marked) && !segment(u.Name) {
		c.wrong(field+".name", "cannot be put into the paths of a template: it is, or has in it, what means something there",
			`choose a name without / and \ that is not ., .. or `+reserved+", or write mounts")
		return u
	}
	u = t.apply(u)
	if !c.inside("templates." + u.Template) {
		c.expanded(field+".template", u)
	}
	return u
}

func (c *checker) unknownTemplate(field, name string, templates map[string]Template) {
	names := slices.Sorted(maps.Keys(templates))
	right := "there are: " + strings.Join(names, ", ")
	if best := nearest(name, names); best != "" {
		right = fmt.Sprintf("did you mean %s?", best)
	} else if len(names) == 0 {
		right = "describe it under templates, in this file"
	}
	c.wrong(field, fmt.Sprintf("there is no template %q", name), right)
}

func marked(m Mount) bool {
	return strings.Contains(m.Path, UserMark) || strings.Contains(m.Prefix, UserMark)
}

// segment tells whether a name is one segment of a path, or a part of one, whatever stands
// around it: it leads neither up nor down.
func segment(name string) bool {
	return name != "" && !strings.ContainsAny(name, `/\`) && strings.Trim(name, ".") != "" && name != reserved
}

// expanded judges what the name has made of a template that is right by itself.
func (c *checker) expanded(field string, u User) {
	seen := map[string]bool{}
	for _, m := range u.Mounts {
		switch {
		case len(m.Path) > maxPath, len(m.Prefix) > maxPath:
			c.wrong(field, "with this name a path is too long", fmt.Sprintf("choose a name with which all have at most %d bytes", maxPath))
		case hasReserved(m.Path), hasReserved(m.Prefix):
			c.wrong(field, "with this name a path is the gateway's own, "+reserved, "choose another name")
		case seen[m.Path]:
			c.wrong(field, fmt.Sprintf("with this name %q is mounted twice", m.Path), "choose another name, or write mounts")
		}
		seen[m.Path] = true
	}
}
