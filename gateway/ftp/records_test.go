package ftp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// decodeRecords is what is stored of data sent in STRU R, in writes of up to n octets.
func decodeRecords(sent []byte, n int) (string, error) {
	var stored bytes.Buffer
	w := newRecordWriter(&stored)
	for len(sent) > 0 {
		k := min(n, len(sent))
		if _, err := w.Write(sent[:k]); err != nil {
			return "", err
		}
		sent = sent[k:]
	}
	return stored.String(), w.Close()
}

func TestRecords(t *testing.T) {
	for stored, sent := range map[string]string{
		"":             "\xff\x02",
		"a\n":          "a\xff\x01\xff\x02",
		"a\nb\n":       "a\xff\x01b\xff\x01\xff\x02",
		"a\nb":         "a\xff\x01b\xff\x02",
		"\n\n":         "\xff\x01\xff\x01\xff\x02",
		"\xff\n":       "\xff\xff\xff\x01\xff\x02",
		"\x01\x02\r":   "\x01\x02\r\xff\x02",
		"\xff\x01\xff": "\xff\xff\x01\xff\xff\xff\x02",
	} {
		for _, n := range []int{1, 2, 1 << 20} {
			if got, err := decodeRecords([]byte(sent), n); err != nil || got != stored {
				t.Errorf("%q in writes of %d: stored %q, %v, want %q", sent, n, got, err, stored)
			}
		}
		if err := iotest.TestReader(newRecordReader(strings.NewReader(stored)), []byte(sent)); err != nil {
			t.Errorf("%q: %v", stored, err)
		}
	}
	if got, err := decodeRecords([]byte("a\xff\x01b\xff\x03"), 5); err != nil || got != "a\nb\n" {
		t.Errorf("end of record and file in one: %q, %v", got, err)
	}
}

func TestRecordsOutOfOrder(t *testing.T) {
	for sent, want := range map[string]error{
		"":                  io.ErrUnexpectedEOF,
		"a":                 io.ErrUnexpectedEOF,
		"a\xff\x01":         io.ErrUnexpectedEOF,
		"a\xff":             io.ErrUnexpectedEOF,
		"a\xff\xff":         io.ErrUnexpectedEOF,
		"a\xff\x04":         errRecord,
		"a\xff\x00":         errRecord,
		"a\xff\n":           errRecord,
		"a\xff\x02b":        errRecord,
		"\xff\x03\xff\x02":  errRecord,
		"\xff\x02" + "\xff": errRecord,
	} {
		for _, n := range []int{1, 1 << 20} {
			if got, err := decodeRecords([]byte(sent), n); !errors.Is(err, want) {
				t.Errorf("%q in writes of %d: %q, %v, want %v", sent, n, got, err, want)
			}
		}
	}
}

func TestRecordsAcrossBuffers(t *testing.T) {
	for _, line := range []string{"\n", "\xff", "a\xff\n", strings.Repeat("x", 1021) + "\n"} {
		stored := fill(line)
		sent, err := io.ReadAll(newRecordReader(strings.NewReader(stored)))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, conversionBuffer - 1, conversionBuffer, len(sent)} {
			if got, err := decodeRecords(sent, n); err != nil || got != stored {
				t.Errorf("%.4q in writes of %d: %d octets, %v, want %d", line, n, len(got), err, len(stored))
			}
		}
	}
}

func FuzzRecords(f *testing.F) {
	for _, seed := range []string{"a\nb\n", "\xff\x02", "a\xff\x01b\xff\x03", "\xff\xff\xff"} {
		f.Add([]byte(seed), uint8(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		n := int(size) + 1
		sent, err := io.ReadAll(newRecordReader(bytes.NewReader(data)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeRecords(sent, n); err != nil || got != string(data) {
			t.Fatalf("%q is sent as %q and comes back as %q, %v", data, sent, got, err)
		}
		whole, wholeErr := decodeRecords(data, len(data)+1)
		torn, tornErr := decodeRecords(data, n)
		if !errors.Is(wholeErr, tornErr) || wholeErr == nil && whole != torn {
			t.Fatalf("%q depends on how it is cut: %q, %v and %q, %v", data, whole, wholeErr, torn, tornErr)
		}
		// A sender that is cut off is always noticed.
		if _, err := decodeRecords(sent[:len(sent)-1], n); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%q without its last octet: %v", sent, err)
		}
	})
}

// Budget: 300 MB/s for records of 60 octets; few clients use them.
func BenchmarkRecords(b *testing.B) {
	stored := []byte(strings.Repeat(strings.Repeat("x", 59)+"\n", 1<<14))
	sent, err := io.ReadAll(newRecordReader(bytes.NewReader(stored)))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("send", func(b *testing.B) {
		b.SetBytes(int64(len(stored)))
		buf := make([]byte, 64<<10)
		for b.Loop() {
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, newRecordReader(bytes.NewReader(stored)), buf); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("receive", func(b *testing.B) {
		b.SetBytes(int64(len(sent)))
		for b.Loop() {
			w := newRecordWriter(io.Discard)
			if _, err := w.Write(sent); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestRecordsOfAReadThatBreaksOff have no end of the file, whatever the error stems from.
func TestRecordsOfAReadThatBreaksOff(t *testing.T) {
	broken := fmt.Errorf("the store did not come back: %w", io.EOF)
	r := newRecordReader(io.MultiReader(strings.NewReader("first\nsec"), iotest.ErrReader(broken)))
	if sent, err := io.ReadAll(r); string(sent) != "first\xff\x01sec" || err != broken { //nolint:errorlint // as it is
		t.Errorf("sent %q, %v", sent, err)
	}
}
