package configs

// UsersFile is the form of a users file.
type UsersFile struct {
	Templates map[string]Template `yaml:"templates"`
	Users     []User              `yaml:"users"`

	source source
}

// ParseUsers reads and checks the text of a users file, whose accounts use the stores of
// the configuration, and its templates where the file has none of the name. There are no
// variables in it: it is read by the gateway and by who edits it, and their environments
// differ. The error is [Problems]; path is for its text.
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
	check := checker{report: r, cfg: &Config{TLS: c.TLS, Stores: c.Stores, Accounts: c.Accounts, Profiles: c.Profiles, Users: f.Users, Hashes: c.Hashes, Limits: c.Limits}, hashes: hashForms()}
	check.templates(f.Templates, fileMarks())
	check.users()
	check.apply(f.Templates, c.Templates)
	check.keeps(f.Users)
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
