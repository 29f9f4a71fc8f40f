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
	const pbkdf2 = `\d+\$[./0-9A-Za-z]{8,}\$[./0-9A-Za-z]{16,}`
	base64 := func(fewest string) string { return `[+/0-9A-Za-z]{` + fewest + `,}={0,2}` }
	return []hashForm{
		form("$argon2id$", argon2),
		form("$argon2i$", argon2),
		form("$2a$", bcrypt),
		form("$2b$", bcrypt),
		form("$2y$", bcrypt),
		form("$5$", rounds+salt+crypt64+`{43}`),
		form("$6$", rounds+salt+crypt64+`{86}`),
		form("$1$", crypt64+`{1,8}\$`+crypt64+`{22}`),
		form("$apr1$", crypt64+`{1,8}\$`+crypt64+`{22}`),
		form("$7$", crypt64+`{11,97}\$`+crypt64+`{43}`),
		form("$scrypt$", `ln=\d+,r=\d+,p=\d+\$[+/0-9A-Za-z]{8,}\$[+/0-9A-Za-z]{16,}`),
		form("$pbkdf2-sha256$", pbkdf2),
		form("$pbkdf2-sha512$", pbkdf2),
		form("{MD5}", base64("22")),
		form("{SMD5}", base64("22")),
		form("{SHA}", base64("27")),
		form("{SSHA}", base64("27")),
		form("{SHA256}", base64("43")),
		form("{SSHA256}", base64("43")),
		form("{SHA512}", base64("86")),
		form("{SSHA512}", base64("86")),
		form("$y$", `j`+crypt64+`{2}\$`+crypt64+`{1,86}\$`+crypt64+`{43}`),
	}
}

// isDES tells crypt(3)'s oldest kind of hash, which has no prefix.
func isDES(hash string) bool {
	return len(hash) == 13 && strings.Trim(hash, "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}

func (c *checker) password(field string, p Secret) {
	const right = "write what `causeway passwd` prints; argon2, bcrypt and crypt(3) hashes ($6$, $5$, $1$, $y$, $7$, $apr1$) and LDAP's ({SSHA}) work too"
	if !c.required(field, right) {
		return
	}
	if isDES(p.Reveal()) {
		if !c.cfg.Hashes.Allows(DESCrypt) {
			c.wrong(field, "is a des-crypt hash: all that begin with the same eight characters log in",
				"give the account another password, or write password_hashes: {allow: [des-crypt]} into the configuration")
		}
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
