package backendtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"causeway/backends"
)

// tellTime bounds how long another process may take to see what is durable.
const tellTime = 30 * time.Second

// zombie is an upload that goes on although another process has taken it for dead.
type zombie struct {
	backends.Upload
	key     string
	written []byte
	other   *store          // of the other process
	parked  backends.Parked // what that one sees
}

// unparked begins an upload of some parts and waits until another process sees it. It is
// nil where other processes do not.
func (s *store) unparked(key string) *zombie {
	s.Helper()
	other := s.other()
	if !s.parks() || other == nil {
		return nil
	}
	z := &zombie{key: key, written: content(1, 3*s.features.PartSize+7), other: other}
	z.Upload = s.begin(s.Context(), key, z.written, backends.CreateOptions{})
	ctx, cancel := context.WithTimeout(s.Context(), tellTime)
	defer cancel()
	for ctx.Err() == nil {
		all := other.parkedNow(other.Backend, backends.ParkedQuery{Prefix: key, Fresh: true})
		if len(all) == 1 && all[0].Size > 0 {
			z.parked = all[0]
			break
		}
		if len(all) > 1 {
			s.Fatalf("one upload is told as %+v", all)
		}
		if !s.features.Crash {
			s.abort(z.Upload)
			return nil
		}
	}
	if p := z.parked; p.Key != key || p.Size <= 0 || p.Size > int64(len(z.written)) {
		s.Fatalf("another process is told of %+v, while %d octets have been written to %q", p, len(z.written), key)
	}
	return z
}

// taken is unparked, and the upload of the process that has resumed it; nil where the
// store says that it is being written.
func (s *store) taken(key string) (*zombie, backends.Upload) {
	s.Helper()
	z := s.unparked(key)
	if z == nil {
		return nil, nil
	}
	p := z.parked
	u, err := z.other.Create(s.Context(), key, backends.CreateOptions{Resume: p.ID, At: p.Size})
	if err == nil {
		return z, u
	}
	if s.features.Crash {
		s.Fatalf("resume %+v, which another process is writing: %v", p, err)
	}
	s.wantKind(err, backends.ErrBusy)
	if _, err := z.Commit(); err != nil {
		s.Errorf("commit of an upload that nobody could take: %v", err)
	}
	s.wantContent(key, z.written)
	return nil, nil
}

// theirs is the content that the process writes that has taken the upload.
func (z *zombie) theirs() []byte {
	return append(bytes.Clone(z.written[:z.parked.Size]), content(2, 70000)...)
}

// commitTheirs ends the upload that was taken, which must go well.
func (z *zombie) commitTheirs(u backends.Upload) {
	z.other.Helper()
	if err := write(u, z.theirs()[z.parked.Size:]); err != nil {
		z.other.Errorf("write by the one who has resumed the upload: %v", err)
	}
	if _, err := u.Commit(); err != nil {
		z.other.Errorf("commit by the one who has resumed the upload: %v", err)
	}
	z.other.wantContent(z.key, z.theirs())
}

// wantLost checks the error of a writer whose upload is another's.
func (s *store) wantLost(err error) {
	s.Helper()
	s.wantKind(err, backends.ErrChanged, backends.ErrBusy, backends.ErrUnavailable, fs.ErrNotExist)
}

// crashResume: what a process has not parked that died can be resumed as far as it is
// durable.
func crashResume(s *store) {
	if !s.features.Crash {
		return
	}
	z := s.unparked("k")
	if z == nil {
		return
	}
	z.other.resumed(z.parked, z.parked.Size, z.written)
	s.abort(z)
	s.wantContent("k", z.written)
	s.wantNoneParked()
}

// crashDiscard: it can also be discarded, after which the dead one's commit is whole or
// refused.
func crashDiscard(s *store) {
	if !s.features.Crash {
		return
	}
	s.put("k", []byte("old"))
	z := s.unparked("k")
	if z == nil {
		return
	}
	z.other.discard(z.parked)
	if _, err := z.Commit(); err != nil {
		s.wantLost(err)
		s.wantContent("k", []byte("old"))
	} else {
		s.wantContent("k", z.written)
	}
	s.abort(z)
	s.wantNoneParked()
}

// crashBusy: a process neither tells of the uploads that it is writing, nor does anything
// to them.
func crashBusy(s *store) {
	if !s.features.Crash {
		return
	}
	z := s.unparked("k")
	if z == nil {
		return
	}
	if all := s.parkedNow(s.Backend, backends.ParkedQuery{Fresh: true}); len(all) > 0 {
		s.Errorf("told of uploads that are being written: %+v", all)
	}
	s.wantKind(backends.Discard(s.Context(), s.Backend, z.parked), backends.ErrBusy)
	_, err := s.Create(s.Context(), "k", backends.CreateOptions{Resume: z.parked.ID, At: z.parked.Size})
	s.wantKind(err, backends.ErrBusy)
	if _, err := z.Commit(); err != nil {
		s.Errorf("commit: %v", err)
	}
	s.wantContent("k", z.written)
	s.wantNoneParked()
}

// zombieAbort: a writer that has lost its upload does not abort it.
func zombieAbort(s *store) {
	z, u := s.taken("k")
	if z == nil {
		return
	}
	defer s.abort(u)
	s.abort(z)
	z.commitTheirs(u)
	s.wantNoneParked()
}

// zombiePark: nor does it park it, whether or not it went on writing.
func zombiePark(s *store) {
	for _, more := range []int64{0, s.features.PartSize + 1} {
		z, u := s.taken(fmt.Sprintf("k/%d", more))
		if z == nil {
			return
		}
		if err := write(z, content(3, more)); err != nil {
			s.wantLost(err)
		}
		_, err := z.Park()
		s.wantKind(err, backends.ErrChanged)
		z.commitTheirs(u)
		s.abort(u)
		s.wantNoneParked()
	}
}

// zombieCommitsLast: it may replace what was committed as a whole, never mix with it.
func zombieCommitsLast(s *store) {
	z, u := s.taken("k")
	if z == nil {
		return
	}
	defer s.abort(u)
	more := content(3, s.features.PartSize+1)
	lost := write(z, more)
	z.commitTheirs(u)
	if lost == nil {
		_, lost = z.Commit()
	}
	if lost != nil {
		s.wantLost(lost)
		s.wantContent("k", z.theirs())
	} else {
		s.wantContent("k", append(z.written, more...))
	}
	s.abort(z)
	s.wantNoneParked()
}

// zombieCommitsFirst: whoever is told that it has committed has.
func zombieCommitsFirst(s *store) {
	z, u := s.taken("k")
	if z == nil {
		return
	}
	defer s.abort(u)
	more := content(3, s.features.PartSize+1)
	lost := write(z, more)
	if lost == nil {
		_, lost = z.Commit()
	}
	if lost != nil {
		s.wantLost(lost)
		z.commitTheirs(u)
	} else {
		mine := append(z.written, more...)
		s.wantContent("k", mine)
		err := write(u, z.theirs()[z.parked.Size:])
		if err == nil {
			_, err = u.Commit()
		}
		if err != nil {
			s.wantLost(err)
			s.wantContent("k", mine)
		} else {
			s.wantContent("k", z.theirs())
		}
	}
	s.abort(z)
	s.abort(u)
	s.wantNoneParked()
}

// resumeRace: several resume one upload at the same time. What is there in the end is
// whole and of one who was told so.
func resumeRace(s *store) {
	if !s.parks() {
		return
	}
	stores := []*store{s}
	if other := s.other(); other != nil {
		stores = append(stores, other)
	}
	for _, size := range []int64{100, s.features.PartSize + 1} {
		key, first := fmt.Sprintf("race/%d", size), content(1, size)
		p := s.parked(key, first, backends.CreateOptions{})
		errs := make([]error, 4)
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range errs {
			wg.Go(func() {
				<-start
				errs[i] = stores[i%len(stores)].tryResume(p, content(uint64(10+i), s.features.PartSize+1))
			})
		}
		close(start)
		wg.Wait()
		s.wantOneOf(key, errs, func(i int) []byte {
			return append(bytes.Clone(first), content(uint64(10+i), s.features.PartSize+1)...)
		})
		for _, p := range s.parkedNow(s.Backend, backends.ParkedQuery{Fresh: true}) {
			s.discard(p) // of a loser that was left alone
		}
	}
	s.wantNoneParked()
}

// tryResume goes on at the end of p with more.
func (s *store) tryResume(p backends.Parked, more []byte) error {
	_, err := s.tryPut(p.Key, more, backends.CreateOptions{Resume: p.ID, At: p.Size})
	return err
}

// wantOneOf checks that key holds what one of those without an error wrote, or nothing if
// all have failed, and that the others were told why.
func (s *store) wantOneOf(key string, errs []error, whole func(i int) []byte) {
	s.Helper()
	got, err := s.read(key, backends.OpenOptions{})
	found := err != nil && errors.Is(err, fs.ErrNotExist)
	for i, err := range errs {
		if err != nil {
			s.wantKind(err, backends.ErrChanged, backends.ErrBusy, backends.ErrUnavailable, fs.ErrNotExist)
			continue
		}
		if found && len(got) == 0 {
			s.Errorf("writer %d was told that it has committed, and nothing is there", i)
		}
		found = found || bytes.Equal(got, whole(i))
	}
	if !found {
		s.Errorf("%q has %d octets that no writer wrote who was told so: %v", key, len(got), errs)
	}
}
