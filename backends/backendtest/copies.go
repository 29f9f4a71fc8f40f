package backendtest

import (
	"fmt"
	"io/fs"
	"time"

	"causeway/backends"
)

// properties are what copies should carry along.
func properties() backends.CreateOptions {
	set := time.Date(2002, 3, 4, 5, 6, 7, 0, time.UTC)
	return backends.CreateOptions{
		ContentType: "text/x-causeway",
		Metadata:    map[string]string{backends.MetaModTime: backends.FormatModTime(set), "purpose": "copied"},
	}
}

// copied makes a copy that must succeed.
func (s *store) copied(dst, src string, o backends.CopyOptions) backends.Object {
	s.Helper()
	obj, err := backends.Copy(s.Context(), s.Backend, dst, src, o)
	if err != nil {
		s.Fatalf("copy %q to %q: %v", src, dst, err)
	}
	s.wantDescribed(dst, obj)
	return obj
}

func (s *store) moved(dst, src string, o backends.CopyOptions) backends.Object {
	s.Helper()
	obj, _, err := backends.Move(s.Context(), s.Backend, dst, src, o)
	if err != nil {
		s.Fatalf("move %q to %q: %v", src, dst, err)
	}
	s.wantDescribed(dst, obj)
	return obj
}

// wantDescribed checks that a verb has said of a new object what Stat says of it.
func (s *store) wantDescribed(key string, got backends.Object) {
	s.Helper()
	if want := s.stat(key); got.Key != key || got.ETag != want.ETag || got.Size != want.Size {
		s.Errorf("told of %q, %d octets, ETag %q; stat says %q, %d, %q",
			got.Key, got.Size, got.ETag, want.Key, want.Size, want.ETag)
	}
}

func copyContent(s *store) {
	for i, size := range s.sizes() {
		src, dst := fmt.Sprintf("from/%d", size), fmt.Sprintf("to/a b/ü+%d", size)
		want, given := content(uint64(i), size), properties()
		s.putWith(src, want, given)
		for range 2 { // to a free key, then to a taken one
			s.copied(dst, src, backends.CopyOptions{})
			s.wantContent(dst, want)
			s.wantMetadata(s.stat(dst), given.Metadata, given.ContentType)
			s.put(dst, []byte("something else"))
		}
		s.wantContent(src, want)
		s.copied(dst, src, backends.CopyOptions{Metadata: map[string]string{backends.MetaModTime: "17"}})
		s.wantContent(dst, want)
		s.wantMetadata(s.stat(dst), map[string]string{backends.MetaModTime: "17"}, given.ContentType)
		if s.stat(dst).Metadata["purpose"] != "" {
			s.Errorf("metadata was merged instead of replaced")
		}
	}
}

func copyOntoItself(s *store) {
	for _, size := range []int64{0, 10, s.features.PartSize + 1} {
		key, want := fmt.Sprintf("self/%d", size), content(1, size)
		old := s.putWith(key, want, properties())
		meta := map[string]string{backends.MetaModTime: "1000000000"}
		s.copied(key, key, backends.CopyOptions{SourceIfMatch: old.ETag, Metadata: meta})
		s.wantContent(key, want)
		obj := s.stat(key)
		s.wantMetadata(obj, meta, properties().ContentType)
		if got := obj.Time().Unix(); got != 1000000000 {
			s.Errorf("time set is %d", got)
		}
	}
}

func copySourceIfMatch(s *store) {
	s.put("src", []byte("old"))
	stale := s.stat("src").ETag
	present := s.put("src", []byte("new"))
	_, err := backends.Copy(s.Context(), s.Backend, "dst", "src", backends.CopyOptions{SourceIfMatch: stale})
	s.wantKind(err, backends.ErrChanged)
	s.wantMissing("dst")
	s.copied("dst", "src", backends.CopyOptions{SourceIfMatch: present.ETag})
	s.wantContent("dst", []byte("new"))
}

func copyIfAbsent(s *store) {
	s.put("src", []byte("source"))
	s.copied("dst", "src", backends.CopyOptions{IfAbsent: true})
	s.put("src", []byte("another"))
	_, err := backends.Copy(s.Context(), s.Backend, "dst", "src", backends.CopyOptions{IfAbsent: true})
	s.wantKind(err, fs.ErrExist)
	s.wantContent("dst", []byte("source"))
}

func copyIfMatch(s *store) {
	s.put("src", []byte("source"))
	stale := s.put("dst", []byte("old"))
	present := s.put("dst", []byte("newer"))
	_, err := backends.Copy(s.Context(), s.Backend, "dst", "src", backends.CopyOptions{IfMatch: stale.ETag})
	s.wantKind(err, backends.ErrChanged)
	s.wantContent("dst", []byte("newer"))
	s.copied("dst", "src", backends.CopyOptions{IfMatch: present.ETag})
	s.wantContent("dst", []byte("source"))
}

func moveContent(s *store) {
	for i, size := range s.sizes() {
		src, dst := fmt.Sprintf("from/%d.tmp", size), fmt.Sprintf("to/a b/ü+%d", size)
		for range 2 { // to a free key, then to a taken one
			want, given := content(uint64(i), size), properties()
			old := s.putWith(src, want, given)
			s.moved(dst, src, backends.CopyOptions{SourceIfMatch: old.ETag})
			s.wantContent(dst, want)
			s.wantMetadata(s.stat(dst), given.Metadata, given.ContentType)
			s.wantMissing(src)
		}
	}
}

// moveOntoItself keeps the object, with or without new metadata.
func moveOntoItself(s *store) {
	s.put("k", []byte("content"))
	s.moved("k", "k", backends.CopyOptions{})
	s.wantContent("k", []byte("content"))
	meta := map[string]string{backends.MetaModTime: "1000000000"}
	s.moved("k", "k", backends.CopyOptions{Metadata: meta})
	s.wantContent("k", []byte("content"))
	s.wantMetadata(s.stat("k"), meta, s.stat("k").ContentType)
}

func moveSourceIfMatch(s *store) {
	stale := s.put("src", []byte("old"))
	s.put("src", []byte("newer"))
	_, _, err := backends.Move(s.Context(), s.Backend, "dst", "src", backends.CopyOptions{SourceIfMatch: stale.ETag})
	s.wantKind(err, backends.ErrChanged)
	s.wantMissing("dst")
	s.wantContent("src", []byte("newer"))
}

func moveIfAbsent(s *store) {
	s.put("src", []byte("source"))
	s.put("dst", []byte("destination"))
	_, _, err := backends.Move(s.Context(), s.Backend, "dst", "src", backends.CopyOptions{IfAbsent: true})
	s.wantKind(err, fs.ErrExist)
	s.wantContent("src", []byte("source"))
	s.wantContent("dst", []byte("destination"))
	s.moved("free", "src", backends.CopyOptions{IfAbsent: true})
	s.wantContent("free", []byte("source"))
	s.wantMissing("src")
}
