package audit

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/gateway/ftp"
)

func open(t *testing.T, path string) *Log {
	t.Helper()
	l, err := Open(path, JSON, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestS60_EveryLineArrives though far more come at once than the queue holds.
func TestS60_EveryLineArrives(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, path)
	var sessions sync.WaitGroup
	for range 8 {
		sessions.Go(func() {
			for range maxQueued {
				l.Command(stored(t, "cam1", "/in/a.jpg"))
			}
		})
	}
	sessions.Wait()
	l.Login(ftp.LoginEvent{Client: client("last"), Time: began, Code: 230}, "ok")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	text := content(t, path)
	if n := strings.Count(text, "\n"); n != 8*maxQueued+2 || l.Lost() != 0 {
		t.Errorf("%d lines, %d lost", n, l.Lost())
	}
	if !strings.HasPrefix(text, "before\n") || !strings.Contains(text[strings.LastIndex(text[:len(text)-1], "\n"):], `"user":"last"`) {
		t.Error("what was there is gone, or the last line is not the last")
	}
}

// TestS60_RotatedFileIsFollowed: after a rename, as after a removal, the next line makes a new
// file.
func TestS60_RotatedFileIsFollowed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l := &Log{file: f}
	defer func() { l.file.Close() }()
	l.write([]byte("first\n"), 1)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.write([]byte("second\n"), 1)
	if old, text := content(t, path+".1"), content(t, path); old != "first\n" || text != "second\n" {
		t.Errorf("after the rename: %q and %q", old, text)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l.write([]byte("third\n"), 1)
	if text := content(t, path); text != "third\n" {
		t.Errorf("after the removal: %q", text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
}

// TestFolderThatIsGoneLosesNothing: the file that is still open takes the lines.
func TestFolderThatIsGoneLosesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l := open(t, filepath.Join(dir, "audit.log"))
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	l.Command(stored(t, "cam1", "/a"))
	if err := l.Close(); err != nil || l.Lost() != 0 {
		t.Errorf("%v, %d lost", err, l.Lost())
	}
	if text := content(t, filepath.Join(dir+".old", "audit.log")); strings.Count(text, "\n") != 1 {
		t.Errorf("got %q", text)
	}
}

// TestS60_SessionsWaitForTheDisk, for a while; then the line is lost, and the log tells.
func TestS60_SessionsWaitForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l := &Log{encoder: jsonLines{}, log: slog.New(slog.NewTextHandler(&log, nil)), queue: make(chan []byte, 1), ended: make(chan struct{})}
		add := func() time.Duration {
			since := time.Now()
			l.Command(stored(t, "cam1", "/a"))
			return time.Since(since)
		}
		if waited := add(); waited != 0 {
			t.Errorf("waited for %v though there was room", waited)
		}
		time.AfterFunc(time.Second, func() { <-l.queue })
		if waited := add(); waited != time.Second || l.Lost() != 0 {
			t.Errorf("waited for %v, %d lost", waited, l.Lost())
		}
		for range 3 {
			if waited := add(); waited != patience {
				t.Errorf("waited for %v", waited)
			}
		}
		if n := strings.Count(log.String(), "audit lines are lost"); l.Lost() != 3 || n != 1 {
			t.Errorf("%d lost, told %d times", l.Lost(), n)
		}
		time.Sleep(quiet)
		l.closed = true
		if waited := add(); waited != 0 || !strings.Contains(log.String(), "lost=4") {
			t.Errorf("after the end: waited for %v\n%s", waited, &log)
		}
	})
}

// TestS60_LinesOnTheirWayWhenItCloses are written: a line that has been taken cannot come into
// the queue when nobody looks there any more.
func TestS60_LinesOnTheirWayWhenItCloses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l := &Log{encoder: jsonLines{}, file: f, log: slog.New(slog.DiscardHandler), queue: make(chan []byte), closing: make(chan struct{}), ended: make(chan struct{})}
	if !l.take() {
		t.Fatal("it is closed")
	}
	closed := make(chan error, 1)
	go func() { closed <- l.Close() }()
	for l.take() { // until it closes
		l.adding.Done()
	}
	go l.run()
	l.queue <- []byte("at the very end\n")
	l.adding.Done()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	l.Command(stored(t, "cam1", "/after"))
	if text := content(t, path); text != "at the very end\n" || l.Lost() != 1 {
		t.Errorf("written: %q; %d lost", text, l.Lost())
	}
}

// TestS60_FullDiskIsTold once a minute, with how many lines were lost.
func TestS60_FullDiskIsTold(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Fatal("there is no /dev/full")
	}
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l, err := Open("/dev/full", JSON, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			l.Command(stored(t, "cam1", "/a"))
			synctest.Wait()
		}
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "lost=1 ") || !strings.Contains(got, "no space left") {
			t.Errorf("told %s", got)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "lost=3\n") {
			t.Errorf("told %s", got)
		}
	})
}

// TestTornLineGetsAnEnd: what comes after an error is a line of its own.
func TestTornLineGetsAnEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := &Log{file: f}
	if _, err := f.WriteString(`{"half":`); err != nil {
		t.Fatal(err)
	}
	f.torn = true
	l.write([]byte("one\n"), 1)
	l.write([]byte("two\n"), 1)
	if text := content(t, path); text != "{\"half\":\none\ntwo\n" {
		t.Errorf("got %q", text)
	}
}

func TestCheckMakesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.log")
	if err := Check(path); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is there: %v", err)
	}
	if err := Check(filepath.Join(dir, "none", "audit.log")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Check(path); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{dir, filepath.Join(path, "audit.log")} {
		if err := Check(wrong); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}
