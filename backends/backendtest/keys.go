package backendtest

import (
	"io/fs"
	"slices"
	"strings"

	"causeway/backends"
)

// AwkwardKeys are legal keys that have been known to go wrong on their way to a store.
// See Features.Refused for those that a store cannot take.
func AwkwardKeys() []string {
	return []string{
		"a b/ü", " leading space", "trailing space ", "two  spaces/x", "%41", "%2F", "a%2Fb", "100%", "+", "a+b c", "?acl", "?versionId=1",
		"#", "a#b", "&", "a&b=c", "=", "quote'", `double"quote`, "<tag>", "~", "~user/x", "dot.", "dotted./x", ".hidden", "...", "-rf", "--",
		";", "a;b", ":", "a:b", "a,b", "(x)", "[x]", "{x}", "*", "a|b", "$HOME", "`x`", "!", "@", "^", "\\", `a\b`, "😀/🙈.txt",
		"e\u0301", "\u00e9", "\u202egpj.exe", "zero\u200bwidth", "日本語/ファイル", "tab\tx", "CON", "nul.txt", "null", "undefined", "0",
		strings.Repeat("n", 200), strings.Repeat("d/", 12) + "x", longestKey(),
	}
}

// longestKey is a key of MaxKey bytes whose segments any file system takes.
func longestKey() string {
	return (strings.Repeat(strings.Repeat("k", 199)+"/", 6))[:backends.MaxKey]
}

func keysAwkward(s *store) {
	var want []string
	for _, key := range AwkwardKeys() {
		if slices.Contains(s.features.Mangled, key) {
			continue
		}
		p := []byte("content of " + key)
		if slices.Contains(s.features.Refused, key) {
			_, err := s.tryPut(key, p, backends.CreateOptions{})
			s.wantKind(err, fs.ErrInvalid)
			continue
		}
		s.put(key, p)
		want = append(want, key)
	}
	slices.Sort(want)
	if got := s.keys(""); !slices.Equal(got, want) {
		s.Errorf("listed:\n got %q\nwant %q", got, want)
	}
	for _, key := range want {
		if got := s.stat(key).Key; got != key {
			s.Errorf("stat of %q says %q", key, got)
		}
		s.wantContent(key, []byte("content of "+key))
		if got := s.keys(key); !slices.Contains(got, key) {
			s.Errorf("listing with prefix %q: %q", key, got)
		}
	}
	s.awkwardCopies(want)
	for _, key := range want {
		if err := s.Delete(s.Context(), key, backends.DeleteOptions{}); err != nil {
			s.Errorf("delete %q: %v", key, err)
		}
	}
	if got := s.keys(""); len(got) > 0 {
		s.Errorf("listed after all were deleted: %q", got)
	}
}

// awkwardCopies copies each key to and fro.
func (s *store) awkwardCopies(keys []string) {
	for _, key := range keys {
		s.copied("copy", key, backends.CopyOptions{})
		s.wantContent("copy", []byte("content of "+key))
		s.put("copy", []byte("copied to "+key))
		s.copied(key, "copy", backends.CopyOptions{})
		s.wantContent(key, []byte("copied to "+key))
	}
	if err := s.Delete(s.Context(), "copy", backends.DeleteOptions{}); err != nil {
		s.Error(err)
	}
}

// keysInvalid: what no store may take.
func keysInvalid(s *store) {
	s.put("k", []byte("content"))
	for _, key := range []string{"", "a\x00b", "a\xffb", "\xc0\xae\xc0\xae/x", strings.Repeat("d/", backends.MaxKey/2) + "x"} {
		_, err := s.tryPut(key, nil, backends.CreateOptions{})
		s.wantKind(err, fs.ErrInvalid)
		_, err = s.Stat(s.Context(), key, backends.StatOptions{})
		s.wantKind(err, fs.ErrInvalid)
		_, err = s.read(key, backends.OpenOptions{})
		s.wantKind(err, fs.ErrInvalid)
		s.wantKind(s.Delete(s.Context(), key, backends.DeleteOptions{}), fs.ErrInvalid)
		_, err = backends.Copy(s.Context(), s.Backend, key, "k", backends.CopyOptions{})
		s.wantKind(err, fs.ErrInvalid)
		_, _, err = backends.Move(s.Context(), s.Backend, key, "k", backends.CopyOptions{})
		s.wantKind(err, fs.ErrInvalid)
	}
	s.wantContent("k", []byte("content"))
	if got := s.keys(""); !slices.Equal(got, []string{"k"}) {
		s.Errorf("listed: %q", got)
	}
}

func keysCase(s *store) {
	names := []string{"name", "Name", "NAME", "dir/x", "Dir/x"}
	for _, key := range names {
		s.put(key, []byte(key))
	}
	for _, key := range names {
		s.wantContent(key, []byte(key))
	}
	slices.Sort(names)
	if got := s.keys(""); !slices.Equal(got, names) {
		s.Errorf("listed %q, want %q", got, names)
	}
}

// keysBeside: "a" and "a/b" are two keys, or the second is refused (S4).
func keysBeside(s *store) {
	for _, pair := range [][2]string{{"a", "a/b"}, {"c/d/e", "c/d"}, {"f", "f/g/h"}, {"i/", "i"}, {"j", "j/"}} {
		first, second := pair[0], pair[1]
		s.put(first, nil)
		if !s.features.NoneBeside {
			s.put(second, nil)
			s.stat(first)
			s.stat(second)
			continue
		}
		_, err := s.tryPut(second, nil, backends.CreateOptions{})
		s.wantKind(err, fs.ErrExist)
		s.put("src", nil)
		_, err = backends.Copy(s.Context(), s.Backend, second, "src", backends.CopyOptions{})
		s.wantKind(err, fs.ErrExist)
		_, _, err = backends.Move(s.Context(), s.Backend, second, "src", backends.CopyOptions{})
		s.wantKind(err, fs.ErrExist)
		s.stat("src")
		s.stat(first)
		s.wantMissing(second)
	}
}

// keysMarker: a key that ends in "/" is an object like any other.
func keysMarker(s *store) {
	s.putWith("d/", nil, backends.CreateOptions{IfAbsent: true})
	_, err := s.tryPut("d/", nil, backends.CreateOptions{IfAbsent: true})
	s.wantKind(err, fs.ErrExist)
	if obj := s.stat("d/"); obj.Key != "d/" || obj.Size != 0 {
		s.Errorf("stat says %q, %d octets", obj.Key, obj.Size)
	}
	s.wantContent("d/", nil)
	s.put("d/e/", nil)
	s.put("d/f", nil)
	s.wantEntries(backends.Query{}, "d/", "d/e/", "d/f")
	s.wantEntries(backends.Query{Delimiter: true}, "d/")
	s.wantEntries(backends.Query{Prefix: "d/", Delimiter: true}, "d/", "d/e/", "d/f")
	s.put("d/", nil) // again, without a condition
	if err := s.Delete(s.Context(), "d/", backends.DeleteOptions{}); err != nil {
		s.Errorf("delete of the marker of a directory in use: %v", err)
	}
	s.wantEntries(backends.Query{Prefix: "d/", Delimiter: true}, s.implied("d/", "d/e/", "d/f")...)
	for _, key := range []string{"d/e/", "d/f", "d/", "d/"} {
		if err := s.Delete(s.Context(), key, backends.DeleteOptions{}); err != nil {
			s.Errorf("delete %q: %v", key, err)
		}
	}
	s.wantMissing("d/")
	s.wantEntries(backends.Query{})
}
