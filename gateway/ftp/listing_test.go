package ftp

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

var listNow = time.Date(2025, 8, 15, 12, 0, 0, 0, time.UTC)

func TestAppendListLine(t *testing.T) {
	file := filePerm
	dir := dirPerm
	recent := listNow.Add(-time.Hour)
	for _, tt := range []struct {
		entry Entry
		want  string
	}{
		{Entry{Name: "a.txt", Size: 42, ModTime: recent, Perm: file}, "-rw-r--r-- 1 ftp      ftp                 42 Aug 15 11:00 a.txt"},
		{Entry{Name: "sub", Dir: true, ModTime: recent, Perm: dir}, "drwxr-xr-x 1 ftp      ftp                  0 Aug 15 11:00 sub"},
		{Entry{Name: "old", Dir: true, Perm: dir}, "drwxr-xr-x 1 ftp      ftp                  0 Jan 01  1970 old"},
		{Entry{Name: " a  b ", Size: 1, ModTime: recent, Perm: file}, "-rw-r--r-- 1 ftp      ftp                  1 Aug 15 11:00  a  b "},
		{Entry{Name: "ro", ModTime: recent, Perm: PermRetrieve}, "-r--r--r-- 1 ftp      ftp                  0 Aug 15 11:00 ro"},
		{Entry{Name: "wo", ModTime: recent, Perm: PermWrite}, "--w------- 1 ftp      ftp                  0 Aug 15 11:00 wo"},
		{Entry{Name: "none", ModTime: recent}, "---------- 1 ftp      ftp                  0 Aug 15 11:00 none"},
		{Entry{Name: "drop", Dir: true, ModTime: recent, Perm: PermEnter | PermCreate}, "d-wx--x--x 1 ftp      ftp                  0 Aug 15 11:00 drop"},
		{Entry{Name: "public", Dir: true, ModTime: recent, Perm: PermEnter | PermList}, "dr-xr-xr-x 1 ftp      ftp                  0 Aug 15 11:00 public"},
		{Entry{Name: "big", Size: 1<<63 - 1, ModTime: recent, Perm: file}, "-rw-r--r-- 1 ftp      ftp      9223372036854775807 Aug 15 11:00 big"},
		{Entry{Name: "ü", ModTime: time.Date(1999, 2, 3, 0, 0, 0, 0, time.FixedZone("", 3600)), Perm: file}, "-rw-r--r-- 1 ftp      ftp                  0 Feb 02  1999 ü"},
	} {
		if got := string(appendListLine([]byte("+"), tt.entry, listNow)); got != "+"+tt.want+"\r\n" {
			t.Errorf("got  %q\nwant %q", got, "+"+tt.want+"\r\n")
		}
	}
}

func TestListShowsHourForHalfAYear(t *testing.T) {
	for _, tt := range []struct {
		age  time.Duration
		want string
	}{
		{0, "Aug 15 12:00"},
		{time.Second, "Aug 15 11:59"},
		{halfYear - time.Second, "Feb 13 21:05"},
		{halfYear, "Feb 13  2025"},
		{-time.Second, "Aug 15  2025"},
		{-24 * 365 * time.Hour, "Aug 15  2026"},
	} {
		if got := string(appendListTime(nil, listNow.Add(-tt.age), listNow)); got != tt.want {
			t.Errorf("%v ago: %q, want %q", tt.age, got, tt.want)
		}
	}
}

// A client knows no year when it sees an hour: it takes the last such day before today.
func FuzzListTime(f *testing.F) {
	f.Add(listNow.Unix(), listNow.Unix())
	f.Add(int64(-62135596800), int64(0))
	f.Add(int64(253402300800), int64(1735689599))
	f.Fuzz(func(t *testing.T, modified, current int64) {
		now := time.Unix(((current%4e9)+4e9)%4e9, 0).UTC() // up to 2096
		at := time.Unix(modified, 0).UTC()
		if !timeKnown(at) {
			at = time.Unix(0, 0).UTC()
		}
		text := string(appendListTime(nil, time.Unix(modified, 0), now))
		if seen, err := time.Parse("Jan 02  2006", text); err == nil {
			if want := at.Truncate(24 * time.Hour); !seen.Equal(want) {
				t.Fatalf("%v is shown as %q", at, text)
			}
			return
		}
		guess, err := time.Parse("2006 Jan 02 15:04", now.Format("2006 ")+text)
		if err == nil && guess.After(now) {
			guess, err = time.Parse("2006 Jan 02 15:04", now.AddDate(-1, 0, 0).Format("2006 ")+text)
		}
		if err != nil || !guess.Equal(at.Truncate(time.Minute)) {
			t.Fatalf("%v is shown at %v as %q, which a client takes for %v (%v)", at, now, text, guess, err)
		}
	})
}

func TestS3_P8_NamesCannotEndALine(t *testing.T) {
	for name, want := range map[string]string{
		"plain":               "plain\r\n",
		"ü \u202e\u200d":      "ü \u202e\u200d\r\n",
		"a\r\n-rw-r--r-- b":   "a??-rw-r--r-- b\r\n",
		"ü\x1b[2J\x7f\u009bé": "ü?[2J??é\r\n",
		"a\u2028b\u2029c\\":   "a?b?c?\r\n",
		"":                    "\r\n",
	} {
		if got := string(appendName(nil, name)); got != want {
			t.Errorf("appendName(%q) = %q, want %q", name, got, want)
		}
	}
}

// lsLine is how clients read a line: the name is all after one space behind the time.
var lsLine = regexp.MustCompile(`^([-d])([-r][-w][-x]){3} +\d+ +\S+ +\S+ +(\d+) [A-Z][a-z]{2} \d\d ( \d{4}|\d\d:\d\d) (.*)\r\n$`)

func FuzzAppendListLine(f *testing.F) {
	f.Add("a b", int64(5), int64(1.7e9), uint16(0x3ff), true)
	f.Add("\r\n", int64(-5), int64(-1<<60), uint16(0), false)
	f.Fuzz(func(t *testing.T, name string, size, modified int64, perm uint16, dir bool) {
		entry := Entry{Name: name, Size: size, ModTime: time.Unix(modified, 0), Perm: Perm(perm), Dir: dir}
		line := string(appendListLine(nil, entry, listNow))
		fields := lsLine.FindStringSubmatch(line)
		if fields == nil {
			t.Fatalf("line %q", line)
		}
		if _, err := (Path{}).Join(name); err == nil && fields[5] != name {
			t.Fatalf("name %q is shown as %q", name, fields[5])
		}
		if strings.Count(line, "\n") != 1 || strings.ContainsFunc(strings.TrimSuffix(line, "\r\n"), forbidden) {
			t.Fatalf("line %q", line)
		}
	})
}

// Budget: no allocation, 250 ns: 100,000 entries in 25 ms.
func BenchmarkAppendListLine(b *testing.B) {
	entry := Entry{Name: "image-000123.jpg", Size: 123456, ModTime: listNow.Add(-time.Hour), Perm: filePerm}
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = appendListLine(buf[:0], entry, listNow)
	}
}

func TestListingAllocations(t *testing.T) {
	entry := Entry{Name: "image-000123.jpg", Size: 123456, ModTime: listNow, Perm: filePerm, Unique: "x"}
	buf := make([]byte, 0, 512)
	for name, write := range map[string]func(){
		"LIST": func() { appendListLine(buf, entry, listNow) },
		"MLSD": func() { appendFacts(buf, entry, defaultFacts, "file") },
		"NLST": func() { appendName(buf, entry.Name) },
	} {
		if got := testing.AllocsPerRun(100, write); got != 0 {
			t.Errorf("%s: %v allocations a line", name, got)
		}
	}
}
