package ftp

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

var (
	// errSyntax is an argument that cannot be parsed (501).
	errSyntax = errors.New("bad argument")
	// errProtocol is a network protocol that EPRT or EPSV cannot serve (522, RFC 2428 §2).
	errProtocol = errors.New("network protocol not supported")
)

// parseOctets parses a count or an offset of octets: digits alone, at most 2^63-1.
func parseOctets(s string) (int64, error) {
	if !allDigits(s) {
		return 0, errSyntax
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, errSyntax
	}
	return n, nil
}

// allDigits tells whether s is one or more ASCII digits.
func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || '9' < s[i] {
			return false
		}
	}
	return s != ""
}

// parseREST parses the restart point of REST in octets (RFC 3659 §5.3). Any offset is
// fine here; whether the file is as long is seen by the transfer command.
func parseREST(arg string) (int64, error) { return parseOctets(arg) }

// parseALLO parses "n [R m]" and returns n, the octets announced (RFC 959 §4.1.3). The
// largest record m must be a number and means nothing to a store of octets.
func parseALLO(arg string) (int64, error) {
	size, record, found := strings.Cut(arg, " ")
	if found {
		letter, m, _ := strings.Cut(record, " ")
		if _, err := parseOctets(m); err != nil || !strings.EqualFold(letter, "R") {
			return 0, errSyntax
		}
	}
	return parseOctets(size)
}

// parseRANG parses "start end", the offsets of the first and the last octet of a range
// (draft-bryan-ftp-range §4); "1 0" takes the range back. end is less than 2^63-1, so that
// the range's length and the offset behind it are numbers too.
func parseRANG(arg string) (start, end int64, reset bool, err error) {
	first, last, _ := strings.Cut(arg, " ")
	if start, err = parseOctets(first); err != nil {
		return 0, 0, false, err
	}
	if end, err = parseOctets(last); err != nil {
		return 0, 0, false, err
	}
	if start == 1 && end == 0 {
		return 0, 0, true, nil
	}
	if start > end || end == math.MaxInt64 {
		return 0, 0, false, errSyntax
	}
	return start, end, false, nil
}

// parseXArgs parses the argument of XCRC, XMD5 and XSHA: a path, in quotes or not, and
// the octets [start, end) of it, all of it by default; end is -1 where none is given.
// Without quotes, only two numbers at the end that make a range are taken for one: a
// single one may as well belong to a name with spaces.
func parseXArgs(arg string) (path string, start, end int64, err error) {
	if strings.HasPrefix(arg, `"`) {
		path, rest, err := unquote(arg)
		if err != nil {
			return "", 0, 0, err
		}
		start, end, err := parseSpan(rest)
		return path, start, end, err
	}
	if head, last, ok := cutLast(arg); ok {
		if head, first, ok := cutLast(head); ok {
			if start, end, err := parseSpan(first + " " + last); err == nil {
				return head, start, end, nil
			}
		}
	}
	if arg == "" {
		return "", 0, 0, errSyntax
	}
	return arg, 0, -1, nil
}

// parseSpan parses "[start [end]]", the first octet and the one after the last.
func parseSpan(s string) (start, end int64, err error) {
	if s == "" {
		return 0, -1, nil
	}
	first, last, bounded := strings.Cut(s, " ")
	if start, err = parseOctets(first); err != nil || !bounded {
		return start, -1, err
	}
	if end, err = parseOctets(last); err != nil || end < start {
		return 0, 0, errSyntax
	}
	return start, end, nil
}

// unquote takes a quoted path off the front of s; quotes within it are doubled as in the
// replies to PWD and MKD (RFC 959 appendix II). What follows is nothing, or a space and rest.
func unquote(s string) (path, rest string, err error) {
	var b strings.Builder
	for s = s[1:]; ; {
		head, tail, found := strings.Cut(s, `"`)
		if !found {
			return "", "", errSyntax
		}
		b.WriteString(head)
		if !strings.HasPrefix(tail, `"`) {
			rest, spaced := strings.CutPrefix(tail, " ")
			if b.Len() == 0 || tail != "" && !spaced {
				return "", "", errSyntax
			}
			return b.String(), rest, nil
		}
		b.WriteByte('"')
		s = tail[1:]
	}
}

// cutLast cuts s around its last space; ok is false if there is nothing before it.
func cutLast(s string) (head, last string, ok bool) {
	i := strings.LastIndexByte(s, ' ')
	if i <= 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
