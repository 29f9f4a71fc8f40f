package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a configuration. Its text never holds the value
// of a [Secret].
type Problem struct {
	File  string // "" for a configuration that was not loaded
	Line  int    // from 1; 0 if unknown
	Field string // such as users[0].mounts[1].path; "" for the file as a whole
	Wrong string // what is wrong
	Right string // what would be right
}

func (p *Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
		if p.Line > 0 {
			fmt.Fprintf(&b, "%d:", p.Line)
		}
		b.WriteByte(' ')
	}
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Wrong)
	if p.Right != "" {
		b.WriteString("; " + p.Right)
	}
	return b.String()
}

// Problems is all that is wrong with a configuration, in the order of the file.
type Problems []*Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.As the problems one by one.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Problem describes what someone who understands a field better than this package has
// found wrong with it.
func (c *Config) Problem(field, wrong, right string) error {
	return c.source.problem(field, wrong, right)
}

// source remembers where in a file the fields are.
type source struct {
	file  string
	lines map[string]int
}

func (s source) problem(field, wrong, right string) error {
	return &Problem{File: s.file, Line: s.line(field), Field: field, Wrong: wrong, Right: right}
}

// line is that of the field, or of the nearest field around it that is in the file.
func (s source) line(field string) int {
	for field != "" {
		if n, ok := s.lines[field]; ok {
			return n
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return s.lines[""]
}

// given tells whether the field is in the file.
func (s source) given(field string) bool {
	_, ok := s.lines[field]
	return ok
}

func newReport(file string) *report {
	return &report{source: source{file: file, lines: map[string]int{"": 1}}}
}

// report collects problems, one for each field: what follows from the first is noise.
type report struct {
	source
	problems Problems
}

func (r *report) wrong(field, wrong, right string) {
	if r.has(field) {
		return
	}
	r.wrongAt(r.line(field), field, wrong, right)
}

// wrongAt is wrong for what has no field's line.
func (r *report) wrongAt(line int, field, wrong, right string) {
	r.problems = append(r.problems, &Problem{File: r.file, Line: line, Field: field, Wrong: wrong, Right: right})
}

// has tells whether a problem is known of the field or of one around it.
func (r *report) has(field string) bool {
	return slices.ContainsFunc(r.problems, func(p *Problem) bool {
		rest, ok := strings.CutPrefix(field, p.Field)
		return ok && (p.Field == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// inside tells whether a problem is known of something inside the field.
func (r *report) inside(field string) bool {
	return slices.ContainsFunc(r.problems, func(p *Problem) bool { return strings.HasPrefix(p.Field, field+".") })
}

// err is nil if nothing is wrong.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b *Problem) int { return cmp.Compare(a.Line, b.Line) })
	return r.problems
}

// nearest is the candidate that text is most likely a slip of, or "".
func nearest(text string, candidates []string) string {
	best, bestDistance := "", len(text)/2+1
	for _, c := range candidates {
		if d := distance(text, c); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the number of octets to insert, delete or replace to get from a to b
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// oneOf lists alternatives for a human: a, b or c.
func oneOf(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
