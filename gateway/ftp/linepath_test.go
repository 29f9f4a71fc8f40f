package ftp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzPathOverTheWire sends whatever a client may as the argument of a command: it is
// refused or becomes a path that keeps its promises, and never a second command.
func FuzzPathOverTheWire(f *testing.F) {
	for _, seed := range []string{
		"/a/b c ", "..", "a\r\x00b", "\xff\xff", "ü\xc0\xae", "a\\b", "\xff\xf4\xff\xf2", "a\rDELE b", "\xff\xfaQUIT",
		strings.Repeat("../", 300), "\u2028", "a\"b",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, arg []byte) {
		if bytes.IndexByte(arg, '\n') >= 0 || len(arg) > maxLine/2 {
			return // two lines, and over-long ones, are FuzzLineReader's
		}
		wire := append(append([]byte("STOR "), arg...), "\r\nQUIT\r\n"...)
		commands := readCommands(t, wire)
		if len(commands) == 0 || len(commands) > 2 || len(commands) == 2 && commands[1].verb != "QUIT" && !bytes.Contains(arg, []byte{telnetIAC}) {
			t.Fatalf("%q gives the commands %+v", wire, commands)
		}
		p, err := Path{}.Join(commands[0].arg)
		if err != nil {
			return
		}
		checkPath(t, p)
		again := readCommands(t, []byte("RETR "+p.String()+"\r\n"))
		if len(again) != 1 || again[0].arg != p.String() {
			t.Fatalf("%q comes back over the wire as %+v", p, again)
		}
	})
}

func readCommands(t *testing.T, wire []byte) []command {
	t.Helper()
	var commands []command
	l := newLineReader(iotest.HalfReader(bytes.NewReader(wire)), maxLine)
	for {
		cmd, err := l.next()
		if errors.Is(err, io.EOF) {
			return commands
		}
		if err != nil {
			t.Fatal(err)
		}
		commands = append(commands, cmd)
	}
}
