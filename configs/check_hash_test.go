package configs

import "testing"

// TestS52_WholeHashesPassAndShortOnesDoNot: every octet of a hash counts.
func TestS52_WholeHashesPassAndShortOnesDoNot(t *testing.T) {
	judge := func(hash string) error {
		c := checker{hashes: hashForms(), report: &report{source: source{lines: map[string]int{"": 1, "p": 1}}}}
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
