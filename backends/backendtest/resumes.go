package backendtest

import (
	"bytes"
	"fmt"
	"io/fs"

	"causeway/backends"
)

// resume goes on with p at an offset; the store must take it.
func (s *store) resume(p backends.Parked, at int64) backends.Upload {
	s.Helper()
	u, err := s.Create(s.Context(), p.Key, backends.CreateOptions{Resume: p.ID, At: at})
	if err != nil {
		s.Fatalf("resume %+v at %d: %v", p, at, err)
	}
	return u
}

// resumed goes on with p at an offset so that the object becomes whole.
func (s *store) resumed(p backends.Parked, at int64, whole []byte) {
	s.Helper()
	s.resumedWith(p, whole, backends.CreateOptions{Resume: p.ID, At: at})
}

func (s *store) resumedWith(p backends.Parked, whole []byte, o backends.CreateOptions) {
	s.Helper()
	u, err := s.Create(s.Context(), p.Key, o)
	if err != nil {
		s.Fatalf("resume %+v at %d: %v", p, o.At, err)
	}
	defer s.abort(u)
	if err := write(u, whole[o.At:]); err != nil {
		s.Fatalf("write to %q after octet %d: %v", p.Key, o.At, err)
	}
	obj, err := u.Commit()
	if err != nil {
		s.Fatalf("commit %q, resumed at octet %d: %v", p.Key, o.At, err)
	}
	if obj.Key != p.Key || obj.Size != int64(len(whole)) || obj.ETag == "" {
		s.Errorf("commit says key %q, size %d, ETag %q; want %q, %d and some ETag", obj.Key, obj.Size, obj.ETag, p.Key, len(whole))
	}
	s.wantDescribed(p.Key, obj)
	s.wantContent(p.Key, whole)
}

// other is the store that another process has of the bucket, nil if there is none.
func (s *store) other() *store {
	if s.features.Reopen == nil {
		return nil
	}
	reopened := *s
	reopened.Backend = s.features.Reopen(s.T, s.Backend)
	return &reopened
}

// resumeSizes goes on at the end of uploads of all sizes, with as many octets as of all
// sizes.
func resumeSizes(s *store) {
	if !s.parks() {
		return
	}
	for i, first := range s.sizes()[1:] {
		for _, more := range s.sizes() {
			s.sub(fmt.Sprintf("%d and %d", first, more), func(s *store) {
				key, whole := fmt.Sprintf("k/%d/%d", first, more), content(uint64(i), first+more)
				s.resumed(s.parked(key, whole[:first], backends.CreateOptions{}), first, whole)
				s.wantNoneParked()
			})
		}
	}
}

// resumeCuts goes on before the end: the store keeps exactly so many octets, or refuses
// and loses nothing.
func resumeCuts(s *store) {
	if !s.parks() {
		return
	}
	part := s.features.PartSize
	size := 2*part + 7
	for i, at := range []int64{0, 1, part - 1, part, part + 1, 2 * part, 2*part + 3} {
		s.sub(fmt.Sprint(at), func(s *store) {
			key, before, whole := fmt.Sprintf("k/%d", at), content(uint64(i), size), content(uint64(100+i), size)
			copy(whole, before[:at])
			p := s.parked(key, before, backends.CreateOptions{})
			u, err := s.Create(s.Context(), key, backends.CreateOptions{Resume: p.ID, At: at})
			if err != nil && !s.features.CutsAnywhere {
				s.wantKind(err, backends.ErrRange)
				s.resumed(s.parkedOne(key, size), size, before)
				return
			}
			if err != nil {
				s.Fatalf("resume %d octets at %d: %v", size, at, err)
			}
			defer s.abort(u)
			if err := write(u, whole[at:]); err != nil {
				s.Fatalf("write: %v", err)
			}
			if _, err := u.Commit(); err != nil {
				s.Fatalf("commit: %v", err)
			}
			s.wantContent(key, whole)
			s.wantNoneParked()
		})
	}
}

func resumeBeyond(s *store) {
	if !s.parks() {
		return
	}
	for _, size := range s.sizes()[1:] {
		key, whole := fmt.Sprintf("k/%d", size), content(1, size)
		p := s.parked(key, whole, backends.CreateOptions{})
		for _, at := range []int64{size + 1, 3 * s.features.PartSize, 1 << 62} {
			_, err := s.Create(s.Context(), key, backends.CreateOptions{Resume: p.ID, At: at})
			s.wantKind(err, backends.ErrRange)
		}
		s.resumed(s.parkedOne(key, size), size, whole)
	}
}

// resumeNothing: a resumed upload that gets no octets can be parked again.
func resumeNothing(s *store) {
	if !s.parks() {
		return
	}
	for _, size := range s.sizes()[1:] {
		key, whole := fmt.Sprintf("k/%d", size), content(1, size)
		p := s.parked(key, whole, backends.CreateOptions{})
		for range 3 {
			s.park(s.resume(p, p.Size), size)
			p = s.parkedOne(key, size)
		}
		s.resumed(p, size, whole)
	}
}

// resumeChain parks and resumes an upload many times, a piece at a time.
func resumeChain(s *store) {
	if !s.parks() {
		return
	}
	part := s.features.PartSize
	whole := content(1, 4*part+50)
	u := s.begin(s.Context(), "k", nil, backends.CreateOptions{Size: int64(len(whole))})
	var at int64
	for _, more := range []int64{10, 1, part - 11, 5, part, part + 1, 20, part - 3, 1} {
		if err := write(u, whole[at:at+more]); err != nil {
			s.Fatalf("write after octet %d: %v", at, err)
		}
		at += more
		s.park(u, at)
		s.wantMissing("k")
		u = s.resume(s.parkedOne("k", at), at)
	}
	defer s.abort(u)
	if err := write(u, whole[at:]); err != nil {
		s.Fatalf("write after octet %d: %v", at, err)
	}
	if obj, err := u.Commit(); err != nil || obj.Size != int64(len(whole)) {
		s.Fatalf("commit says %d octets, error %v; want %d", obj.Size, err, len(whole))
	}
	s.wantContent("k", whole)
	s.wantNoneParked()
}

// resumeAbort: to abort a resumed upload is to discard it.
func resumeAbort(s *store) {
	if !s.parks() {
		return
	}
	s.put("k", []byte("old"))
	for _, size := range s.sizes()[1:] {
		for _, more := range []int64{0, s.features.PartSize + 1} {
			u := s.resume(s.parked("k", content(1, size), backends.CreateOptions{}), size)
			if err := write(u, content(2, more)); err != nil {
				s.Fatalf("write: %v", err)
			}
			s.abort(u)
			s.abort(u)
			s.wantContent("k", []byte("old"))
			s.wantNoneParked()
		}
	}
}

// resumeGone: what is not there any more cannot be resumed, nor what is another key's.
func resumeGone(s *store) {
	if !s.parks() {
		return
	}
	for _, size := range []int64{1, s.features.PartSize + 1} {
		p := s.parked("k", content(1, size), backends.CreateOptions{})
		_, err := s.Create(s.Context(), "l", backends.CreateOptions{Resume: p.ID, At: size})
		s.wantKind(err, fs.ErrNotExist)
		s.resumed(p, size, content(1, size))
		discarded := s.parked("k", content(1, size), backends.CreateOptions{})
		s.discard(discarded)
		for _, id := range []string{p.ID, discarded.ID, "none"} {
			_, err := s.Create(s.Context(), "k", backends.CreateOptions{Resume: id, At: size})
			s.wantKind(err, fs.ErrNotExist)
		}
		s.wantContent("k", content(1, size))
	}
}

// resumeReopened: any process can go on with what another has parked.
func resumeReopened(s *store) {
	if !s.parks() || s.features.Reopen == nil {
		return
	}
	for _, size := range s.sizes()[1:] {
		s.sub(fmt.Sprint(size), func(s *store) {
			key, whole := fmt.Sprintf("k/%d", size), content(1, size+s.features.PartSize+9)
			s.parked(key, whole[:size], backends.CreateOptions{})
			other := s.other()
			u := other.resume(other.parkedOne(key, size), size)
			if err := write(u, whole[size:size+5]); err != nil {
				s.Fatalf("write: %v", err)
			}
			other.park(u, size+5)
			third := other.other()
			third.resumed(third.parkedOne(key, size+5), size+5, whole)
			third.wantNoneParked()
		})
	}
}

// resumeConditions: those that an upload was begun with hold when it is resumed, too.
func resumeConditions(s *store) {
	if !s.parks() {
		return
	}
	for _, size := range []int64{1, s.features.PartSize + 1} {
		s.sub(fmt.Sprint("IfAbsent ", size), func(s *store) {
			key, whole := fmt.Sprintf("absent/%d", size), content(1, size)
			s.resumed(s.parked(key, whole, backends.CreateOptions{IfAbsent: true}), size, whole)
			s.wantRefused(fs.ErrExist, key, size, backends.CreateOptions{IfAbsent: true}, backends.CreateOptions{})
			s.wantRefused(fs.ErrExist, key, size, backends.CreateOptions{}, backends.CreateOptions{IfAbsent: true})
			s.wantContent(key, whole)
		})
		s.sub(fmt.Sprint("IfMatch ", size), func(s *store) {
			key, whole := fmt.Sprintf("match/%d", size), content(1, size)
			stale := s.put(key, []byte("old"))
			s.resumed(s.parked(key, whole, backends.CreateOptions{IfMatch: stale.ETag}), size, whole)
			s.wantRefused(backends.ErrChanged, key, size, backends.CreateOptions{IfMatch: stale.ETag}, backends.CreateOptions{})
			s.wantRefused(backends.ErrChanged, key, size, backends.CreateOptions{}, backends.CreateOptions{IfMatch: stale.ETag})
			s.wantContent(key, whole)
		})
	}
}

// wantRefused parks an upload with some options and resumes it with others, which must
// fail for its conditions at some time and leave nothing.
func (s *store) wantRefused(kind error, key string, size int64, first, then backends.CreateOptions) {
	s.Helper()
	p := s.parked(key, content(3, size), first)
	then.Resume, then.At = p.ID, size
	_, err := s.tryPut(key, []byte("more"), then)
	s.wantKind(err, kind)
	for _, p := range s.parkedNow(s.Backend, backends.ParkedQuery{Prefix: key}) {
		s.discard(p) // where Create has refused, it stays
	}
	s.wantNoneParked()
}

// resumeNotGrafted: an object and an upload parked of its name never mix.
func resumeNotGrafted(s *store) {
	if !s.parks() {
		return
	}
	part := s.features.PartSize
	for _, sizes := range [][2]int64{{100, 50}, {50, 100}, {2*part + 7, part + 1}, {part + 1, 2*part + 7}, {part, part}} {
		s.sub(fmt.Sprintf("%d and %d", sizes[0], sizes[1]), func(s *store) {
			key, old, fresh := fmt.Sprintf("k/%d/%d", sizes[0], sizes[1]), content(1, sizes[0]), content(2, sizes[1]+part+9)
			s.put(key, old)
			p := s.parked(key, fresh[:sizes[1]], backends.CreateOptions{})
			s.wantContent(key, old)
			s.resumed(p, p.Size, fresh)

			before := s.putWith(key, old, backends.CreateOptions{IfMatch: s.stat(key).ETag})
			s.parked(key, fresh[:sizes[1]], backends.CreateOptions{})
			s.appended(before, before.Size, append(bytes.Clone(old), "more"...))
			for _, p := range s.parkedNow(s.Backend, backends.ParkedQuery{Prefix: key, Fresh: true}) {
				s.resumed(p, p.Size, fresh)
			}
			s.wantNoneParked()
		})
	}
}
