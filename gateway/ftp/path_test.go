package ftp

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"
)

func mustJoin(t testing.TB, p Path, name string) Path {
	t.Helper()
	joined, err := p.Join(name)
	if err != nil {
		t.Fatalf("Join(%q, %q): %v", p, name, err)
	}
	return joined
}

func TestPathJoin(t *testing.T) {
	for _, tt := range []struct{ from, name, want string }{
		{"/", "", "/"},
		{"/", "a", "/a"},
		{"/a", "b", "/a/b"},
		{"/a", "/b", "/b"},
		{"/a/b", "..", "/a"},
		{"/a/b", "../c/", "/a/c"},
		{"/a", "./b/./c", "/a/b/c"},
		{"/a", "b//c///", "/a/b/c"},
		{"/a", ".", "/a"},
		{"/a", "...", "/a/..."},
		{"/a", ".hidden", "/a/.hidden"},
		{"/", " a b ", "/ a b "},
		{"/", " ", "/ "},
		{"/", "a.", "/a."},
		{"/in", "ü/日本", "/in/ü/日本"},
		{"/", "*?[x]", "/*?[x]"},
		{"/", "~root", "/~root"},
		{"/", "C:", "/C:"},
	} {
		if got := mustJoin(t, mustJoin(t, Path{}, tt.from), tt.name).String(); got != tt.want {
			t.Errorf("Join(%q, %q) = %q, want %q", tt.from, tt.name, got, tt.want)
		}
	}
}

func TestS1_P1_NothingLeadsOutOfTheRoot(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"..", "/"},
		{"../../../etc/passwd", "/etc/passwd"},
		{"/../../etc/passwd", "/etc/passwd"},
		{"a/../../../b", "/b"},
		{"/./../.", "/"},
		// Nothing is decoded a second time: these are names.
		{"%2e%2e/x", "/%2e%2e/x"},
		{"..%2fx", "/..%2fx"},
		{".. /x", "/.. /x"},
		{"... /x.", "/... /x."},
		{"．．/x", "/．．/x"},
	} {
		if got := mustJoin(t, Path{}, tt.name).String(); got != tt.want {
			t.Errorf("Join(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestS1_P1_P9_P13_NamesThatCannotBe(t *testing.T) {
	for _, name := range []string{
		`..\x`, `a\b`, `\`, // P13
		"\xc0\xae\xc0\xae/x", "\xe0\x80\xaf", "\xff", "a\xc3", "\xed\xa0\x80", // overlong, torn, surrogate
		"a\x00.jpg", "\x00", "a\rb", "a\nb", "a\tb", "\x1b[2J", "\x7f", // P9
		"a\u0085b", "\u009b2J", "a\u2028b", "a\u2029b",
	} {
		for _, from := range []string{name, "/" + name, "x/" + name, name + "/..", "../" + name} {
			if p, err := mustJoin(t, Path{}, "/dir").Join(from); !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("Join(%q) = %q, %v, want fs.ErrInvalid", from, p, err)
			}
		}
	}
}

// The path type is the one gate: everything else takes a Path, and its zero is harmless.
func TestP2_ZeroPathIsRoot(t *testing.T) {
	var p Path
	if !p.IsRoot() || p.String() != "/" || p.Base() != "" || p.Parent() != p || p != mustJoin(t, p, "/") {
		t.Errorf("zero Path is not the root: %q", p)
	}
}

func TestP4_LeadingSlashes(t *testing.T) {
	want := mustJoin(t, Path{}, "/etc/b")
	for _, name := range []string{"//etc/b", "///etc//b", "/./etc/b/", "/../etc/b", "//.//etc/./b//"} {
		if got := mustJoin(t, mustJoin(t, Path{}, "x/y"), name); got != want {
			t.Errorf("Join(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestP8_TextDirectionIsLeftAlone(t *testing.T) {
	for _, name := range []string{"\u202egpj.exe", "a\u200cb", "a\u200eb", "e\u0301", "\u00e9", "\ufeffa", "a\u00a0"} {
		if got := mustJoin(t, Path{}, name).Base(); got != name {
			t.Errorf("Base = %q, want %q", got, name)
		}
	}
}

func TestP19_DeepPaths(t *testing.T) {
	p := Path{}
	var err error
	depth := 0
	for ; err == nil; depth++ {
		var next Path
		if next, err = p.Join("d"); err == nil {
			p = next
		}
	}
	if !errors.Is(err, fs.ErrInvalid) || len(p.String()) != maxPath || depth != maxPath/2+1 {
		t.Errorf("stopped at depth %d, %d octets: %v", depth, len(p.String()), err)
	}
	if _, err := (Path{}).Join(strings.Repeat("d/", 10_000)); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("10,000 levels at once: %v", err)
	}
	if got := mustJoin(t, p, strings.Repeat("../", 10_000)); !got.IsRoot() {
		t.Errorf("10,000 levels up: %q", got)
	}
	if _, err := (Path{}).Join(strings.Repeat("x", maxPath)); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("long segment: %v", err)
	}
	if got := mustJoin(t, Path{}, strings.Repeat("x", maxPath-1)); len(got.String()) != maxPath {
		t.Errorf("longest segment: %d octets", len(got.String()))
	}
}

func TestPathParentAndBase(t *testing.T) {
	for _, tt := range []struct{ path, parent, base string }{
		{"/", "/", ""},
		{"/a", "/", "a"},
		{"/a/b c", "/a", "b c"},
	} {
		p := mustJoin(t, Path{}, tt.path)
		if p.Parent().String() != tt.parent || p.Base() != tt.base {
			t.Errorf("%q: parent %q, base %q", p, p.Parent(), p.Base())
		}
	}
}

// checkPath fails unless p is what its type promises.
func checkPath(t *testing.T, p Path) {
	t.Helper()
	s := p.String()
	if s[0] != '/' || len(s) > maxPath || !utf8.ValidString(s) || strings.ContainsFunc(s, forbidden) {
		t.Fatalf("bad path %q", s)
	}
	if s == "/" {
		if !p.IsRoot() {
			t.Fatal("a root that is not the zero Path")
		}
		return
	}
	for segment := range strings.SplitSeq(s[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			t.Fatalf("path %q has the segment %q", s, segment)
		}
	}
}

func FuzzPathJoin(f *testing.F) {
	for _, seed := range [][2]string{{"/", "a"}, {"/a/b", "../../.."}, {"/a", "//b/./c/"}, {"a", "..\\x"}, {"", "\xff"}, {"ü", "\u2028"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, base, name string) {
		from, err := Path{}.Join(base)
		if err != nil {
			return
		}
		p, err := from.Join(name)
		if err != nil {
			if !errors.Is(err, fs.ErrInvalid) || p != (Path{}) {
				t.Fatalf("Join(%q) = %q, %v", name, p, err)
			}
			return
		}
		checkPath(t, p)
		if again := mustJoin(t, from, p.String()); again != p {
			t.Fatalf("Join(%q) = %q", p, again)
		}
		checkPath(t, p.Parent())
		if !p.IsRoot() && mustJoin(t, p.Parent(), p.Base()) != p {
			t.Fatalf("%q is not its parent and base", p)
		}
	})
}

// Budget: one allocation, the path itself, and 1 µs.
func BenchmarkPathJoin(b *testing.B) {
	from := mustJoin(b, Path{}, "/cams/cam1/2024")
	b.ReportAllocs()
	for b.Loop() {
		mustJoin(b, from, "../2025/01/image 0001.jpg")
	}
}
