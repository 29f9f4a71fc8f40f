package ftp

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern  string
		yes, not []string
	}{
		{"", []string{""}, []string{"a"}},
		{"abc", []string{"abc"}, []string{"ab", "abcd", "ABC", ""}},
		{"*", []string{"", "a", ".hidden", "日本"}, nil},
		{"*.jpg", []string{".jpg", "a.jpg", "a.jpg.jpg"}, []string{"a.jpeg", "a.jpg.tmp"}},
		{"a*b*c", []string{"abc", "aXbYc", "abbcc"}, []string{"acb", "ab", "abcX"}},
		{"***", []string{"", "abc"}, nil},
		{"?", []string{"a", "ü", "日"}, []string{"", "ab"}},
		{"??*", []string{"ab", "日本語"}, []string{"", "ü"}},
		{"[abc]", []string{"a", "c"}, []string{"d", "", "ab"}},
		{"[a-c]x", []string{"ax", "cx"}, []string{"dx", "-x"}},
		{"[!a-c]", []string{"d", "ü", "-"}, []string{"a", "b", ""}},
		{"[^a-c]", []string{"d"}, []string{"b"}},
		{"[a^]", []string{"^", "a"}, []string{"b"}},
		{"[]a]", []string{"]", "a"}, []string{"b"}},
		{"[!]a]", []string{"b"}, []string{"]", "a"}},
		{"[a-]", []string{"a", "-"}, []string{"b"}},
		{"[-a]", []string{"a", "-"}, []string{"b"}},
		{"[a-c-e]", []string{"b", "-", "e"}, []string{"d"}},
		{"[z-a]", nil, []string{"a", "m", "z", "-"}},
		{"[!z-a]", []string{"a", "-"}, []string{""}},
		{"[а-я]", []string{"б", "ю"}, []string{"a", "Б"}},
		{"[*?[]", []string{"*", "?", "["}, []string{"a"}},
		{"x[0-9a-f][0-9]y", []string{"xa7y", "x00y"}, []string{"xg7y", "xa7"}},
		{"[[][[][]]", []string{"[[]"}, []string{"["}},
		// A class that is not closed is no class.
		{"[", []string{"["}, []string{"", "a"}},
		{"a[b", []string{"a[b"}, []string{"ab"}},
		{"[]", []string{"[]"}, []string{"]", ""}},
		{"[!]", []string{"[!]"}, []string{"a", "]"}},
		{"[a-", []string{"[a-"}, []string{"a"}},
		{"*[z", []string{"[z", "a[z"}, []string{"z"}},
		// The pattern's own text.
		{"file[1].txt", []string{"file1.txt", "file[1].txt"}, []string{"file2.txt"}},
		{"[!a]", []string{"[!a]", "b"}, []string{"a"}},
		// Neither escapes nor braces.
		{"a\\*", []string{"a\\", "a\\x"}, []string{"a*"}},
		{"{a,b}", []string{"{a,b}"}, []string{"a", "b"}},
	} {
		g := compileGlob(tt.pattern)
		for _, name := range tt.yes {
			if !g.match(name) {
				t.Errorf("%q does not match %q", tt.pattern, name)
			}
		}
		for _, name := range tt.not {
			if g.match(name) {
				t.Errorf("%q matches %q", tt.pattern, name)
			}
		}
	}
}

func TestHasMeta(t *testing.T) {
	for s, want := range map[string]bool{"": false, "a.b": false, "a]b-": false, "*": true, "a?": true, "x[": true, "{a}": false} {
		if hasMeta(s) != want {
			t.Errorf("hasMeta(%q) = %v", s, !want)
		}
	}
}

// matchSlowly says the same as match by trying everything.
func matchSlowly(tokens []rune, g *glob, name []rune) bool {
	switch {
	case len(tokens) == 0:
		return len(name) == 0
	case tokens[0] == tokenStar:
		return matchSlowly(tokens[1:], g, name) || len(name) > 0 && matchSlowly(tokens, g, name[1:])
	}
	return len(name) > 0 && g.fits(tokens[0], name[0]) && matchSlowly(tokens[1:], g, name[1:])
}

func TestGlobAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(alphabet string, n int) string {
		letters := []rune(alphabet)
		s := make([]rune, random.IntN(n))
		for i := range s {
			s[i] = letters[random.IntN(len(letters))]
		}
		return string(s)
	}
	matches := 0
	for range 100_000 {
		pattern, name := draw("ab*?[]-!ü", 8), draw("abü", 8)
		g := compileGlob(pattern)
		want := name == pattern || matchSlowly(g.tokens, g, []rune(name))
		if g.match(name) != want {
			t.Fatalf("match(%q, %q) = %v", pattern, name, !want)
		}
		if want {
			matches++
		}
	}
	if matches < 1000 {
		t.Errorf("only %d pairs matched: the test proves little", matches)
	}
}

// hostilePatterns are up to 4 KiB long and take matchers that try everything for ever.
func hostilePatterns() map[string]string {
	return map[string]string{
		"stars":         strings.Repeat("*", 4096),
		"stars and a":   strings.Repeat("a*", 2048),
		"stars a b":     strings.Repeat("*a", 500) + "b",
		"long run":      "*" + strings.Repeat("a", 511) + "b*",
		"runs":          strings.Repeat("*"+strings.Repeat("a", 63), 15) + "b",
		"marks":         "*" + strings.Repeat("?", 511) + "b",
		"parents":       strings.Repeat("*/../", 800),
		"open class":    "*" + strings.Repeat("[a-", 1300),
		"opens":         strings.Repeat("[", 4096),
		"wide class":    "*[" + strings.Repeat("a-c", 1300) + "]b",
		"many classes":  "*" + strings.Repeat("[!b-z]", 511) + "b",
		"wider class":   "*[!" + strings.Repeat("é-ü", 800) + "]b",
		"braces":        strings.Repeat("{a,{b,", 680),
		"escapes":       strings.Repeat("\\*", 2048),
		"broken octets": "*" + strings.Repeat("\xff", 500) + "b",
	}
}

// The steps of match are bounded by what it works on: tokens, of which no two stars are
// neighbours, and classes whose members do not overlap. The benchmark has the time.
func TestP14_PatternsStaySmall(t *testing.T) {
	name := strings.Repeat("a", 1024)
	for kind, pattern := range hostilePatterns() {
		if len(pattern) > 4096 {
			t.Fatalf("%s: %d octets", kind, len(pattern))
		}
		g := compileGlob(pattern)
		if len(g.tokens) > utf8.RuneCountInString(pattern) {
			t.Errorf("%s: %d tokens", kind, len(g.tokens))
		}
		for i, token := range g.tokens[1:] {
			if token == tokenStar && g.tokens[i] == tokenStar {
				t.Errorf("%s: two stars in a row", kind)
			}
		}
		for _, c := range g.classes {
			if len(c.ranges) > 4 {
				t.Errorf("%s: a class of %d ranges", kind, len(c.ranges))
			}
		}
		if got := g.match(name); got != (kind == "stars") {
			t.Errorf("%s: match = %v", kind, got)
		}
	}
}

// Budget: 1 ms for a pattern of 4 KiB, compiled anew, and a name of 1 KiB.
func BenchmarkP14_HostileGlob(b *testing.B) {
	name := strings.Repeat("a", 1024)
	for kind, pattern := range hostilePatterns() {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				compileGlob(pattern).match(name)
			}
		})
	}
}

// Budget: no allocation, 100 ns.
func BenchmarkGlob(b *testing.B) {
	g := compileGlob("image-*[0-9].jpg")
	b.ReportAllocs()
	for b.Loop() {
		if !g.match("image-2025-000123.jpg") {
			b.Fatal("no match")
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("a*[b-c]?", "axxbü")
	f.Add("[", "[")
	f.Add("*[!]]*", "]")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		g := compileGlob(pattern)
		if !g.match(pattern) {
			t.Fatalf("%q does not match itself", pattern)
		}
		if utf8.ValidString(pattern) && !hasMeta(pattern) && !compileGlob(pattern+"*").match(pattern+name) {
			t.Fatalf("%q* does not match %q", pattern, pattern+name)
		}
		if !utf8.ValidString(pattern) || !utf8.ValidString(name) {
			return
		}
		if !hasMeta(pattern) && g.match(name) != (pattern == name) {
			t.Fatalf("%q and %q", pattern, name)
		}
		if len(pattern)+len(name) < 20 && g.match(name) != (pattern == name || matchSlowly(g.tokens, g, []rune(name))) {
			t.Fatalf("match(%q, %q) = %v", pattern, name, g.match(name))
		}
	})
}
