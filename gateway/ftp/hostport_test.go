package ftp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestParsePORT(t *testing.T) {
	for arg, want := range map[string]string{
		"127,0,0,1,4,1":           "127.0.0.1:1025",
		"10,20,30,40,255,255":     "10.20.30.40:65535",
		"192,168,001,002,000,021": "192.168.1.2:21", // padded by devices; decimal all the same
		"0,0,0,0,0,1":             "0.0.0.0:1",
	} {
		got, err := parsePORT(arg)
		if err != nil || got != netip.MustParseAddrPort(want) {
			t.Errorf("parsePORT(%q) = %v, %v, want %s", arg, got, err, want)
		}
	}
}

func TestD4_MalformedPORT(t *testing.T) {
	for _, arg := range []string{
		"", ",", ",,,,,", "1,2,3,4,5", "1,2,3,4,5,", "1,2,3,4,5,6,", "1,2,3,4,5,6,7", "1,2,3,4,5,6,7,8,9,10,11,12",
		"1,2,3,,5,6", ",2,3,4,5,6", "256,0,0,1,4,1", "1,2,3,4,256,1", "1,2,3,4,5,999", "1,2,3,4,5,1000", "1,2,3,4,5,0006",
		"4294967297,0,0,1,4,1", "1,2,3,4,18446744073709551620,1", "-1,2,3,4,5,6", "+1,2,3,4,5,6", "0x7f,0,0,1,4,1",
		"1,2,3,4,5,6 ", " 1,2,3,4,5,6", "1, 2,3,4,5,6", "1.2.3.4,5,6", "a,b,c,d,e,f", "localhost,5,6", "1,2,3,4,0,0",
		"1,2,3,4,5,6\x00", "١,2,3,4,5,6", strings.Repeat("1,", 4000),
	} {
		if got, err := parsePORT(arg); !errors.Is(err, errSyntax) {
			t.Errorf("parsePORT(%.40q) = %v, %v, want errSyntax", arg, got, err)
		}
	}
}

func TestParseEPRT(t *testing.T) {
	for arg, want := range map[string]string{
		"|1|127.0.0.1|1025|":             "127.0.0.1:1025",
		"|2|::1|65535|":                  "[::1]:65535",
		"!2!1080::8:800:200C:417A!5282!": "[1080::8:800:200c:417a]:5282",
		"~1~10.0.0.1~021~":               "10.0.0.1:21",
		"a1a10.0.0.1a21a":                "10.0.0.1:21",
	} {
		got, err := parseEPRT(arg)
		if err != nil || got != netip.MustParseAddrPort(want) {
			t.Errorf("parseEPRT(%q) = %v, %v, want %s", arg, got, err, want)
		}
	}
}

func TestD3_EPRT(t *testing.T) {
	// An IPv4 address in an IPv6 one is seen as what it is, so that it is compared as such.
	got, err := parseEPRT("|2|::ffff:127.0.0.2|2000|")
	if want := netip.MustParseAddrPort("127.0.0.2:2000"); err != nil || got != want {
		t.Errorf("mapped address = %v, %v, want %v", got, err, want)
	}
	for _, arg := range []string{
		"", "|", "|||", "||||", "|1|127.0.0.1|1025", "1|127.0.0.1|1025|", "|1|127.0.0.1|1025||", "|1|127.0.0.1|1025|x",
		"|1|localhost|1025|", "|1|example.org|1025|", "|2|localhost|1025|", // never looked up
		"|1|127.0.0.1|99999|", "|1|127.0.0.1|65536|", "|1|127.0.0.1|0|", "|1|127.0.0.1||", "|1|127.0.0.1|-1|", "|1|127.0.0.1|+21|", "|1|127.0.0.1|0x15|",
		"|1|::1|1025|", "|1|::ffff:1.2.3.4|1025|", "|2|127.0.0.1|1025|", // wrong family
		"|1|127.0.0.256|1025|", "|1|127.1|1025|", "|1|2130706433|1025|", "|1|0177.0.0.1|1025|", "|1||1025|",
		"|2|fe80::1%eth0|1025|", "|2|[::1]|1025|", "|2|::1::|1025|",
		" 1 127.0.0.1 1025 ", "\x7f1\x7f127.0.0.1\x7f1025\x7f", "é1é127.0.0.1é1025é", ":2:::1:1025:", ".1.127.0.0.1.1025.", "1112711",
		"|x|127.0.0.1|1025|", "|-1|127.0.0.1|1025|", "| 1|127.0.0.1|1025|", strings.Repeat("|", 4000),
	} {
		if got, err := parseEPRT(arg); !errors.Is(err, errSyntax) {
			t.Errorf("parseEPRT(%.40q) = %v, %v, want errSyntax", arg, got, err)
		}
	}
	for _, arg := range []string{"|3|127.0.0.1|1025|", "|0|127.0.0.1|1025|", "|99999999999999999999|::1|1025|", "|12|x|y|"} {
		if got, err := parseEPRT(arg); !errors.Is(err, errProtocol) {
			t.Errorf("parseEPRT(%q) = %v, %v, want errProtocol", arg, got, err)
		}
	}
}

func TestParseEPSV(t *testing.T) {
	for _, tt := range []struct {
		arg   string
		proto int
		all   bool
		err   error
	}{
		{"", 0, false, nil},
		{"1", 1, false, nil},
		{"2", 2, false, nil},
		{"ALL", 0, true, nil},
		{"all", 0, true, nil},
		{"3", 0, false, errProtocol},
		{"0", 0, false, errProtocol},
		{"4294967297", 0, false, errProtocol},
		{"ALL ", 0, false, errSyntax},
		{"-1", 0, false, errSyntax},
		{"x", 0, false, errSyntax},
	} {
		proto, all, err := parseEPSV(tt.arg)
		if proto != tt.proto || all != tt.all || !errors.Is(err, tt.err) {
			t.Errorf("parseEPSV(%q) = %d, %v, %v", tt.arg, proto, all, err)
		}
	}
}

func TestFormatPassiveReplies(t *testing.T) {
	if got := formatPASV(netip.MustParseAddrPort("127.0.0.1:50001")); got != "127,0,0,1,195,81" {
		t.Errorf("formatPASV: %s", got)
	}
	if got := formatPASV(netip.MustParseAddrPort("[::ffff:10.200.0.255]:255")); got != "10,200,0,255,0,255" {
		t.Errorf("formatPASV of a mapped address: %s", got)
	}
	if got := formatEPSV(65535); got != "|||65535|" {
		t.Errorf("formatEPSV: %s", got)
	}
}

func FuzzParsePORT(f *testing.F) {
	for _, seed := range []string{"127,0,0,1,4,1", "1,2,3,4,5,6,7", "256,0,0,1,4,1", ",,,,,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		a, err := parsePORT(arg)
		if err != nil {
			return
		}
		if !a.Addr().Is4() || a.Port() == 0 || strings.Trim(arg, "0123456789,") != "" {
			t.Fatalf("parsePORT(%q) = %v", arg, a)
		}
		if again, err := parsePORT(formatPASV(a)); err != nil || again != a {
			t.Fatalf("%v written and read: %v, %v", a, again, err)
		}
	})
}

func FuzzParseEPRT(f *testing.F) {
	for _, seed := range []string{"|1|127.0.0.1|1025|", "!2!::1!5282!", "|2|::ffff:1.2.3.4|1|", "|3|x|1|", "|2|fe80::1%e|1|"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		a, err := parseEPRT(arg)
		if err != nil {
			if !errors.Is(err, errSyntax) && !errors.Is(err, errProtocol) {
				t.Fatalf("parseEPRT(%q): %v", arg, err)
			}
			return
		}
		if !a.IsValid() || a.Port() == 0 || a.Addr().Zone() != "" || a.Addr().Is4In6() {
			t.Fatalf("parseEPRT(%q) = %v", arg, a)
		}
	})
}
