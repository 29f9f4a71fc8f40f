package localdir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"causeway/backends"
)

func TestS17_UploadsOfDeadProcessesAreRemoved(t *testing.T) {
	s, dir := newStore(t)
	put(t, s, "old", "old")
	live := begin(t, s, "k", "content", backends.CreateOptions{})
	before, err := pending(dir)
	if err != nil || len(before) != 1 {
		t.Fatal(before, err)
	}
	write(t, filepath.Join(dir, own, strings.Repeat("A", 26)), "half of a fi")
	if err := os.Link(filepath.Join(dir, "old"), filepath.Join(dir, own, strings.Repeat("B", 26))); err != nil {
		t.Fatal(err)
	}
	reopen(t, dir)
	if after, err := pending(dir); err != nil || !slices.Equal(after, before) {
		t.Errorf("open uploads: %q, %v, want %q", after, err, before)
	}
	if _, err := live.Commit(); err != nil {
		t.Errorf("commit of the live one: %v", err)
	}
	wantFile(t, filepath.Join(dir, "k"), "content")
	wantFile(t, filepath.Join(dir, "old"), "old")
}

// TestConditionsHoldBetweenProcesses: each Store has its own lock on the directory, as
// those of two processes have.
func TestConditionsHoldBetweenProcesses(t *testing.T) {
	_, dir := newStore(t)
	const writers = 16
	for round := range 10 {
		errs := make([]error, writers)
		var wg sync.WaitGroup
		for i := range writers {
			u := begin(t, reopen(t, dir), fmt.Sprintf("d%d/k", round), fmt.Sprint(i), backends.CreateOptions{IfAbsent: true})
			wg.Go(func() { _, errs[i] = u.Commit() })
		}
		wg.Wait()
		winners := 0
		for i, err := range errs {
			if err == nil {
				winners++
				wantFile(t, filepath.Join(dir, fmt.Sprintf("d%d", round), "k"), fmt.Sprint(i))
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		}
		if winners != 1 {
			t.Errorf("%d of %d writers won", winners, writers)
		}
	}
}

// TestLockOfAnotherProcessIsWaitedFor, until the context ends or it is free.
func TestLockOfAnotherProcessIsWaitedFor(t *testing.T) {
	s, dir := newStore(t)
	put(t, s, "k", "content")
	other := reopen(t, dir)
	locked, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- other.exclusively(context.Background(), func() error {
			close(locked)
			<-release
			return nil
		})
	}()
	<-locked
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() { waiting <- s.Delete(ctx, "k", backends.DeleteOptions{}) }()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	go func() { waiting <- s.Delete(t.Context(), "k", backends.DeleteOptions{}) }()
	select {
	case err := <-waiting:
		t.Errorf("did not wait: %v", err)
	default:
	}
	close(release)
	if err := errors.Join(<-waiting, <-done); err != nil {
		t.Error(err)
	}
}

// TestChangeThatIsNotDurableIsInDoubt: it is there, whole, and not told as done.
func TestChangeThatIsNotDurableIsInDoubt(t *testing.T) {
	s, dir := newStore(t)
	put(t, s, "d/old", "old")
	put(t, s, "d/gone", "")
	s.syncDir = func(*os.Root) error { return syscall.ENOSPC }
	_, commitErr := begin(t, s, "d/k", "content", backends.CreateOptions{}).Commit()
	_, moveErr := s.Move(t.Context(), "d/new", "d/old", backends.CopyOptions{})
	_, markerErr := begin(t, s, "m/", "", backends.CreateOptions{}).Commit()
	deleteErr := s.Delete(t.Context(), "d/gone", backends.DeleteOptions{})
	errs := map[string]error{"commit": commitErr, "move": moveErr, "marker": markerErr, "delete": deleteErr}
	for op, err := range errs {
		if !errors.Is(err, backends.ErrUnavailable) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v", op, err)
		}
	}
	if got, want := keys(t, s, backends.Query{}), []string{"d/", "d/k", "d/new", "m/"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	wantFile(t, filepath.Join(dir, "d", "k"), "content")
	wantFile(t, filepath.Join(dir, "d", "new"), "old")
	if left, err := pending(dir); len(left) > 0 || err != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestFilesOfOthersThatAppearAreNotReplacedByIfAbsent(t *testing.T) {
	s, dir := newStore(t)
	u := begin(t, s, "k", "ours", backends.CreateOptions{IfAbsent: true})
	write(t, filepath.Join(dir, "k"), "theirs")
	if _, err := u.Commit(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("commit: %v", err)
	}
	wantFile(t, filepath.Join(dir, "k"), "theirs")
	if left, err := pending(dir); len(left) > 0 || err != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestNothingIsMadeBeforeTheFirstWrite(t *testing.T) {
	s, dir := newStore(t)
	if _, err := s.List(t.Context(), backends.Query{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), "a//b", backends.CreateOptions{}); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); len(entries) > 0 || err != nil {
		t.Errorf("the directory has %v, %v", entries, err)
	}
}

func TestNewRefusesWhatIsNoDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	if s, err := New(file); err == nil {
		s.Close()
		t.Error("a file was taken for a store")
	}
}

// BenchmarkCommit is one small upload. Most of its cost is that of two flushes to the disk.
// Budget without them, in memory: 300 µs and 200 allocations, nearly all for the walks from
// the root that follow no link.
func BenchmarkCommit(b *testing.B) {
	s, _ := newStore(b)
	content := bytes.Repeat([]byte("x"), 200<<10)
	for b.Loop() {
		u, err := s.Create(b.Context(), "in/camera/k", backends.CreateOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := u.Write(content); err != nil {
			b.Fatal(err)
		}
		if _, err := u.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}
