package backendtest

import (
	"context"
	"fmt"
	"slices"

	"causeway/backends"
)

// parkedKeys are the keys of what is parked, sorted, each as often as it is.
func (s *store) parkedKeys(q backends.ParkedQuery) []string {
	s.Helper()
	var keys []string
	for _, p := range s.parkedNow(s.Backend, q) {
		keys = append(keys, p.Key)
	}
	slices.Sort(keys)
	return keys
}

func parkedQueries(s *store) {
	if !s.parks() {
		return
	}
	if got := s.parkedKeys(backends.ParkedQuery{}); len(got) > 0 {
		s.Errorf("parked in an empty store: %q", got)
	}
	for i, key := range []string{"a/1", "a/b/2", "a/b/3", "a/b/c/4", "ab/5", "b", "z", "z1", "z2", "z3", "z4", "z5"} {
		s.parked(key, content(uint64(i), int64(1+i)), backends.CreateOptions{})
		s.put("object/"+key, nil)
	}
	for _, c := range []struct {
		q    backends.ParkedQuery
		want []string
	}{
		{backends.ParkedQuery{}, []string{"a/1", "a/b/2", "a/b/3", "a/b/c/4", "ab/5", "b", "z", "z1", "z2", "z3", "z4", "z5"}},
		{backends.ParkedQuery{Direct: true}, []string{"b", "z", "z1", "z2", "z3", "z4", "z5"}},
		{backends.ParkedQuery{Prefix: "a/"}, []string{"a/1", "a/b/2", "a/b/3", "a/b/c/4"}},
		{backends.ParkedQuery{Prefix: "a/", Direct: true}, []string{"a/1"}},
		{backends.ParkedQuery{Prefix: "a/b/", Direct: true}, []string{"a/b/2", "a/b/3"}},
		{backends.ParkedQuery{Prefix: "a/b"}, []string{"a/b/2", "a/b/3", "a/b/c/4"}},
		{backends.ParkedQuery{Prefix: "a", Direct: true}, nil},
		{backends.ParkedQuery{Prefix: "z5", Direct: true}, []string{"z5"}},
		{backends.ParkedQuery{Prefix: "z", Direct: true}, []string{"z", "z1", "z2", "z3", "z4", "z5"}},
		{backends.ParkedQuery{Prefix: "object/"}, nil},
		{backends.ParkedQuery{Prefix: "none"}, nil},
	} {
		for _, fresh := range []bool{false, true} {
			c.q.Fresh = fresh
			if got := s.parkedKeys(c.q); !slices.Equal(got, c.want) {
				s.Errorf("parked %+v:\n got %q\nwant %q", c.q, got, c.want)
			}
		}
	}
	for _, p := range s.parkedNow(s.Backend, backends.ParkedQuery{}) {
		s.discard(p)
	}
	s.wantNoneParked()
}

// parkedSeveral: of one key several may be parked, and each is told and can be resumed.
// (To commit one may end the others: Azure.)
func parkedSeveral(s *store) {
	if !s.parks() {
		return
	}
	part := s.features.PartSize
	sizes := []int64{10, 20, part + 1, part + 2}
	for i, size := range sizes {
		s.park(s.begin(s.Context(), "k", content(uint64(i), size), backends.CreateOptions{}), size)
	}
	all := s.parkedNow(s.Backend, backends.ParkedQuery{Prefix: "k"})
	slices.SortFunc(all, func(a, b backends.Parked) int { return int(a.Size - b.Size) })
	if len(all) != len(sizes) {
		s.Fatalf("parked: %+v, want uploads of %v octets", all, sizes)
	}
	for i, p := range all {
		if p.Size != sizes[i] || p.Key != "k" {
			s.Errorf("parked: %+v, want %d octets of k", p, sizes[i])
		}
	}
	s.discard(all[0])
	s.resumed(all[2], sizes[2], append(content(2, sizes[2]), "more"...))
	for _, p := range s.parkedNow(s.Backend, backends.ParkedQuery{Fresh: true}) {
		if p != all[1] && p != all[3] {
			s.Errorf("still parked: %+v", p)
		}
		s.discard(p)
	}
	s.wantNoneParked()
}

// parkedCancel: what is asked of a context that has ended fails.
func parkedCancel(s *store) {
	if !s.parks() {
		return
	}
	p := s.parked("k", []byte("some"), backends.CreateOptions{})
	var last error
	for _, err := range backends.ParkedUploads(s.cancelled(), s.Backend, backends.ParkedQuery{Fresh: true}) {
		last = err
	}
	s.wantCancelled("parked", last)
	s.wantCancelled("discard", backends.Discard(s.cancelled(), s.Backend, p))
	ctx, cancel := context.WithCancel(s.Context())
	u, err := s.Create(ctx, "k", backends.CreateOptions{Resume: p.ID, At: p.Size})
	if err != nil {
		s.Fatal(err)
	}
	cancel()
	s.park(u, p.Size)
	s.resumed(s.parkedOne("k", p.Size), p.Size, []byte("something"))
}

// discardTwice: nothing is left, and what is not there any more, or never was, can be
// discarded.
func discardTwice(s *store) {
	if !s.parks() {
		return
	}
	s.discard(backends.Parked{ID: "nobody's", Key: "k"})
	s.put("k", []byte("old"))
	for _, size := range s.sizes()[1:] {
		p := s.parked("k", content(1, size), backends.CreateOptions{})
		for range 2 {
			s.discard(p)
			s.wantNoneParked()
		}
		s.wantContent("k", []byte("old"))
	}
}

// discardStale: to discard what was committed meanwhile does nothing.
func discardStale(s *store) {
	if !s.parks() {
		return
	}
	for _, size := range []int64{1, s.features.PartSize + 1} {
		p := s.parked("k", content(1, size), backends.CreateOptions{})
		s.resumed(p, size, content(1, size))
		s.discard(p)
		s.wantContent("k", content(1, size))
		s.wantNoneParked()
	}
}

// discardResumed: what was resumed meanwhile is not the upload any more that was parked.
func discardResumed(s *store) {
	if !s.parks() {
		return
	}
	for i, size := range s.sizes()[1:] {
		key, whole := fmt.Sprintf("k/%d", size), content(uint64(i), size+s.features.PartSize+1)
		p := s.parked(key, whole[:size], backends.CreateOptions{})
		u := s.resume(p, size)
		if all := s.parkedNow(s.Backend, backends.ParkedQuery{}); len(all) > 0 {
			s.Errorf("told of an upload that is being written: %+v", all)
		}
		if err := backends.Discard(s.Context(), s.Backend, p); err != nil {
			s.wantKind(err, backends.ErrBusy)
		}
		if again, err := s.Create(s.Context(), key, backends.CreateOptions{Resume: p.ID, At: size}); err == nil {
			s.Error("resumed twice at a time")
			s.abort(again)
		}
		if err := write(u, whole[size:]); err != nil {
			s.Errorf("write: %v", err)
		}
		if _, err := u.Commit(); err != nil {
			s.Errorf("commit: %v", err)
		}
		s.wantContent(key, whole)
		s.wantNoneParked()
	}
}

// parkedTags: an upload has its tag for as long as it is parked, whoever goes on with it.
func parkedTags(s *store) {
	if !s.parks() {
		return
	}
	for i, size := range s.sizes()[1:] {
		s.sub(fmt.Sprint(size), func(s *store) {
			key, tag, whole := fmt.Sprintf("k/%d", size), "AZ27MIGRATED", content(uint64(i), 2*size)
			s.parked(key, content(uint64(i), 1+size/2), backends.CreateOptions{}) // a client's
			s.park(s.begin(s.Context(), key, whole[:size], backends.CreateOptions{Tag: tag}), size)
			p := s.tagged(key, tag)
			u, err := s.Create(s.Context(), key, backends.CreateOptions{Resume: p.ID, At: p.Size, Tag: tag})
			if err != nil {
				s.Fatal(err)
			}
			s.park(u, size)
			p = s.tagged(key, tag)
			if p.Size != size {
				s.Fatalf("%d octets are parked, want %d", p.Size, size)
			}
			s.resumed(p, size, whole)
			// On Azure what others have sent of the name ends with a commit.
			for _, left := range s.parkedNow(s.Backend, backends.ParkedQuery{Prefix: key, Fresh: true}) {
				s.discard(left)
			}
		})
	}
	s.wantNoneParked()
}

// tagged is the one upload of key that is parked with a tag.
func (s *store) tagged(key, tag string) backends.Parked {
	s.Helper()
	all := slices.DeleteFunc(s.parkedNow(s.Backend, backends.ParkedQuery{Prefix: key, Fresh: true}), func(p backends.Parked) bool {
		return p.Key != key || p.Tag != tag
	})
	if len(all) != 1 {
		s.Fatalf("parked of %q with the tag %q: %+v", key, tag, all)
	}
	return all[0]
}
