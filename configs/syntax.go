package configs

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// syntaxProblem locates an error of the YAML parser, which tells the line in its text
// only. What the parser quotes may be part of a password and is left out, excepting
// single punctuation marks.
func syntaxProblem(file string, data []byte, err error) *Problem {
	p := &Problem{File: file, Right: "write YAML as in the examples of configs/"}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if _, scanErr := fmt.Sscanf(text, "line %d:", &p.Line); scanErr == nil {
		_, text, _ = strings.Cut(text, ": ")
	}
	if countsFromZero(text) {
		p.Line++
	}
	quoted := regexp.MustCompile(`'[^']*'|"[^"]*"|` + "`[^`]*`")
	p.Wrong = "not valid YAML: " + quoted.ReplaceAllStringFunc(text, func(s string) string {
		if len(s) == len("','") && !isAlphanumeric(s[1]) {
			return s
		}
		return "…"
	})
	if line := bareVariable(data); line > 0 {
		p.Line, p.Right = line, "quote values that contain ${…}"
	}
	return p
}

// countsFromZero tells the errors of yaml.v3 whose lines begin with 0, and which tell no
// line at all for the first: those of its parser, as opposed to its scanner.
func countsFromZero(text string) bool {
	return slices.ContainsFunc([]string{"',' or", "key", "'-' indicator", "node content", "<document start>"}, func(what string) bool {
		return strings.HasPrefix(text, "did not find expected "+what)
	})
}

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

// bareVariable is the line of the first ${ that is outside quotes in a flow mapping or
// sequence, where YAML takes its brace for a mapping's; 0 if there is none.
func bareVariable(data []byte) int {
	var quote, last byte // the quote that is open; the octet before, spaces aside
	depth := 0           // of open braces and brackets
	for i, b := range data {
		opens := depth > 0 && strings.IndexByte("{[,:", last) >= 0 || strings.IndexByte(":-\n\x00", last) >= 0
		switch {
		case quote != 0:
			if b == quote && !(b == '"' && data[i-1] == '\\') {
				quote = 0
			}
		case (b == '"' || b == '\'') && opens:
			quote = b
		case b == '#' && (i == 0 || strings.IndexByte(" \t\n", data[i-1]) >= 0):
			quote = '\n'
		case b == '{' && depth > 0 && data[i-1] == '$':
			return 1 + bytes.Count(data[:i], []byte("\n"))
		case (b == '{' || b == '[') && opens:
			depth++
		case (b == '}' || b == ']') && depth > 0:
			depth--
		}
		if b != ' ' && b != '\t' {
			last = b
		}
	}
	return 0
}
