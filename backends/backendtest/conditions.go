package backendtest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"causeway/backends"
)

// writers is how many try for one key at the same time.
const writers = 16

func createIfAbsent(s *store) {
	for _, size := range []int64{0, 1, s.features.PartSize + 1} {
		key := fmt.Sprintf("absent/%d", size)
		s.putWith(key, content(1, size), backends.CreateOptions{IfAbsent: true})
		_, err := s.tryPut(key, content(2, size), backends.CreateOptions{IfAbsent: true})
		s.wantKind(err, fs.ErrExist)
		s.wantContent(key, content(1, size))
	}
}

func createIfMatch(s *store) {
	for _, size := range []int64{0, 1, s.features.PartSize + 1} {
		key := fmt.Sprintf("match/%d", size)
		first := s.put(key, content(1, 10))
		second := s.putWith(key, content(2, size), backends.CreateOptions{IfMatch: first.ETag})
		_, err := s.tryPut(key, content(3, size), backends.CreateOptions{IfMatch: first.ETag})
		s.wantKind(err, backends.ErrChanged)
		s.wantContent(key, content(2, size))
		if err := s.Delete(s.Context(), key, backends.DeleteOptions{}); err != nil {
			s.Fatal(err)
		}
		_, err = s.tryPut(key, content(4, size), backends.CreateOptions{IfMatch: second.ETag})
		s.wantKind(err, backends.ErrChanged)
		s.wantMissing(key)
	}
}

// createMeanwhile: conditions hold at the commit, not at the beginning.
func createMeanwhile(s *store) {
	for _, size := range []int64{1, s.features.PartSize + 1} {
		s.sub(fmt.Sprint("IfAbsent ", size), func(s *store) {
			key := fmt.Sprintf("absent/%d", size)
			u := s.begin(s.Context(), key, content(1, size), backends.CreateOptions{IfAbsent: true})
			s.put(key, []byte("theirs"))
			_, err := u.Commit()
			s.wantKind(err, fs.ErrExist)
			s.wantContent(key, []byte("theirs"))
			if err := u.Abort(); err != nil {
				s.Errorf("abort: %v", err)
			}
		})
		s.sub(fmt.Sprint("IfMatch ", size), func(s *store) {
			key := fmt.Sprintf("match/%d", size)
			old := s.put(key, []byte("old"))
			u := s.begin(s.Context(), key, content(1, size), backends.CreateOptions{IfMatch: old.ETag})
			s.put(key, []byte("theirs"))
			_, err := u.Commit()
			s.wantKind(err, backends.ErrChanged)
			s.wantContent(key, []byte("theirs"))
			if err := u.Abort(); err != nil {
				s.Errorf("abort: %v", err)
			}
		})
	}
}

// race lets n writers put their own content under key at the same time and returns
// their errors.
func (s *store) race(key string, n int, size int64, o backends.CreateOptions) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			_, errs[i] = s.tryPut(key, content(uint64(i), size), o)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// wantOneWinner checks that one writer won, that what it wrote is there, and that the
// others were told why not.
func (s *store) wantOneWinner(key string, errs []error, size int64, kind error) {
	s.Helper()
	winners := 0
	for i, err := range errs {
		if err != nil {
			s.wantKind(err, kind)
			continue
		}
		winners++
		s.wantContent(key, content(uint64(i), size))
	}
	if winners != 1 {
		s.Errorf("%d of %d writers won", winners, len(errs))
	}
}

func raceIfAbsent(s *store) {
	for _, size := range []int64{100, s.features.PartSize + 1} {
		key := fmt.Sprintf("race/%d", size)
		errs := s.race(key, writers, size, backends.CreateOptions{IfAbsent: true})
		s.wantOneWinner(key, errs, size, fs.ErrExist)
	}
}

func raceIfMatch(s *store) {
	for _, size := range []int64{100, s.features.PartSize + 1} {
		key := fmt.Sprintf("race/%d", size)
		old := s.put(key, []byte("old"))
		errs := s.race(key, writers, size, backends.CreateOptions{IfMatch: old.ETag})
		s.wantOneWinner(key, errs, size, backends.ErrChanged)
	}
}

// raceLastWins: writers without a condition may be refused, but the object is that of
// one who was not, and whole.
func raceLastWins(s *store) {
	for _, size := range []int64{100, 2*s.features.PartSize + 7} {
		key := fmt.Sprintf("race/%d", size)
		errs := s.race(key, writers/4, size, backends.CreateOptions{})
		got, err := s.read(key, backends.OpenOptions{})
		if err != nil {
			s.Fatal(err)
		}
		whole := false
		for i, err := range errs {
			switch {
			case err == nil:
				whole = whole || bytes.Equal(got, content(uint64(i), size))
			case !errors.Is(err, backends.ErrChanged) && !errors.Is(err, backends.ErrBusy):
				s.wantKind(err, backends.ErrUnavailable)
			}
		}
		if !whole {
			s.Errorf("the object is not what one successful writer wrote")
		}
	}
}
