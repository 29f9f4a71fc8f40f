package localdir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
)

func TestConformance(t *testing.T) {
	var dir string
	backendtest.Run(t, func(t *testing.T) backends.Backend {
		var s *Store
		s, dir = newStore(t)
		return s
	}, backendtest.Features{
		Hierarchical: true,
		ModTimeOnly:  true,
		CutsAnywhere: true,
		ObjectCuts:   true,
		MovesTrees:   true,
		PartSize:     recordFrom / 2, // what is unparked has more than so many octets
		Reopen:       func(t *testing.T, _ backends.Backend) backends.Backend { return reopen(t, dir) },
		Leftovers:    func(context.Context, backends.Backend) ([]string, error) { return pending(dir) },
	})
}

func TestKeysAreFilePaths(t *testing.T) {
	s, dir := newStore(t)
	put(t, s, "a b/ü.txt", "content")
	wantFile(t, filepath.Join(dir, "a b", "ü.txt"), "content")
	write(t, filepath.Join(dir, "x", "y"), "theirs")
	if got, err := get(t.Context(), s, "x/y"); got != "theirs" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if got, want := keys(t, s, backends.Query{}), []string{"a b/", "a b/ü.txt", "x/", "x/y"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func TestS1_KeysThatAreNoFilePathsAreInvalid(t *testing.T) {
	s, dir := newStore(t)
	write(t, filepath.Join(filepath.Dir(dir), "outside"), "secret")
	for _, key := range []string{
		"", "/", "/a", "//", "a//b", "a//", ".", "./", "..", "../", "../outside", "a/../b", "a/./b", "a/..", "./a", "a/.", "a\x00",
		".causeway/localdir", ".causeway/localdir/", ".causeway/localdir/x", strings.Repeat("n", 300), "a/" + strings.Repeat("n", 300) + "/b",
	} {
		_, statErr := s.Stat(t.Context(), key, backends.StatOptions{})
		_, openErr := s.Open(t.Context(), key, backends.OpenOptions{})
		_, createErr := s.Create(t.Context(), key, backends.CreateOptions{})
		_, copyErr := s.Copy(t.Context(), key, "k", backends.CopyOptions{})
		_, moveErr := s.Move(t.Context(), "k", key, backends.CopyOptions{})
		deleteErr := s.Delete(t.Context(), key, backends.DeleteOptions{})
		errs := map[string]error{
			"stat": statErr, "open": openErr, "create": createErr, "delete": deleteErr, "copy": copyErr, "move": moveErr,
		}
		for verb, err := range errs {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%s %.40q: %v", verb, key, err)
			}
		}
	}
}

func TestErrorKinds(t *testing.T) {
	tests := []struct {
		err  error
		want error
	}{
		{syscall.ENOENT, fs.ErrNotExist},
		{syscall.ENOTDIR, fs.ErrNotExist},
		{syscall.ELOOP, fs.ErrNotExist},
		{syscall.EEXIST, fs.ErrExist},
		{syscall.EISDIR, fs.ErrExist},
		{syscall.ENOTEMPTY, fs.ErrExist},
		{syscall.EACCES, fs.ErrPermission},
		{syscall.EPERM, fs.ErrPermission},
		{syscall.EROFS, fs.ErrPermission},
		{syscall.ENOSPC, backends.ErrQuota},
		{syscall.EDQUOT, backends.ErrQuota},
		{syscall.EFBIG, backends.ErrQuota},
		{syscall.ENAMETOOLONG, fs.ErrInvalid},
		{syscall.EINVAL, fs.ErrInvalid},
		{syscall.EILSEQ, fs.ErrInvalid},
		{syscall.ENOSYS, errors.ErrUnsupported},
		{syscall.EXDEV, errors.ErrUnsupported},
		{syscall.EIO, backends.ErrUnavailable},
		{syscall.EMFILE, backends.ErrUnavailable},
		{syscall.ENFILE, backends.ErrUnavailable},
		{syscall.ESTALE, backends.ErrUnavailable},
		{context.Canceled, backends.ErrUnavailable},
		{context.DeadlineExceeded, backends.ErrUnavailable},
		{fs.ErrClosed, fs.ErrClosed},
		{backends.ErrChanged, backends.ErrChanged},
		{backends.ErrRange, backends.ErrRange},
		{errors.New("something else"), backends.ErrUnavailable},
	}
	for _, test := range tests {
		err := fail("stat", "k", &fs.PathError{Op: "open", Path: "k", Err: test.err})
		var edge *backends.Error
		if !errors.As(err, &edge) || !errors.Is(edge.Kind, test.want) || !errors.Is(err, test.err) || edge.Op != "stat" || edge.Key != "k" {
			t.Errorf("%v became %v, want the kind %v", test.err, err, test.want)
		}
	}
}

func TestS24_TimeSetIsTheFilesOwnAndListed(t *testing.T) {
	s, dir := newStore(t)
	set := time.Date(1999, 12, 31, 23, 59, 59, 250e6, time.UTC)
	meta := map[string]string{backends.MetaModTime: backends.FormatModTime(set)}
	if _, err := begin(t, s, "d/k", "content", backends.CreateOptions{Metadata: meta}).Commit(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "d", "k"))
	if err != nil || !info.ModTime().Equal(set) {
		t.Errorf("the file's time is %v, %v", info.ModTime(), err)
	}
	page, err := s.List(t.Context(), backends.Query{Prefix: "d/", Delimiter: true})
	if err != nil || len(page.Objects) != 2 || !page.Objects[1].Time().Equal(set) || page.Objects[1].Partial {
		t.Errorf("listed as %+v, %v", page.Objects, err)
	}
	if obj, err := s.Move(t.Context(), "moved", "d/k", backends.CopyOptions{}); err != nil || !obj.Time().Equal(set) {
		t.Errorf("moved, its time is %v, %v", obj.Time(), err)
	}
}

// TestS24_TimeThatCannotBeKeptIsRefused: a success would be told, and another time shown.
func TestS24_TimeThatCannotBeKeptIsRefused(t *testing.T) {
	s, _ := newStore(t)
	obj, err := begin(t, s, "k", "content", backends.CreateOptions{}).Commit()
	if err != nil {
		t.Fatal(err)
	}
	for _, year := range []int{1600, 2263, 9999} {
		meta := map[string]string{backends.MetaModTime: backends.FormatModTime(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))}
		_, err := s.Copy(t.Context(), "k", "k", backends.CopyOptions{Metadata: meta})
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("the year %d: %v", year, err)
		}
	}
	if now, err := s.Stat(t.Context(), "k", backends.StatOptions{}); err != nil || !now.Time().Equal(obj.Time()) {
		t.Errorf("the time is %v, was %v, %v", now.Time(), obj.Time(), err)
	}
}

// TestS20_FileWrittenInPlaceIsNeverAMix: other programs do not write as we do.
func TestS20_FileWrittenInPlaceIsNeverAMix(t *testing.T) {
	changes := map[string]func(path string) error{
		"written": func(path string) error { return os.WriteFile(path, []byte("NEW CONTENT"), 0o666) },
		"grown":   func(path string) error { return os.WriteFile(path, []byte("old content and more"), 0o666) },
		"shrunk":  func(path string) error { return os.Truncate(path, 5) },
	}
	for name, change := range changes {
		s, dir := newStore(t)
		put(t, s, "k", "old content")
		r, err := s.Open(t.Context(), "k", backends.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
		if err := change(filepath.Join(dir, "k")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !errors.Is(err, backends.ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestVersionsOfOneSizeAndTimeDiffer(t *testing.T) {
	s, _ := newStore(t)
	seen := make(map[string]bool)
	meta := map[string]string{backends.MetaModTime: "1000000000"}
	for range 50 {
		obj, err := begin(t, s, "k", "same size", backends.CreateOptions{Metadata: meta}).Commit()
		if err != nil || seen[obj.ETag] {
			t.Fatalf("ETag %q comes again, %v", obj.ETag, err)
		}
		seen[obj.ETag] = true
	}
}

func TestSpace(t *testing.T) {
	s, _ := newStore(t)
	if n, err := backends.Space(t.Context(), s); n <= 0 || err != nil {
		t.Errorf("space %d, %v", n, err)
	}
}

func TestMoveOfTwoNamesOfOneFileLeavesOne(t *testing.T) {
	s, dir := newStore(t)
	put(t, s, "a", "content")
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Move(t.Context(), "b", "a", backends.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, want := keys(t, s, backends.Query{}), []string{"b"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func TestS2_DirectoryStaysWhenItsLastFileGoes(t *testing.T) {
	s, _ := newStore(t)
	put(t, s, "d/e/k", "")
	if err := s.Delete(t.Context(), "d/e/k", backends.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if exists, err := backends.HasPrefix(t.Context(), s, "d/e/"); !exists || err != nil {
		t.Errorf("the directory is there: %v, %v", exists, err)
	}
	if err := s.Delete(t.Context(), "d/", backends.DeleteOptions{}); err != nil {
		t.Errorf("delete of a directory in use: %v", err)
	}
	if got, want := keys(t, s, backends.Query{}), []string{"d/", "d/e/"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

// TestS5_ReservedMarkerIsDeletedInVain, as "causeway check" does that has put a probe.
func TestS5_ReservedMarkerIsDeletedInVain(t *testing.T) {
	s, _ := newStore(t)
	put(t, s, ".causeway/probe", "")
	for _, key := range []string{".causeway/probe", ".causeway/"} {
		if err := s.Delete(t.Context(), key, backends.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}
}

func TestMarkersHaveNoContent(t *testing.T) {
	s, _ := newStore(t)
	u, err := s.Create(t.Context(), "d/", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte("content")); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("write: %v", err)
	}
}

func TestS5_ReservedDirectoryIsSeenOnlyByName(t *testing.T) {
	s, _ := newStore(t)
	put(t, s, ".causeway/probe", "")
	put(t, s, "k", "")
	for prefix, want := range map[string][]string{
		"": {"k"}, ".": nil, ".causeway": nil, ".causeway/": {".causeway/", ".causeway/probe"}, ".causeway/localdir/": nil,
	} {
		if got := keys(t, s, backends.Query{Prefix: prefix}); !slices.Equal(got, want) {
			t.Errorf("prefix %q: %q, want %q", prefix, got, want)
		}
	}
}
