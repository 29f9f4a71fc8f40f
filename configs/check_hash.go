package configs

import (
	"regexp"
	"strings"
)

// hashForm is what the hashes of one kind look like.
type hashForm struct {
	prefix string
	rest   *regexp.Regexp // what follows the prefix, all of it
}

// hashForms are the kinds of password hash that can be checked. They tell a hash that was
// cut short or pasted wrong; whether it is too dear to check is for those who check it.
func hashForms() []hashForm {
	const crypt64 = `[./0-9A-Za-z]`
	form := func(prefix, rest string) hashForm {
		return hashForm{prefix, regexp.MustCompile(`^` + rest + `$`)}
	}
	const argon2 = `v=19\$m=\d+,t=\d+,p=\d+\$[+/0-9A-Za-z]{8,}\$[+/0-9A-Za-z]{16,}`
	const bcrypt = `\d\d\$` + crypt64 + `{53}`
	const rounds = `(rounds=\d+\$)?`
	const salt = crypt64 + `{1,16}\$`
	return []hashForm{
		form("$argon2id$", argon2),
		form("$argon2i$", argon2),
		form("$2a$", bcrypt),
		form("$2b$", bcrypt),
		form("$2y$", bcrypt),
		form("$5$", rounds+salt+crypt64+`{43}`),
		form("$6$", rounds+salt+crypt64+`{86}`),
		form("$1$", crypt64+`{1,8}\$`+crypt64+`{22}`),
		form("$y$", `j`+crypt64+`{2}\$`+crypt64+`{1,86}\$`+crypt64+`{43}`),
	}
}

func (c *checker) password(field string, p Secret) {
	const right = "write what `causeway passwd` prints; argon2, bcrypt and crypt(3) hashes ($6$, $5$, $1$, $y$) work too"
	if !c.required(field, right) {
		return
	}
	for _, f := range c.hashes {
		rest, ok := strings.CutPrefix(p.Reveal(), f.prefix)
		switch {
		case ok && f.rest.MatchString(rest):
			return
		case ok:
			c.wrong(field, "the hash is damaged or cut short", "write all of it, in single quotes, as `causeway passwd` prints it")
			return
		}
	}
	c.wrong(field, "is not a password hash", right)
}
