package ftp

import (
	"strings"
	"time"
)

// timeLayout is the time-val of RFC 3659 §2.3, in UTC. Times are shown in whole seconds,
// the finest that every store keeps.
const timeLayout = "20060102150405"

// parseTime parses YYYYMMDDHHMMSS[.fraction] as UTC. Dates that no calendar has are
// errSyntax, a leap second and the years 0 and 1 too: time.Time has no leap seconds, and
// its zero, in year 1, is the time that nobody knows.
func parseTime(s string) (time.Time, error) {
	whole, fraction, found := strings.Cut(s, ".")
	if len(whole) != len(timeLayout) || !allDigits(whole) || found && !allDigits(fraction) {
		return time.Time{}, errSyntax
	}
	// time.Parse takes a fraction after the seconds though the layout has none.
	t, err := time.Parse(timeLayout, s)
	if err != nil || t.Year() < 2 {
		return time.Time{}, errSyntax
	}
	return t, nil
}

// formatTime writes t as YYYYMMDDHHMMSS in UTC, without its fraction.
func formatTime(t time.Time) string {
	return string(appendTime(nil, t))
}

func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, timeLayout)
}

// timeKnown tells whether t is a time that four digits of a year can show.
func timeKnown(t time.Time) bool {
	return !t.IsZero() && 0 <= t.UTC().Year() && t.UTC().Year() <= 9999
}

// parseMDTM tells the two uses of MDTM apart: "time path" sets a file's time, as clients
// without MFMT do, and anything else is a path to report on. A path may look like a time;
// only a space and another path after it make it one.
func parseMDTM(arg string) (t time.Time, path string, set bool) {
	first, rest, _ := strings.Cut(arg, " ")
	if t, err := parseTime(first); err == nil && rest != "" {
		return t, rest, true
	}
	return time.Time{}, arg, false
}

// parseUTIME parses both forms of SITE UTIME that clients send: "YYYYMMDDhhmm[ss] path",
// and "path atime mtime ctime UTC", of which mtime counts.
func parseUTIME(arg string) (t time.Time, path string, err error) {
	if t, path, ok := parseThreeTimes(arg); ok {
		return t, path, nil
	}
	first, rest, _ := strings.Cut(arg, " ")
	if t, err = parseShortTime(first); err != nil || rest == "" {
		return time.Time{}, "", errSyntax
	}
	return t, rest, nil
}

// parseThreeTimes parses "path atime mtime ctime UTC".
func parseThreeTimes(arg string) (mtime time.Time, path string, ok bool) {
	path, zone, ok := cutLast(arg)
	if !ok || !strings.EqualFold(zone, "UTC") {
		return time.Time{}, "", false
	}
	var times [3]time.Time
	for i := range times {
		var field string
		var err error
		if path, field, ok = cutLast(path); !ok {
			return time.Time{}, "", false
		}
		if times[i], err = parseShortTime(field); err != nil {
			return time.Time{}, "", false
		}
	}
	return times[1], path, true
}

// parseShortTime is parseTime for times that may lack seconds.
func parseShortTime(s string) (time.Time, error) {
	if len(s) == len("YYYYMMDDhhmm") {
		s += "00"
	}
	return parseTime(s)
}
