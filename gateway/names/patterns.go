package names

import (
	"fmt"
	"path"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Patterns say which names below a mount, or another root, are meant. One without a slash is
// for every name of a path; one with a slash for what a path begins with, seen from there. So
// what is below a directory that is meant is meant as well. They are those of [path.Match];
// letters count in either case, and in either form that Unicode has for them.
type Patterns []pattern

type pattern struct {
	names    []string // one for each segment
	anchored bool     // at the root
}

// New fails if one of the list cannot be a pattern.
func New(list []string) (Patterns, error) {
	var ps Patterns
	for _, text := range list {
		if _, err := path.Match(text, ""); err != nil || strings.Trim(text, "/") == "" {
			return nil, fmt.Errorf("the pattern %q cannot be used", text)
		}
		names := strings.Split(strings.TrimPrefix(folded(text), "/"), "/")
		ps = append(ps, pattern{names: names, anchored: strings.Contains(text, "/")})
	}
	return ps, nil
}

// folded is a name, or a pattern, without what makes no difference.
func folded(s string) string { return norm.NFC.String(strings.ToLower(s)) }

// Match tells whether a path below the root, without a slash in front, is meant.
func (ps Patterns) Match(below string) bool {
	if len(ps) == 0 || below == "" {
		return false
	}
	names := strings.Split(folded(below), "/")
	for _, p := range ps {
		if p.match(names) {
			return true
		}
	}
	return false
}

// MatchBelow tells whether a path below a directory, or the directory itself, may be meant. It
// is seen from where those of Match are.
func (ps Patterns) MatchBelow(dir string) bool {
	names := strings.Split(folded(dir), "/")
	for _, p := range ps {
		if !p.anchored || p.begins(names) || p.leads(names) {
			return true
		}
	}
	return false
}

func (p pattern) match(names []string) bool {
	if p.anchored {
		return p.begins(names)
	}
	for i := range names {
		if p.begins(names[i:]) {
			return true
		}
	}
	return false
}

// begins tells whether the first names are those of the pattern.
func (p pattern) begins(names []string) bool {
	if len(names) < len(p.names) {
		return false
	}
	for i, want := range p.names {
		if ok, err := path.Match(want, names[i]); !ok || err != nil {
			return false
		}
	}
	return true
}

// leads tells whether the names are the first of the pattern's.
func (p pattern) leads(names []string) bool {
	return len(names) < len(p.names) && pattern{names: p.names[:len(names)]}.begins(names)
}

// Anchored tells whether what a name means depends on the directory that it is in.
func (ps Patterns) Anchored() bool {
	for _, p := range ps {
		if p.anchored {
			return true
		}
	}
	return false
}
