package configs

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// vocabulary is what may stand between braces in a template.
type vocabulary struct {
	known func(mark string) bool
	right string
}

// providerMarks are those of the configuration: what a provider of accounts knows of a user
// is its own affair.
func providerMarks() vocabulary {
	return vocabulary{isName, "write " + UserMark + " where the user's name goes, " + HomeMark + " or another word for what a provider of accounts tells, and no other braces"}
}

// fileMarks are those of a users file, which says no more than the name and the home.
func fileMarks() vocabulary {
	known := func(mark string) bool { return "{"+mark+"}" == UserMark || "{"+mark+"}" == HomeMark }
	return vocabulary{known, "write " + UserMark + " where the user's name goes, " + HomeMark + " where its home does, and no other braces"}
}

func (c *checker) templates(templates map[string]Template, v vocabulary) {
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		t, field := templates[name], "templates."+name
		if len(t.Mounts) == 0 {
			c.wrong(field+".mounts", "there are none", "write at least one, such as {path: /, store: NAME, prefix: in/{user}/, rights: [write]}")
		}
		c.mounts(field+".mounts", t.Mounts)
		for at, text := range names(field+".mounts", t.Mounts) {
			c.marks(at, text, v)
		}
		c.networks(field+".networks", t.Networks)
		c.device(field, t.Profile, t.Device)
		c.accountLimits(field+".limits", t.Limits)
		c.accountCredentials(field+".credentials", t.Credentials)
	}
}

// marks reports braces that would be a text, one place for all who use the template, and
// marks that would make one place of several users' values.
func (c *checker) marks(field, text string, v vocabulary) {
	for segment := range strings.SplitSeq(text, "/") {
		var marks []string
		for before, mark := range cutMarks(segment) {
			if strings.ContainsAny(before, "{}") || mark != "" && !v.known(mark) || strings.Contains(segment, "{}") {
				c.wrong(field, fmt.Sprintf("%q has braces around something unknown", text), v.right)
				return
			}
			if mark != "" {
				marks = append(marks, "{"+mark+"}")
			}
		}
		c.neighbours(field, segment, marks)
	}
}

// neighbours judges the marks of one segment together.
func (c *checker) neighbours(field, segment string, marks []string) {
	others := slices.ContainsFunc(marks, func(m string) bool { return m != UserMark })
	switch {
	case slices.Contains(marks, HomeMark) && segment != HomeMark:
		c.wrong(field, fmt.Sprintf("%q has something beside %s, which may stand for several segments", segment, HomeMark),
			"put slashes around "+HomeMark)
	case slices.Contains(marks, UserMark) && others:
		c.wrong(field, fmt.Sprintf("%q may become the same for two users", segment), "put a slash between "+UserMark+" and other marks")
	}
}

// literal reports {user} where nothing is put in its place.
func (c *checker) literal(field string, mounts []Mount) {
	for at, text := range names(field, mounts) {
		if strings.Contains(text, UserMark) {
			c.wrong(at, UserMark+" stands for the name in templates only", "write the name itself, or move the mount to a template")
		}
	}
}

// names are the paths and prefixes of mounts, where they move what is old, and what is behind
// them, with their fields.
func names(field string, mounts []Mount) iter.Seq2[string, string] {
	return func(yield func(at, text string) bool) {
		for i, m := range mounts {
			at := fmt.Sprintf("%s[%d]", field, i)
			if !yield(at+".path", m.Path) || !yield(at+".prefix", m.Prefix) || !yield(at+".retention.to", m.Retention.To) ||
				!yield(at+".behind.path", m.Behind.Path) {
				return
			}
		}
	}
}

// apply gives the users what their templates say: those of the same file, or of the
// configuration around it. What is the same for every account comes last.
func (c *checker) apply(own, outer map[string]Template) {
	templates := maps.Clone(outer)
	if templates == nil {
		templates = map[string]Template{}
	}
	maps.Copy(templates, own)
	profiles := c.cfg.profiles()
	for i, u := range c.cfg.Users {
		u = c.applied(fmt.Sprintf("users[%d]", i), u, templates)
		u.Device = u.Device.or(profiles[u.Profile])
		u.Limits = u.Limits.Or(c.cfg.Limits.PerAccount)
		c.cfg.Users[i] = u
	}
}

// applied is a user with its template, if nothing is wrong with either.
func (c *checker) applied(field string, u User, templates map[string]Template) User {
	if u.Template == "" {
		if c.given(field+".template") && !c.has(field+".template") {
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
	}
	if c.inside("templates." + u.Template) {
		return u
	}
	values := map[string]string{}
	if u.Home != "" {
		values[HomeMark[1:len(HomeMark)-1]] = u.Home
	}
	applied, wrong := t.apply(u, values)
	switch {
	case wrong == nil:
		return applied
	case wrong.Name == HomeMark[1:len(HomeMark)-1] && u.Home != "":
		c.wrong(field+".home", wrong.wrong, "write a path below what the template says, such as partners/acme")
	case wrong.Name == UserMark[1:len(UserMark)-1]:
		c.wrong(field+".name", wrong.wrong, wrong.right)
	default:
		c.wrong(field+".template", wrong.Error(), wrong.right)
	}
	return u
}

func (c *checker) unknownTemplate(field, name string, templates map[string]Template) {
	names := slices.Sorted(maps.Keys(templates))
	right := "there are: " + strings.Join(names, ", ")
	if best := nearest(name, names); best != "" {
		right = fmt.Sprintf("did you mean %s?", best)
	} else if len(names) == 0 {
		right = "describe it under templates"
	}
	c.wrong(field, fmt.Sprintf("there is no template %q", name), right)
}
