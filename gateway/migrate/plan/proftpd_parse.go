package plan

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// place is where in a configuration of ProFTPD a directive stands.
type proftpdPlace int

// The places that are told apart.
const (
	inServer    proftpdPlace = iota // or <Global>
	inVirtual                       // <VirtualHost>
	inAnonymous                     // <Anonymous>
	inDirectory                     // <Directory>
	inLimit                         // <Limit>
	elsewhere                       // what is for some clients alone, or not read
)

// block is one that is open, such as <Limit WRITE>.
type block struct {
	directive
	place  proftpdPlace
	around proftpdPlace // the place of what it stands in, but for <Limit> and <IfModule>
	path   string       // of a <Directory>
	inside []directive  // of a <Limit>
}

// maxDepth bounds includes in includes.
const maxDepth = 20

// parse reads a file and what it includes.
func (r *proftpd) parse(name string, depth int) error {
	text, err := readFile(r.fsys, name)
	if err != nil {
		return err
	}
	if r.files++; r.files > maxFiles || depth > maxDepth {
		return fmt.Errorf("/%s: %w", name, errMany)
	}
	open, long := len(r.blocks), ""
	for n, line := range lines(text) {
		if before, goesOn := strings.CutSuffix(line, `\`); goesOn {
			long += before
			continue
		}
		line, long = strings.TrimSpace(long+line), ""
		if line == "" || line[0] == '#' {
			continue
		}
		if err := r.line(directive{file: name, line: n}, line, depth); err != nil {
			return err
		}
	}
	for len(r.blocks) > open {
		b := r.blocks[len(r.blocks)-1]
		r.note(b.directive, "is not closed before the end of the file")
		r.pop()
	}
	return nil
}

// line reads one that says something.
func (r *proftpd) line(d directive, line string, depth int) error {
	closing, isClosing := strings.CutPrefix(line, "</")
	opening, isOpening := strings.CutPrefix(line, "<")
	switch {
	case isClosing:
		r.close(d, strings.TrimSuffix(strings.TrimSpace(closing), ">"))
		return nil
	case isOpening:
		words := split(strings.TrimSuffix(strings.TrimSpace(opening), ">"))
		if len(words) == 0 {
			return nil
		}
		d.name, d.args = words[0], words[1:]
		r.push(d)
		return nil
	}
	words := split(line)
	d.name, d.args = words[0], words[1:]
	if strings.EqualFold(d.name, "Include") {
		return r.include(d, depth)
	}
	r.directive(d)
	return nil
}

// split cuts a line into words; double quotes keep one together, and a backslash in them
// keeps a quote.
func split(line string) []string {
	var words []string
	var b strings.Builder
	quoted, begun := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			quoted, begun = !quoted, true
		case c == '\\' && quoted && i+1 < len(line) && (line[i+1] == '"' || line[i+1] == '\\'):
			i++
			b.WriteByte(line[i])
		case !quoted && (c == ' ' || c == '\t'):
			if begun {
				words = append(words, b.String())
				b.Reset()
			}
			begun = false
		default:
			b.WriteByte(c)
			begun = true
		}
	}
	if begun {
		words = append(words, b.String())
	}
	return words
}

// include reads a file, all files of a directory, or those of a pattern, in order.
func (r *proftpd) include(d directive, depth int) error {
	if d.value() == "" || r.place() == elsewhere {
		r.directive(d)
		return nil
	}
	names, err := r.included(local(d.value()))
	if err != nil {
		r.note(d, "cannot be read, so what stands there is not carried over")
		return nil
	}
	for _, name := range names {
		if slices.Contains(r.open, name) {
			r.note(d, "includes itself")
			continue
		}
		r.open = append(r.open, name)
		if err := r.parse(name, depth+1); err != nil {
			return err
		}
		r.open = r.open[:len(r.open)-1]
	}
	return nil
}

// included are the files that an Include names. A directory may be empty.
func (r *proftpd) included(name string) ([]string, error) {
	if strings.ContainsAny(name, "*?[") {
		names, err := fs.Glob(r.fsys, name)
		if err == nil && len(names) == 0 {
			err = fs.ErrNotExist
		}
		return names, err
	}
	info, err := fs.Stat(r.fsys, name)
	if err != nil || !info.IsDir() {
		return []string{name}, err
	}
	entries, err := fs.ReadDir(r.fsys, name)
	var names []string
	for _, e := range entries {
		if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, path.Join(name, e.Name()))
		}
	}
	return names, err
}

// place is where the parser is.
func (r *proftpd) place() proftpdPlace {
	if len(r.blocks) == 0 {
		return inServer
	}
	return r.blocks[len(r.blocks)-1].place
}

// push opens a block.
func (r *proftpd) push(d directive) {
	b := &block{directive: d, place: r.place(), around: r.place()}
	if len(r.blocks) > 0 && (b.place == inLimit || b.place == elsewhere) {
		b.place = elsewhere // what stands in there is for it to say
	}
	if b.place != elsewhere {
		r.opened(b)
	}
	r.blocks = append(r.blocks, b)
}

// opened says what a block is.
func (r *proftpd) opened(b *block) {
	switch strings.ToLower(b.name) {
	case "ifmodule":
		if strings.HasPrefix(b.arg(0), "!") {
			b.place = elsewhere
		}
	case "ifdefine":
		if !strings.HasPrefix(b.arg(0), "!") {
			b.place = elsewhere
		}
	case "ifversion":
	case "global":
		b.place = inServer
	case "virtualhost":
		b.place = inVirtual
		r.virtual(b.directive)
	case "anonymous":
		b.place = inAnonymous
		r.anonymous(b)
	case "directory":
		b.place, b.path = inDirectory, b.value()
	case "limit":
		b.place = inLimit
	default:
		b.place = elsewhere
	}
}

// close closes the innermost block, which should be of the name.
func (r *proftpd) close(d directive, name string) {
	d.name = "/" + name
	if len(r.blocks) == 0 || !strings.EqualFold(r.blocks[len(r.blocks)-1].name, name) {
		r.note(d, "closes nothing that is open")
		return
	}
	r.pop()
}

func (r *proftpd) pop() {
	b := r.blocks[len(r.blocks)-1]
	r.blocks = r.blocks[:len(r.blocks)-1]
	if b.place == inLimit {
		r.limit(b)
	}
}

// directive takes or lists one.
func (r *proftpd) directive(d directive) {
	if r.place() == inLimit {
		b := r.blocks[len(r.blocks)-1]
		b.inside = append(b.inside, d)
		return
	}
	if r.place() == elsewhere {
		r.note(d, "%s", r.whose())
		return
	}
	if carry := r.handlers()[strings.ToLower(d.name)]; carry != nil {
		carry(d)
		return
	}
	proftpdFate(d.name).apply(r.Plan, d)
}

// whose is why what is in the open blocks is not carried over.
func (r *proftpd) whose() string {
	for _, b := range r.blocks {
		if b.place == elsewhere {
			what := "<" + strings.TrimSpace(b.name+" "+brief(b.value())) + ">"
			switch strings.ToLower(b.name) {
			case "ifmodule", "ifdefine":
				return "stands in " + what + ", which is taken as not so; see whether it is"
			case "ifuser", "ifgroup", "ifclass", "ifauthenticated":
				return "is for " + what + " alone: write it into those accounts, or a template for them"
			}
			if strings.EqualFold(b.name, "class") {
				return "stands in " + what + ": networks: of an account says from where it may come"
			}
			return "stands in " + what + ", which is not known here"
		}
	}
	return ""
}
