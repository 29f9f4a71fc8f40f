package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

var errBroken = errors.New("connection broken")

// breaks reads n octets of p, then fails.
func breaks(p []byte, n int, err error) io.ReadCloser {
	return io.NopCloser(io.MultiReader(bytes.NewReader(p[:n]), iotest.ErrReader(err)))
}

func content(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i * 7)
	}
	return p
}

func TestResumeGoesOnWhereItBrokeOff(t *testing.T) {
	p := content(1000)
	for _, failure := range []error{errBroken, io.EOF, io.ErrUnexpectedEOF} {
		opened := 0
		r := Resume(t.Context(), breaks(p, 300, failure), 1000, func(skip int64) (io.ReadCloser, error) {
			opened++
			return breaks(p[skip:], min(300, 1000-int(skip)), failure), nil
		})
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, p) || opened != 3 {
			t.Errorf("after %v: %d octets, %v, opened %d times", failure, len(got), err, opened)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestResumeGivesUpWithoutProgress(t *testing.T) {
	opened := 0
	r := Resume(t.Context(), breaks(nil, 0, io.EOF), 10, func(int64) (io.ReadCloser, error) {
		opened++
		return breaks(nil, 0, io.EOF), nil
	})
	if _, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) || opened != maxFailures {
		t.Errorf("got %v, opened %d times", err, opened)
	}
}

func TestResumeForgivesAfterProgress(t *testing.T) {
	p := content(10*progress + 5)
	r := Resume(t.Context(), breaks(p, progress, errBroken), int64(len(p)), func(skip int64) (io.ReadCloser, error) {
		return breaks(p[skip:], min(progress, len(p)-int(skip)), errBroken), nil
	})
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, p) {
		t.Errorf("read %d octets, %v", len(got), err)
	}
}

func TestResumeTellsWhyItCannotGoOn(t *testing.T) {
	gone := errors.New("gone")
	r := Resume(t.Context(), breaks(content(10), 5, errBroken), 10, func(int64) (io.ReadCloser, error) { return nil, gone })
	got, err := io.ReadAll(r)
	if len(got) != 5 || !errors.Is(err, gone) {
		t.Errorf("read %d octets, %v", len(got), err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestResumeReadsNoMoreThanWanted(t *testing.T) {
	r := Resume(t.Context(), io.NopCloser(bytes.NewReader(content(1000))), 10, nil)
	if got, err := io.ReadAll(r); err != nil || len(got) != 10 {
		t.Errorf("read %d octets, %v", len(got), err)
	}
}

func TestResumeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := Resume(ctx, io.NopCloser(bytes.NewReader(content(10))), 10, nil)
	cancel()
	if n, err := r.Read(make([]byte, 10)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("read %d octets, %v", n, err)
	}
}
