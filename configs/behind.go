package configs

import "strings"

// Behind is another store that has, until they are here, the files of a mount's keys. The
// zero value is none.
type Behind struct {
	Store string     `yaml:"store"` // a key of Config.Stores
	Path  string     `yaml:"path"`  // of the directory that is like the mount's, from the root of that store; absolute
	Until Date       `yaml:"until"` // the last day; the zero Date is for good
	Copy  BehindCopy `yaml:"copy"`  // "" is BehindNever
}

// BehindCopy says whether what is read from behind is stored here.
type BehindCopy string

// When it may be.
const (
	BehindNever  BehindCopy = "never"   // the default
	BehindOnRead BehindCopy = "on_read" // on its way to the client
)

func (BehindCopy) choices() []string { return []string{string(BehindNever), string(BehindOnRead)} }

// Enabled tells whether there is anything behind.
func (b Behind) Enabled() bool { return b.Store != "" }

// Prefix is that of the keys behind: "" or ending in "/".
func (b Behind) Prefix() string {
	if path := strings.Trim(b.Path, "/"); path != "" {
		return path + "/"
	}
	return ""
}

// Mounted are the stores that are mounted, and those with accounts, each once or more often.
func (c *Config) Mounted() []string {
	var names []string
	add := func(mounts []Mount) {
		for _, m := range mounts {
			names = append(names, m.Store)
		}
	}
	for _, u := range c.Users {
		add(u.Mounts)
	}
	for _, t := range c.Templates {
		add(t.Mounts)
	}
	add(anonymousMounts(c.Anonymous))
	for _, a := range c.Accounts {
		names = append(names, a.Store)
	}
	return names
}

// removeOne is what to do about a retention of keys that have something behind.
const removeOne = "remove one of the two until nothing is behind any more"

// behind judges what is behind a mount, and what does not go together with it.
func (c *checker) behind(field string, m Mount) {
	mirror := strings.TrimSuffix(field, ".behind") + ".mirror_writes"
	if !c.given(field) {
		if m.MirrorWrites {
			c.wrong(mirror, "there is nothing behind the mount", "write behind: {store: NAME, path: /}, or remove the key")
		}
		return
	}
	if c.has(field) {
		return
	}
	c.mountStore(field+".store", m.Behind.Store)
	if m.Behind.Store == m.Store && m.Store != "" {
		c.wrong(field+".store", "is the mount's own", "name the store that the files come from")
	}
	c.behindPath(field+".path", m.Behind.Path)
	if m.Retention.Enabled() {
		c.wrong(field, "there is a retention too, and what it ends would come back from there",
			removeOne)
	}
}

func (c *checker) behindPath(field, path string) {
	if !c.required(field, "write the directory that is behind the mount, such as / or /home/bob") {
		return
	}
	c.mountPath(field, path)
}
