package backendtest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"causeway/backends"
)

// counting yields prefix1, prefix2 and so on.
func counting(prefix string) func() string {
	n := 0
	return func() string {
		n++
		return fmt.Sprint(prefix, n)
	}
}

// alternateFree: a key that is free is taken itself.
func alternateFree(s *store) {
	for _, size := range s.sizes() {
		key, asked := fmt.Sprintf("k/%d", size), 0
		s.putWith(key, content(1, size), backends.CreateOptions{IfAbsent: true, Alternate: func() string {
			asked++
			return key + "-other"
		}})
		s.wantContent(key, content(1, size))
		if asked > 0 {
			s.Errorf("asked %d times for another key than %q, which is free", asked, key)
		}
	}
}

// alternateInTurn: keys are tried one after another until one is free. An upload in parts
// may be refused.
func alternateInTurn(s *store) {
	for _, size := range s.sizes() {
		s.sub(fmt.Sprint(size), func(s *store) {
			key := fmt.Sprintf("k/%d", size)
			taken := []string{key, key + "-1", key + "-2"}
			for _, key := range taken {
				s.put(key, []byte(key))
			}
			obj, err := s.tryPut(key, content(1, size), backends.CreateOptions{IfAbsent: true, Alternate: counting(key + "-")})
			switch {
			case err != nil && size > s.features.PartSize:
				s.wantKind(err, fs.ErrExist)
			case err != nil || obj.Key != key+"-3" || obj.Size != size || obj.ETag == "":
				s.Fatalf("commit says %+v, error %v; want %q", obj, err, key+"-3")
			default:
				s.wantDescribed(obj.Key, obj)
				s.wantContent(obj.Key, content(1, size))
			}
			for _, key := range taken {
				s.wantContent(key, []byte(key))
			}
			s.wantNoLeftovers()
		})
	}
}

// alternateRace: of many writers for one name each is kept, under a key of its own.
func alternateRace(s *store) {
	for _, size := range []int64{100, s.features.PartSize + 1} {
		s.sub(fmt.Sprint(size), func(s *store) {
			key := fmt.Sprintf("race-%d", size)
			objs, errs := make([]backends.Object, writers), make([]error, writers)
			var wg sync.WaitGroup
			start := make(chan struct{})
			for i := range writers {
				wg.Go(func() {
					<-start
					o := backends.CreateOptions{IfAbsent: true, Alternate: counting(fmt.Sprintf("%s-%d-", key, i))}
					objs[i], errs[i] = s.tryPut(key, content(uint64(i), size), o)
				})
			}
			close(start)
			wg.Wait()
			s.wantEachKept(key, objs, errs, size)
			s.wantNoLeftovers()
		})
	}
}

// wantEachKept checks that there is one object for each writer, or that it was told that
// an upload in parts cannot change its key.
func (s *store) wantEachKept(prefix string, objs []backends.Object, errs []error, size int64) {
	s.Helper()
	var keys []string
	for i, obj := range objs {
		if errs[i] != nil {
			if size <= s.features.PartSize || !errors.Is(errs[i], fs.ErrExist) {
				s.Errorf("writer %d: %v", i, errs[i])
			}
			continue
		}
		s.wantContent(obj.Key, content(uint64(i), size))
		keys = append(keys, obj.Key)
	}
	slices.Sort(keys)
	if got := s.keys(prefix); len(keys) == 0 || !slices.Equal(got, keys) {
		s.Errorf("listed:\n got %q\nwant %q", got, keys)
	}
}

// wantTree checks the keys and contents below a prefix.
func (s *store) wantTree(prefix string, names ...string) {
	s.Helper()
	var want []string
	for _, name := range names {
		want = append(want, prefix+name)
		s.wantContent(prefix+name, []byte(name))
	}
	slices.Sort(want)
	if got := s.keys(prefix); !slices.Equal(got, want) {
		s.Errorf("listed below %q:\n got %q\nwant %q", prefix, got, want)
	}
}

// moveTree renames a directory.
func (s *store) moveTree(dst, src string) error {
	if m, ok := s.Backend.(backends.TreeMover); ok {
		return m.MoveTree(s.Context(), dst, src)
	}
	return errors.ErrUnsupported
}

func moveTreeContent(s *store) {
	if !s.features.MovesTrees {
		return
	}
	names := []string{"a", "b", "sub/c", "sub/sub/d e", "sub/ü"}
	for _, dst := range []string{"to/", "from2/", "deep/er/to/", "from-/"} {
		for _, name := range names {
			s.put("from/"+name, []byte(name))
		}
		s.put("from-beside", []byte("beside"))
		old := s.stat("from/sub/c")
		if err := s.moveTree(dst, "from/"); err != nil {
			s.Fatalf("move from/ to %s: %v", dst, err)
		}
		s.wantTree(dst, names...)
		s.wantTree("from/")
		s.wantContent("from-beside", []byte("beside"))
		if got := s.stat(dst + "sub/c"); got.Size != old.Size || !bytes.Equal(got.Sums[backends.MD5], old.Sums[backends.MD5]) {
			s.Errorf("moved: %+v, want %+v", got, old)
		}
	}
}

// moveTreeRefused: what cannot be has not happened.
func moveTreeRefused(s *store) {
	if !s.features.MovesTrees {
		return
	}
	s.put("from/a", []byte("a"))
	s.put("to/b", []byte("b"))
	s.wantKind(s.moveTree("to/", "from/"), fs.ErrExist)
	s.wantKind(s.moveTree("new/", "none/"), fs.ErrNotExist)
	s.wantKind(s.moveTree("from/sub/", "from/"), fs.ErrInvalid)
	s.wantKind(s.moveTree("from/", "from/"), fs.ErrInvalid, fs.ErrExist)
	s.wantTree("from/", "a")
	s.wantTree("to/", "b")
	s.wantTree("new/")
}

// moveTreeUnsupported: a store that cannot says so, and has done nothing.
func moveTreeUnsupported(s *store) {
	if s.features.MovesTrees {
		return
	}
	s.put("from/a", []byte("a"))
	if err := s.moveTree("to/", "from/"); !errors.Is(err, errors.ErrUnsupported) {
		s.Errorf("move of a tree: %v", err)
	}
	s.wantTree("from/", "a")
	s.wantTree("to/")
}
