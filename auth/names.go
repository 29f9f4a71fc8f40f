package auth

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Canonical is the form in which names are compared: Unicode's composed form, letters as
// they are. Names with control characters, which log and shell may take for something
// else, are not names; nor are those with characters that nobody sees, which directories and
// databases ignore, so that one account had any number of names.
func Canonical(name string) (string, bool) {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unseen) {
		return "", false
	}
	return norm.NFC.String(name), true
}

// unseen tells of control and format characters, and of the others that Unicode has
// renderers ignore (UAX #44, Default_Ignorable_Code_Point).
func unseen(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Like is the name of a user that a canonical name may be taken for: its own, or one with the
// same plain form. Providers are not asked.
func (u *Users) Like(name string) (string, bool) {
	t := u.table.Load()
	if _, ok := t.byName[name]; ok {
		return name, true
	}
	like, ok := t.byPlain()[Plain(name)]
	return like, ok
}

// Plain is a name without case, marks, spaces and what nobody sees, which a directory, a
// database or another server may ignore. Names with one plain form may be one account's.
func Plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.M) || unseen(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(name))
}

func isAnonymous(name string) bool {
	return strings.EqualFold(name, anonymousName) || strings.EqualFold(name, anonymousAlias)
}
