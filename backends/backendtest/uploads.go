package backendtest

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"slices"
	"time"

	"causeway/backends"
)

func uploadSizes(s *store) {
	for i, size := range s.sizes() {
		s.sub(fmt.Sprint(size), func(s *store) {
			key := fmt.Sprintf("sizes/%d", size)
			want := content(uint64(i), size)
			committed := s.putWith(key, want, backends.CreateOptions{Size: size})
			s.wantContent(key, want)
			obj := s.stat(key)
			if obj.Key != key || obj.Size != size || obj.ETag != committed.ETag {
				s.Errorf("stat says %q, %d, %q; commit said %q, %d, %q",
					obj.Key, obj.Size, obj.ETag, committed.Key, committed.Size, committed.ETag)
			}
			if obj.ModTime.IsZero() || obj.ModTime.Location() != time.UTC {
				s.Errorf("stat says it was written at %v", obj.ModTime)
			}
			s.wantSums(obj, want)
		})
	}
}

// wantSums checks those checksums that the store tells.
func (s *store) wantSums(obj backends.Object, p []byte) {
	s.Helper()
	m, s1, s2, s5 := md5.Sum(p), sha1.Sum(p), sha256.Sum256(p), sha512.Sum512(p)
	want := map[backends.Sum][]byte{
		backends.MD5: m[:], backends.SHA1: s1[:], backends.SHA256: s2[:], backends.SHA512: s5[:],
		backends.CRC32: binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(p)),
	}
	for name, sum := range obj.Sums {
		if !bytes.Equal(sum, want[name]) {
			s.Errorf("%q has %s %x, want %x", obj.Key, name, sum, want[name])
		}
	}
}

func uploadKeepsNothingOfP(s *store) {
	want := content(1, 2*s.features.PartSize+7)
	u := s.begin(s.Context(), "k", nil, backends.CreateOptions{})
	p := make([]byte, 4096)
	for chunk := range slices.Chunk(want, len(p)) {
		n := copy(p, chunk)
		if _, err := u.Write(p[:n]); err != nil {
			s.Fatal(err)
		}
		clear(p)
	}
	if _, err := u.Commit(); err != nil {
		s.Fatal(err)
	}
	s.wantContent("k", want)
}

func uploadNothingWritten(s *store) {
	u := s.begin(s.Context(), "empty", nil, backends.CreateOptions{Size: 5})
	if n, err := u.Write(nil); n != 0 || err != nil {
		s.Errorf("write of nothing: %d, %v", n, err)
	}
	obj, err := u.Commit()
	if err != nil || obj.Size != 0 {
		s.Fatalf("commit: size %d, %v", obj.Size, err)
	}
	s.wantContent("empty", nil)
}

func uploadInvisible(s *store) {
	for _, size := range s.sizes() {
		key := fmt.Sprintf("dir/%d", size)
		u := s.begin(s.Context(), key, content(1, size), backends.CreateOptions{})
		s.wantMissing(key)
		if err := u.Abort(); err != nil {
			s.Errorf("abort: %v", err)
		}
	}
}

func uploadOldUntilCommit(s *store) {
	for i, size := range s.sizes() {
		before := content(uint64(i), 1000)
		old := s.put("k", before)
		after := content(uint64(i+100), size)
		u := s.begin(s.Context(), "k", after, backends.CreateOptions{})
		s.wantContent("k", before)
		if obj := s.stat("k"); obj.ETag != old.ETag || obj.Size != old.Size {
			s.Errorf("before commit of %d octets: %d octets, ETag %q; want %d, %q", size, obj.Size, obj.ETag, old.Size, old.ETag)
		}
		obj, err := u.Commit()
		if err != nil {
			s.Fatalf("commit: %v", err)
		}
		if obj.ETag == old.ETag {
			s.Errorf("the new object has the ETag of the old one")
		}
		s.wantContent("k", after)
	}
}

func uploadMetadata(s *store) {
	for _, size := range []int64{1, s.features.PartSize + 1} {
		key := fmt.Sprintf("meta/%d", size)
		set := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
		given := map[string]string{backends.MetaModTime: backends.FormatModTime(set), "purpose": "a test; with = odd, marks"}
		s.putWith(key, content(1, size), backends.CreateOptions{ContentType: "text/x-causeway", Metadata: given})
		obj := s.stat(key)
		s.wantMetadata(obj, given, "text/x-causeway")
		if got := obj.Time(); !got.Equal(set) {
			s.Errorf("time set is %v, want %v", got, set)
		}
		r, err := s.Open(s.Context(), key, backends.OpenOptions{})
		if err != nil {
			s.Fatal(err)
		}
		s.wantMetadata(r.Object, given, "text/x-causeway")
		if err := r.Close(); err != nil {
			s.Error(err)
		}
		s.put(key, nil)
		if got := s.stat(key).Metadata["purpose"]; got != "" {
			s.Errorf("a new object has the metadata of the old one")
		}
	}
}

// wantMetadata checks what of properties and content type the store keeps.
func (s *store) wantMetadata(obj backends.Object, want map[string]string, contentType string) {
	s.Helper()
	for name, value := range want {
		if s.features.ModTimeOnly && name != backends.MetaModTime {
			continue
		}
		if obj.Metadata[name] != value {
			s.Errorf("%q has metadata %q, want %s=%q", obj.Key, obj.Metadata, name, value)
		}
	}
	if !s.features.ModTimeOnly && obj.ContentType != contentType {
		s.Errorf("%q has content type %q, want %q", obj.Key, obj.ContentType, contentType)
	}
}

// uploadInterleaved: uploads of several keys at a time do not mix.
func uploadInterleaved(s *store) {
	size := 2*s.features.PartSize + 7
	var uploads []backends.Upload
	for range 3 {
		uploads = append(uploads, s.begin(s.Context(), fmt.Sprintf("k%d", len(uploads)), nil, backends.CreateOptions{}))
	}
	half := size / 2
	for i, u := range uploads {
		if err := write(u, content(uint64(i), size)[:half]); err != nil {
			s.Fatal(err)
		}
	}
	for i, u := range uploads {
		if err := write(u, content(uint64(i), size)[half:]); err != nil {
			s.Fatal(err)
		}
	}
	for i, u := range slices.Backward(uploads) {
		if _, err := u.Commit(); err != nil {
			s.Fatalf("commit of k%d: %v", i, err)
		}
	}
	for i := range uploads {
		s.wantContent(fmt.Sprintf("k%d", i), content(uint64(i), size))
	}
}

func abortLeavesNothing(s *store) {
	s.put("old", []byte("old"))
	for _, size := range s.sizes() {
		for _, key := range []string{"new", "old"} {
			u := s.begin(s.Context(), key, content(1, size), backends.CreateOptions{})
			for range 2 {
				if err := u.Abort(); err != nil {
					s.Errorf("abort after %d octets: %v", size, err)
				}
			}
			s.wantNoLeftovers()
		}
	}
	s.wantMissing("new")
	s.wantContent("old", []byte("old"))
	if got := s.keys(""); !slices.Equal(got, []string{"old"}) {
		s.Errorf("listed: %q", got)
	}
}

func abortAfterCommit(s *store) {
	for _, size := range s.sizes() {
		u := s.begin(s.Context(), "k", content(1, size), backends.CreateOptions{})
		if _, err := u.Commit(); err != nil {
			s.Fatal(err)
		}
		if err := u.Abort(); err != nil {
			s.Errorf("abort after commit: %v", err)
		}
		s.wantContent("k", content(1, size))
	}
}

func abortAfterCancel(s *store) {
	for _, size := range s.sizes() {
		ctx, cancel := context.WithCancel(s.Context())
		u := s.begin(ctx, "k", content(1, size), backends.CreateOptions{})
		cancel()
		if err := u.Abort(); err != nil {
			s.Errorf("abort after cancel: %v", err)
		}
		s.wantMissing("k")
		s.wantNoLeftovers()
	}
}

// abortEnds: an aborted upload cannot be taken up again.
func abortEnds(s *store) {
	for _, size := range s.sizes() {
		u := s.begin(s.Context(), "k", content(1, size), backends.CreateOptions{})
		if err := u.Abort(); err != nil {
			s.Errorf("abort: %v", err)
		}
		if _, err := u.Commit(); err == nil {
			s.Errorf("commit after abort of %d octets went well", size)
		}
		s.wantMissing("k")
	}
	_, err := s.Stat(s.Context(), "k", backends.StatOptions{})
	s.wantKind(err, fs.ErrNotExist)
}
