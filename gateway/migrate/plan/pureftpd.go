package plan

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// pureftpd is a configuration of Pure-FTPd (pure-ftpd(8)), of one of three forms: Debian's
// directory with a file for each option, a pure-ftpd.conf, or a command line.
type pureftpd struct {
	*Plan
	fsys  fs.FS
	files int
	open  []string
	by    map[string]directive // by lower-case name, the last of each
	all   []directive
	links []string // of Debian's auth directory; nil elsewhere
	login []directive
}

func readPureFTPd(fsys fs.FS, name string, p *Plan) error {
	r := &pureftpd{Plan: p, fsys: fsys, by: map[string]directive{}}
	if err := r.read(name); err != nil {
		return err
	}
	r.carry()
	known := pureFates()
	for _, d := range r.all {
		if f, ok := known[strings.ToLower(d.name)]; ok {
			f.apply(p, d)
		} else {
			p.note(d, "is unknown: pure-ftpd(8) has no such option")
		}
	}
	slices.SortStableFunc(p.Notes, func(a, b Note) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	return nil
}

// read tells the form.
func (r *pureftpd) read(name string) error {
	info, err := fs.Stat(r.fsys, name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		if path.Base(name) == "conf" {
			name = path.Dir(name)
		}
		return r.debian(name)
	}
	text, err := readFile(r.fsys, name)
	if err != nil {
		return err
	}
	if words, ok := commandLine(text); ok {
		r.arguments(name, words)
		return nil
	}
	return r.conf(name, text)
}

// debian reads what pure-ftpd-wrapper(8) does: the first line of each file in conf, and the
// links in auth.
func (r *pureftpd) debian(dir string) error {
	entries, err := fs.ReadDir(r.fsys, path.Join(dir, "conf"))
	if err != nil {
		return err
	}
	for _, e := range entries[:min(len(entries), maxFiles)] {
		file := path.Join(dir, "conf", e.Name())
		if e.IsDir() || strings.Trim(e.Name(), lettersAndDigits) != "" {
			r.note(directive{file: file, name: e.Name()}, "is skipped by pure-ftpd-wrapper, and here")
			continue
		}
		text, err := readFile(r.fsys, file)
		if err != nil {
			return err
		}
		for n, line := range lines(text) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				r.add(directive{file: file, line: n, name: e.Name(), args: split(line)})
				break
			}
		}
	}
	r.links = []string{}
	auth, _ := fs.ReadDir(r.fsys, path.Join(dir, "auth")) // without it nobody is asked
	for _, e := range auth {
		if to, err := fs.ReadLink(r.fsys, path.Join(dir, "auth", e.Name())); err == nil {
			r.links = append(r.links, path.Base(to))
		}
	}
	return nil
}

// conf reads a file with an option a line.
func (r *pureftpd) conf(name string, text []byte) error {
	if r.files++; r.files > maxFiles {
		return errMany
	}
	r.open = append(r.open, name)
	for n, line := range lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		words := split(line)
		d := directive{file: name, line: n, name: words[0], args: words[1:]}
		if strings.EqualFold(d.name, "Include") {
			if err := r.include(d); err != nil {
				return err
			}
			continue
		}
		r.add(d)
	}
	r.open = r.open[:len(r.open)-1]
	return nil
}

// include reads another file in the place of the line, if there is one.
func (r *pureftpd) include(d directive) error {
	name := local(d.value())
	if !path.IsAbs(d.value()) {
		name = path.Join(path.Dir(d.file), d.value())
	}
	if slices.Contains(r.open, name) || !fs.ValidPath(name) {
		r.note(d, "includes itself, or what is no file")
		return nil
	}
	text, err := readFile(r.fsys, name)
	if err != nil {
		r.note(d, "cannot be read, so what stands there is not carried over")
		return nil
	}
	return r.conf(name, text)
}

// add takes an option.
func (r *pureftpd) add(d directive) {
	switch name := strings.ToLower(d.name); name {
	case "pamauthentication", "unixauthentication", "puredb", "mysqlconfigfile", "pgsqlconfigfile", "ldapconfigfile", "extauth":
		r.login = append(r.login, d)
	default:
		r.by[name] = d
		r.all = append(r.all, d)
	}
}

// commandLine are the words of a command line that starts Pure-FTPd, also as
// /proc/PID/cmdline has it. ok is false for another text.
func commandLine(text []byte) (words []string, ok bool) {
	if bytes.IndexByte(text, 0) >= 0 {
		words = strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	} else {
		for _, line := range lines(text) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				words = append(words, split(strings.TrimSuffix(line, `\`))...)
			}
		}
	}
	if len(words) == 0 || !strings.HasPrefix(path.Base(words[0]), "pure-ftpd") {
		return nil, false
	}
	return words[1:], true
}

// arguments reads a command line, as getopt_long(3) does.
func (r *pureftpd) arguments(file string, words []string) {
	for i := 0; i < len(words); i++ {
		word, line := words[i], i+1
		next := func() (value string) {
			if i+1 < len(words) {
				i++
				value = words[i]
			}
			return value
		}
		long, isLong := strings.CutPrefix(word, "--")
		switch {
		case isLong:
			r.long(directive{file: file, line: line, name: word}, long, next)
		case len(word) > 1 && word[0] == '-':
			r.short(directive{file: file, line: line, name: word}, word[1:], next)
		default:
			r.note(directive{file: file, line: line, name: word}, "is no option; a file that it names is read with --from")
		}
	}
}

func (r *pureftpd) long(d directive, word string, next func() string) {
	name, value, given := strings.Cut(word, "=")
	for _, o := range pureOptions() {
		if o.long == name || o.long == "" && strings.EqualFold(o.name, name) {
			if o.argument && !given {
				value = next()
			}
			r.option(d, o, value)
			return
		}
	}
	r.note(d, "is unknown: pure-ftpd(8) has no such option")
}

// short reads flags behind one dash, of which the last may have an argument.
func (r *pureftpd) short(d directive, flags string, next func() string) {
	for i := 0; i < len(flags); i++ {
		n := slices.IndexFunc(pureOptions(), func(o pureOption) bool { return o.short == flags[i] })
		if n < 0 {
			r.note(d, "is unknown: pure-ftpd(8) has no such option")
			return
		}
		o := pureOptions()[n]
		if !o.argument {
			r.option(d, o, "")
			continue
		}
		value := flags[i+1:]
		if value == "" {
			value = next()
		}
		r.option(d, o, value)
		return
	}
}

// option adds an option of a command line as a configuration has it.
func (r *pureftpd) option(d directive, o pureOption, value string) {
	d.name, d.args = o.name, []string{"yes"}
	if o.argument {
		d.args = []string{value}
	}
	if o.name == "Login" {
		method, file, _ := strings.Cut(value, ":")
		d.name = map[string]string{"unix": "UnixAuthentication", "pam": "PAMAuthentication", "puredb": "PureDB", "mysql": "MySQLConfigFile",
			"pgsql": "PGSQLConfigFile", "ldap": "LDAPConfigFile", "extauth": "ExtAuth"}[method]
		if d.name == "" {
			d.name = "Login"
			r.note(d, "is unknown: pure-ftpd(8) has no such way to log in")
			return
		}
		if d.args = []string{file}; file == "" {
			d.args = []string{"yes"}
		}
	}
	r.add(d)
}
