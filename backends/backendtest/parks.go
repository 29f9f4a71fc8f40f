package backendtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"causeway/backends"
)

// parks tells whether a case about parked uploads applies.
func (s *store) parks() bool { return !s.features.NoParking }

// parkedNow returns what b tells of uploads that begin with prefix.
func (s *store) parkedNow(b backends.Backend, q backends.ParkedQuery) []backends.Parked {
	s.Helper()
	var all []backends.Parked
	for p, err := range backends.ParkedUploads(s.Context(), b, q) {
		if err != nil {
			s.Fatalf("parked %+v: %v", q, err)
		}
		all = append(all, p)
	}
	return all
}

// parkedOne returns what is parked of key, which must be one upload of size octets.
func (s *store) parkedOne(key string, size int64) backends.Parked {
	s.Helper()
	all := slices.DeleteFunc(s.parkedNow(s.Backend, backends.ParkedQuery{Prefix: key}), func(p backends.Parked) bool {
		return p.Key != key
	})
	if len(all) != 1 {
		s.Fatalf("parked of %q: %+v, want one upload of %d octets", key, all, size)
	}
	p := all[0]
	if p.ID == "" || p.Size != size || p.ModTime.IsZero() || p.ModTime.Location() != time.UTC {
		s.Fatalf("parked of %q: %+v, want an ID, %d octets and a time in UTC", key, p, size)
	}
	return p
}

// wantNoneParked checks that nothing can be resumed any more.
func (s *store) wantNoneParked() {
	s.Helper()
	if all := s.parkedNow(s.Backend, backends.ParkedQuery{Fresh: true}); len(all) > 0 {
		s.Errorf("still parked: %+v", all)
	}
	s.wantNoLeftovers()
}

// park parks u, which must keep want octets.
func (s *store) park(u backends.Upload, want int64) {
	s.Helper()
	size, err := u.Park()
	if err != nil || size != want {
		s.Fatalf("park keeps %d octets, error %v; want %d", size, err, want)
	}
}

// parked writes p to a new upload of key and parks it.
func (s *store) parked(key string, p []byte, o backends.CreateOptions) backends.Parked {
	s.Helper()
	s.park(s.begin(s.Context(), key, p, o), int64(len(p)))
	return s.parkedOne(key, int64(len(p)))
}

// discard ends a parked upload, which must go well.
func (s *store) discard(p backends.Parked) {
	s.Helper()
	if err := backends.Discard(s.Context(), s.Backend, p); err != nil {
		s.Errorf("discard %+v: %v", p, err)
	}
}

// abort ends u, which must go well.
func (s *store) abort(u backends.Upload) {
	s.Helper()
	if err := u.Abort(); err != nil {
		s.Errorf("abort: %v", err)
	}
}

func parkSizes(s *store) {
	if !s.parks() {
		return
	}
	for i, size := range s.sizes()[1:] {
		s.sub(fmt.Sprint(size), func(s *store) {
			key := fmt.Sprintf("parked/%d", size)
			p := s.parked(key, content(uint64(i), size), backends.CreateOptions{Size: 2 * size})
			s.wantMissing(key)
			s.discard(p)
			s.wantNoneParked()
		})
	}
}

// parkNothing: what has no octets is not worth keeping, nor are conditions on it.
func parkNothing(s *store) {
	if !s.parks() {
		return
	}
	s.park(s.begin(s.Context(), "k", nil, backends.CreateOptions{IfAbsent: true}), 0)
	s.wantMissing("k")
	s.wantNoneParked()
}

// parkInvisible: readers see the object of old, or nothing.
func parkInvisible(s *store) {
	if !s.parks() {
		return
	}
	old := s.put("dir/old", []byte("old"))
	for _, size := range []int64{1, 2*s.features.PartSize + 7} {
		fresh := s.parked("dir/new", content(1, size), backends.CreateOptions{})
		over := s.parked("dir/old", content(2, size), backends.CreateOptions{})
		s.wantMissing("dir/new")
		s.wantContent("dir/old", []byte("old"))
		if got := s.stat("dir/old"); got.ETag != old.ETag || got.Size != old.Size {
			s.Errorf("stat of the object beside a parked upload: %+v, want %+v", got, old)
		}
		if got := s.keys(""); !slices.Equal(got, []string{"dir/old"}) {
			s.Errorf("listed: %q", got)
		}
		s.wantEntries(backends.Query{Prefix: "dir/", Delimiter: true}, s.implied("dir/", "dir/old")...)
		s.discard(fresh)
		s.discard(over)
	}
	s.wantNoneParked()
}

// parkAfterCancel: the end of the context, and the error of Write that follows, do not
// lose what arrived.
func parkAfterCancel(s *store) {
	if !s.parks() {
		return
	}
	for i, size := range s.sizes() {
		s.sub(fmt.Sprint(size), func(s *store) {
			key, whole := fmt.Sprintf("k/%d", size), content(uint64(i), size+3*s.features.PartSize)
			ctx, cancel := context.WithCancel(s.Context())
			u := s.begin(ctx, key, whole[:size], backends.CreateOptions{})
			cancel()
			if err := write(u, whole[size:]); err != nil {
				s.wantCancelled("write", err)
			}
			kept, err := u.Park()
			if err != nil || kept < size || kept > int64(len(whole)) {
				s.Fatalf("park keeps %d octets, error %v; %d were written well, %d in all", kept, err, size, len(whole))
			}
			if kept > 0 {
				s.resumed(s.parkedOne(key, kept), kept, whole)
			}
			s.wantNoneParked()
		})
	}
}

// parkEnds: after Park the upload is over, and Abort leaves alone what is parked.
func parkEnds(s *store) {
	if !s.parks() {
		return
	}
	for _, size := range []int64{1, s.features.PartSize + 1} {
		whole := content(1, size)
		u := s.begin(s.Context(), "k", whole, backends.CreateOptions{})
		s.park(u, size)
		if _, err := u.Commit(); err == nil {
			s.Error("commit after park went well")
		}
		if _, err := u.Write([]byte("more")); err == nil {
			s.Error("write after park went well")
		}
		if _, err := u.Park(); err == nil {
			s.Error("second park went well")
		}
		s.abort(u)
		s.wantMissing("k")
		s.resumed(s.parkedOne("k", size), size, whole)
		if err := s.Delete(s.Context(), "k", backends.DeleteOptions{}); err != nil {
			s.Error(err)
		}
	}
}

// parkProperties: an upload has, when it is resumed, the properties that it was begun
// with, but for those that are set anew.
func parkProperties(s *store) {
	if !s.parks() {
		return
	}
	for _, size := range []int64{1, s.features.PartSize + 1} {
		whole, given := content(1, size), properties()
		p := s.parked("k", whole, given)
		s.resumed(p, size, whole)
		s.wantMetadata(s.stat("k"), given.Metadata, given.ContentType)

		p = s.parked("k", whole, given)
		anew := map[string]string{backends.MetaModTime: "17"}
		if s.features.FixedProperties && size > s.features.PartSize {
			_, err := s.Create(s.Context(), "k", backends.CreateOptions{Resume: p.ID, At: size, Metadata: anew})
			s.wantKind(err, errors.ErrUnsupported)
			s.discard(p)
			continue
		}
		s.resumedWith(p, whole, backends.CreateOptions{Resume: p.ID, At: size, Metadata: anew})
		s.wantMetadata(s.stat("k"), anew, given.ContentType)
		if s.stat("k").Metadata["purpose"] != "" {
			s.Errorf("metadata was merged instead of replaced")
		}
	}
}

// parkKeys: parked uploads have any name, but such as leave the store no room for its own.
func parkKeys(s *store) {
	if !s.parks() {
		return
	}
	var want []string
	for _, key := range AwkwardKeys() {
		if slices.Contains(s.features.Refused, key) {
			continue
		}
		u := s.begin(s.Context(), key, []byte("some"), backends.CreateOptions{})
		_, err := u.Park()
		if len(key) > backends.MaxKey-100 && errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if err != nil {
			s.Errorf("park %q: %v", key, err)
		}
		want = append(want, key)
	}
	slices.Sort(want)
	if got := s.parkedKeys(backends.ParkedQuery{}); !slices.Equal(got, want) {
		s.Errorf("parked:\n got %q\nwant %q", got, want)
	}
	for _, key := range want {
		if got := s.parkedKeys(backends.ParkedQuery{Prefix: key, Direct: true}); !slices.Contains(got, key) {
			s.Errorf("parked with prefix %q: %q", key, got)
		}
	}
	for _, p := range s.parkedNow(s.Backend, backends.ParkedQuery{}) {
		s.resumed(p, 4, []byte("some of "+p.Key))
	}
	s.wantNoneParked()
}

// parkUnsupported: where nothing can be parked, Park aborts and says so.
func parkUnsupported(s *store) {
	if s.parks() {
		return
	}
	for _, size := range s.sizes()[1:] {
		u := s.begin(s.Context(), "k", content(1, size), backends.CreateOptions{})
		_, err := u.Park()
		s.wantKind(err, errors.ErrUnsupported)
		s.abort(u)
		s.wantMissing("k")
		s.wantNoneParked()
	}
	_, err := s.tryPut("k", nil, backends.CreateOptions{Resume: "none"})
	s.wantKind(err, errors.ErrUnsupported, fs.ErrNotExist)
}
