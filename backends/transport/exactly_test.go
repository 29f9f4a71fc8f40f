package transport

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestExactly: too few octets are never a clean end, too many are cut off.
func TestExactly(t *testing.T) {
	broken := errors.New("connection broken")
	for _, c := range []struct {
		sent string
		end  error
		got  string
		want error
	}{
		{"0123", io.EOF, "0123", nil},
		{"0123", broken, "0123", nil},
		{"0123456", io.EOF, "0123", nil},
		{"012", io.EOF, "012", io.ErrUnexpectedEOF},
		{"012", broken, "012", broken},
		{"", io.EOF, "", io.ErrUnexpectedEOF},
	} {
		body := io.MultiReader(strings.NewReader(c.sent), iotest.ErrReader(c.end))
		got, err := io.ReadAll(Exactly(t.Context(), io.NopCloser(iotest.DataErrReader(body)), 4))
		if string(got) != c.got || !errors.Is(err, c.want) {
			t.Errorf("%q and %v: read %q, %v", c.sent, c.end, got, err)
		}
	}
}

func TestExactlyEndsWithItsContext(t *testing.T) {
	hungUp := errors.New("client has hung up")
	ctx, cancel := context.WithCancelCause(t.Context())
	r := Exactly(ctx, io.NopCloser(strings.NewReader("0123")), 4)
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cancel(hungUp)
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, hungUp) {
		t.Errorf("read %d, %v", n, err)
	}
}
