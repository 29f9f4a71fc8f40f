package ftpclient

import (
	"bufio"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// testClock is that of the tables of listing lines.
func testClock(t *testing.T) clock {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return clock{zone: zone, now: time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)}
}

// line is a line of a real listing, and what it says.
type line struct {
	line string
	name string
	kind string // "f", "d" or "l"
	size int64
	time string // in the clock's zone
}

func (w line) check(t *testing.T, c clock, parse func([]byte) (rawEntry, error)) {
	t.Helper()
	e, err := parse([]byte(w.line))
	if err != nil {
		t.Errorf("%q: %v", w.line, err)
		return
	}
	kind := "f"
	switch {
	case e.Dir:
		kind = "d"
	case e.Link:
		kind = "l"
	}
	got := line{w.line, string(e.name), kind, e.Size, e.ModTime.In(c.zone).Format("2006-01-02 15:04")}
	if got != w {
		t.Errorf("%q:\n got %+v\nwant %+v", w.line, got, w)
	}
}

func TestLinesOfUnixServers(t *testing.T) {
	c := testClock(t)
	for _, w := range []line{
		// vsftpd
		{"-rw-r--r--    1 0        0               5 Feb 29 03:13  lead", " lead", "f", 5, "2024-02-29 03:13"},
		{"-rw-r--r--    1 0        0               5 Mar 04  2019 trail ", "trail ", "f", 5, "2019-03-04 00:00"},
		{"drwxr-xr-x    2 0        0            4096 Mar 01 13:00 dir", "dir", "d", -1, "2024-03-01 13:00"},
		{"lrwxrwxrwx    1 0        0               8 Feb 29 03:13 link -> odd -> dir -> x", "link -> odd", "l", -1, "2024-02-29 03:13"},
		{"-rw-r--r--    1 0        0               5 Feb 29 03:13 a -> b", "a -> b", "f", 5, "2024-02-29 03:13"},
		// ProFTPD
		{"-rw-r--r--   1 user     group           5 Mar  4  2019 #h", "#h", "f", 5, "2019-03-04 00:00"},
		{"drwxr-xr-x   6 Domain Users Domain Admins 4096 Nov 29 03:13 x y", "x y", "d", -1, "2023-11-29 03:13"},
		{"----------   1 0        0               1 Dec 31 23:59 unreadable", "unreadable", "f", 1, "2023-12-31 23:59"},
		// Pure-FTPd
		{"drwxr-xr-x    6 65534      nogroup          4096 Nov 29 03:14 -la", "-la", "d", -1, "2023-11-29 03:14"},
		// the date of tomorrow, of a server whose clock is ahead; and of last year
		{"-rw-r--r--    1 0        0               5 Mar  2 12:00 ahead", "ahead", "f", 5, "2024-03-02 12:00"},
		{"-rw-r--r--    1 0        0               5 Mar  3 12:00 old", "old", "f", 5, "2023-03-03 12:00"},
		// access lists, the day first, no links, no group, ISO dates, no owner and group
		{"-rw-rwxr--+   1 root     other        531 29 Jan 03:26 acl", "acl", "f", 531, "2024-01-29 03:26"},
		{"-rwxrwxrwx.  1 root root 14 2023-04-26 11:24 long iso", "long iso", "f", 14, "2023-04-26 11:24"},
		{"drwxr-xr-x   folder        0 Jul 10  1998 mac", "mac", "d", -1, "1998-07-10 00:00"},
		{"-r--r--r--   1 owner  1234 Jul  2 2016 few columns", "few columns", "f", 1234, "2016-07-02 00:00"},
		{"d [R----F--] supervisor            512       Jan 16 18:53    netware", "   netware", "d", -1, "2024-01-16 18:53"},
		{"-rw-r--r--    1 0        0        9223372036854775807 Feb 29 03:13 huge", "huge", "f", math.MaxInt64, "2024-02-29 03:13"},
	} {
		w.check(t, c, c.parseUnix)
	}
}

func TestLinesOfIIS(t *testing.T) {
	c := testClock(t)
	for _, w := range []line{
		{"02-14-24  03:04PM       <DIR>          directory", "directory", "d", -1, "2024-02-14 15:04"},
		{"02-14-24  03:04PM       <DIR>           lead", " lead", "d", -1, "2024-02-14 15:04"},
		{"02-14-2024  03:04PM       <DIR>          years of four", "years of four", "d", -1, "2024-02-14 15:04"},
		{"02-14-24  12:04AM                 1234 a file.txt ", "a file.txt ", "f", 1234, "2024-02-14 00:04"},
		{"02-14-2024  15:04                 1234 a file", "a file", "f", 1234, "2024-02-14 15:04"},
		{"2024-02-14  15:04                 1234  lead", " lead", "f", 1234, "2024-02-14 15:04"},
		{"31-12-99  15:04                    0 day first", "day first", "f", 0, "1999-12-31 15:04"},
		{"02-14-24  03:04PM       <JUNCTION>     link", "link", "l", -1, "2024-02-14 15:04"},
	} {
		w.check(t, c, c.parseDOS)
	}
}

func TestLinesOfMLSD(t *testing.T) {
	c := clock{zone: time.UTC}
	for _, w := range []line{
		{"modify=20190304050607;perm=adfr;size=5;type=file;unique=FE00U990FF7;UNIX.mode=0644; #h", "#h", "f", 5, "2019-03-04 05:06"},
		{"type=dir;sizd=4096;modify=20261129031406;UNIX.mode=0755; dir", "dir", "d", -1, "2026-11-29 03:14"},
		{"type=OS.unix=slink:;size=3;modify=20261129031406.123; a link", "a link", "l", -1, "2026-11-29 03:14"},
		{"modify=20261129031317;size=3;type=OS.unix=symlink; linkd", "linkd", "l", -1, "2026-11-29 03:13"},
		{"Type=file;Size=9223372036854775807;Modify=20261129031317;  lead", " lead", "f", math.MaxInt64, "2026-11-29 03:13"},
		{"Type=FILE;Size=0;Modify=20261129031317; a;b=c d", "a;b=c d", "f", 0, "2026-11-29 03:13"},
	} {
		w.check(t, c, parseMLSD)
	}
}

func TestLinesThatAreNoEntries(t *testing.T) {
	c := testClock(t)
	for _, w := range []struct {
		parse func([]byte) (rawEntry, error)
		want  error
		lines []string
	}{
		{c.parseUnix, errNothing, []string{"", "total 12", "drwxr-xr-x    2 0        0            4096 Feb 29 03:13 .."}},
		{c.parseUnix, errItself, []string{"drwxr-xr-x    2 0        0            4096 Feb 29 03:13 ."}},
		{c.parseUnix, errSpecial, []string{
			"prw-r--r--    1 0        0               0 Feb 29 03:13 pipe",
			"crw-rw-rw-    1 0        0          1,   3 Feb 29 03:13 null",
			"srwxr-xr-x    1 0        0               0 Feb 29 03:13 socket",
		}},
		{c.parseUnix, errUnsafe, []string{
			"-rw-r--r--    1 0        0               5 Feb 29 03:13 ../x",
			"-rw-r--r--    1 0        0               5 Feb 29 03:13 /etc/passwd",
			"-rw-r--r--    1 0        0               5 Feb 29 03:13 a\x00b",
			"-rw-r--r--    1 0        0               5 Feb 29 03:13 ",
			"lrwxrwxrwx    1 0        0               1 Feb 29 03:13  -> x",
		}},
		{c.parseUnix, errForm, []string{
			"line", "ls: cannot access x: Permission denied",
			"-rw-r--r--    1 0        0               5 Feb 30 03:13 no such day",
			"-rw-r--r--    1 0        0               5 Foo 29 03:13 no such month",
			"-rw-r--r--    1 0        0              -5 Feb 29 03:13 negative",
			"-rw-r--r--    1 0        0 9223372036854775808 Feb 29 03:13 overflow",
			"-rw-r--r--    1 0        0               5 Feb 29 03:13",
			"-rw-r--r-- 1" + strings.Repeat(" x", 2*maxFields) + " 5 Feb 29 03:13 late",
		}},
		{c.parseDOS, errUnsafe, []string{"02-14-24  03:04PM                 1234 a/b"}},
		{c.parseDOS, errForm, []string{
			"line", "02-14-24", "02-14-24  03:04PM       <DIR>", "99-99-24  03:04PM                 1234 x",
			"02-14-24  03:04PM      99999999999999999999 x", "02-14-24  03:04PM                 1,234 x",
		}},
		{parseMLSD, errNothing, []string{"type=pdir;modify=20261129031406; .."}},
		{parseMLSD, errItself, []string{"type=cdir;modify=20261129031406; /dir"}},
		{parseMLSD, errSpecial, []string{"type=unknown;size=0; pipe", "type=OS.unix=chr-1/3; null"}},
		{parseMLSD, errForm, []string{
			"", "line", "line of text", " no facts", "size=5; no type", "type=file;size=-1; x", "type=file;size=; x",
			"type=file;size=9223372036854775808; x", "type=file;modify=2026; x", "type=file;modify=20261340000000; x",
		}},
	} {
		for _, line := range w.lines {
			if e, err := w.parse([]byte(line)); !errors.Is(err, w.want) {
				t.Errorf("%q: %+v, %v, want %v", line, e, err, w.want)
			}
		}
	}
}

func TestPortsOfPassiveReplies(t *testing.T) {
	for text, want := range map[string]int{
		"Entering Extended Passive Mode (|||46302|)": 46302, "ok (!!!1!)": 1,
		"(|||0|)": 0, "(|||65536|)": 0, "(|||-1|)": 0, "(||1|)": 0, "(|||1": 0, "()": 0, "": 0, "(|1|127.0.0.1|5|)": 0, "(||||)": 0,
	} {
		if got, ok := parseEPSV(text); ok != (want != 0) || ok && got != want {
			t.Errorf("EPSV %q: %d, %v", text, got, ok)
		}
	}
	for text, want := range map[string]int{
		"Entering Passive Mode (192,0,2,1,4,1).": 1025, "Entering Passive Mode 192,0,2,1,255,255": 65535, "=10,0,0,1,0,21": 21,
		"(192,0,2,1,0,0)": 0, "(192,0,2,1,256,0)": 0, "(192,0,2,1,4)": 0, "(1,2,3,4,5,6,7)": 0, "": 0, "(,,,,,)": 0,
	} {
		if got, ok := parsePASV(text); ok != (want != 0) || ok && got != want {
			t.Errorf("PASV %q: %d, %v", text, got, ok)
		}
	}
}

func TestRepliesOfSeveralLines(t *testing.T) {
	r := bufio.NewReaderSize(strings.NewReader("220-hello\r\n 220 not yet\r\n220-nor now\r\n220still\r\n220 done\r\n200\n"), maxReplyLine)
	first, err := readReply(r)
	if want := "hello|220 not yet|nor now|220still|done"; err != nil || first.code != 220 || strings.Join(trimmed(first.lines), "|") != want {
		t.Errorf("%d %q, %v", first.code, first.lines, err)
	}
	if second, err := readReply(r); err != nil || second.code != 200 || second.text() != "" {
		t.Errorf("%+v, %v", second, err)
	}
}

func trimmed(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimSpace(l)
	}
	return out
}
