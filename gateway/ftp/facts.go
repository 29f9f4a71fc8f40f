package ftp

import (
	"strconv"
	"strings"
)

// factSet is a set of facts of MLST and MLSD (RFC 3659 §7.5).
type factSet uint8

// The facts, in the order in which they are shown.
const (
	factType factSet = 1 << iota
	factSize
	factModify
	factPerm
	factUnique
	factMode

	// defaultFacts are the facts shown until OPTS MLST chooses. All of them: clients ask
	// for those that are not on, which costs a round trip in each session.
	defaultFacts = factType | factSize | factModify | factPerm | factUnique | factMode
)

// factNames are the names of the facts in the order of their bits.
func factNames() [6]string {
	return [...]string{"type", "size", "modify", "perm", "unique", "UNIX.mode"}
}

// parseFacts parses the argument of OPTS MLST: names, each with a semicolon after it,
// which the last may lack. Names of facts that there are not are left out (RFC 3659
// §7.9); what cannot be a name is errSyntax.
func parseFacts(arg string) (factSet, error) {
	var facts factSet
	if arg == "" {
		return 0, nil
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(arg, ";"), ";") {
		if name == "" || strings.IndexFunc(name, notRCHAR) >= 0 {
			return 0, errSyntax
		}
		for i, known := range factNames() {
			if strings.EqualFold(name, known) {
				facts |= 1 << i
			}
		}
	}
	return facts, nil
}

// notRCHAR tells whether r cannot be in a fact's name, nor, beside "=", in its value
// (RCHAR of RFC 3659 §7.2 and §2.1).
func notRCHAR(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune(`*;<=>[]^`+"`{|}~", r)
}

// feat lists all facts as the FEAT line of MLST does, a star on those of f.
func (f factSet) feat() string {
	var b strings.Builder
	for i, name := range factNames() {
		b.WriteString(name)
		if f&(1<<i) != 0 {
			b.WriteByte('*')
		}
		b.WriteByte(';')
	}
	return b.String()
}

// String lists the facts of f as OPTS MLST does.
func (f factSet) String() string {
	var b strings.Builder
	for i, name := range factNames() {
		if f&(1<<i) != 0 {
			b.WriteString(name)
			b.WriteByte(';')
		}
	}
	return b.String()
}

// appendFacts writes the facts of e that are in f and known, each with its semicolon and
// without the space and the name that follow them. entryType is the value of the type
// fact: "file", "dir", "cdir" or "pdir".
func appendFacts(dst []byte, e Entry, f factSet, entryType string) []byte {
	if f&factType != 0 {
		dst = append(append(append(dst, "type="...), entryType...), ';')
	}
	if f&factSize != 0 && !e.Dir {
		dst = append(strconv.AppendInt(append(dst, "size="...), e.Size, 10), ';')
	}
	if f&factModify != 0 && timeKnown(e.ModTime) {
		dst = append(appendTime(append(dst, "modify="...), e.ModTime), ';')
	}
	if f&factPerm != 0 {
		dst = append(e.perm().append(append(dst, "perm="...)), ';')
	}
	if f&factUnique != 0 && e.Unique != "" {
		dst = append(appendEscaped(append(dst, "unique="...), e.Unique), ';')
	}
	if f&factMode != 0 {
		mode := e.mode()
		dst = append(append(dst, "UNIX.mode=0"...), '0'+byte(mode>>6), '0'+byte(mode>>3&7), '0'+byte(mode&7), ';')
	}
	return dst
}

// appendEscaped writes s with each octet that a fact's value cannot have, and the escape
// itself, as %XX, so that different values stay different.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; c == '%' || notRCHAR(rune(c)) {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

const (
	filePerm = PermAppend | PermDelete | PermRename | PermRetrieve | PermWrite
	dirPerm  = PermCreate | PermDelete | PermEnter | PermRename | PermList | PermMkdir | PermPurge
)

// perm is what may be done with e of that which can be done with its kind at all.
func (e Entry) perm() Perm {
	if e.Dir {
		return e.Perm & dirPerm
	}
	return e.Perm & filePerm
}

// String gives the letters of p in their order.
func (p Perm) String() string { return string(p.append(nil)) }

func (p Perm) append(dst []byte) []byte {
	const letters = "acdeflmprw"
	for i := range len(letters) {
		if p&(1<<i) != 0 {
			dst = append(dst, letters[i])
		}
	}
	return dst
}
