package ftp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
)

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
	given := because(errVanished, fmt.Errorf("%w: %w", ErrUnavailable, context.Canceled))
	if level := levelOf(given); level != slog.LevelInfo {
		t.Errorf("given up for a client that is gone: level %v", level)
	}
}
