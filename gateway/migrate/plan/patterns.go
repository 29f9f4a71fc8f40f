package plan

import (
	"path"
	"regexp"
	"strings"
)

// maxAlternatives bounds what braces become.
const maxAlternatives = 100

// alternatives writes a pattern of vsftpd, which has * and ? and {a,b} (vsftpd.conf(5),
// hide_file), as patterns of [path.Match]. ok is false if it is none, or of too many.
func alternatives(pattern string) (globs []string, ok bool) {
	before, rest, braced := strings.Cut(pattern, "{")
	if !braced {
		return []string{escape(pattern)}, good(escape(pattern))
	}
	inside, after, closed := strings.Cut(rest, "}")
	if !closed || strings.Contains(inside, "{") {
		return nil, false
	}
	tails, ok := alternatives(after)
	if after == "" {
		tails, ok = []string{""}, true
	}
	if !ok {
		return nil, false
	}
	for _, part := range strings.Split(inside, ",") {
		for _, tail := range tails {
			glob := escape(before+part) + tail
			if globs = append(globs, glob); len(globs) > maxAlternatives || after == "" && !good(glob) {
				return nil, false
			}
		}
	}
	return globs, true
}

// escape keeps what means something to [path.Match] alone from meaning it.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`).Replace(text)
}

// good tells whether a pattern can stand in a configuration.
func good(glob string) bool {
	_, err := path.Match(glob, "")
	return err == nil && glob != "" && glob != "." && glob != ".." && !strings.ContainsAny(glob, "/{}") && printable(glob)
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '�' })
}

// regexGlobs writes a regular expression of names (ProFTPD's HideFiles and PathDenyFilter)
// as patterns of [path.Match], if it is as simple as most are: alternatives of text, ".",
// ".*" and escaped signs, with or without anchors.
func regexGlobs(expression string) (globs []string, ok bool) {
	if _, err := regexp.Compile(expression); err != nil {
		return nil, false
	}
	start, end := "", ""
	if group := regexp.MustCompile(`^(\^?)\(([^()]*)\)(\$?)$`).FindStringSubmatch(expression); group != nil {
		start, expression, end = group[1], group[2], group[3]
	}
	for _, one := range strings.Split(expression, "|") {
		if strings.HasPrefix(one, "(") && strings.HasSuffix(one, ")") && strings.Count(one, "(") == 1 {
			one = one[1 : len(one)-1]
		}
		glob, ok := regexGlob(start + one + end)
		if !ok {
			return nil, false
		}
		globs = append(globs, glob)
	}
	return globs, true
}

// regexGlob is regexGlobs of one alternative.
func regexGlob(one string) (glob string, ok bool) {
	one, start := strings.CutPrefix(one, "^")
	end := strings.HasSuffix(one, "$") && !strings.HasSuffix(one, `\$`)
	one = strings.TrimSuffix(one, "$")
	var b strings.Builder
	if !start {
		b.WriteByte('*')
	}
	for i := 0; i < len(one); i++ {
		switch c := one[i]; {
		case c == '\\' && i+1 < len(one) && !letterOrDigit(one[i+1]):
			i++
			b.WriteString(escapeGlob(one[i]))
		case c == '.' && strings.HasPrefix(one[i:], ".*"):
			i++
			b.WriteByte('*')
		case c == '.':
			b.WriteByte('?')
		case strings.IndexByte(`\*+?()[]{}|^$`, c) >= 0:
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	if !end {
		b.WriteByte('*')
	}
	glob = strings.ReplaceAll(b.String(), "**", "*")
	return glob, good(glob) && strings.Trim(glob, "*") != ""
}

// escapeGlob is a sign that stands for itself in a pattern.
func escapeGlob(c byte) string {
	if strings.IndexByte(`*?[\`, c) >= 0 {
		return `\` + string(c)
	}
	return string(c)
}

const lettersAndDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func letterOrDigit(c byte) bool { return strings.IndexByte(lettersAndDigits, c) >= 0 }
