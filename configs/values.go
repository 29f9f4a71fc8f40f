package configs

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// choice is a value out of a short list.
type choice interface{ choices() []string }

// ListenerTLS is how TLS begins on a listener.
type ListenerTLS string

// ImplicitTLS begins with the first octet, as on port 990.
const ImplicitTLS ListenerTLS = "implicit"

func (ListenerTLS) choices() []string { return []string{string(ImplicitTLS)} }

// TLSVersion is the oldest version of TLS that is accepted: "1.0" to "1.3".
type TLSVersion string

func (TLSVersion) choices() []string { return []string{"1.0", "1.1", "1.2", "1.3"} }

// SessionReuse is the policy on TLS sessions of data connections.
type SessionReuse string

// The policies of session reuse.
const (
	ReuseOffered  SessionReuse = "offered"
	ReuseRequired SessionReuse = "required" // a data connection must resume its control connection's session
)

func (SessionReuse) choices() []string { return []string{string(ReuseOffered), string(ReuseRequired)} }

// Kind is a kind of store.
type Kind string

// The kinds of store.
const (
	LocalDir  Kind = "localdir"
	S3        Kind = "s3"
	GCS       Kind = "gcs"
	AzureBlob Kind = "azblob"
	FTP       Kind = "ftp"
)

func (Kind) choices() []string {
	return []string{string(LocalDir), string(S3), string(GCS), string(AzureBlob), string(FTP)}
}

// Right is something that an account may do below a mount.
type Right string

// The rights. Write makes new files, Overwrite replaces them.
const (
	List      Right = "list"
	Read      Right = "read"
	Write     Right = "write"
	Overwrite Right = "overwrite"
	Delete    Right = "delete"
	Rename    Right = "rename"
	Mkdir     Right = "mkdir"
)

func (Right) choices() []string {
	return []string{string(List), string(Read), string(Write), string(Overwrite), string(Delete), string(Rename), string(Mkdir)}
}

// Sandbox says whether the running gateway gives up what it does not need of the system.
type Sandbox string

// The choices of a sandbox.
const (
	SandboxOn  Sandbox = "on" // as far as the system can
	SandboxOff Sandbox = "off"
)

func (Sandbox) choices() []string { return []string{string(SandboxOn), string(SandboxOff)} }

// LogFormat is "json" or "text".
type LogFormat string

func (LogFormat) choices() []string { return []string{"json", "text"} }

// LogLevel is the least level that is logged: "debug", "info", "warn" or "error".
type LogLevel string

func (LogLevel) choices() []string { return []string{"debug", "info", "warn", "error"} }

// Size is a number of bytes.
type Size int64

// The units of a [Size].
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
	TiB Size = 1 << 40
)

// units are the suffixes of a size; "B" is last because the others end in it.
func units() []struct {
	suffix string
	size   Size
} {
	return []struct {
		suffix string
		size   Size
	}{{"KiB", KiB}, {"MiB", MiB}, {"GiB", GiB}, {"TiB", TiB}, {"B", 1}, {"", 1}}
}

// ParseSize reads a whole number with an optional unit, such as "64MiB".
func ParseSize(text string) (Size, error) {
	for _, u := range units() {
		digits, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 63)
		if err != nil {
			return 0, err
		}
		if n > math.MaxInt64/uint64(u.size) {
			return 0, strconv.ErrRange
		}
		return Size(n) * u.size, nil
	}
	return 0, strconv.ErrSyntax
}

// Date is a day of the calendar. The zero value is none.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// End is when the day is over, in UTC. It is the zero time for the zero Date.
func (d Date) End() time.Time {
	if d == (Date{}) {
		return time.Time{}
	}
	return time.Date(d.Year, d.Month, d.Day+1, 0, 0, 0, 0, time.UTC)
}

// String is the date as the configuration has it; "" for the zero Date.
func (d Date) String() string {
	if d == (Date{}) {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// parseDate reads a date such as "2027-03-31".
func parseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Date{}, err
	}
	return Date{t.Year(), t.Month(), t.Day()}, nil
}

// PortRange is a range of TCP ports, both ends included. The zero value leaves the choice
// to the system.
type PortRange struct{ Min, Max uint16 }

var errPortOrder = errors.New("the first port is greater than the last")

// parsePortRange reads "50000-50999"; "" is the zero PortRange.
func parsePortRange(text string) (PortRange, error) {
	if text == "" {
		return PortRange{}, nil
	}
	first, last, ok := strings.Cut(text, "-")
	if !ok {
		return PortRange{}, strconv.ErrSyntax
	}
	low, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return PortRange{}, err
	}
	high, err := strconv.ParseUint(last, 10, 16)
	if err != nil {
		return PortRange{}, err
	}
	if low == 0 {
		return PortRange{}, strconv.ErrRange
	}
	if low > high {
		return PortRange{}, fmt.Errorf("%d-%d: %w", low, high, errPortOrder)
	}
	return PortRange{Min: uint16(low), Max: uint16(high)}, nil
}
