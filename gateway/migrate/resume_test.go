package migrate_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/gateway/migrate"
)

// part is how much the stores of these tests take as one part.
const part = 1 << 20

// large is a content that is gone on with.
func large(seed string) string { return strings.Repeat(seed+"23456789", part) }

func newLargeSides(t *testing.T) *sides {
	s := newSides(t)
	s.to = mem.New(mem.Options{Now: s.time, PartSize: part})
	return s
}

// offsets is a store that notes where objects are opened.
type offsets struct {
	backends.Backend
	mu     sync.Mutex
	opened []int64
}

func (o *offsets) Open(ctx context.Context, key string, options backends.OpenOptions) (*backends.Reader, error) {
	o.mu.Lock()
	o.opened = append(o.opened, options.Offset)
	o.mu.Unlock()
	return o.Backend.Open(ctx, key, options)
}

// wantParked checks that there are uploads of keys, and no others.
func (s *sides) wantParked(keys ...string) {
	s.Helper()
	var got []string
	for u, err := range backends.ParkedUploads(s.Context(), s.to, backends.ParkedQuery{}) {
		if err != nil {
			s.Fatal(err)
		}
		got = append(got, u.Key)
	}
	if strings.Join(got, " ") != strings.Join(keys, " ") {
		s.Errorf("parked are %q, want %q", got, keys)
	}
}

// stopped runs until so many octets of the source were read, and parks what has come.
func (s *sides) stopped(after int64) {
	s.Helper()
	o := s.options()
	faults := backendtest.NewFaults(s.from)
	faults.Add(backendtest.Fault{Verb: "read", Hang: true, After: after})
	o.From.Store = faults
	ctx, cancel := context.WithCancel(s.Context())
	read := int64(0)
	o.Progress = func(n int64) {
		if read += n; read >= after {
			cancel()
		}
	}
	if _, err := migrate.Run(ctx, o); err == nil {
		s.Fatal("it was not stopped")
	}
}

// TestGoesOnWhereItWasStopped: with what had come, and nothing is left parked.
func TestGoesOnWhereItWasStopped(t *testing.T) {
	s := newLargeSides(t)
	s.put(s.from, "data/a", large("0"))
	s.stopped(5 * part)
	s.wantParked("home/a")
	o := s.options()
	from := &offsets{Backend: s.from}
	o.From.Store = from
	var had, read int64
	o.Resumed = func(name string, octets int64) { had += octets }
	o.Progress = func(octets int64) { read += octets }
	s.run(o)
	s.wantTold("a: copied")
	s.wantAt(map[string]string{"home/a": large("0")})
	s.wantParked()
	if len(from.opened) != 1 || from.opened[0] <= 4*part || from.opened[0] > 5*part {
		t.Errorf("it was opened at %d", from.opened)
	}
	if had != from.opened[0] || had+read != int64(len(large("0"))) {
		t.Errorf("%d octets were there, and %d were read", had, read)
	}
}

// TestDiscardsOtherVersions: of the source, and never a client's upload.
func TestDiscardsOtherVersions(t *testing.T) {
	s := newLargeSides(t)
	u, err := s.to.Create(t.Context(), "home/a", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte("a client's")); err != nil {
		t.Fatal(err)
	}
	if n, err := u.Park(); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	s.put(s.from, "data/a", large("0"))
	s.stopped(5 * part)
	s.wantParked("home/a", "home/a")
	s.put(s.from, "data/a", large("1"))
	s.run(s.options())
	s.wantAt(map[string]string{"home/a": large("1")})
	s.wantParked("home/a")
}

// TestGoesOnAfterAFailure of the source, within the same run.
func TestGoesOnAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLargeSides(t)
		s.put(s.from, "data/a", large("0"))
		faults := backendtest.NewFaults(s.from)
		faults.Add(backendtest.Fault{Verb: "read", Nth: 1, Err: backends.ErrUnavailable, After: 3 * part})
		from := &offsets{Backend: faults}
		o := s.options()
		o.From.Store = from
		s.run(o)
		s.wantTold("a: copied")
		s.wantAt(map[string]string{"home/a": large("0")})
		s.wantParked()
		if len(from.opened) != 2 || from.opened[1] != 3*part {
			t.Errorf("it was opened at %d", from.opened)
		}
	})
}

// TestTwoRuns: the second takes the upload of the first, which is as if that had been killed; it
// goes on all the same, and nothing of it is mixed in.
func TestTwoRuns(t *testing.T) {
	s := newLargeSides(t)
	s.put(s.from, "data/a", large("0"))
	first := s.options()
	arrived, done := make(chan struct{}), make(chan struct{})
	first.From.Store = opened{s.from, func(string) {}}
	read := int64(0)
	first.Progress = func(n int64) {
		if read += n; read > 4*part && read-n <= 4*part {
			close(arrived)
			<-done
		}
	}
	var told []migrate.Outcome
	first.Tell = func(e migrate.Event) { told = append(told, e.Outcome) }
	var both sync.WaitGroup
	both.Go(func() {
		if _, err := migrate.Run(s.Context(), first); err != nil {
			t.Error(err)
		}
	})
	<-arrived
	second := s.options()
	from := &offsets{Backend: s.from}
	second.From.Store, second.To.Store = from, s.to.Reopen()
	s.run(second)
	close(done)
	both.Wait()
	s.wantTold("a: copied")
	s.wantAt(map[string]string{"home/a": large("0")})
	s.wantParked()
	if len(from.opened) != 1 || from.opened[0] != 4*part {
		t.Errorf("the second was opened at %d", from.opened)
	}
	if len(told) != 1 || told[0] != migrate.Same {
		t.Errorf("the first has told %q", told)
	}
	s.pass(time.Minute)
}
