//go:build e2e

package e2e

import (
	"math/rand/v2"
	"strings"
)

// Names in the vault that each partner has, which all walkers know. Beside them each vault has
// names and contents that no walker knows; see [partner.vault].
const (
	// Walkers ask for these, and make nothing of the name: one of a line is there, of the other
	// nobody has anything.
	knownFile, absentFile = "known.txt", "other.txt"
	knownDir, absentDir   = "knowndir", "otherdir"
	// These they try to change.
	prey, preyDir = "target.txt", "targets"
)

// trick is a path trick: how the walker me tries to say what is at rest in another's directory.
type trick func(r *rand.Rand, me, other partner, rest string) string

// tricks are all of them. What they say is to be found in the walker's own tree, or nowhere.
func tricks() []trick {
	fixed := func(pattern string) trick {
		return func(_ *rand.Rand, me, other partner, rest string) string {
			return strings.NewReplacer("{O}", other.name, "{me}", me.name, "{R}", rest, "{P}", other.prefix+rest).Replace(pattern)
		}
	}
	list := []trick{climbing, cased, deep, sibling, stacked}
	for _, pattern := range fixedWays() {
		list = append(list, fixed(pattern))
	}
	return list
}

// fixedWays are the tricks that are only written: {O} is the other's name, {me} the walker's,
// {R} what is looked for, {P} its key in the bucket.
func fixedWays() []string {
	return []string{
		"/{P}", "{P}", "//{P}", "///{P}", "/./{P}", "/{O}/{R}", "/../{O}/{R}", "/in/./{O}//{R}", "/in/{me}/../{O}/{R}", "in//{O}///{R}",
		"%2e%2e/{O}/{R}", "..%2f{O}/{R}", "%2e%2e%2f{P}", "%252e%252e/{O}/{R}", "..%00/{O}/{R}", "/%2e%2e/{P}", "%2fin%2f{O}%2f{R}",
		"..\\{O}\\{R}", "..\\/{O}/{R}", "\\in\\{O}\\{R}", "..;/{O}/{R}", ".../{O}/{R}", "..../{O}/{R}",
		"..\x00/{O}/{R}", "\x00/{P}", "{P}\x00", "{P}\x00.jpg", "../{O}\x00/{R}",
		"\xc0\xae\xc0\xae/{O}/{R}", "\xc0\xae\xc0\xae\xc0\xaf{O}/{R}", "\xe0\x80\xae./{O}/{R}", "..\xc0\xaf{O}/{R}", "\xff\xff/{P}",
		"．．/{O}/{R}", "..／{O}／{R}", "..\u2215{O}\u2215{R}", "‥/{O}/{R}", "\u2024\u2024/{O}/{R}", "\ufeff../{O}/{R}", "..\u200b/{O}/{R}", "\u202e../{O}/{R}",
		".. /{O}/{R}", " ../{O}/{R}", "../{O} /{R}", "../{O}./{R}", "../{O}../{R}", "../{O}/{R} ", "../{O}/{R}.", "../{O}/{R}/", "../{O}/{R}/.", " {P}", "\t../{P}",
		".causeway/{P}", ".causeway/../{P}", "/.causeway/uploads/{P}", "../.causeway/uploads/{P}", "/.CAUSEWAY/{P}", "../../.causeway/uploads/{P}",
		"~{O}/{R}", "~/../{O}/{R}", "~root/{P}", "$HOME/../{O}/{R}", "{O}:{R}", "{O}@{R}", "file:///{P}", "ftp://{O}@127.0.0.1/{R}", "s3://" + canary + "/{P}", "/" + canary + "/{P}",
		"\"../{O}/{R}\"", "'../{O}/{R}'", "../{O}/{R}?versionId=null", "../{O}/{R}?acl", "{P}#x", "{P}+", "?prefix={P}", "../{O}/{R}&x=1", "{P};1", "{P}::$DATA",
		// Of links, where the store has them, and where it has not.
		"link/{R}", "link-of-{O}/{R}", "./link/../{O}/{R}", "root/{P}", "root/in/{O}/{R}", "/root",
		// Patterns, which LIST and its like take.
		"*", "../*", "/../*", "../*/{R}", "/in/*/{R}", "../{O}*", "../{O}*/*", "../{O}/vault/*", "/in/{O}/vault/?nown.txt", "../[a-z]*/vault/*", "../{{O},x}/{R}",
		"*/*/*", "-a ../{O}", "-laR /in", "-R ..", "-d ../{O}/{R}",
	}
}

// climbing goes up more often than the tree is deep.
func climbing(r *rand.Rand, _, other partner, rest string) string {
	up := strings.Repeat("../", 1+r.IntN(9))
	return []string{"", "/", "./", "vault/", "a/b/../"}[r.IntN(5)] + up + []string{"in/", "", "./in/"}[r.IntN(3)] + other.name + "/" + rest
}

// cased is in other letters.
func cased(r *rand.Rand, _, other partner, rest string) string {
	return []string{"../" + strings.ToUpper(other.name+"/"+rest), "/" + strings.ToUpper(other.prefix+rest), "../" + strings.ToLower(other.name) + "/" + rest}[r.IntN(3)]
}

// deep is near the longest path that there is.
func deep(r *rand.Rand, _, other partner, rest string) string {
	return []string{strings.Repeat("../", 300), strings.Repeat("x/../", 200), strings.Repeat("./", 400), strings.Repeat("x", 990) + "/../"}[r.IntN(4)] + other.prefix + rest
}

// sibling goes on where the walker's own prefix ends: p1 and 0 would be p10.
func sibling(r *rand.Rand, me, other partner, rest string) string {
	end, ok := strings.CutPrefix(other.name, me.name)
	if !ok {
		end = other.name[1:]
	}
	return []string{end + "/" + rest, "/" + end + "/" + rest, "../" + me.name + end + "/" + rest, "./" + end + "/" + rest, "..//" + me.name + "/" + end + "/" + rest}[r.IntN(5)]
}

// stacked is a trick within a trick.
func stacked(r *rand.Rand, _, other partner, rest string) string {
	up := []string{"../", "..//", "%2e%2e/", "..\\", ".%2e/", "./../", "..%2f"}
	return up[r.IntN(len(up))] + up[r.IntN(len(up))] + up[r.IntN(len(up))] + other.prefix + rest
}
