package configs

import (
	"fmt"
	"path"
	"strings"
)

// patterns judges patterns of names as [path.Match] has them.
func (c *checker) patterns(field string, patterns []string) {
	for i, p := range patterns {
		at := fmt.Sprintf("%s[%d]", field, i)
		_, err := path.Match(p, "")
		switch {
		case c.has(at):
		case err != nil || !printable(p):
			c.wrong(at, fmt.Sprintf("%q is not a pattern", p), "write one such as *.tmp, .* or /private, with * and ? and [a-z] within a name")
		case strings.ContainsAny(p, "{}"):
			c.wrong(at, fmt.Sprintf("%q has braces, which mean nothing in a pattern", p), "write a pattern for each alternative")
		case p == "" || path.Clean("/"+p) != "/"+strings.TrimPrefix(p, "/") || p == "/":
			c.wrong(at, fmt.Sprintf("%q is no name and no path, so nothing would match", p), "write one such as *.tmp, .* or in/*/raw, without a slash at the end")
		}
	}
}
