package ftp

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"syscall"
	"testing"
)

func TestS11_Judge(t *testing.T) {
	wrapped := fmt.Errorf("read: %w", io.EOF)
	for _, tt := range []struct {
		name string
		e    evidence
		want error
	}{
		{"plain", evidence{end: io.EOF}, nil},
		{"reset", evidence{end: syscall.ECONNRESET}, errDataLost},
		{"broken, and the error says so of its end", evidence{end: wrapped}, errDataLost},
		{"within a TLS record", evidence{end: io.ErrUnexpectedEOF, protected: true}, errDataLost},
		{"stalled", evidence{end: os.ErrDeadlineExceeded}, errStalled},
		{"close_notify", evidence{end: io.EOF, protected: true, notified: true}, nil},
		{"no close_notify, never seen one", evidence{end: io.EOF, protected: true}, nil},
		{"no close_notify, seen one", evidence{end: io.EOF, protected: true, proper: true}, errCutOff},
		{"in clear, seen a close_notify", evidence{end: io.EOF, proper: true}, nil},
		{"ABOR", evidence{end: io.EOF, cause: errAborted}, errAborted},
		{"control connection gone", evidence{end: io.EOF, protected: true, notified: true, cause: errVanished}, errVanished},
		{"gone and reset", evidence{end: syscall.ECONNRESET, cause: errVanished}, errVanished},
		{"records without their end", evidence{end: io.EOF, whole: io.ErrUnexpectedEOF}, errCutOff},
	} {
		if err := judge(tt.e); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestAccountSetIsBounded(t *testing.T) {
	a := newAccountSet()
	for i := range 3*maxRemembered + 1 {
		a.add(strconv.Itoa(i))
		if !a.has(strconv.Itoa(i)) {
			t.Fatalf("account %d is forgotten at once", i)
		}
	}
	if n := len(a.recent) + len(a.old); n > 2*maxRemembered {
		t.Errorf("%d accounts kept", n)
	}
	if a.has("0") || !a.has(strconv.Itoa(2*maxRemembered)) {
		t.Error("the wrong ones are kept")
	}
}

// TestFailures holds the table of replies against the promises about codes.
func TestFailures(t *testing.T) {
	for _, f := range failures() {
		for _, code := range []int{f.existing, f.fresh, f.begun} {
			if code < 421 || code > 554 {
				t.Errorf("%v: code %d", f.kind, code)
			}
			if errors.Is(f.kind, ErrUnavailable) && code >= 500 {
				t.Errorf("%v is for ever: %d", f.kind, code)
			}
		}
		if r := failureOf(fmt.Errorf("wrapped: %w", f.kind)).reply(existing, false); r.text != f.text {
			t.Errorf("%v is shadowed by %q", f.kind, r.text)
		}
	}
	if r := failureOf(errors.New("s3: AccessDenied for arn:aws:…")).reply(existing, false); r.code != 451 {
		t.Errorf("unknown error: %+v", r)
	}
}

// TestListingsNeverAnswer450: curl would take it for an empty directory.
func TestListingsNeverAnswer450(t *testing.T) {
	for _, f := range failures() {
		if r := f.reply(listed, false); r.code == 450 {
			t.Errorf("%v: %d", f.kind, r.code)
		}
	}
	for _, verb := range []string{"LIST", "NLST", "MLSD"} {
		if row := newCommandTable().index[verb]; row.names != listed {
			t.Errorf("%s does not name what is listed", verb)
		}
	}
}

// TestStoreFailureIsAsLoudWhenTheClientLeaves: most clients hang up at the first reset.
func TestStoreFailureIsAsLoudWhenTheClientLeaves(t *testing.T) {
	err := because(errVanished, fmt.Errorf("part 3: %w", ErrUnavailable))
	if r := failureOf(err).reply(fresh, true); r.code != 426 {
		t.Errorf("the reply is %+v", r)
	}
	if level := levelOf(err); level != slog.LevelWarn {
		t.Errorf("the level is %v", level)
	}
}
