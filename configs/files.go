package configs

import (
	"iter"
	"path/filepath"
)

// FileUse is what the gateway does with a file or folder that the configuration names.
type FileUse int

// The uses.
const (
	ReadUse    FileUse = iota // a file that is read, and read again when another takes its place
	AppendUse                 // a file that is appended to, and made anew once it is gone
	KeepUse                   // a folder in which files are made, changed and removed
	ReplaceUse                // a file that is read, and in whose place another is put
)

// Files are the configuration file itself and all files and folders that it names, each
// with its use. What is not among them the gateway need not touch.
func (c *Config) Files() iter.Seq2[string, FileUse] {
	return func(yield func(string, FileUse) bool) {
		more := c.source.file == "" || yield(c.source.file, ReadUse)
		c.eachFile(func(path *string, use FileUse) {
			more = more && (*path == "" || yield(*path, use))
		})
	}
}

// eachFile visits all places for a path, also those that are empty. A new one is a line
// here: it is then relative to the configuration's directory and open to the gateway.
func (c *Config) eachFile(visit func(path *string, use FileUse)) {
	visit(&c.TLS.Certificate, ReadUse)
	visit(&c.TLS.Key, ReadUse)
	visit(&c.Spool.Dir, KeepUse)
	visit(&c.Audit.File, AppendUse)
	for i := range c.Accounts {
		use := ReadUse
		if c.Accounts[i].Rehash {
			use = ReplaceUse
		}
		visit(&c.Accounts[i].File, use)
		if h := c.Accounts[i].HTTP; h != nil {
			visit(&h.CA, ReadUse)
		}
		if a := c.Accounts[i].Certificate; a != nil {
			visit(&a.CA, ReadUse)
			visit(&a.CRL, ReadUse)
		}
		if l := c.Accounts[i].LDAP; l != nil {
			visit(&l.CA, ReadUse)
		}
		if s := c.Accounts[i].SQL; s != nil {
			visit(&s.CA, ReadUse)
			visit(&s.DSNFile, ReadUse)
		}
		if l := c.Accounts[i].Learn; l != nil {
			visit(&l.CA, ReadUse)
			if !c.intoStore(l) {
				visit(&l.Into, ReplaceUse)
			}
		}
	}
	for name, s := range c.Stores {
		visit(&s.Path, KeepUse)
		visit(&s.CredentialsFile, ReadUse)
		visit(&s.CA, ReadUse)
		c.Stores[name] = s
	}
	for _, t := range c.Templates {
		eachCredentialsFile(t.Credentials, visit)
	}
	for _, u := range c.Users {
		eachCredentialsFile(u.Credentials, visit)
	}
}

// eachCredentialsFile visits those of an account, or of a template.
func eachCredentialsFile(all map[string]Credentials, visit func(path *string, use FileUse)) {
	for store, c := range all {
		visit(&c.CredentialsFile, ReadUse)
		all[store] = c
	}
}

// resolvePaths makes the paths that are relative relative to dir.
func (c *Config) resolvePaths(dir string) {
	c.eachFile(func(path *string, _ FileUse) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	})
}
