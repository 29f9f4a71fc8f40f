package ftp

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// FuzzSession sends octets to a session that is logged in. Whatever they are: every
// command gets one final reply, in well-formed lines; nothing panics that the file system
// does not; and no goroutine is left, which the bubble checks.
func FuzzSession(f *testing.F) {
	for _, seed := range transcriptCommands(f) {
		f.Add([]byte(seed))
	}
	f.Add([]byte("PORT 198,51,100,7,19,136\r\nSTOR x\r\nSTAT\r\nABOR\r\nPORT 198,51,100,7,19,136\r\nRETR readme.txt\r\n"))
	f.Add(bytes.Repeat([]byte("PASV\r\nLIST\r\nNOOP\n"), 3))
	f.Fuzz(func(t *testing.T, input []byte) {
		if bytes.Contains(input, []byte("panic")) {
			t.Skip("a fault of the fake file system")
		}
		synctest.Test(t, func(t *testing.T) { fuzzSession(t, input) })
	})
}

// transcriptCommands are the commands of each transcript.
func transcriptCommands(f *testing.F) []string {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	var seeds []string
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var b strings.Builder
		for line := range strings.Lines(string(script)) {
			if text, ok := strings.CutPrefix(line, "C: "); ok {
				text, err := strconv.Unquote(`"` + strings.ReplaceAll(strings.TrimSpace(text), `"`, `\"`) + `"`)
				if err != nil {
					f.Fatal(err)
				}
				b.WriteString(text + "\r\n")
			}
		}
		seeds = append(seeds, b.String())
	}
	return seeds
}

func fuzzSession(t *testing.T, input []byte) {
	input = append(input, "\r\n"...)
	files := newFakeFS()
	c := testConfig(files)
	c.Limits.IdleTimeout = 1000 * time.Hour
	s := serveMem(t, c, ListenOptions{})
	ln, err := s.net.Listen(netip.AddrPortFrom(clientAddr, 5000))
	if err != nil {
		t.Fatal(err)
	}
	go func() { // a client in active mode, which takes what is sent and sends nothing
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go io.Copy(io.Discard, conn)
		}
	}()
	control := record(s.connect(t, clientAddr))
	go func() {
		control.Write([]byte("USER u\r\nPASS p\r\n"))
		control.Write(input)
	}()
	time.Sleep(100 * time.Hour) // for all that must time out
	synctest.Wait()
	said, end := control.take()
	finals := checkReplies(t, said)
	commands := countCommands(t, input)
	// A greeting, two replies to log in. A session that the server has ended may have left
	// commands unanswered, and may have said 421 unasked.
	if want := 3 + commands; finals != want && !(end != "" && finals <= want+1) {
		t.Errorf("%d final replies, want %d (ended: %q)\n%s", finals, want, end, said)
	}
	control.Close()
	ln.Close()
	synctest.Wait()
	s.end(t)
	if files.uploads != 0 {
		t.Errorf("%d uploads neither committed nor aborted", files.uploads)
	}
}

// countCommands counts the commands in the input as the session sees them.
func countCommands(t *testing.T, input []byte) int {
	l := newLineReader(bytes.NewReader(input), maxLine)
	for n := 0; ; n++ {
		_, err := l.next()
		switch {
		case errors.Is(err, errLineTooLong):
		case err != nil:
			return n
		}
		if n > len(input) {
			t.Fatal("more commands than octets")
		}
	}
}

var replyLine = regexp.MustCompile(`^(\d{3})([ -])`)

// checkReplies checks the form of replies and counts the final ones.
func checkReplies(t *testing.T, said string) int {
	finals, open := 0, ""
	for line := range strings.Lines(stripTelnet(said)) {
		text, ok := strings.CutSuffix(line, "\r\n")
		if !ok || strings.ContainsAny(text, "\r\n\x00") {
			t.Errorf("line %q", line)
		}
		m := replyLine.FindStringSubmatch(text)
		switch {
		case open != "" && (m == nil || m[1] != open || m[2] != " "):
			continue // within a reply of several lines
		case m == nil:
			t.Errorf("line %q is no reply", line)
		case m[2] == "-":
			open = m[1]
			continue
		}
		open = ""
		if m[1][0] != '1' {
			finals++
		}
	}
	if open != "" {
		t.Errorf("reply %s has no end", open)
	}
	return finals
}

// stripTelnet takes the answers to Telnet options, three octets each, out of what the
// server said.
func stripTelnet(said string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(said, "\xff")
		b.WriteString(before)
		if !found || len(after) < 2 {
			return b.String()
		}
		said = after[2:]
	}
}
