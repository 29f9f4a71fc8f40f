package configs

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// reserved is the path segment that the gateway keeps for itself (backends.Reserved).
const reserved = ".causeway"

// maxPath bounds mount paths and prefixes in octets; no store has longer keys.
const maxPath = 1024

// maxName bounds user names in octets.
const maxName = 255

// somebody reports a configuration with which nobody could ever log in.
func (c *checker) somebody() {
	if len(c.cfg.Users)+len(c.cfg.Accounts) == 0 && !c.cfg.Anonymous.Enabled() &&
		!c.has("users") && !c.has("accounts") && !c.has("anonymous") {
		c.wrong("users", "nobody can log in", "write at least one user, anonymous mounts, or accounts: [{file: users.yaml}]")
	}
}

func (c *checker) users() {
	seen := map[string]int{}
	for i, u := range c.cfg.Users {
		field := fmt.Sprintf("users[%d]", i)
		c.userName(field+".name", u.Name)
		if first, ok := seen[u.Name]; ok && u.Name != "" {
			c.wrong(field+".name", fmt.Sprintf("%q is the name of users[%d] too", u.Name, first), "give each account its own name")
		} else {
			seen[u.Name] = i
		}
		c.password(field+".password", u.Password)
		c.networks(field+".networks", u.Networks)
		c.device(field, u.Profile, u.Device)
		c.accountLimits(field+".limits", u.Limits)
		c.accountCredentials(field+".credentials", u.Credentials)
		if u.Template == "" && !c.has(field+".template") {
			c.ownMounts(field+".mounts", u.Mounts)
		}
	}
}

// ownMounts are those of a user without a template.
func (c *checker) ownMounts(field string, mounts []Mount) {
	if len(mounts) == 0 {
		c.wrong(field, "there are none", "write at least one, such as {path: /, store: NAME, rights: [list, read]}")
	}
	c.mounts(field, mounts)
	c.literal(field, mounts)
}

func (c *checker) userName(field, name string) {
	switch {
	case !c.required(field, "write the name to log in with"):
	case name == "":
		c.wrong(field, "is empty", "write the name to log in with")
	case strings.EqualFold(name, "anonymous"), strings.EqualFold(name, "ftp"):
		c.wrong(field, "is the name of the anonymous account", "choose another name, or use the anonymous section")
	case !CanBeName(name):
		c.wrong(field, "cannot be a name", fmt.Sprintf("use at most %d bytes, no control or invisible characters and no space at the ends", maxName))
	}
}

// CanBeName tells whether a user of a users file may have a name, as far as its characters go.
func CanBeName(name string) bool {
	return name != "" && len(name) <= maxName && strings.TrimSpace(name) == name && printable(name) && !strings.ContainsFunc(name, unseen)
}

// anonymousMounts are the mounts of the anonymous account, with its rights.
func anonymousMounts(a Anonymous) []Mount {
	mounts := make([]Mount, len(a.Mounts))
	for i, m := range a.Mounts {
		mounts[i] = Mount{Path: m.Path, Store: m.Store, Prefix: m.Prefix, Hide: m.Hide, Behind: m.Behind, Rights: []Right{List, Read}}
	}
	return mounts
}

func (c *checker) mounts(field string, mounts []Mount) {
	seen := map[string]int{}
	for i, m := range mounts {
		at := fmt.Sprintf("%s[%d]", field, i)
		c.mountPath(at+".path", m.Path)
		if first, ok := seen[m.Path]; ok && m.Path != "" {
			c.wrong(at+".path", fmt.Sprintf("%q is mounted by %s[%d] too", m.Path, field, first), "mount each path once; mounts may nest")
		} else {
			seen[m.Path] = i
		}
		c.mountStore(at+".store", m.Store)
		c.prefix(at+".prefix", m.Prefix)
		c.keptApart(at, m)
		c.rights(at+".rights", m.Rights)
		c.patterns(at+".hide", m.Hide)
		c.patterns(at+".deny", m.Deny)
		c.renames(at+".rename_directory_max", m.RenameMax)
		c.quota(at+".quota", m.Quota)
		c.retention(at+".retention", m)
		c.behind(at+".behind", m)
	}
}

func (c *checker) mountPath(field, p string) {
	if !c.required(field, "write where the mount shows, such as / or /in") {
		return
	}
	clean := path.Clean("/" + p)
	switch {
	case hasReserved(p):
		c.wrong(field, reserved+" is the gateway's own", "choose another path")
	case len(p) > maxPath || !printable(p) || strings.Contains(p, `\`):
		c.wrong(field, "cannot be a path", fmt.Sprintf("use at most %d bytes of UTF-8 without backslash or control characters", maxPath))
	case !strings.HasPrefix(p, "/"):
		c.wrong(field, fmt.Sprintf("%q is not absolute", p), "write "+clean)
	case p != clean:
		c.wrong(field, fmt.Sprintf("%q is not in its shortest form", p), "write "+clean)
	}
}

func (c *checker) mountStore(field, name string) {
	names := slices.Sorted(maps.Keys(c.cfg.Stores))
	if c.required(field, "name one of the stores: "+strings.Join(names, ", ")) && !slices.Contains(names, name) {
		c.unknownStore(field, name)
	}
}

func (c *checker) unknownStore(field, name string) {
	names := slices.Sorted(maps.Keys(c.cfg.Stores))
	right := "there are: " + strings.Join(names, ", ")
	if best := nearest(name, names); best != "" {
		right = fmt.Sprintf("did you mean %s?", best)
	} else if len(names) == 0 {
		right = "describe it under stores"
	}
	c.wrong(field, fmt.Sprintf("there is no store %q", name), right)
}

func (c *checker) prefix(field, prefix string) {
	if prefix == "" {
		return
	}
	clean := strings.TrimPrefix(path.Clean("/"+prefix), "/") + "/"
	switch {
	case hasReserved(prefix):
		c.wrong(field, reserved+" is the gateway's own", "choose another prefix")
	case len(prefix) > maxPath || !printable(prefix) || strings.Contains(prefix, `\`):
		c.wrong(field, "cannot be a prefix of keys", fmt.Sprintf("use at most %d bytes of UTF-8 without backslash or control characters", maxPath))
	case clean == "/":
		c.wrong(field, fmt.Sprintf("%q is not a prefix of keys", prefix), `write "" for the whole store`)
	case prefix != clean && strings.TrimSuffix(clean, "/") == prefix:
		c.wrong(field, fmt.Sprintf("%q does not end in a slash", prefix), fmt.Sprintf("write %s, or else keys such as %s-other would be inside", clean, prefix))
	case prefix != clean:
		c.wrong(field, fmt.Sprintf("%q has a leading slash, an empty segment, or a segment of dots", prefix), "write "+clean)
	}
}

func (c *checker) rights(field string, rights []Right) {
	if len(rights) == 0 {
		c.wrong(field, "there are none", fmt.Sprintf("write a list of %s", strings.Join(Right("").choices(), ", ")))
	}
	for i, r := range rights {
		if slices.Contains(rights[:i], r) && r != "" {
			c.wrong(fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("%s is listed twice", r), "remove one of them")
		}
	}
}

// hasReserved tells whether one of the segments of p is the gateway's own.
func hasReserved(p string) bool {
	return slices.Contains(strings.Split(p, "/"), reserved)
}

// printable tells whether s is UTF-8 without control characters.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// unseen tells of characters that a name may not have, since nobody sees them.
func unseen(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
