package ftpclient

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// judgeEntry fails the test on an entry that a hostile server must not be able to make.
func judgeEntry(t *testing.T, line []byte, e rawEntry, err error) {
	t.Helper()
	if err != nil {
		if e.name != nil {
			t.Errorf("%q: an entry with the error %v", line, err)
		}
		return
	}
	if e, err = e.checked(); err != nil {
		return
	}
	name := string(e.name)
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00\r\n") || !strings.Contains(string(line), name) {
		t.Errorf("%q: the name %q", line, name)
	}
	if e.Size < -1 || (e.Dir || e.Link) && e.Size != -1 || e.Dir && e.Link {
		t.Errorf("%q: %+v", line, e.Entry)
	}
}

func FuzzListLine(f *testing.F) {
	for _, line := range []string{
		"-rw-r--r--    1 0        0               5 Mar 04  2019 trail ",
		"lrwxrwxrwx    1 0        0               8 Feb 29 03:13 link -> odd -> dir -> x",
		"crw-rw-rw-    1 0        0          1,   3 Feb 29 03:13 null",
		"d [R----F--] supervisor            512       Jan 16 18:53    netware",
		"-rwxrwxrwx.  1 root root 14 2023-04-26 11:24 long iso",
		"02-14-24  03:04PM       <DIR>          directory",
		"02-14-2024  15:04                 1234 a file",
		"02-14-24  03:04PM <0000000000000000000000 a kind that passes the column",
	} {
		f.Add([]byte(line))
	}
	c := clock{zone: time.UTC, now: time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)}
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := c.parseUnix(line)
		judgeEntry(t, line, e, err)
		if err == nil && e.ModTime.After(c.now.Add(24*time.Hour)) && !strings.Contains(string(line), e.ModTime.Format("2006")) {
			t.Errorf("%q: a year of the future, %v, that it does not say", line, e.ModTime)
		}
		e, err = c.parseDOS(line)
		judgeEntry(t, line, e, err)
	})
}

func FuzzMLSDLine(f *testing.F) {
	for _, line := range []string{
		"modify=20190304050607;perm=adfr;size=5;type=file;UNIX.mode=0644; #h",
		"type=OS.unix=slink:;size=3;modify=20261129031406.123; a link",
		"type=cdir;sizd=4096; .",
		"type=dir; ..",
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := parseMLSD(line)
		judgeEntry(t, line, e, err)
		e, err = parseMLST(line)
		judgeEntry(t, line, e, err)
	})
}

func FuzzReply(f *testing.F) {
	for _, stream := range []string{
		"220 hello\r\n", "220-hello\r\n220 bye\r\n", "229 Entering Extended Passive Mode (|||46302|)\r\n",
		"227 Entering Passive Mode (192,0,2,1,4,1).\r\n", "211-Features:\r\n MLST type*;size;\r\n HASH SHA-256*;MD5\r\n211 End\r\n", "200\n",
	} {
		f.Add([]byte(stream))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		r, err := readReply(bufio.NewReaderSize(strings.NewReader(string(stream)), maxReplyLine))
		if err != nil {
			if !errors.Is(err, ErrProtocol) && !errors.Is(err, io.EOF) {
				t.Errorf("%q: %v", stream, err)
			}
			return
		}
		text := r.text()
		if r.code < 100 || r.code > 599 || len(r.lines) == 0 || len(r.lines) > maxReplyLines+1 || !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\x00\x1b") {
			t.Errorf("%q: %+v", stream, r)
		}
		for _, parse := range []func(string) (int, bool){parseEPSV, parsePASV} {
			if port, ok := parse(text); ok && (port < 1 || port > 65535) {
				t.Errorf("%q: port %d", stream, port)
			}
		}
		features := parseFeatures(r.lines)
		for _, a := range features.Sums {
			if !features.Sum(a) {
				t.Errorf("%q: %v", stream, features)
			}
		}
	})
}
