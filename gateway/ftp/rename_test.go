package ftp

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slowRename takes its time over each rename.
type slowRename struct {
	*fakeFS
	release chan error // what RNTO ends with
}

func (f *slowRename) Rename(ctx context.Context, from Path) (func(context.Context, Path) error, error) {
	next, err := f.fakeFS.Rename(ctx, from)
	return func(ctx context.Context, to Path) error {
		select {
		case err := <-f.release:
			return errors.Join(err, next(ctx, to))
		case <-ctx.Done():
			return errors.Join(ErrUnavailable, context.Cause(ctx))
		}
	}, err
}

// renaming plays a client whose RNTO takes an hour at least.
func renaming(t *testing.T, play func(*talker, chan error)) {
	t.Helper()
	var release chan error
	config := func(files *fakeFS) Config {
		release = make(chan error, 1) // in the bubble
		return testConfig(&slowRename{files, release})
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.say("RNFR readme.txt", "350")
		k.say("RNTO x")
		time.Sleep(time.Hour) // none of our time-outs ends it
		k.hear()
		play(k, release)
		synctest.Wait()
	})
}

func TestS31_RenameRunsBesideItsSession(t *testing.T) {
	renaming(t, func(k *talker, release chan error) {
		k.say("NOOP", "200")
		k.control.Write([]byte("STAT\r\n"))
		if said := k.hear("211"); !strings.Contains(said, "Renaming to file /x") {
			t.Errorf("STAT tells %q", said)
		}
		k.say("PWD") // waits
		release <- nil
		k.hear("250", "257")
		wantContent(t, k.files, "x", "hello\nworld\n")
	})
}

// TestS31_RenameIsNotGivenUp by ABOR, which has nothing to abort once it is its turn, by the
// end of the control connection, or by a flood of commands, which costs the session.
func TestS31_RenameIsNotGivenUp(t *testing.T) {
	renaming(t, func(k *talker, release chan error) {
		k.say("ABOR")
		release <- nil
		k.hear("250", "226")
		wantContent(t, k.files, "x", "hello\nworld\n")
	})
	renaming(t, func(k *talker, release chan error) {
		k.control.Close()
		synctest.Wait()
		release <- nil
		synctest.Wait()
		wantContent(t, k.files, "x", "hello\nworld\n")
	})
	renaming(t, func(k *talker, release chan error) {
		k.say(strings.Repeat("PWD\n", 2000))
		release <- nil
		k.hear("250", "EOF")
		wantContent(t, k.files, "x", "hello\nworld\n")
	})
}

func TestS31_RenameThatFailsSaysSo(t *testing.T) {
	renaming(t, func(k *talker, release chan error) {
		k.say("ABOR")
		release <- ErrUnavailable
		k.hear("450", "226")
	})
}

func TestS50_DrainWaitsForARename(t *testing.T) {
	renaming(t, func(k *talker, release chan error) {
		ended := make(chan error, 1)
		go func() { ended <- k.server.Shutdown(context.Background()) }()
		time.Sleep(time.Hour)
		k.hear()
		release <- nil
		k.hear("250", "421", "EOF")
		if err := <-ended; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	renaming(t, func(k *talker, _ chan error) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := k.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		k.hear("421", "EOF")
		wantContent(t, k.files, "readme.txt", "hello\nworld\n")
	})
}
