package ftp

import (
	"bytes"
	"io/fs"
	"strings"
	"unicode/utf8"
)

// Path is an absolute, normalised path: "/" or segments each after one slash, none of
// them empty, "." or "..", all valid UTF-8 without the characters that forbidden names.
// Only [Path.Join] makes one, so a Path that reaches an [FS] has been checked exactly
// once. Two names that differ in any other octet are two paths: spaces, dots, case and
// composition of letters are never changed. The zero Path is the root.
type Path struct{ s string }

// maxPath bounds a path in octets; no store has longer keys.
const maxPath = 1024

// Join resolves name against p as a client means it (RFC 3659 §6): from the root if it
// begins with a slash, ".." never leads above the root. fs.ErrInvalid if the result
// cannot be a name, or is too long on the way.
func (p Path) Join(name string) (Path, error) {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, forbidden) {
		return Path{}, fs.ErrInvalid
	}
	var buf [maxPath]byte
	joined := buf[:0]
	if !strings.HasPrefix(name, "/") {
		joined = append(joined, p.s...)
	}
	for segment := range strings.SplitSeq(name, "/") {
		switch segment {
		case "", ".":
		case "..":
			joined = joined[:max(0, bytes.LastIndexByte(joined, '/'))]
		default:
			if len(joined)+1+len(segment) > maxPath {
				return Path{}, fs.ErrInvalid
			}
			joined = append(append(joined, '/'), segment...)
		}
	}
	return Path{string(joined)}, nil
}

// forbidden tells which characters no name may have: C0 and C1 controls and DEL; the line
// and paragraph separators, at which some clients cut listings; and the backslash, which
// Windows tools take for a separator. The marks that steer the direction of text are
// allowed, since names in Arabic, Hebrew and Persian need them.
func forbidden(r rune) bool {
	return r < ' ' || r == '\\' || 0x7f <= r && r < 0xa0 || r == '\u2028' || r == '\u2029'
}

func (p Path) String() string {
	if p.s == "" {
		return "/"
	}
	return p.s
}

// IsRoot tells whether p is "/".
func (p Path) IsRoot() bool { return p.s == "" }

// Parent is the directory that p is in; the root is its own.
func (p Path) Parent() Path {
	return Path{p.s[:max(0, strings.LastIndexByte(p.s, '/'))]}
}

// Base is the last segment, "" for the root.
func (p Path) Base() string {
	return p.s[strings.LastIndexByte(p.s, '/')+1:]
}
