// Package usersfile reads, replaces and edits users files: YAML with a list of accounts
// under the key users, written by hand and by program. What an account may be granted is
// not its concern; it knows the keys that it changes, and leaves all else, comments and
// blank lines included, as it stands.
//
// Its central type is [Document], of which [File] is the one on a local disk.
package usersfile

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Document is where the text of a users file is kept.
type Document interface {
	// Read returns the text and its version. The error matches ErrUnchanged if the version
	// is known, the caller's; "" is none.
	Read(ctx context.Context, known string) (text []byte, version string, err error)
	// Replace puts text in the place of what has the version: all of it, or, if it returns
	// an error, none. The error matches ErrChanged if the document has another version by
	// now, or somebody else is about to give it one.
	Replace(ctx context.Context, text []byte, version string) error
}

// ErrUnchanged: the document is as the caller knows it. ErrChanged: it is not.
var (
	ErrUnchanged = errors.New("unchanged")
	ErrChanged   = errors.New("another edit came first")
)

// Others may have the document for that long, all in all, before an edit is given up. It
// takes them milliseconds.
const (
	maxTries = 200
	pause    = 50 * time.Millisecond
)

// Edit replaces the text by what change makes of it. Where others edit at the same time,
// change is called again with what they have made of it, so that nobody's edit is lost.
func Edit(ctx context.Context, d Document, change func(text []byte) ([]byte, error)) error {
	for try := 1; ; try++ {
		text, version, err := d.Read(ctx, "")
		if err != nil {
			return err
		}
		changed, err := change(text)
		if err != nil {
			return err
		}
		err = d.Replace(ctx, changed, version)
		if !errors.Is(err, ErrChanged) {
			return err
		}
		if try == maxTries {
			return fmt.Errorf("edit users file: %w, again and again", err)
		}
		if err := rest(ctx); err != nil {
			return err
		}
	}
}

// rest waits for the pause, or until ctx ends, and returns its error then.
func rest(ctx context.Context) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
