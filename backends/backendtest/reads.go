package backendtest

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"

	"causeway/backends"
)

func openRanges(s *store) {
	const size = 1000
	want := content(1, size)
	s.put("k", want)
	tests := []struct{ offset, length, from, to int64 }{
		{0, 0, 0, size},
		{0, 1, 0, 1},
		{0, size, 0, size},
		{0, size + 1, 0, size},
		{1, 0, 1, size},
		{5, 10, 5, 15},
		{size - 1, 0, size - 1, size},
		{size - 1, 1, size - 1, size},
		{size - 1, 100, size - 1, size},
		{size, 0, size, size},
		{size, 5, size, size},
	}
	for _, test := range tests {
		s.wantRange("k", test.offset, test.length, want[test.from:test.to], size)
	}
	for _, o := range []backends.OpenOptions{{Offset: size + 1}, {Offset: size + 1, Length: 1}, {Offset: 1 << 50}} {
		_, err := s.read("k", o)
		s.wantKind(err, backends.ErrRange)
	}
}

// wantRange checks the octets of a range, and that the whole object is described.
func (s *store) wantRange(key string, offset, length int64, want []byte, size int64) {
	s.Helper()
	r, err := s.Open(s.Context(), key, backends.OpenOptions{Offset: offset, Length: length})
	if err != nil {
		s.Errorf("open %d+%d: %v", offset, length, err)
		return
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) {
		s.Errorf("read %d+%d: %d octets, %v; want %d", offset, length, len(got), err, len(want))
	}
	if r.Object.Size != size || r.Object.Key != key || r.Object.ETag != s.stat(key).ETag {
		s.Errorf("open %d+%d says %q, %d octets, ETag %q", offset, length, r.Object.Key, r.Object.Size, r.Object.ETag)
	}
	if err := r.Close(); err != nil {
		s.Errorf("close: %v", err)
	}
}

func openPartRanges(s *store) {
	part := s.features.PartSize
	size := 2*part + 7
	want := content(1, size)
	s.put("k", want)
	s.wantRange("k", part-1, 2, want[part-1:part+1], size)
	s.wantRange("k", part, 0, want[part:], size)
	s.wantRange("k", part-3, part+6, want[part-3:2*part+3], size)
	s.wantRange("k", 2*part, 0, want[2*part:], size)
}

func openEmpty(s *store) {
	s.put("k", nil)
	s.wantRange("k", 0, 0, nil, 0)
	s.wantRange("k", 0, 10, nil, 0)
	_, err := s.read("k", backends.OpenOptions{Offset: 1})
	s.wantKind(err, backends.ErrRange)
}

func openIfMatch(s *store) {
	old := s.put("k", []byte("old content"))
	got, err := s.read("k", backends.OpenOptions{Offset: 4, IfMatch: old.ETag})
	if err != nil || string(got) != "content" {
		s.Errorf("same version: %q, %v", got, err)
	}
	s.put("k", []byte("new content"))
	_, err = s.read("k", backends.OpenOptions{Offset: 4, IfMatch: old.ETag})
	s.wantKind(err, backends.ErrChanged)
	if err := s.Delete(s.Context(), "k", backends.DeleteOptions{}); err != nil {
		s.Fatal(err)
	}
	_, err = s.read("k", backends.OpenOptions{Offset: 4, IfMatch: old.ETag})
	s.wantKind(err, backends.ErrChanged, fs.ErrNotExist)
}

// openReplacedMeanwhile: a reader sees one version or an error, never a mix.
func openReplacedMeanwhile(s *store) {
	s.meanwhile(func(size int64) { s.put("k", content(2, size)) })
}

func openDeletedMeanwhile(s *store) {
	s.meanwhile(func(int64) {
		if err := s.Delete(s.Context(), "k", backends.DeleteOptions{}); err != nil {
			s.Fatal(err)
		}
	})
}

// meanwhile reads half of an object, lets change happen to it, and reads on.
func (s *store) meanwhile(change func(size int64)) {
	for _, size := range []int64{1000, 2*s.features.PartSize + 7, 2*s.features.PartSize + 1<<20} {
		want := content(1, size)
		s.put("k", want)
		r, err := s.Open(s.Context(), "k", backends.OpenOptions{})
		if err != nil {
			s.Fatal(err)
		}
		got := make([]byte, size/2)
		if _, err := io.ReadFull(r, got); err != nil {
			s.Fatal(err)
		}
		change(size)
		rest, err := io.ReadAll(r)
		got = append(got, rest...)
		if !bytes.HasPrefix(want, got) || err == nil && len(got) != len(want) {
			s.Errorf("of %d octets: read %d that are not of the version that was opened, then %v", size, len(got), err)
		}
		if err := r.Close(); err != nil {
			s.Errorf("close: %v", err)
		}
	}
}

// missing: every verb says of what is not there that it is not there.
func missing(s *store) {
	s.put("dir/file", nil)
	for _, key := range []string{"k", "dir/fil", "dir/file2", "dir/file/below", "dir", "other/file"} {
		s.wantMissing(key)
		_, err := backends.Copy(s.Context(), s.Backend, "dst", key, backends.CopyOptions{})
		s.wantKind(err, fs.ErrNotExist)
		_, _, err = backends.Move(s.Context(), s.Backend, "dst", key, backends.CopyOptions{})
		s.wantKind(err, fs.ErrNotExist)
		if err := s.Delete(s.Context(), key, backends.DeleteOptions{}); err != nil {
			s.Errorf("delete %q: %v", key, err)
		}
	}
	s.wantMissing("dst")
	s.wantContent("dir/file", nil)
}

func deletePlain(s *store) {
	for _, size := range []int64{0, s.features.PartSize + 1} {
		key := fmt.Sprintf("delete/%d", size)
		s.put(key, content(1, size))
		s.put(key+"0", nil)
		for range 2 {
			if err := s.Delete(s.Context(), key, backends.DeleteOptions{}); err != nil {
				s.Errorf("delete: %v", err)
			}
		}
		s.wantMissing(key)
		s.wantContent(key+"0", nil)
	}
}

func deleteIfMatch(s *store) {
	old := s.put("k", []byte("old"))
	present := s.put("k", []byte("new"))
	err := s.Delete(s.Context(), "k", backends.DeleteOptions{IfMatch: old.ETag})
	s.wantKind(err, backends.ErrChanged)
	s.wantContent("k", []byte("new"))
	if err := s.Delete(s.Context(), "k", backends.DeleteOptions{IfMatch: present.ETag}); err != nil {
		s.Errorf("delete: %v", err)
	}
	s.wantMissing("k")
	// Whether the version is gone because of another is not a store's to know.
	if err := s.Delete(s.Context(), "k", backends.DeleteOptions{IfMatch: present.ETag}); err != nil {
		s.wantKind(err, backends.ErrChanged)
	}
}
