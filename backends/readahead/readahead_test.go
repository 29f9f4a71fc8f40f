package readahead_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/backends/readahead"
)

var errStore = &backends.Error{Op: "read", Key: "k", Kind: backends.ErrUnavailable, Err: errors.New("connection reset")}

const text = "the quick brown fox jumps over the lazy dog"

// fixture is a store with the object "k", whose requests are recorded before they meet
// the faults.
type fixture struct {
	*backendtest.Recorder
	faults *backendtest.Faults
}

func newFixture(t *testing.T, faults ...backendtest.Fault) fixture {
	f := backendtest.NewFaults(mem.New(mem.Options{}))
	put(t, f, text)
	for _, fault := range faults {
		f.Add(fault)
	}
	return fixture{backendtest.NewRecorder(f), f}
}

func put(t *testing.T, b backends.Backend, content string) {
	t.Helper()
	u, err := b.Create(t.Context(), "k", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
}

func read(ctx context.Context, b backends.Backend, o backends.OpenOptions) (string, error) {
	r, err := readahead.Open(ctx, b, "k", o)
	if err != nil {
		return "", err
	}
	p, err := io.ReadAll(r)
	return string(p), errors.Join(err, r.Close())
}

func TestS21_ReadGoesOnWhereItFailed(t *testing.T) {
	for _, failure := range []error{errStore, io.EOF, io.ErrUnexpectedEOF} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, backendtest.Fault{Verb: "read", Nth: 1, After: 3, Err: failure})
			got, err := read(t.Context(), f, backends.OpenOptions{})
			if got != text || err != nil {
				t.Errorf("%v: read %q, %v", failure, got, err)
			}
			if calls, want := f.Take(), []string{"open k", "open k offset=3 if-match"}; !slices.Equal(calls, want) {
				t.Errorf("%v: calls %q, want %q", failure, calls, want)
			}
		})
	}
}

func TestS21_RangeGoesOnWhereItFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, backendtest.Fault{Verb: "read", Nth: 1, After: 2, Err: errStore})
		got, err := read(t.Context(), f, backends.OpenOptions{Offset: 4, Length: 5})
		if got != "quick" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		want := []string{"open k offset=4 length=5", "open k offset=6 length=3 if-match"}
		if calls := f.Take(); !slices.Equal(calls, want) {
			t.Errorf("calls %q, want %q", calls, want)
		}
	})
}

func TestRangesEndWithTheObject(t *testing.T) {
	f := newFixture(t)
	size := int64(len(text))
	for _, o := range []backends.OpenOptions{{Offset: size - 3, Length: 100}, {Offset: size - 3}, {Offset: size}, {Length: size}} {
		want := text[o.Offset:]
		if got, err := read(t.Context(), f, o); got != want || err != nil {
			t.Errorf("%+v: read %q, %v, want %q", o, got, err, want)
		}
	}
	if _, err := read(t.Context(), f, backends.OpenOptions{Offset: size + 1}); !errors.Is(err, backends.ErrRange) {
		t.Errorf("past the end: %v", err)
	}
	if _, err := readahead.Open(t.Context(), f, "none", backends.OpenOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestS21_ProgressRenewsThePatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for n := range 20 {
			f.faults.Add(backendtest.Fault{Verb: "read", Nth: n + 1, After: 1, Err: errStore})
		}
		got, err := read(t.Context(), f, backends.OpenOptions{})
		if got != text || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if n := len(f.Take()); n != 21 {
			t.Errorf("opened %d times", n)
		}
	})
}

func TestS21_StoreThatStaysAwayEndsTheRead(t *testing.T) {
	for _, verb := range []string{"read", "open"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, backendtest.Fault{Verb: "read", After: 3, Nth: 1, Err: errStore})
			r, err := readahead.Open(t.Context(), f, "k", backends.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			f.faults.Add(backendtest.Fault{Verb: verb, Err: errStore})
			start := time.Now()
			got, err := io.ReadAll(r)
			if string(got) != "the" || !errors.Is(err, backends.ErrUnavailable) {
				t.Errorf("read %q, %v", got, err)
			}
			if took := time.Since(start); took != 30*time.Second {
				t.Errorf("gave up after %v", took)
			}
			if !errors.Is(err, errStore) || errors.Is(err, context.Canceled) {
				t.Errorf("the cause is not told: %v", err)
			}
			opened := len(f.Take())
			if opened < 9 || opened > 20 {
				t.Errorf("opened %d times", opened)
			}
			if _, err := r.Read(make([]byte, 1)); !errors.Is(err, backends.ErrUnavailable) || len(f.Take()) != 0 {
				t.Errorf("read after that: %v", err)
			}
		})
	}
}

// TestS21_SilentStoreEndsTheRead: however long a store itself tries, with or without an
// answer to each request, the patience is the reader's.
func TestS21_SilentStoreEndsTheRead(t *testing.T) {
	for _, answers := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, backendtest.Fault{Verb: "read", After: 3, Nth: 1, Err: errStore})
			r, err := readahead.Open(t.Context(), &silent{Backend: f, answers: answers}, "k", backends.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			start := time.Now()
			got, err := io.ReadAll(r)
			if string(got) != "the" || !errors.Is(err, backends.ErrUnavailable) || !errors.Is(err, errStore) || errors.Is(err, context.Canceled) {
				t.Errorf("read %q, %v", got, err)
			}
			if took := time.Since(start); took != 30*time.Second {
				t.Errorf("gave up after %v", took)
			}
		})
	}
}

// TestS21_PauseOfTheClientIsNoOutage: what was opened again may be read for longer than
// the patience.
func TestS21_PauseOfTheClientIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, backendtest.Fault{Verb: "read", After: 3, Nth: 1, Err: errStore})
		r, err := readahead.Open(t.Context(), f, "k", backends.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got, p := "", make([]byte, 1)
		for range text {
			if _, err := r.Read(p); err != nil {
				t.Fatal(err)
			}
			got += string(p)
			time.Sleep(time.Minute)
		}
		if got != text || len(f.Take()) != 2 {
			t.Errorf("read %q", got)
		}
	})
}

// silent answers the first Open alone; the contents of later ones bring nothing, or the
// calls themselves do not return before their context ends.
type silent struct {
	backends.Backend
	answers, opened bool
}

func (s *silent) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	if !s.opened {
		s.opened = true
		return s.Backend.Open(ctx, key, o)
	}
	if !s.answers {
		<-ctx.Done()
		return nil, &backends.Error{Op: "open", Key: key, Kind: backends.ErrUnavailable, Err: ctx.Err()}
	}
	r, err := s.Backend.Open(ctx, key, o)
	if err == nil {
		r.ReadCloser = silence{ctx, r.ReadCloser}
	}
	return r, err
}

type silence struct {
	ctx context.Context
	io.Closer
}

func (s silence) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, &backends.Error{Op: "read", Kind: backends.ErrUnavailable, Err: s.ctx.Err()}
}

func TestS20_ReplacedMeanwhileIsNeverAMix(t *testing.T) {
	changes := map[string]func(*testing.T, backends.Backend){
		"replaced": func(t *testing.T, b backends.Backend) { put(t, b, text) },
		"deleted": func(t *testing.T, b backends.Backend) {
			if err := b.Delete(t.Context(), "k", backends.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, change := range changes {
		for _, store := range []string{"honest", "forgetful"} {
			t.Run(name+" "+store, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFixture(t, backendtest.Fault{Verb: "read", Nth: 1, After: 3, Err: errStore})
					var b backends.Backend = f
					if store == "forgetful" {
						b = forgetful{f}
					}
					r, err := readahead.Open(t.Context(), b, "k", backends.OpenOptions{})
					if err != nil {
						t.Fatal(err)
					}
					defer r.Close()
					change(t, f)
					if got, err := io.ReadAll(r); string(got) != "the" || !errors.Is(err, backends.ErrChanged) {
						t.Errorf("read %q, %v", got, err)
					}
				})
			})
		}
	}
}

// forgetful ignores IfMatch, as some servers do.
type forgetful struct{ backends.Backend }

func (f forgetful) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	o.IfMatch = ""
	return f.Backend.Open(ctx, key, o)
}

func TestOtherFailuresAreFinal(t *testing.T) {
	for _, failure := range []error{backends.ErrChanged, fs.ErrPermission} {
		f := newFixture(t, backendtest.Fault{Verb: "read", After: 3, Err: failure})
		if got, err := read(t.Context(), f, backends.OpenOptions{}); got != "the" || !errors.Is(err, failure) {
			t.Errorf("read %q, %v, want %v", got, err, failure)
		}
		if calls := f.Take(); len(calls) != 1 {
			t.Errorf("%v: calls %q", failure, calls)
		}
	}
}

// TestS21_WrongEndIsNoEnd: a store that has more to say, or something to say at the end.
func TestS21_WrongEndIsNoEnd(t *testing.T) {
	f := newFixture(t)
	if got, err := read(t.Context(), talkative{f}, backends.OpenOptions{Length: 3}); got != "the" || !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("too many octets: read %q, %v", got, err)
	}
	f = newFixture(t, backendtest.Fault{Verb: "read", After: int64(len(text)), Err: errStore})
	if got, err := read(t.Context(), f, backends.OpenOptions{}); got != text || !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("failure at the end: read %q, %v", got, err)
	}
}

// talkative ignores Length.
type talkative struct{ backends.Backend }

func (f talkative) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	o.Length = 0
	return f.Backend.Open(ctx, key, o)
}

func TestCancelEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, backendtest.Fault{Verb: "read", Err: errStore})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := read(ctx, f, backends.OpenOptions{})
			done <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if calls := f.Take(); len(calls) != 1 {
			t.Errorf("calls %q", calls)
		}
	})
}

// TestS21_AnyPlaceOfFailure: whatever the place and the size of reads, the octets are those.
func TestS21_AnyPlaceOfFailure(t *testing.T) {
	for after := range int64(len(text)) {
		for _, size := range []int{1, 7, 100} {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, backendtest.Fault{Verb: "read", Nth: 1, After: after, Err: io.EOF})
				r, err := readahead.Open(t.Context(), f, "k", backends.OpenOptions{})
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				var got bytes.Buffer
				if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{r}, make([]byte, size)); err != nil || got.String() != text {
					t.Error(fmt.Sprintf("cut at %d, reads of %d: %q", after, size, got.String()), err)
				}
			})
		}
	}
}

// BenchmarkRead reads 64 MiB. Budget: less than 1 % above the store's own reader.
func BenchmarkRead(b *testing.B) {
	s := mem.New(mem.Options{})
	u, err := s.Create(b.Context(), "k", backends.CreateOptions{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := u.Write(make([]byte, 64<<20)); err != nil {
		b.Fatal(err)
	}
	if _, err := u.Commit(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(64 << 20)
	buffer := make([]byte, 128<<10)
	for b.Loop() {
		r, err := readahead.Open(b.Context(), s, "k", backends.OpenOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, buffer); err != nil {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
