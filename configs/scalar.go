package configs

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// isScalar tells whether v is written as one value in YAML, though a struct in Go.
func isScalar(v reflect.Value) bool {
	switch v.Addr().Interface().(type) {
	case *netip.Addr, *netip.Prefix, *PortRange, *Date:
		return true
	}
	return false
}

// setScalar parses text into v, or says what is wrong and what would be right.
func setScalar(text string, v reflect.Value) (wrong, right string) {
	if c, ok := v.Interface().(choice); ok {
		return setChoice(text, v, c.choices())
	}
	var err error
	var noun string
	switch into := v.Addr().Interface().(type) {
	case *string:
		*into = text
	case *Secret:
		*into = Secret(text)
	case *bool:
		noun, right = "true or false", "write true or false"
		*into, err = parseBool(text)
	case *int:
		noun, right = "a whole number", "write a number such as 100"
		*into, err = strconv.Atoi(text)
	case *time.Duration:
		noun, right = "a duration from 0 up", "write a number with a unit, such as 30s, 5m or 1h30m"
		*into, err = parseDuration(text)
	case *Grace:
		noun, right = "a grace", "write auto, or a duration above 0, such as 250ms"
		*into, err = parseGrace(text)
	case *Size:
		noun, right = "a size", "write a whole number of bytes, KiB, MiB, GiB or TiB, such as 64MiB"
		*into, err = ParseSize(text)
	case *PortRange:
		noun, right = "a range of ports", "write the first and the last port, such as 50000-50999"
		*into, err = parsePortRange(text)
	case *Date:
		noun, right = "a date", "write the last day, such as 2027-03-31; it ends in UTC"
		*into, err = parseDate(text)
	case *netip.Addr:
		noun, right = "an IP address", "write one such as 192.0.2.10; names are not looked up"
		err = into.UnmarshalText([]byte(text))
	case *netip.Prefix:
		noun, right = "a network", "write an address and a prefix length, such as 10.0.0.0/8"
		err = into.UnmarshalText([]byte(text))
	default:
		panic(fmt.Sprintf("no parser for %T", into)) // a field of the schema that no one taught to read
	}
	if err != nil {
		return fmt.Sprintf("%q is not %s", text, noun), right
	}
	return "", ""
}

func setChoice(text string, v reflect.Value, choices []string) (wrong, right string) {
	if slices.Contains(choices, text) {
		v.SetString(text)
		return "", ""
	}
	return fmt.Sprintf("%q is not known", text), "write " + oneOf(choices)
}

// parseBool knows YAML 1.2's two words only: "yes" and "on" mean other things elsewhere.
func parseBool(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, strconv.ErrSyntax
}

// parseDuration accepts no negative durations, which mean nothing in a configuration.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		return 0, strconv.ErrRange
	}
	return d, err
}
