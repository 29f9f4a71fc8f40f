package ftp

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	for s, want := range map[string]time.Time{
		"20240229235959":          time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC),
		"19700101000000":          time.Unix(0, 0),
		"19991231000000.5":        time.Date(1999, 12, 31, 0, 0, 0, 5e8, time.UTC),
		"20200102030405.123":      time.Date(2020, 1, 2, 3, 4, 5, 123e6, time.UTC),
		"20200102030405.00000000": time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC),
		"99991231235959":          time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		got, err := parseTime(s)
		if err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("parseTime(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", "2020", "202001020304", "2020010203040", "202001020304050", "20200102030405.", "20200102030405.x", "20200102030405,5",
		"20200102030405Z", " 20200102030405", "20200102030405 ", "+2020010203040", "-0200102030405", "2020-01-02T03:4",
		"20230229000000", "21000229000000", "20200431000000", "20200001000000", "20201301000000", "20200100000000", "20200132000000",
		"20200101240000", "20200101006000", "20200101000060", "20161231235960", // a leap second, which time.Time has not
		"00000101000000", "00010101000000", strings.Repeat("2", 4000), "20200102030405.5.5", "２0200102030405",
	} {
		if got, err := parseTime(s); !errors.Is(err, errSyntax) {
			t.Errorf("parseTime(%.40q) = %v, %v, want errSyntax", s, got, err)
		}
	}
}

func TestFormatTime(t *testing.T) {
	at := time.Date(2024, 12, 31, 23, 30, 1, 999e6, time.FixedZone("", -3600))
	if got := formatTime(at); got != "20250101003001" {
		t.Errorf("formatTime = %s", got)
	}
}

func TestParseMDTM(t *testing.T) {
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		arg, path string
		set       bool
	}{
		{"name", "name", false},
		{"", "", false},
		{"20200101000000", "20200101000000", false},
		{"20200101000000 ", "20200101000000 ", false},
		{"20200101000000 name", "name", true},
		{"20200101000000.000 a b ", "a b ", true},
		{"20200101000000  name", " name", true},
		{"20201301000000 name", "20201301000000 name", false},
		{"20200101000000.jpg", "20200101000000.jpg", false},
		{"20200101000000.jpg x", "20200101000000.jpg x", false},
		{"/20200101000000 name", "/20200101000000 name", false},
	} {
		got, path, set := parseMDTM(tt.arg)
		if path != tt.path || set != tt.set || set && !got.Equal(at) {
			t.Errorf("parseMDTM(%q) = %v, %q, %v", tt.arg, got, path, set)
		}
	}
}

func TestParseUTIME(t *testing.T) {
	for _, tt := range []struct{ arg, time, path string }{
		{"20200102030405 name", "20200102030405", "name"},
		{"202001020304 a b ", "20200102030400", "a b "},
		{"a b 20200101000000 20200102030405 20200103000000 UTC", "20200102030405", "a b"},
		{"name 202001010000 202001020304 202001030000 utc", "20200102030400", "name"},
		{"20200101000000 x 20200101000000 20200102030405 20200103000000 UTC", "20200102030405", "20200101000000 x"},
		{"20200102030405 20200101000000 20200102000000 UTC", "20200102030405", "20200101000000 20200102000000 UTC"},
		{"20200102030405 a UTC", "20200102030405", "a UTC"},
	} {
		got, path, err := parseUTIME(tt.arg)
		if err != nil || formatTime(got) != tt.time || path != tt.path {
			t.Errorf("parseUTIME(%q) = %v, %q, %v", tt.arg, got, path, err)
		}
	}
	for _, arg := range []string{
		"", "name", "20200102030405", "20200102030405 ", "20201302030405 name", "2020010203 name", "name 20200102030405",
		"name 20200101000000 20200102030405 UTC", "name 20200101000000 20201302030405 20200103000000 UTC",
	} {
		if got, path, err := parseUTIME(arg); !errors.Is(err, errSyntax) {
			t.Errorf("parseUTIME(%q) = %v, %q, %v, want errSyntax", arg, got, path, err)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"20240229235959", "20230229000000", "20200102030405.5", "20200102030405 name", "name 202001010000 202001020304 202001030000 UTC"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if at, err := parseTime(s); err == nil {
			if at.IsZero() || at.Location() != time.UTC || !strings.HasPrefix(s, formatTime(at)) {
				t.Fatalf("parseTime(%q) = %v", s, at)
			}
		}
		if at, path, set := parseMDTM(s); set != strings.HasPrefix(s, formatTime(at)) || path == "" && set || !strings.HasSuffix(s, path) {
			t.Fatalf("parseMDTM(%q) = %v, %q, %v", s, at, path, set)
		}
		if at, path, err := parseUTIME(s); err == nil && (path == "" || at.IsZero() || !strings.Contains(s, path)) {
			t.Fatalf("parseUTIME(%q) = %v, %q", s, at, path)
		}
	})
}
