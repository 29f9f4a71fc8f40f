package ftp

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// hasMeta tells whether s has a character that compileGlob may give a meaning to.
func hasMeta(s string) bool { return strings.ContainsAny(s, "*?[") }

// A glob is a pattern for one path segment, made ready for many names: "*" is any run of
// characters, "?" any one, "[a-z]" one of a class and "[!a-z]" or "[^a-z]" one outside of
// it. There are no braces and no escapes; a "[" that is never closed stands for itself.
// Case counts, as it does in names. Safe for concurrent use.
type glob struct {
	pattern string
	tokens  []rune // a character, or one of the tokens below
	classes []class
	least   int // characters that a name must have
}

// The tokens of a glob that are not characters; firstClass and below are classes.
const (
	tokenStar  = -1
	tokenAny   = -2
	firstClass = -3
)

// maxName is how many characters a name may have to be matched without an allocation.
const maxName = 256

// class is a set of characters: sorted ranges that do not touch.
type class struct {
	outside bool
	ranges  [][2]rune
	ascii   [2]uint64 // a bit for each ASCII character that is contained
}

// compileGlob prepares a pattern. It takes time and memory in proportion to its length.
func compileGlob(pattern string) *glob {
	g := &glob{pattern: pattern}
	for rest := pattern; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch r {
		case '*':
			r = tokenStar
		case '?':
			r = tokenAny
		case '[':
			if c, n := parseClass(rest); n > 0 {
				r, size = firstClass-rune(len(g.classes)), n
				g.classes = append(g.classes, c)
			}
		}
		rest = rest[size:]
		if r != tokenStar {
			g.least++
		} else if n := len(g.tokens); n > 0 && g.tokens[n-1] == tokenStar {
			continue
		}
		g.tokens = append(g.tokens, r)
	}
	return g
}

// match tells whether the whole of name fits. The text of the pattern itself fits too, so
// that a file named "a[1]" can be asked for.
//
// Only the last star is ever tried again, since a longer run for an earlier one can find
// nothing that the last cannot: a name of n characters costs at most n²/4 steps, whatever
// the pattern.
func (g *glob) match(name string) bool {
	if name == g.pattern {
		return true
	}
	var buf [maxName]rune
	runes := buf[:0]
	for _, r := range name {
		runes = append(runes, r)
	}
	if len(runes) < g.least {
		return false
	}
	at, token, tokens := 0, 0, g.tokens
	retry, star := 0, -1 // where the last star began, and the token after it
	for at < len(runes) {
		switch {
		case token < len(tokens) && tokens[token] == tokenStar:
			token++
			retry, star = at, token
		case token < len(tokens) && (tokens[token] == runes[at] || g.fits(tokens[token], runes[at])):
			token++
			at++
		case star >= 0:
			retry++
			at, token = retry, star
		default:
			return false
		}
	}
	if token < len(tokens) && tokens[token] == tokenStar {
		token++
	}
	return token == len(tokens)
}

// fits tells whether a token other than the star stands for r.
func (g *glob) fits(token, r rune) bool {
	if token > firstClass {
		return token == r || token == tokenAny
	}
	return g.classes[firstClass-token].contains(r)
}

func (c *class) contains(r rune) bool {
	if r < utf8.RuneSelf {
		return c.ascii[r/64]&(1<<(r%64)) != 0
	}
	_, found := slices.BinarySearchFunc(c.ranges, r, func(span [2]rune, r rune) int {
		switch {
		case span[1] < r:
			return -1
		case span[0] > r:
			return 1
		}
		return 0
	})
	return found != c.outside
}

// parseClass parses the class that s begins with and tells its length in octets, 0 if it
// is never closed. A "]" right after the opening is a member, as in the shell.
func parseClass(s string) (c class, length int) {
	rest := s[1:]
	if rest != "" && (rest[0] == '!' || rest[0] == '^') {
		c.outside = true
		rest = rest[1:]
	}
	if closing := strings.IndexByte(rest[min(1, len(rest)):], ']'); closing < 0 {
		return class{}, 0
	}
	for first := true; first || rest[0] != ']'; first = false {
		var span [2]rune
		span, rest = parseMember(rest)
		c.ranges = append(c.ranges, span)
	}
	c.ranges = mergeRanges(c.ranges)
	c.markASCII()
	return c, len(s) - len(rest) + 1
}

// markASCII fills ascii from ranges.
func (c *class) markASCII() {
	for _, span := range c.ranges {
		for r := span[0]; r <= span[1] && r < utf8.RuneSelf; r++ {
			c.ascii[r/64] |= 1 << (r % 64)
		}
	}
	if c.outside {
		c.ascii[0], c.ascii[1] = ^c.ascii[0], ^c.ascii[1]
	}
}

// parseMember takes one member off the front of the inside of a class: "a" or "a-z". A
// dash before the closing bracket is a member itself.
func parseMember(s string) (span [2]rune, rest string) {
	first, size := utf8.DecodeRuneInString(s)
	rest = s[size:]
	if len(rest) < 2 || rest[0] != '-' || rest[1] == ']' {
		return [2]rune{first, first}, rest
	}
	last, size := utf8.DecodeRuneInString(rest[1:])
	return [2]rune{first, last}, rest[1+size:]
}

// mergeRanges sorts ranges, joins those that overlap and drops those that run backwards.
func mergeRanges(ranges [][2]rune) [][2]rune {
	slices.SortFunc(ranges, func(a, b [2]rune) int { return cmp.Compare(a[0], b[0]) })
	merged := ranges[:0]
	for _, span := range ranges {
		switch n := len(merged); {
		case span[0] > span[1]:
		case n > 0 && span[0] <= merged[n-1][1]:
			merged[n-1][1] = max(merged[n-1][1], span[1])
		default:
			merged = append(merged, span)
		}
	}
	return merged
}
