package backendtest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"causeway/backends"
)

// appended keeps the first at octets of an object and makes it whole.
func (s *store) appended(before backends.Object, at int64, whole []byte) backends.Object {
	s.Helper()
	obj, err := s.tryPut(before.Key, whole[at:], backends.CreateOptions{IfMatch: before.ETag, At: at})
	if err != nil {
		s.Fatalf("append %d octets to %q after octet %d of %d: %v", int64(len(whole))-at, before.Key, at, before.Size, err)
	}
	if obj.Key != before.Key || obj.Size != int64(len(whole)) || obj.ETag == "" {
		s.Errorf("commit says key %q, size %d, ETag %q; want %q, %d and some ETag", obj.Key, obj.Size, obj.ETag, before.Key, len(whole))
	}
	s.wantDescribed(before.Key, obj)
	s.wantContent(before.Key, whole)
	return obj
}

func appendSizes(s *store) {
	for i, size := range s.sizes() {
		for _, more := range s.sizes() {
			s.sub(fmt.Sprintf("%d and %d", size, more), func(s *store) {
				key, whole, given := fmt.Sprintf("k/%d/%d", size, more), content(uint64(i), size+more), properties()
				before := s.put(key, whole[:size])
				given.IfMatch, given.At, given.Size = before.ETag, size, size+more
				if _, err := s.tryPut(key, whole[size:], given); err != nil {
					s.Fatalf("append: %v", err)
				}
				s.wantContent(key, whole)
				s.wantMetadata(s.stat(key), given.Metadata, given.ContentType)
				s.wantSums(s.stat(key), whole)
				s.wantNoLeftovers()
			})
		}
	}
}

// appendCuts keeps less than all of an object.
func appendCuts(s *store) {
	part := s.features.PartSize
	size := 2*part + 7
	for i, at := range []int64{1, part - 1, part, part + 1, 2 * part, size - 1} {
		s.sub(fmt.Sprint(at), func(s *store) {
			key, old, whole := fmt.Sprintf("k/%d", at), content(uint64(i), size), content(uint64(100+i), at+part+9)
			copy(whole, old[:at])
			before := s.put(key, old)
			_, err := s.tryPut(key, whole[at:], backends.CreateOptions{IfMatch: before.ETag, At: at})
			switch {
			case err == nil:
				s.wantContent(key, whole)
			case s.features.ObjectCuts:
				s.Fatalf("write %q after octet %d of %d: %v", key, at, size, err)
			default:
				s.wantKind(err, errors.ErrUnsupported)
				s.wantContent(key, old)
			}
			s.wantNoLeftovers()
		})
	}
}

func appendBeyond(s *store) {
	for i, size := range s.sizes() {
		key, old := fmt.Sprintf("k/%d", size), content(uint64(i), size)
		before := s.put(key, old)
		for _, at := range []int64{size + 1, 3 * s.features.PartSize, 1 << 62} {
			_, err := s.tryPut(key, []byte("more"), backends.CreateOptions{IfMatch: before.ETag, At: at})
			s.wantKind(err, backends.ErrRange)
		}
		s.wantContent(key, old)
		s.wantNoLeftovers()
	}
}

// appendChangedBefore: nothing is put behind another object than the one that was meant.
func appendChangedBefore(s *store) {
	for _, size := range s.sizes()[1:] {
		stale := s.put("k", content(1, size))
		s.put("k", content(2, size))
		for _, at := range []int64{1, size} {
			_, err := s.tryPut("k", []byte("more"), backends.CreateOptions{IfMatch: stale.ETag, At: at})
			if s.features.ObjectCuts || at == size {
				s.wantKind(err, backends.ErrChanged)
			} else {
				s.wantKind(err, backends.ErrChanged, errors.ErrUnsupported)
			}
		}
		s.wantContent("k", content(2, size))
		present := s.stat("k")
		if err := s.Delete(s.Context(), "k", backends.DeleteOptions{}); err != nil {
			s.Fatal(err)
		}
		_, err := s.tryPut("k", []byte("more"), backends.CreateOptions{IfMatch: present.ETag, At: size})
		s.wantKind(err, backends.ErrChanged, fs.ErrNotExist)
		s.wantMissing("k")
		s.wantNoLeftovers()
	}
}

// appendChangedMeanwhile: the same while the octets are on their way.
func appendChangedMeanwhile(s *store) {
	for i, size := range s.sizes()[1:] {
		for _, more := range []int64{5, s.features.PartSize + 5} {
			s.sub(fmt.Sprintf("%d and %d", size, more), func(s *store) {
				key, theirs := fmt.Sprintf("k/%d/%d", size, more), content(uint64(100+i), 99)
				before := s.put(key, content(uint64(i), size))
				u := s.begin(s.Context(), key, []byte("first"), backends.CreateOptions{IfMatch: before.ETag, At: size})
				defer s.abort(u)
				s.put(key, theirs)
				err := write(u, content(uint64(200+i), more))
				if err == nil {
					_, err = u.Commit()
				}
				s.wantKind(err, backends.ErrChanged)
				s.wantContent(key, theirs)
			})
		}
	}
}

// appendOldUntilCommit: readers see the object as it was until the commit.
func appendOldUntilCommit(s *store) {
	for i, size := range s.sizes()[1:] {
		key, whole := fmt.Sprintf("k/%d", size), content(uint64(i), size+s.features.PartSize+9)
		before := s.put(key, whole[:size])
		u := s.begin(s.Context(), key, whole[size:], backends.CreateOptions{IfMatch: before.ETag, At: size})
		s.wantContent(key, whole[:size])
		if got := s.stat(key); got.ETag != before.ETag || got.Size != size {
			s.Errorf("before commit: %d octets, ETag %q; want %d, %q", got.Size, got.ETag, size, before.ETag)
		}
		if _, err := u.Commit(); err != nil {
			s.Errorf("commit: %v", err)
		}
		s.wantContent(key, whole)
	}
}

func appendAbort(s *store) {
	for i, size := range s.sizes()[1:] {
		for _, more := range []int64{0, 5, s.features.PartSize + 5} {
			key, old := fmt.Sprintf("k/%d/%d", size, more), content(uint64(i), size)
			before := s.put(key, old)
			u := s.begin(s.Context(), key, content(9, more), backends.CreateOptions{IfMatch: before.ETag, At: size})
			s.abort(u)
			s.wantContent(key, old)
			s.wantNoLeftovers()
		}
	}
}

// appendRace: of two who append to one version one wins, and when the other has tried
// again, both are there.
func appendRace(s *store) {
	for _, size := range []int64{100, s.features.PartSize + 1} {
		for _, more := range []int64{10, s.features.PartSize + 1} {
			s.sub(fmt.Sprintf("%d and %d", size, more), func(s *store) {
				key, old := fmt.Sprintf("k/%d/%d", size, more), content(1, size)
				s.raceAppends(s.put(key, old), old, [][]byte{content(2, more), content(3, more)})
			})
		}
	}
}

func (s *store) raceAppends(before backends.Object, old []byte, pieces [][]byte) {
	s.Helper()
	errs := make([]error, len(pieces))
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i, piece := range pieces {
		wg.Go(func() {
			<-start
			_, errs[i] = s.tryPut(before.Key, piece, backends.CreateOptions{IfMatch: before.ETag, At: before.Size})
		})
	}
	close(start)
	wg.Wait()
	if errs[0] != nil {
		errs[0], errs[1], pieces[0], pieces[1] = errs[1], errs[0], pieces[1], pieces[0]
	}
	if errs[0] != nil || errs[1] == nil {
		s.Fatalf("of two who appended to one version: %v, %v; want one winner", errs[0], errs[1])
	}
	s.wantKind(errs[1], backends.ErrChanged)
	s.wantContent(before.Key, append(bytes.Clone(old), pieces[0]...))
	after := s.stat(before.Key)
	s.appended(after, after.Size, bytes.Join([][]byte{old, pieces[0], pieces[1]}, nil))
	s.wantNoLeftovers()
}

// appendOften appends a hundred pieces to one object, past the end of its first part.
func appendOften(s *store) {
	piece := s.features.PartSize/64 + 1
	whole := content(1, 100*piece)
	obj := s.put("k", nil)
	for n := int64(0); n < 100; n++ {
		var err error
		o := backends.CreateOptions{IfMatch: obj.ETag, At: n * piece}
		if obj, err = s.tryPut("k", whole[n*piece:][:piece], o); err != nil || obj.Size != (n+1)*piece {
			s.Fatalf("append %d: %d octets, error %v; want %d", n, obj.Size, err, (n+1)*piece)
		}
	}
	s.wantContent("k", whole)
	s.wantNoLeftovers()
}

// appendParked: an append can be parked and resumed like any other upload.
func appendParked(s *store) {
	if !s.parks() {
		return
	}
	part := s.features.PartSize
	for i, size := range []int64{10, part, 2*part + 7} {
		for _, more := range []int64{5, part + 5} {
			s.sub(fmt.Sprintf("%d and %d", size, more), func(s *store) {
				key, whole := fmt.Sprintf("k/%d/%d", size, more), content(uint64(i), size+more+part+3)
				before := s.put(key, whole[:size])
				p := s.parkedAppend(before, whole[:size+more])
				s.wantContent(key, whole[:size])
				s.resumed(p, p.Size, whole)
				s.wantNoneParked()
			})
		}
	}
}

// appendParkedNothing: what is in the object already is not worth keeping once more.
func appendParkedNothing(s *store) {
	if !s.parks() {
		return
	}
	for i, size := range s.sizes()[1:] {
		key, old := fmt.Sprintf("k/%d", size), content(uint64(i), size)
		before := s.put(key, old)
		s.park(s.begin(s.Context(), key, nil, backends.CreateOptions{IfMatch: before.ETag, At: size}), 0)
		s.wantNoneParked()
		s.wantContent(key, old)
	}
}

// parkedAppend parks an append to an object that would have made it whole.
func (s *store) parkedAppend(before backends.Object, whole []byte) backends.Parked {
	s.Helper()
	o := backends.CreateOptions{IfMatch: before.ETag, At: before.Size}
	s.park(s.begin(s.Context(), before.Key, whole[before.Size:], o), int64(len(whole)))
	return s.parkedOne(before.Key, int64(len(whole)))
}

// appendParkedChanged: what was appended to an old version never replaces a newer one.
func appendParkedChanged(s *store) {
	if !s.parks() {
		return
	}
	for i, size := range s.sizes()[1:] {
		s.sub(fmt.Sprint(size), func(s *store) {
			key, old, theirs := fmt.Sprintf("k/%d", size), content(uint64(i), size), content(uint64(100+i), 50)
			before := s.put(key, old)
			p := s.parkedAppend(before, append(bytes.Clone(old), "some"...))
			s.put(key, theirs)
			if err := s.tryResume(p, []byte("more")); err != nil {
				s.wantKind(err, backends.ErrChanged, fs.ErrNotExist) // Azure has ended it already
			} else {
				s.Error("an append to an old version was committed over a newer one")
			}
			s.wantContent(key, theirs)
			for _, p := range s.parkedNow(s.Backend, backends.ParkedQuery{Prefix: key, Fresh: true}) {
				s.discard(p)
			}
			s.wantNoneParked()
		})
	}
}
