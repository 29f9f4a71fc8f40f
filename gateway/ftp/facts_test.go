package ftp

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParseFacts(t *testing.T) {
	for arg, want := range map[string]string{
		"":                      "",
		"type;size;":            "type;size;",
		"SIZE;Type;":            "type;size;",
		"size":                  "size;",
		"unix.MODE;unique;":     "unique;UNIX.mode;",
		"type;fish;cakes;":      "type;",
		"fish;":                 "",
		"modify;modify;modify;": "modify;",
		"UNIX.owner;media-type;create;lang;x/y!;": "",
		"type;size;modify;perm;unique;UNIX.mode;": "type;size;modify;perm;unique;UNIX.mode;",
	} {
		if got, err := parseFacts(arg); err != nil || got.String() != want {
			t.Errorf("parseFacts(%q) = %q, %v, want %q", arg, got, err, want)
		}
	}
	for _, arg := range []string{";", ";;", "type;;size;", ";type;", "fish cakes;", "type; size;", " type;", "type=1;", "type*;", "é;", "type;\x00;", "\xff;"} {
		if got, err := parseFacts(arg); !errors.Is(err, errSyntax) || got != 0 {
			t.Errorf("parseFacts(%q) = %q, %v, want errSyntax", arg, got, err)
		}
	}
}

func TestFactsInFEAT(t *testing.T) {
	for facts, want := range map[factSet]string{
		defaultFacts:          "type*;size*;modify*;perm*;unique*;UNIX.mode*;",
		0:                     "type;size;modify;perm;unique;UNIX.mode;",
		factType | factModify: "type*;size;modify*;perm;unique;UNIX.mode;",
	} {
		if got := facts.feat(); got != want {
			t.Errorf("feat of %q: %q", facts, got)
		}
	}
}

func TestAppendFacts(t *testing.T) {
	at := time.Date(2024, 5, 6, 7, 8, 9, 5e8, time.FixedZone("", 7200))
	file := Entry{Name: "f", Size: 1 << 40, ModTime: at, Perm: ^Perm(0), Unique: "bucket/a=1"}
	dir := Entry{Name: "d", Dir: true, Size: 7, Perm: ^Perm(0)}
	for _, tt := range []struct {
		entry Entry
		facts factSet
		kind  string
		want  string
	}{
		{file, defaultFacts, "file", "type=file;size=1099511627776;modify=20240506050809;perm=adfrw;unique=bucket/a%3D1;UNIX.mode=0644;"},
		{dir, defaultFacts, "dir", "type=dir;perm=cdeflmp;UNIX.mode=0755;"},
		{dir, factType, "cdir", "type=cdir;"},
		{file, 0, "file", ""},
		{file, factSize | factMode, "file", "size=1099511627776;UNIX.mode=0644;"},
		{Entry{}, defaultFacts, "file", "type=file;size=0;perm=;UNIX.mode=0000;"},
		{Entry{Unique: "a;b c\r\nd%\xff"}, factUnique, "file", "unique=a%3Bb%20c%0D%0Ad%25%FF;"},
		{Entry{ModTime: at.AddDate(9000, 0, 0)}, factModify, "file", ""},
	} {
		if got := string(appendFacts([]byte("-"), tt.entry, tt.facts, tt.kind)); got != "-"+tt.want {
			t.Errorf("facts of %+v: %q, want %q", tt.entry, got, tt.want)
		}
	}
}

func TestPermString(t *testing.T) {
	for perm, want := range map[Perm]string{
		0: "", ^Perm(0): "acdeflmprw", PermRetrieve | PermDelete: "dr",
		PermAppend: "a", PermCreate: "c", PermEnter: "e", PermRename: "f", PermList: "l", PermMkdir: "m", PermPurge: "p", PermWrite: "w",
	} {
		if got := perm.String(); got != want {
			t.Errorf("Perm(%b) = %q, want %q", uint16(perm), got, want)
		}
	}
}

func FuzzParseFacts(f *testing.F) {
	for _, seed := range []string{"type;size;", "Unix.Mode", "fish cakes;", ";;"} {
		f.Add(seed, "id")
	}
	f.Fuzz(func(t *testing.T, arg, unique string) {
		facts, err := parseFacts(arg)
		if err != nil {
			return
		}
		if again, err := parseFacts(facts.String()); err != nil || again != facts {
			t.Fatalf("%q written and read: %q, %v", facts, again, err)
		}
		got := string(appendFacts(nil, Entry{Unique: unique}, facts|factUnique, "file"))
		if strings.ContainsAny(got, " \r\n") || got != "" && !strings.HasSuffix(got, ";") {
			t.Fatalf("facts %q", got)
		}
	})
}

// Budget: no allocation, 200 ns.
func BenchmarkAppendFacts(b *testing.B) {
	entry := Entry{Name: "image-000123.jpg", Size: 123456, ModTime: time.Unix(1.7e9, 0), Perm: filePerm, Unique: "01234567890abcdef"}
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = appendFacts(buf[:0], entry, defaultFacts, "file")
	}
}
