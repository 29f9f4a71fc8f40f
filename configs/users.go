package configs

import (
	"cmp"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
)

// AccountSource is a provider of accounts beside [Config.Users]. They are asked in order,
// after those users, and the first that has a name decides.
type AccountSource struct {
	File string `yaml:"file"` // a users file; see [Config.ParseUsers]
}

// UsersFile is the form of a users file.
type UsersFile struct {
	Templates map[string]Template `yaml:"templates"`
	Users     []User              `yaml:"users"`

	source source
}

// Template is what its users have in common. What a user says itself takes the place of
// what the template says.
type Template struct {
	Charset     string         `yaml:"charset"`
	Mounts      []Mount        `yaml:"mounts"` // [UserMark] in Path and Prefix is the user's name
	Incomplete  Incomplete     `yaml:"incomplete"`
	CloseNotify CloseNotify    `yaml:"require_close_notify"`
	ALLO        ALLO           `yaml:"allo"`
	Networks    []netip.Prefix `yaml:"networks"`

	Credentials map[string]Credentials `yaml:"credentials"` // see [User.Credentials]
}

// UserMark stands for a user's name in a template.
const UserMark = "{user}"

// ParseUsers reads and checks the text of a users file, whose accounts use the stores of
// the configuration. There are no variables in it: it is read by the gateway and by who
// edits it, and their environments differ. The error is [Problems]; path is for its text.
func (c *Config) ParseUsers(path string, data []byte) (*UsersFile, error) {
	r := newReport(path)
	root, err := document(data)
	if err != nil {
		r.problems = append(r.problems, syntaxProblem(path, data, err))
		return nil, r.err()
	}
	var f UsersFile
	d := decoder{report: r}
	d.decode(root, &f)
	check := checker{report: r, cfg: &Config{Stores: c.Stores, Users: f.Users}, hashes: hashForms()}
	check.templates(f.Templates)
	check.users()
	for i, u := range f.Users {
		f.Users[i] = check.applied(i, u, f.Templates)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	f.source = r.source
	return &f, nil
}

// Problem is as [Config.Problem].
func (f *UsersFile) Problem(field, wrong, right string) error {
	return f.source.problem(field, wrong, right)
}

// apply gives a user what a template says and the user does not.
func (t Template) apply(u User) User {
	u.Charset = cmp.Or(u.Charset, t.Charset)
	u.Incomplete = cmp.Or(u.Incomplete, t.Incomplete)
	u.CloseNotify = cmp.Or(u.CloseNotify, t.CloseNotify)
	u.ALLO = cmp.Or(u.ALLO, t.ALLO)
	if len(u.Networks) == 0 {
		u.Networks = t.Networks
	}
	if len(u.Credentials) == 0 {
		u.Credentials = t.Credentials
	}
	if len(u.Mounts) > 0 {
		return u
	}
	u.Mounts = slices.Clone(t.Mounts)
	for i := range u.Mounts {
		m := &u.Mounts[i]
		m.Path = strings.ReplaceAll(m.Path, UserMark, u.Name)
		m.Prefix = strings.ReplaceAll(m.Prefix, UserMark, u.Name)
	}
	return u
}

// sameFile tells whether two paths name one file, as far as names can tell.
func sameFile(a, b string) bool { return filepath.Clean(a) == filepath.Clean(b) }
