package ftp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

const testLine = 4096

// readAll gives the commands and errors of a reader as one line each, up to the first
// error that is final.
func readAll(l *lineReader) []string {
	var got []string
	for {
		cmd, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return got
		case errors.Is(err, errLineTooLong):
			got = append(got, "too long")
		case err != nil:
			return append(got, err.Error())
		case cmd.hasArg:
			got = append(got, fmt.Sprintf("%s %q", cmd.verb, cmd.arg))
		default:
			got = append(got, cmd.verb)
		}
	}
}

func TestLineReader(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"upper case", "noop\r\nNoOp\r\nNOOP\r\n", []string{"NOOP", "NOOP", "NOOP"}},
		{"one space, the others belong to the name", "RETR  a b \r\n", []string{`RETR " a b "`}},
		{"space and nothing", "LIST \r\n", []string{`LIST ""`}},
		{"LF alone ends a line", "PWD\nCWD a\n", []string{"PWD", `CWD "a"`}},
		{"CR alone does not", "CWD a\rb\r\nPWD\r\n", []string{`CWD "a\rb"`, "PWD"}},
		{"CR NUL is CR", "CWD a\r\x00b\r\x00\r\n", []string{`CWD "a\rb\r"`}},
		{"CR NUL before LF is not the line's end", "CWD a\r\x00\n", []string{`CWD "a\r"`}},
		{"NUL stays", "RETR a\x00.b\r\n", []string{`RETR "a\x00.b"`}},
		{"empty lines", "\r\n\n \r\n", []string{"", "", ` ""`}},
		{"no verb", "1X\r\n-a b\r\nHost: x\r\n NOOP\r\nUSER\tx\r\n", []string{"", ` "b"`, ` "x"`, ` "NOOP"`, ""}},
		{"digits", "xsha256 f\r\nXMD5 f\r\n", []string{`XSHA256 "f"`, `XMD5 "f"`}},
		{"long verb", strings.Repeat("A", maxVerb+1) + " x\r\nNOOP\r\n", []string{` "x"`, "NOOP"}},
		{"octets above ASCII", "CWD \xe9\xc3\xa9\r\n", []string{`CWD "\xe9é"`}},
		{"a line that never ends", "NOOP\r\nQUIT", []string{"NOOP"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for chunking, r := range map[string]io.Reader{
				"whole":          strings.NewReader(tt.in),
				"octet by octet": iotest.OneByteReader(strings.NewReader(tt.in)),
				"with EOF":       iotest.DataErrReader(strings.NewReader(tt.in)),
			} {
				if got := readAll(newLineReader(r, testLine)); !slices.Equal(got, tt.want) {
					t.Errorf("%s: got %q, want %q", chunking, got, tt.want)
				}
			}
		})
	}
}

func TestD17_Telnet(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
		answers  string
	}{
		{"doubled IAC is an octet", "CWD a\xff\xffb\r\n", []string{`CWD "a\xffb"`}, ""},
		{"synch before ABOR", "\xff\xf4\xff\xf2ABOR\r\n", []string{"ABOR"}, ""},
		{"IAC of DM lost", "\xff\xf4\xf2ABOR\r\n", []string{"ABOR"}, ""},
		{"DM lost", "\xff\xf4\xffABOR\r\n", []string{"ABOR"}, ""},
		{"both IAC lost", "\xf4\xf2abor\r\n", []string{"ABOR"}, ""},
		{"before STAT and QUIT", "\xff\xf4\xf2STAT\r\n\xff\xf4\xffQUIT\r\n", []string{"STAT", "QUIT"}, ""},
		{"codes in the middle", "NO\xff\xf1OP\r\xff\xf1\n", []string{"NOOP"}, ""},
		{"refused options", "\xff\xfb\x01\xff\xfd\x03NOOP\r\n", []string{"NOOP"}, "\xff\xfe\x01\xff\xfc\x03"},
		{"refusals need no answer", "\xff\xfc\x01\xff\xfe\x03NOOP\r\n", []string{"NOOP"}, ""},
		{"option with the number of LF", "NOOP\xff\xfd\n\r\n", []string{"NOOP"}, "\xff\xfc\n"},
		{"subnegotiation", "\xff\xfa\x18\x00x\xff\xffy\xff\xf0NOOP\r\n", []string{"NOOP"}, ""},
		{"subnegotiation without end", "\xff\xfaxxx\r\nNOOP\r\n", []string{"", "NOOP"}, ""},
		{"IAC that is no code", "CWD \xffa\r\nCWD b\xff\r\n", []string{`CWD "\xffa"`, `CWD "b\xff"`}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
				var answers []byte
				l := newLineReader(r, testLine)
				l.telnet = func(b []byte) { answers = append(answers, b...) }
				if got := readAll(l); !slices.Equal(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				if string(answers) != tt.answers {
					t.Errorf("answers %q, want %q", answers, tt.answers)
				}
			}
		})
	}
}

func TestD17_FloodOfTelnetCodes(t *testing.T) {
	for _, code := range []string{"\xff\xf1", "\xff\xf4\xff\xf2", "\xff\xfb\x01", "\xff\xfa\xff\xf0"} {
		answers := 0
		l := newLineReader(io.MultiReader(strings.NewReader(strings.Repeat(code, 1<<20)), strings.NewReader("NOOP\r\n")), testLine)
		l.telnet = func(b []byte) { answers += len(b) }
		if got := readAll(l); !slices.Equal(got, []string{"NOOP"}) {
			t.Errorf("%q: got %q", code, got)
		}
		if cap(l.buf) > minLine || answers > 3*maxTelnetAnswers {
			t.Errorf("%q: %d octets of buffer, %d of answers", code, cap(l.buf), answers)
		}
	}
}

func TestT20_LongLines(t *testing.T) {
	long := "RETR " + strings.Repeat("x", 2*testLine) + "\r\n"
	tail := strings.Repeat("x", testLine) + " QUIT\nNOOP\r\n"
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"once each", "NOOP\r\n" + long + long + "NOOP\r\n", []string{"NOOP", "too long", "too long", "NOOP"}},
		{"the rest is no command", tail, []string{"too long", "NOOP"}},
		{"the longest", "RETR " + strings.Repeat("x", testLine-7) + "\r\n", []string{fmt.Sprintf("RETR %q", strings.Repeat("x", testLine-7))}},
		{"one octet more", "RETR " + strings.Repeat("x", testLine-6) + "\r\n", []string{"too long"}},
		{"without end", strings.Repeat("x", 10<<20), []string{"too long", errLineFlood.Error()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tt.in), iotest.HalfReader(strings.NewReader(tt.in))} {
				l := newLineReader(r, testLine)
				if got := readAll(l); !slices.Equal(got, tt.want) {
					t.Errorf("got %.100q, want %.100q", got, tt.want)
				}
				if cap(l.buf) > 8<<10 {
					t.Errorf("buffer of %d octets", cap(l.buf))
				}
			}
		})
	}
}

func TestLineReaderGoesOnAfterTimeout(t *testing.T) {
	in := &scriptedReader{steps: []any{"CWD a", os.ErrDeadlineExceeded, "b\r", os.ErrDeadlineExceeded, "\nNOOP\r\n\xff", os.ErrDeadlineExceeded, "\xf1PWD\r\n"}}
	l := newLineReader(in, testLine)
	var got []string
	for range 6 {
		cmd, err := l.next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			got = append(got, "timeout")
			continue
		}
		got = append(got, cmd.verb+" "+cmd.arg)
	}
	if want := []string{"timeout", "timeout", "CWD ab", "NOOP ", "timeout", "PWD "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// scriptedReader gives one string or error for each Read, and then io.EOF.
type scriptedReader struct{ steps []any }

func (s *scriptedReader) Read(p []byte) (int, error) {
	if len(s.steps) == 0 {
		return 0, io.EOF
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	if err, ok := step.(error); ok {
		return 0, err
	}
	return copy(p, step.(string)), nil
}

func TestLineReaderLooksAhead(t *testing.T) {
	for buffered, hasLine := range map[string]bool{
		"": false, "QUI": false, "QUIT": false, "QUIT\r": false, "QUIT\r\n": true, "quit\n": true, "\n": true,
		"NOOP\r\n\xff\xf4\xf2QUIT \r\nNO": true,
	} {
		l := newLineReader(strings.NewReader("PWD\r\n"+buffered), testLine)
		if cmd, err := l.next(); err != nil || cmd.verb != "PWD" {
			t.Fatal(cmd, err)
		}
		if l.hasLine() != hasLine {
			t.Errorf("%q: hasLine %v", buffered, l.hasLine())
		}
		if want := strings.ReplaceAll(buffered, "\xff\xf4", ""); l.buffered() != len(want) {
			t.Errorf("%q: %d octets buffered, want %d", buffered, l.buffered(), len(want))
		}
	}
}

// The tail of a line that was too long is no command, however much it looks like one.
func TestLineReaderLooksPastSwallowedLine(t *testing.T) {
	in := &scriptedReader{steps: []any{strings.Repeat("x", 16), "QUIT\r\nNOOP", "\r\n"}}
	l := newLineReader(in, 16)
	if _, err := l.next(); !errors.Is(err, errLineTooLong) {
		t.Fatal(err)
	}
	l.fill()
	if l.hasLine() {
		t.Errorf("a line in %d octets of the tail", l.buffered())
	}
	if cmd, err := l.next(); err != nil || cmd.verb != "NOOP" {
		t.Errorf("after the tail: %v, %v", cmd, err)
	}
}

func TestT22_PipelinedCommandsKeepTheirOrder(t *testing.T) {
	const n = 100_000
	var in bytes.Buffer
	for i := range n {
		fmt.Fprintf(&in, "NOOP %d\r\n", i)
	}
	l := newLineReader(&in, testLine)
	for i := range n {
		cmd, err := l.next()
		if err != nil || cmd.verb != "NOOP" || cmd.arg != fmt.Sprint(i) {
			t.Fatalf("command %d: %v, %v", i, cmd, err)
		}
	}
	if cap(l.buf) > minLine {
		t.Errorf("buffer of %d octets", cap(l.buf))
	}
}

func FuzzLineReader(f *testing.F) {
	for _, seed := range []string{
		"NOOP\r\nCWD a\r\n", "\xff\xf4\xf2ABOR\r\n", "a\r\x00b\n", "\xff\xfa\n\xff\xfd", "QUIT\r\n", "x \xff\xff\xff\r\n",
		strings.Repeat("y", 80) + "\nNOOP\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		whole := readAll(newLineReader(bytes.NewReader(in), 64))
		torn := readAll(newLineReader(iotest.OneByteReader(bytes.NewReader(in)), 64))
		if !slices.Equal(whole, torn) {
			t.Fatalf("depends on how it is cut: %q, %q", whole, torn)
		}
		if n := bytes.Count(in, []byte{'\n'}) + 2; len(whole) > n {
			t.Fatalf("%d results of %d lines", len(whole), n)
		}
		l := newLineReader(bytes.NewReader(in), 64)
		for {
			ready, before := l.hasLine(), l.buffered()
			cmd, err := l.next()
			if ready && err == nil && l.buffered() >= before {
				t.Fatalf("hasLine, but %d octets were buffered and then %d", before, l.buffered())
			}
			if errors.Is(err, io.EOF) || errors.Is(err, errLineFlood) {
				return
			}
			checkCommand(t, cmd)
		}
	})
}

func checkCommand(t *testing.T, cmd command) {
	t.Helper()
	if strings.Contains(cmd.arg, "\n") || len(cmd.arg) >= 64 || cmd.arg != "" && !cmd.hasArg {
		t.Fatalf("bad argument %q", cmd.arg)
	}
	for i, c := range cmd.verb {
		if (c < 'A' || 'Z' < c) && (i == 0 || c < '0' || '9' < c) {
			t.Fatalf("bad verb %q", cmd.verb)
		}
	}
}

// repeatReader gives the same octets for ever.
type repeatReader struct {
	data []byte
	at   int
}

func (r *repeatReader) Read(p []byte) (int, error) {
	n := copy(p, r.data[r.at:])
	r.at = (r.at + n) % len(r.data)
	return n, nil
}

// Budget: no allocation without an argument, one with; 150 ns.
func BenchmarkLineReader(b *testing.B) {
	for name, lines := range map[string]string{
		"bare":     "NOOP\r\nPASV\r\nFEAT\r\nPWD\r\n",
		"argument": "CWD /cams/cam1/2025\r\nSTOR image-000123.jpg\r\n",
		"telnet":   "\xff\xf4\xf2ABOR\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			l := newLineReader(&repeatReader{data: []byte(lines)}, testLine)
			l.rows = newCommandTable().index
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestLineReaderAllocations(t *testing.T) {
	for lines, want := range map[string]float64{"NOOP\r\nPASV\r\nTYPE\r\n": 0, "CWD /a/b\r\nSTOR c\r\n": 1} {
		l := newLineReader(&repeatReader{data: []byte(lines)}, testLine)
		l.rows = newCommandTable().index
		if got := testing.AllocsPerRun(1000, func() { l.next() }); got > want {
			t.Errorf("%q: %v allocations a line, want %v", lines, got, want)
		}
	}
}
