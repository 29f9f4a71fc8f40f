package ftp

import "strings"

// listArg is the argument of LIST, NLST and STAT.
type listArg struct {
	long      bool   // -l: long lines from NLST too
	directory bool   // -d: the directory itself, not what is in it
	name      string // "" for the working directory; may be a glob
}

// parseListArg takes leading words of "-letters" for the options of ls, as clients send
// them though RFC 959 has none, and the rest for one name, spaces and all. Unknown options
// mean nothing; those for hidden names, recursion and order do not either, since everything
// is shown, level by level, in one order. "-" alone is a name and "--" ends the options.
func parseListArg(arg string) listArg {
	a := listArg{name: arg}
	for {
		word, rest, _ := strings.Cut(a.name, " ")
		if word == "--" {
			a.name = rest
			return a
		}
		if !isOption(word) {
			return a
		}
		a.long = a.long || strings.Contains(word, "l")
		a.directory = a.directory || strings.Contains(word, "d")
		a.name = rest
	}
}

// isOption tells whether word is a dash and at least one letter or digit, and no more.
func isOption(word string) bool {
	letters, found := strings.CutPrefix(word, "-")
	for i := range len(letters) {
		if !isAlphanumeric(letters[i]) {
			return false
		}
	}
	return found && letters != ""
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
}
