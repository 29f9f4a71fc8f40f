package ftp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// toCRLF is what a client receives of stored data in TYPE A.
func toCRLF(t testing.TB, stored io.Reader) string {
	t.Helper()
	got, err := io.ReadAll(newCRLFReader(stored))
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// toLF is what is stored of data sent in TYPE A, in writes of up to n octets.
func toLF(t testing.TB, sent []byte, n int) string {
	t.Helper()
	var stored bytes.Buffer
	w := newLFWriter(&stored)
	for len(sent) > 0 {
		k := min(n, len(sent))
		if written, err := w.Write(sent[:k]); err != nil || written != k {
			t.Fatalf("Write = %d, %v, want %d", written, err, k)
		}
		sent = sent[k:]
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return stored.String()
}

func TestS25_LFIsSentAsCRLF(t *testing.T) {
	for stored, want := range map[string]string{
		"":             "",
		"\n":           "\r\n",
		"a\nb":         "a\r\nb",
		"a\n\n\nb\n":   "a\r\n\r\n\r\nb\r\n",
		"a\r\nb\r\n":   "a\r\nb\r\n", // stored in TYPE I
		"a\rb":         "a\rb",
		"\r\r\n\r":     "\r\r\n\r",
		"\n\r\n\n\r":   "\r\n\r\n\r\n\r",
		"no line end":  "no line end",
		"\x00\xff\n\n": "\x00\xff\r\n\r\n",
	} {
		for name, r := range map[string]io.Reader{
			"whole":          strings.NewReader(stored),
			"octet by octet": iotest.OneByteReader(strings.NewReader(stored)),
			"with EOF":       iotest.DataErrReader(strings.NewReader(stored)),
		} {
			if got := toCRLF(t, r); got != want {
				t.Errorf("%q %s: %q, want %q", stored, name, got, want)
			}
		}
		if err := iotest.TestReader(newCRLFReader(strings.NewReader(stored)), []byte(want)); err != nil {
			t.Errorf("%q: %v", stored, err)
		}
	}
}

func TestS25_CRLFIsStoredAsLF(t *testing.T) {
	for sent, want := range map[string]string{
		"":              "",
		"\r\n":          "\n",
		"a\r\nb\r\n":    "a\nb\n",
		"a\nb":          "a\nb", // from clients that convert nothing
		"a\rb\r":        "a\rb\r",
		"\r\r\n":        "\r\n",
		"\r\r\r":        "\r\r\r",
		"\r\n\r\n\r":    "\n\n\r",
		"a\r\n\rb\n\r ": "a\n\rb\n\r ",
	} {
		for _, n := range []int{1, 2, 3, 1 << 20} {
			if got := toLF(t, []byte(sent), n); got != want {
				t.Errorf("%q in writes of %d: %q, want %q", sent, n, got, want)
			}
		}
	}
}

// fill is data larger than the converters' buffers, with line ends across their edges.
func fill(line string) string {
	return strings.Repeat(line, 3*conversionBuffer/len(line))
}

func TestX7_LineEndsAcrossBuffers(t *testing.T) {
	for _, line := range []string{"\n", "a\n", "ab\n", "\r", "\xff", "x\n\r", strings.Repeat("x", 1021) + "\n"} {
		stored := fill(line)
		sent := toCRLF(t, strings.NewReader(stored))
		if want := strings.ReplaceAll(stored, "\n", "\r\n"); sent != want {
			t.Errorf("%.4q sent: %d octets, want %d", line, len(sent), len(want))
		}
		for _, n := range []int{1, 4093, conversionBuffer - 1, conversionBuffer, conversionBuffer + 1, len(sent)} {
			if got := toLF(t, []byte(sent), n); got != stored {
				t.Errorf("%.4q back in writes of %d: %d octets, want %d", line, n, len(got), len(stored))
			}
		}
	}
}

func TestConvertersReturnErrors(t *testing.T) {
	failure := errors.New("store failed")
	for name, r := range map[string]io.Reader{
		"TYPE A": newCRLFReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(failure))),
		"STRU R": newRecordReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(failure))),
	} {
		if got, err := io.ReadAll(r); !errors.Is(err, failure) || len(got) != 4 {
			t.Errorf("%s: read %q, %v", name, got, err)
		}
	}
	for name, w := range map[string]io.Writer{
		"TYPE A": newLFWriter(failingWriter{failure}),
		"STRU R": newRecordWriter(failingWriter{failure}),
	} {
		if n, err := w.Write([]byte("a")); !errors.Is(err, failure) || n != 0 {
			t.Errorf("%s: wrote %d, %v", name, n, err)
		}
	}
	trailing := newLFWriter(failingWriter{failure})
	trailing.cr = true
	if err := trailing.Flush(); !errors.Is(err, failure) {
		t.Errorf("Flush: %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func FuzzX7_ASCII(f *testing.F) {
	for _, seed := range []string{"a\nb\n", "a\r\nb", "\r", "\r\r\n\n", "\x00\xff"} {
		f.Add([]byte(seed), uint8(2))
	}
	f.Fuzz(func(t *testing.T, stored []byte, size uint8) {
		n := int(size) + 1
		before := string(stored)
		sent := toCRLF(t, iotest.OneByteReader(bytes.NewReader(stored)))
		if lone := strings.ReplaceAll(sent, "\r\n", ""); strings.Contains(lone, "\n") && !strings.Contains(before, "\r\r") {
			t.Fatalf("%q is sent as %q, with a lone LF", stored, sent)
		}
		// What comes back is what was stored, its line ends all in one form.
		if got, want := toLF(t, []byte(sent), n), strings.ReplaceAll(before, "\r\n", "\n"); got != want {
			t.Fatalf("%q is sent as %q and comes back as %q", stored, sent, got)
		}
		if got, want := toLF(t, stored, n), strings.ReplaceAll(before, "\r\n", "\n"); got != want || string(stored) != before {
			t.Fatalf("%q is stored as %q", before, got)
		}
	})
}

// Budget: 1 GB/s for lines of 60 octets.
func BenchmarkASCII(b *testing.B) {
	stored := []byte(strings.Repeat(strings.Repeat("x", 59)+"\n", 1<<14))
	sent := []byte(toCRLF(b, bytes.NewReader(stored)))
	b.Run("send", func(b *testing.B) {
		b.SetBytes(int64(len(stored)))
		buf := make([]byte, 64<<10)
		for b.Loop() {
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, newCRLFReader(bytes.NewReader(stored)), buf); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("receive", func(b *testing.B) {
		b.SetBytes(int64(len(sent)))
		w := newLFWriter(io.Discard)
		for b.Loop() {
			if _, err := w.Write(sent); err != nil {
				b.Fatal(err)
			}
		}
	})
}
