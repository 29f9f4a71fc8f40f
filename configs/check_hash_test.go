package configs

import (
	"strings"
	"testing"
)

// TestS52_WholeHashesPassAndShortOnesDoNot: every octet of a hash counts.
func TestS52_WholeHashesPassAndShortOnesDoNot(t *testing.T) {
	judge := func(hash string) error {
		c := checker{cfg: &Config{}, hashes: hashForms(), report: &report{source: source{lines: map[string]int{"": 1, "p": 1}}}}
		c.password("p", Secret(hash))
		return c.err()
	}
	for _, hash := range []string{
		"$1$saltsalt$goMxXeqxJkM5bLX9doQ79.",
		"$5$saltsalt$edeJijhPkxDk8E9S4n0E8sAQLaPeWODKcdET8bvCED4",
		"$6$rounds=1000$saltsalt$hDnzMYCwGad68pMMDfpdONZj8SkdSoEMcfOdljvqF8QZ9TceaZmJ5W7egWEwpYC9ZVQKg4zDfCDLd5AtWTw7x0",
		"$2b$04$abcdefghijklmnopqrstuuJ9hcn4ICUfT1kUPCGv1dI2d1ENrPMoS",
		"$2a$04$abcdefghijklmnopqrstuuJ9hcn4ICUfT1kUPCGv1dI2d1ENrPMoS",
		"$2y$04$abcdefghijklmnopqrstuuJ9hcn4ICUfT1kUPCGv1dI2d1ENrPMoS",
		"$y$j75$abcdefghijklmnop$kUDrhlydGBVBjIHkcGF4HrwsxQpHSVwDScOTBtbQKB1",
		"$apr1$saltsalt$3GtCPrD4rj7Lnu9uwspqG/",
		"$7$2/..../....saltsalt$STNlhkdSw2a1cxJ5Pf7BF5aELpuC20YY6aVlPrSwNp9",
		"$argon2id$v=19$m=19456,t=2,p=1$Y2F1c2V3YXktbm9ib2R5$2h1t3Zbq0M5mYp0b",
		"$argon2i$v=19$m=19456,t=2,p=1$Y2F1c2V3YXktbm9ib2R5$2h1t3Zbq0M5mYp0b",
	} {
		if err := judge(hash); err != nil {
			t.Errorf("%s: %v", hash, err)
		}
		for _, damaged := range []string{hash[:len(hash)-1], hash + "\n", " " + hash, hash[1:], hash + "$"} {
			if judge(damaged) == nil {
				t.Errorf("%q passes", damaged)
			}
		}
	}
}

// TestDESIsAllowedByName: a hash of which eight characters count is none unless asked for.
func TestDESIsAllowedByName(t *testing.T) {
	for _, c := range []struct {
		allow []WeakHash
		want  bool
	}{{nil, false}, {[]WeakHash{DESCrypt}, true}} {
		check := checker{cfg: &Config{Hashes: PasswordHashes{Allow: c.allow}}, hashes: hashForms(), report: &report{source: source{lines: map[string]int{"": 1, "p": 1}}}}
		check.password("p", "abRy4/6THFs9U")
		if err := check.err(); (err == nil) != c.want {
			t.Errorf("%v: %v", c.allow, err)
		} else if err != nil && (!strings.Contains(err.Error(), "password_hashes: {allow: [des-crypt]}") || strings.Contains(err.Error(), "abRy4")) {
			t.Errorf("told as %v", err)
		}
	}
}
