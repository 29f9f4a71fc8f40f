package backendtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"causeway/backends"
)

// store is the store under test together with the test. Its helpers end the test where
// going on would make no sense.
type store struct {
	*testing.T
	backends.Backend
	features Features
	name     string
}

// content returns n octets that differ with the seed.
func content(seed uint64, n int64) []byte {
	p := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 1})
	_, _ = r.Read(p) // documented never to fail
	return p
}

// sizes are those around the boundaries of parts.
func (s *store) sizes() []int64 {
	part := s.features.PartSize
	return []int64{0, 1, part - 1, part, part + 1, 2*part + 7}
}

// begin starts an upload and writes p to it.
func (s *store) begin(ctx context.Context, key string, p []byte, o backends.CreateOptions) backends.Upload {
	s.Helper()
	u, err := s.Create(ctx, key, o)
	if err != nil {
		s.Fatalf("create %q: %v", key, err)
	}
	if err := write(u, p); err != nil {
		s.Fatalf("write %q: %v", key, err)
	}
	return u
}

// write writes p in pieces as they come from a network.
func write(u backends.Upload, p []byte) error {
	for chunk := range slices.Chunk(p, 32<<10-1) {
		n, err := u.Write(chunk)
		if err != nil {
			return err
		}
		if n != len(chunk) {
			return io.ErrShortWrite
		}
	}
	return nil
}

// tryPut stores p under key unless the store refuses.
func (s *store) tryPut(key string, p []byte, o backends.CreateOptions) (obj backends.Object, err error) {
	u, err := s.Create(s.Context(), key, o)
	if err != nil {
		return backends.Object{}, err
	}
	defer func() {
		if abortErr := u.Abort(); abortErr != nil {
			s.Errorf("abort %q: %v", key, abortErr)
		}
	}()
	if err := write(u, p); err != nil {
		return backends.Object{}, err
	}
	return u.Commit()
}

// put stores p under key and returns what the store says of it.
func (s *store) put(key string, p []byte) backends.Object {
	s.Helper()
	return s.putWith(key, p, backends.CreateOptions{})
}

func (s *store) putWith(key string, p []byte, o backends.CreateOptions) backends.Object {
	s.Helper()
	obj, err := s.tryPut(key, p, o)
	if err != nil {
		s.Fatalf("put %q: %v", key, err)
	}
	if obj.Key != key || obj.Size != int64(len(p)) || obj.ETag == "" {
		s.Fatalf("commit says key %q, size %d, ETag %q; want %q, %d and some ETag", obj.Key, obj.Size, obj.ETag, key, len(p))
	}
	return obj
}

// read returns the octets of a range.
func (s *store) read(key string, o backends.OpenOptions) ([]byte, error) {
	r, err := s.Open(s.Context(), key, o)
	if err != nil {
		return nil, err
	}
	p, err := io.ReadAll(r)
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	return p, err
}

// wantContent checks what a reader sees under key.
func (s *store) wantContent(key string, want []byte) {
	s.Helper()
	got, err := s.read(key, backends.OpenOptions{})
	if err != nil {
		s.Errorf("read %q: %v", key, err)
	} else if !bytes.Equal(got, want) {
		s.Errorf("%q has %d octets and not the %d that were written: octet %d is the first that differs", key, len(got), len(want), firstDifference(got, want))
	}
}

// firstDifference is the offset at which two contents part.
func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// stat describes an object that must be there.
func (s *store) stat(key string) backends.Object {
	s.Helper()
	obj, err := s.Stat(s.Context(), key, backends.StatOptions{Complete: true})
	if err != nil {
		s.Fatalf("stat %q: %v", key, err)
	}
	return obj
}

// wantMissing checks that no verb finds the key.
func (s *store) wantMissing(key string) {
	s.Helper()
	_, err := s.Stat(s.Context(), key, backends.StatOptions{})
	s.wantKind(err, fs.ErrNotExist)
	_, err = s.read(key, backends.OpenOptions{})
	s.wantKind(err, fs.ErrNotExist)
	if slices.Contains(s.keys(""), key) {
		s.Errorf("%q is listed", key)
	}
}

// wantKind checks that err is the store's own, of one of the kinds.
func (s *store) wantKind(err error, kinds ...error) {
	s.Helper()
	var edge *backends.Error
	if !errors.As(err, &edge) {
		s.Errorf("got error %v, want a *backends.Error of kind %v", err, kinds)
		return
	}
	if !slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) }) {
		s.Errorf("got error %v, want the kind %v", err, kinds)
	}
}

// wantCancelled checks the error of a call whose context has ended.
func (s *store) wantCancelled(what string, err error) {
	s.Helper()
	if !errors.Is(err, context.Canceled) && !errors.Is(err, backends.ErrUnavailable) {
		s.Errorf("%s with its context cancelled: got error %v", what, err)
	}
}

// wantNoLeftovers checks that nothing remains to be paid for.
func (s *store) wantNoLeftovers() {
	s.Helper()
	if s.features.Leftovers == nil {
		return
	}
	left, err := s.features.Leftovers(s.Context(), s.Backend)
	if err != nil {
		s.Errorf("leftovers: %v", err)
	}
	if len(left) > 0 {
		s.Errorf("left behind: %q", left)
	}
}

// pages lists all pages of q, checks the contract of each, and returns the entries.
func (s *store) pages(q backends.Query, between func(page int)) []string {
	s.Helper()
	var all []string
	for n := 0; ; n++ {
		page, err := s.List(s.Context(), q)
		if err != nil {
			s.Fatalf("list %+v: %v", q, err)
		}
		entries := s.entries(q, page)
		if len(all) > 0 && len(entries) > 0 && entries[0] <= all[len(all)-1] {
			s.Fatalf("list %+v: a page begins at %q, the one before ended at %q", q, entries[0], all[len(all)-1])
		}
		all = append(all, entries...)
		if page.Next == "" {
			return slices.DeleteFunc(all, s.ours)
		}
		if page.Next == q.Token {
			s.Fatalf("list %+v: the token does not advance", q)
		}
		q.Token = page.Next
		between(n)
	}
}

// entries returns a page's objects and prefixes in one order.
func (s *store) entries(q backends.Query, page backends.Page) []string {
	s.Helper()
	var keys []string
	for _, o := range page.Objects {
		keys = append(keys, o.Key)
		if rest, ok := strings.CutPrefix(o.Key, q.Prefix); !ok || q.Delimiter && strings.Contains(rest, "/") {
			s.Errorf("list %+v: object %q does not belong there", q, o.Key)
		}
	}
	for _, prefix := range page.Prefixes {
		rest, ok := strings.CutPrefix(prefix, q.Prefix)
		if !ok || !q.Delimiter || strings.Index(rest, "/") != len(rest)-1 {
			s.Errorf("list %+v: prefix %q does not belong there", q, prefix)
		}
	}
	if !slices.IsSorted(keys) || !slices.IsSorted(page.Prefixes) {
		s.Errorf("list %+v: page is out of order: %q %q", q, keys, page.Prefixes)
	}
	keys = append(keys, page.Prefixes...)
	if q.Limit > 0 && len(keys) > q.Limit {
		s.Errorf("list %+v: page of %d entries", q, len(keys))
	}
	slices.Sort(keys)
	return keys
}

// ours tells keys that the gateway keeps for itself.
func (s *store) ours(key string) bool {
	return slices.Contains(strings.Split(key, "/"), backends.Reserved)
}

// keys lists all keys below prefix. Where directories have their markers of themselves,
// those are left out.
func (s *store) keys(prefix string) []string {
	s.Helper()
	return slices.DeleteFunc(s.pages(backends.Query{Prefix: prefix}, func(int) {}), func(key string) bool {
		return s.features.Hierarchical && strings.HasSuffix(key, "/")
	})
}

// sub runs a subcase, unless it is to be skipped.
func (s *store) sub(name string, f func(*store)) {
	s.Run(name, func(t *testing.T) {
		if why, ok := s.features.Skip[s.name+"/"+name]; ok {
			t.Skip(why)
		}
		sub := *s
		sub.T = t
		f(&sub)
	})
}
