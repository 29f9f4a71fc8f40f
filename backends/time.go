package backends

import (
	"strconv"
	"strings"
	"time"
)

// Time is when the content was last modified, in UTC: the time that a client has set
// ([MetaModTime]) if it can be read, else ModTime. A Partial object may have forgotten
// what was set.
func (o Object) Time() time.Time {
	if t, ok := ParseModTime(o.Metadata[MetaModTime]); ok {
		return t
	}
	return o.ModTime
}

// Since is from when on the object has been as it is, by the store's clock: never earlier than
// when it was written, whatever time a client has set.
func (o Object) Since() time.Time {
	if o.Stored.After(o.ModTime) {
		return o.Stored
	}
	return o.ModTime
}

// FormatModTime writes t as the value of [MetaModTime]: decimal seconds since 1970, with
// a fraction only if there is one, as rclone does.
func FormatModTime(t time.Time) string {
	sec, nsec := t.Unix(), t.Nanosecond()
	sign := ""
	if sec < 0 {
		sign, sec = "-", -sec
		if nsec > 0 { // Unix rounds down; the text counts away from zero
			sec, nsec = sec-1, 1e9-nsec
		}
	}
	text := sign + strconv.FormatInt(sec, 10)
	if nsec == 0 {
		return text
	}
	fraction := strconv.Itoa(1e9 + nsec)[1:]
	return text + "." + strings.TrimRight(fraction, "0")
}

// ParseModTime reads what [FormatModTime], rclone and s3fs write, and RFC 3339, which
// other tools write. It fails on times outside the years 1 to 9999, which FTP cannot show.
// Digits beyond nanoseconds are cut off.
func ParseModTime(s string) (time.Time, bool) {
	t, ok := seconds(s)
	// The T is looked for because a failure to parse costs an allocation, in each entry of
	// a listing that tells no metadata.
	if !ok && strings.Contains(s, "T") {
		var err error
		t, err = time.Parse(time.RFC3339Nano, s)
		t, ok = t.UTC(), err == nil
	}
	if !ok || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t, true
}

// seconds reads a decimal number of seconds since 1970.
func seconds(s string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	digits := strings.TrimPrefix(whole, "-")
	sec, ok := decimal(digits)
	if !ok {
		return time.Time{}, false
	}
	nsec, ok := nanoseconds(fraction)
	if !ok {
		return time.Time{}, false
	}
	if digits != whole {
		sec, nsec = -sec, -nsec
	}
	return time.Unix(sec, nsec).UTC(), true
}

// decimal reads an unsigned number of at most 12 digits: more cannot be a year of four.
func decimal(s string) (int64, bool) {
	if len(s) == 0 || len(s) > 12 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// nanoseconds reads the digits after the decimal point, of which there may be none.
func nanoseconds(s string) (int64, bool) {
	if strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt((s + "000000000")[:9], 10, 64)
	return n, err == nil
}
