package configs

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
)

// Template is what its users have in common. What a user says itself takes the place of
// what the template says.
type Template struct {
	Mounts   []Mount `yaml:"mounts"` // with marks in Path, Prefix, Retention.To and Behind.Path: [UserMark], [HomeMark], and others of the same form
	Profile  string  `yaml:"profile"`
	Device   `yaml:",inline"`
	Networks []netip.Prefix `yaml:"networks"`
	Limits   AccountLimits  `yaml:"limits"`

	Credentials map[string]Credentials `yaml:"credentials"` // see [User.Credentials]
}

// The marks of a template that mean something to it. UserMark stands for the user's name;
// no other mark shares its segment, so that no two users have one place. HomeMark is a
// whole segment by itself, since its value may be several: the home directory of an
// account that is kept elsewhere. All others stand for one segment or a part of one.
const (
	UserMark = "{user}"
	HomeMark = "{home}"
)

// ErrTemplate means that there is no template of a name.
var ErrTemplate = errors.New("no such template")

// ValueError is a value that cannot be put into a template. Its text never holds the value,
// which may be a stranger's.
type ValueError struct {
	Name  string // such as user; "" for what all of them together have made
	wrong string
	right string
}

func (e *ValueError) Error() string {
	if e.Name == "" {
		return e.wrong
	}
	return e.Name + ": " + e.wrong
}

// UserOf makes the user of a name, as a provider of accounts tells it, from a template of
// the configuration: all that the template says, and neither password nor end. values take
// the place of the marks, by their names without braces. ErrTemplate if there is no such
// template; a [*ValueError] for a name or value that is missing, or leads out of the place
// that the template gives it.
func (c *Config) UserOf(template, name string, values map[string]string) (User, error) {
	t, ok := c.Templates[template]
	if !ok {
		return User{}, ErrTemplate
	}
	u, wrong := t.apply(User{Name: name, Template: template}, values)
	if wrong != nil {
		return User{}, wrong
	}
	u.Device = u.Device.or(c.profiles()[u.Profile])
	u.Limits = u.Limits.Or(c.Limits.PerAccount)
	return u, nil
}

// apply gives a user what a template says and the user does not.
func (t Template) apply(u User, values map[string]string) (User, *ValueError) {
	u.Device = u.Device.or(t.Device)
	u.Profile = cmp.Or(u.Profile, t.Profile)
	u.Limits = u.Limits.Or(t.Limits)
	if len(u.Networks) == 0 {
		u.Networks = t.Networks
	}
	if len(u.Credentials) == 0 {
		u.Credentials = t.Credentials
	}
	if len(u.Mounts) > 0 {
		return u, nil
	}
	var wrong *ValueError
	u.Mounts, wrong = fill(t.Mounts, u.Name, values)
	return u, wrong
}

// fill puts a user's name and values in the place of the marks of a template's mounts.
func fill(template []Mount, name string, values map[string]string) ([]Mount, *ValueError) {
	filled := map[string]string{}
	for mark := range marks(template) {
		value, ok := values[mark]
		if mark == UserMark[1:len(UserMark)-1] {
			value = name
		} else if !ok {
			return nil, &ValueError{mark, "the template needs it, and the account has none", "choose another template, or write mounts"}
		}
		if mark == HomeMark[1:len(HomeMark)-1] {
			value = strings.Trim(value, "/")
		} else if strings.Contains(value, "/") {
			return nil, notSegment(mark)
		}
		for part := range strings.SplitSeq(value, "/") {
			if !segment(part) {
				return nil, notSegment(mark)
			}
		}
		filled[mark] = value
	}
	mounts := slices.Clone(template)
	for i := range mounts {
		m := &mounts[i]
		m.Path, m.Prefix = replaceMarks(m.Path, filled), replaceMarks(m.Prefix, filled)
		m.Retention.To, m.Behind.Path = replaceMarks(m.Retention.To, filled), replaceMarks(m.Behind.Path, filled)
	}
	return mounts, expanded(mounts)
}

func notSegment(mark string) *ValueError {
	return &ValueError{
		mark, "cannot be put into the paths of a template: it is, or has in it, what means something there",
		`choose a name without / and \ that is not ., .. or ` + reserved + ", or write mounts",
	}
}

// segment tells whether a value is one segment of a path, or a part of one, whatever stands
// around it: it leads neither up nor down.
func segment(value string) bool {
	return value != "" && printable(value) && !strings.ContainsAny(value, `/\`) && strings.Trim(value, ".") != "" && value != reserved
}

// expanded judges what values have made of mounts that are right by themselves.
func expanded(mounts []Mount) *ValueError {
	seen := map[string]bool{}
	for _, m := range mounts {
		switch {
		case len(m.Path) > maxPath, len(m.Prefix) > maxPath, len(m.Retention.To) > maxPath, len(m.Behind.Path) > maxPath:
			return &ValueError{"", "with this name a path is too long", fmt.Sprintf("choose a name with which all have at most %d bytes", maxPath)}
		case hasReserved(m.Path), hasReserved(m.Prefix), hasReserved(m.Retention.To), hasReserved(m.Behind.Path):
			return &ValueError{"", "with this name a path is the gateway's own, " + reserved, "choose another name"}
		case m.Retention.returns(m.Prefix):
			return &ValueError{"", "with this name what is moved out of a mount for its age comes into it again", "choose another name, or write mounts"}
		case seen[m.Path]:
			return &ValueError{"", fmt.Sprintf("with this name %q is mounted twice", m.Path), "choose another name, or write mounts"}
		}
		seen[m.Path] = true
	}
	return nil
}

// marks are the names of all marks in the mounts, some of them more than once.
func marks(mounts []Mount) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, text := range names("", mounts) {
			for _, mark := range cutMarks(text) {
				if mark != "" && !yield(mark) {
					return
				}
			}
		}
	}
}

// replaceMarks puts values in the place of the marks of a text, all at once: a value that
// looks like a mark stays what it is.
func replaceMarks(text string, values map[string]string) string {
	var b strings.Builder
	for before, mark := range cutMarks(text) {
		b.WriteString(before + values[mark])
	}
	return b.String()
}

// cutMarks yields the text before each mark with the name of the mark, and at last what
// follows them with "".
func cutMarks(text string) iter.Seq2[string, string] {
	return func(yield func(before, mark string) bool) {
		for {
			before, rest, opened := strings.Cut(text, "{")
			mark, after, closed := strings.Cut(rest, "}")
			if !opened || !closed {
				yield(text, "")
				return
			}
			if !yield(before, mark) {
				return
			}
			text = after
		}
	}
}
