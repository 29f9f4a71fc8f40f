package ftp

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
)

func TestX1_REST(t *testing.T) {
	for arg, want := range map[string]int64{
		"0": 0, "100": 100, "0007": 7, "4294967296": 1 << 32, "9223372036854775807": math.MaxInt64,
	} {
		if got, err := parseREST(arg); err != nil || got != want {
			t.Errorf("parseREST(%q) = %d, %v", arg, got, err)
		}
	}
	for _, arg := range []string{
		"", " ", "-1", "-0", "+5", "0x10", "1e30", "1.5", "1_000", " 5", "5 ", "5 6", "9223372036854775808",
		"18446744073709551616", strings.Repeat("9", 4000), "٣", "5\x00", "MARKER",
	} {
		if got, err := parseREST(arg); !errors.Is(err, errSyntax) || got != 0 {
			t.Errorf("parseREST(%.40q) = %d, %v, want errSyntax", arg, got, err)
		}
	}
}

func TestX2_ALLO(t *testing.T) {
	for arg, want := range map[string]int64{
		"0": 0, "1000": 1000, "1000 R 80": 1000, "1000 r 0": 1000, "9223372036854775807": math.MaxInt64,
	} {
		if got, err := parseALLO(arg); err != nil || got != want {
			t.Errorf("parseALLO(%q) = %d, %v", arg, got, err)
		}
	}
	for _, arg := range []string{
		"", "-1", "9223372036854775808", "1000 ", "1000 R", "1000 R ", "1000 R x", "1000 R -1", "1000 R 18446744073709551616",
		"1000 80", "1000 X 80", "1000 R 80 9", "R 80", "1000  R 80",
	} {
		if got, err := parseALLO(arg); !errors.Is(err, errSyntax) || got != 0 {
			t.Errorf("parseALLO(%q) = %d, %v, want errSyntax", arg, got, err)
		}
	}
}

func TestParseRANG(t *testing.T) {
	for _, tt := range []struct {
		arg        string
		start, end int64
		reset      bool
	}{
		{"0 0", 0, 0, false},
		{"0 49", 0, 49, false},
		{"1 1", 1, 1, false},
		{"1 0", 0, 0, true},
		{"5 9223372036854775806", 5, math.MaxInt64 - 1, false},
	} {
		start, end, reset, err := parseRANG(tt.arg)
		if err != nil || start != tt.start || end != tt.end || reset != tt.reset {
			t.Errorf("parseRANG(%q) = %d, %d, %v, %v", tt.arg, start, end, reset, err)
		}
	}
	for _, arg := range []string{"", "1", "1 ", " 1", "2 1", "2 0", "-1 5", "0 9223372036854775807", "0 9223372036854775808", "0 1 2", "a b", "0  1"} {
		if _, _, _, err := parseRANG(arg); !errors.Is(err, errSyntax) {
			t.Errorf("parseRANG(%q): %v, want errSyntax", arg, err)
		}
	}
}

func TestParseXArgs(t *testing.T) {
	for _, tt := range []struct {
		arg, path  string
		start, end int64
	}{
		{"f", "f", 0, -1},
		{"/a/b c.bin", "/a/b c.bin", 0, -1},
		{"f 0 100", "f", 0, 100},
		{"a b 10 10", "a b", 10, 10},
		{"report 2024", "report 2024", 0, -1},
		{"1 2", "1 2", 0, -1},
		{"1 2 3", "1", 2, 3},
		{`"f"`, "f", 0, -1},
		{`"a b" 5`, "a b", 5, -1},
		{`"a b" 5 9`, "a b", 5, 9},
		{`"report 1 2"`, "report 1 2", 0, -1},
		{`"say ""hi""" 0 1`, `say "hi"`, 0, 1},
		{"track 2 1", "track 2 1", 0, -1},
		{` f`, " f", 0, -1},
		{`a"b`, `a"b`, 0, -1},
	} {
		path, start, end, err := parseXArgs(tt.arg)
		if err != nil || path != tt.path || start != tt.start || end != tt.end {
			t.Errorf("parseXArgs(%q) = %q, %d, %d, %v", tt.arg, path, start, end, err)
		}
	}
	for _, arg := range []string{
		"", `"`, `""`, `"f`, `"f""`, `"f"x`, `"f" x`, `"f" 1 x`, `"f" 1 2 3`, `"f" 2 1`, `"f" -1`, `"f" 9223372036854775808`,
	} {
		if path, _, _, err := parseXArgs(arg); !errors.Is(err, errSyntax) {
			t.Errorf("parseXArgs(%q) = %q, %v, want errSyntax", arg, path, err)
		}
	}
}

func FuzzNumbers(f *testing.F) {
	for _, seed := range []string{"0", "1000 R 80", "1 0", `"a" 1 2`, "-1", "9223372036854775808", "f 2 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		if n, err := parseREST(arg); err == nil {
			if text := strconv.FormatInt(n, 10); n < 0 || text != "0" && text != strings.TrimLeft(arg, "0") {
				t.Fatalf("parseREST(%q) = %d", arg, n)
			}
		}
		if n, err := parseALLO(arg); n < 0 || err != nil && n != 0 {
			t.Fatalf("parseALLO(%q) = %d, %v", arg, n, err)
		}
		if start, end, reset, err := parseRANG(arg); err == nil && !reset && (start < 0 || end < start) {
			t.Fatalf("parseRANG(%q) = %d, %d", arg, start, end)
		}
	})
}

func FuzzParseXArgs(f *testing.F) {
	for _, seed := range []string{"f", "f 0 1", `"a ""b""" 1`, `"`, `""`, "a b 1 2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		path, start, end, err := parseXArgs(arg)
		if err == nil && (path == "" || start < 0 || end != -1 && end < start || len(path) > len(arg)) {
			t.Fatalf("parseXArgs(%q) = %q, %d, %d", arg, path, start, end)
		}
		if arg == "" {
			return
		}
		// Whatever the name, in quotes it is taken as it is.
		quoted := `"` + strings.ReplaceAll(arg, `"`, `""`) + `" 3 7`
		if path, start, end, err := parseXArgs(quoted); err != nil || path != arg || start != 3 || end != 7 {
			t.Fatalf("parseXArgs(%q) = %q, %d, %d, %v", quoted, path, start, end, err)
		}
	})
}
