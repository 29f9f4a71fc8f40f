package gcs

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"causeway/backends"
)

func random(n int) []byte {
	p := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(p) // documented never to fail
	return p
}

func put(t *testing.T, s *Store, key string, p []byte, o backends.CreateOptions) (obj backends.Object, err error) {
	u, err := s.Create(t.Context(), key, o)
	if err != nil {
		return obj, err
	}
	defer func() { err = errors.Join(err, u.Abort()) }()
	if _, err := u.Write(p); err != nil {
		return obj, err
	}
	return u.Commit()
}

func TestCombineIsTheChecksumOfTheWhole(t *testing.T) {
	table := crc32.MakeTable(crc32.Castagnoli)
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOf(rapid.Byte()).Draw(t, "a"), rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		got := combine(crc32.Checksum(a, table), crc32.Checksum(b, table), int64(len(b)))
		if want := crc32.Checksum(slices.Concat(a, b), table); got != want {
			t.Errorf("got %08x, want %08x", got, want)
		}
	})
}

// Composing 10,000 parts combines as many checksums: less than 20 ms in all.
func BenchmarkCombine(b *testing.B) {
	crc := uint32(1)
	for b.Loop() {
		crc = combine(crc, 0x12345678, 16<<20+1)
	}
}

func TestSmallFileIsOneRequest(t *testing.T) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	for _, size := range []int{0, 1, testPart} {
		if _, err := put(t, s, "k", random(size), backends.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := f.take(); !slices.Equal(got, []string{"insert"}) {
			t.Errorf("%d octets: requests %q", size, got)
		}
	}
}

// TestManyPartsAreComposedInLevels: one compose takes 32 sources, so 1,100 parts need 35
// intermediate objects, those two, and the last request makes the object.
func TestManyPartsAreComposedInLevels(t *testing.T) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	s.parts.first, s.parts.most = 4<<10, 4<<10
	content := random(1100 * (4 << 10))
	obj, err := put(t, s, "big", content, backends.CreateOptions{IfAbsent: true})
	if err != nil {
		t.Fatal(err)
	}
	if obj.Size != int64(len(content)) || !bytes.Equal(f.objects["big"].content, content) {
		t.Errorf("composed %d octets that are not those written", obj.Size)
	}
	counts := make(map[string]int)
	for _, r := range f.take() {
		counts[r]++
	}
	want := map[string]int{
		"insert": 1100 + 1, "compose": 35 + 2 + 1, "delete": 1100 + 35 + 2 + 1, // the record, too
		"list": 1100/holdEvery + 1,
	}
	for operation, n := range want {
		if counts[operation] != n {
			t.Errorf("%d × %s, want %d", counts[operation], operation, n)
		}
	}
	if len(f.objects) != 1 {
		t.Errorf("%d objects are left in the bucket, want 1", len(f.objects))
	}
}

// TestR4LostAnswersAreSettled: what was carried out counts, although its answer was lost.
func TestR4LostAnswersAreSettled(t *testing.T) {
	for _, size := range []int{10, 2*testPart + 1} {
		operation := map[bool]string{true: "insert", false: "compose"}[size <= testPart]
		for _, o := range []backends.CreateOptions{{}, {IfAbsent: true}} {
			t.Run(fmt.Sprintf("%s if-absent=%v", operation, o.IfAbsent), func(t *testing.T) {
				f := newFake(t)
				s := testStore(t, f.URL, fakeBucket)
				f.strike(fault{operation: operation, lose: true})
				obj, err := put(t, s, "k", random(size), o)
				if err != nil || obj.Size != int64(size) {
					t.Fatalf("got %+v, %v", obj, err)
				}
				if got := etag(f.objects["k"].gen); got != obj.ETag {
					t.Errorf("told of generation %s, which is %s", obj.ETag, got)
				}
				if left, err := leftovers(t.Context(), s); err != nil || len(left) > 0 {
					t.Errorf("left behind %q, %v", left, err)
				}
			})
		}
	}
}

// TestLostAnswerDoesNotClaimAnothersObject: a refusal after a lost answer is only ours to
// ignore if the object is ours.
func TestLostAnswerDoesNotClaimAnothersObject(t *testing.T) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	if _, err := put(t, s, "k", []byte("theirs"), backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	f.strike(fault{operation: "insert", status: http.StatusServiceUnavailable})
	_, err := put(t, s, "k", []byte("ours"), backends.CreateOptions{IfAbsent: true})
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
}

func TestShortTroubleIsSurvived(t *testing.T) {
	content := random(testPart + 1)
	for operation, do := range map[string]func(*testing.T, *Store) error{
		"insert": func(t *testing.T, s *Store) error {
			_, err := put(t, s, "new", content, backends.CreateOptions{})
			return err
		},
		"compose": func(t *testing.T, s *Store) error {
			_, err := put(t, s, "k", content, backends.CreateOptions{})
			return err
		},
		"delete": func(t *testing.T, s *Store) error { return s.Delete(t.Context(), "k", backends.DeleteOptions{}) },
		"attrs": func(t *testing.T, s *Store) error {
			_, err := s.Stat(t.Context(), "k", backends.StatOptions{})
			return err
		},
		"list": func(t *testing.T, s *Store) error { _, err := s.List(t.Context(), backends.Query{}); return err },
		"rewrite": func(t *testing.T, s *Store) error {
			_, err := s.Copy(t.Context(), "copy", "k", backends.CopyOptions{})
			return err
		},
		"move": func(t *testing.T, s *Store) error {
			_, err := s.Move(t.Context(), "moved", "k", backends.CopyOptions{})
			return err
		},
		"get": func(t *testing.T, s *Store) error {
			got, err := read(t, s, "k", backends.OpenOptions{})
			if err == nil && !bytes.Equal(got, content) {
				err = errors.New("another content")
			}
			return err
		},
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel() // they do little but pause
			f := newFake(t)
			s := testStore(t, f.URL, fakeBucket)
			if _, err := put(t, s, "k", content, backends.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			f.take()
			f.strike(fault{operation: operation, status: http.StatusServiceUnavailable},
				fault{operation: operation, status: http.StatusTooManyRequests},
				fault{operation: operation, status: http.StatusForbidden, reason: "rateLimitExceeded"})
			if err := do(t, s); err != nil {
				t.Error(err)
			}
			asked := f.take()
			if times := len(slices.DeleteFunc(asked, func(r string) bool { return r != operation })); times < 4 {
				t.Errorf("%s was asked for %d times", operation, times)
			}
		})
	}
}

// TestDamagedUploadNeverShows: the declared checksum makes the service refuse it; once is
// mended by sending it again.
func TestDamagedUploadNeverShows(t *testing.T) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	for _, size := range []int{10, 2*testPart + 1} {
		f.damageUp = 1
		if _, err := put(t, s, "k", random(size), backends.CreateOptions{}); err != nil {
			t.Errorf("once, %d octets: %v", size, err)
		}
		f.damageUp = 1000
		if _, err := put(t, s, "bad", random(size), backends.CreateOptions{}); !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("always, %d octets: %v", size, err)
		}
		f.damageUp = 0
	}
	if len(f.objects) != 1 || !bytes.Equal(f.objects["k"].content, random(2*testPart+1)) {
		t.Errorf("objects %v", f.objects)
	}
}

func TestS5PartsAreBelowTheReservedSegment(t *testing.T) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	u, err := s.Create(t.Context(), "k", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(random(3 * testPart)); err != nil {
		t.Fatal(err)
	}
	f.strike(fault{operation: "compose", status: http.StatusForbidden, reason: "forbidden"})
	if _, err := u.Commit(); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("commit: %v", err)
	}
	parts := 0
	f.mu.Lock()
	for name := range f.objects {
		t.Errorf("%q is left", name)
	}
	f.mu.Unlock()
	for _, r := range f.take() {
		if r == "insert" {
			parts++
		}
	}
	if parts != 1+3 || !strings.HasPrefix(partsPrefix, backends.Reserved+"/") {
		t.Errorf("a record and parts below %q: %d objects", partsPrefix, parts)
	}
}
