package localdir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/backends"
)

// TestS14_AppendCutsWhatIsThere and follows it.
func TestS14_AppendCutsWhatIsThere(t *testing.T) {
	s, dir := newStore(t)
	obj := put(t, s, "k", large)
	u := begin(t, s, "k", "tail", backends.CreateOptions{At: 10, IfMatch: obj.ETag})
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(dir, "k"), large[:10]+"tail")
	wantNothingPending(t, dir)
}

// TestS14_AppendOutlivesItsProcess only when its prefix is there.
func TestS14_AppendOutlivesItsProcess(t *testing.T) {
	s, dir := newStore(t)
	obj := put(t, s, "k", "old")
	u := begin(t, s, "k", "tail", backends.CreateOptions{At: 3, IfMatch: obj.ETag})
	if err := u.(*upload).prefix.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte(large)); err != nil {
		t.Fatal(err)
	}
	die(t, u)
	other := reopen(t, dir)
	resume(t, other, onlyParked(t, other, "k", 3+4+len(large)), "")
	wantFile(t, filepath.Join(dir, "k"), "oldtail"+large)
}

// TestS14_PrefixThatIsNotCopiedIsNotParked: nothing with a hole in it can be resumed.
func TestS14_PrefixThatIsNotCopiedIsNotParked(t *testing.T) {
	s, dir := newStore(t)
	obj := put(t, s, "k", "old")
	for name, end := range map[string]func(*upload) error{
		"park":  func(u *upload) error { n, err := u.Park(); return errors.Join(err, nonZero(n)) },
		"abort": (*upload).Abort,
		"commit": func(u *upload) error {
			if _, err := u.Commit(); !errors.Is(err, backends.ErrChanged) {
				return errors.Join(errors.New("committed"), err)
			}
			return nil
		},
	} {
		u := begin(t, s, "k", "", backends.CreateOptions{At: 3, IfMatch: obj.ETag}).(*upload)
		u.prefix.stop()
		u.prefix.err = backends.ErrChanged // the file became shorter under the copying
		if _, err := u.Write([]byte(large)); err != nil {
			t.Fatal(err)
		}
		if left, err := pending(dir); len(left) != 1 || err != nil {
			t.Errorf("%s: there are %q, %v, want the upload alone", name, left, err)
		}
		if err := end(u); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantNothingPending(t, dir)
	}
	wantFile(t, filepath.Join(dir, "k"), "old")
}

func nonZero(n int64) error {
	if n != 0 {
		return errors.New("something was kept")
	}
	return nil
}

// TestS14_FileWrittenInPlaceIsNotAppendedTo: its beginning would be of two versions.
func TestS14_FileWrittenInPlaceIsNotAppendedTo(t *testing.T) {
	s, dir := newStore(t)
	obj := put(t, s, "k", "old content")
	r, err := s.open(t.Context(), "k", backends.OpenOptions{Length: 3, IfMatch: obj.ETag})
	if err != nil {
		t.Fatal(err)
	}
	to, err := os.Create(filepath.Join(t.TempDir(), "to"))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	write(t, filepath.Join(dir, "k"), strings.Repeat("new", 10))
	if err := r.ReadCloser.(*reader).copyTo(t.Context(), to); !errors.Is(err, backends.ErrChanged) {
		t.Errorf("copy: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.ReadCloser.(*reader).copyTo(ctx, to); err == nil {
		t.Error("a cancelled copy went well")
	}
}

func TestS14_CutOutsideOfTheObject(t *testing.T) {
	s, dir := newStore(t)
	obj := put(t, s, "k", "old")
	for _, at := range []int64{-1, 4, 1 << 62} {
		_, err := s.Create(t.Context(), "k", backends.CreateOptions{At: at, IfMatch: obj.ETag})
		if !errors.Is(err, backends.ErrRange) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	wantNothingPending(t, dir)
}
