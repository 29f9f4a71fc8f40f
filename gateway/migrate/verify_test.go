package migrate_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/gateway/migrate"
)

// summed is a source that computes the checksum of what it takes for the content.
type summed struct {
	backends.Backend
	content string
}

func (s summed) Sum(context.Context, string, []backends.Sum) (backends.Sum, []byte, error) {
	sum := sha1.Sum([]byte(s.content))
	return backends.SHA1, sum[:], nil
}

// TestSumsAreCompared before there is an object, and after it where it was gone on with.
func TestSumsAreCompared(t *testing.T) {
	for name, stopped := range map[string]bool{"at once": false, "gone on with": true} {
		t.Run(name, func(t *testing.T) {
			s := newLargeSides(t)
			s.put(s.from, "data/a", large("0"))
			if stopped {
				s.stopped(3 * part)
			}
			o := s.options()
			o.From.Store = summed{s.from, large("1")}
			if r := s.run(o); r.Complete() {
				t.Error("it is complete")
			}
			s.wantTold("a: of other content")
			s.wantAt(map[string]string{})
			s.wantParked()
			if stopped {
				s.stopped(3 * part)
			}
			o = s.options()
			o.From.Store = summed{s.from, large("0")}
			s.run(o)
			s.wantTold("a: copied")
			s.wantAt(map[string]string{"home/a": large("0")})
		})
	}
}

// TestCannotBeVerified: a copy of which nobody knows whether it is right does not stay.
func TestCannotBeVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLargeSides(t)
		s.put(s.from, "data/a", large("0"))
		s.stopped(3 * part)
		faults := backendtest.NewFaults(s.to)
		faults.Add(backendtest.Fault{Verb: "open", Err: backends.ErrUnavailable})
		o := s.options()
		o.From.Store, o.To.Store = summed{s.from, large("0")}, faults
		if r := s.run(o); r.Complete() {
			t.Error("it is complete")
		}
		s.wantTold("a: failed")
		s.wantAt(map[string]string{})
	})
}

// TestSizeComparesNoContent: the source is not asked.
func TestSizeComparesNoContent(t *testing.T) {
	s := newSides(t)
	s.put(s.from, "data/a", "right")
	o := s.options()
	o.Verify, o.From.Store = migrate.VerifySize, summed{s.from, "wrong"}
	s.run(o)
	s.wantTold("a: copied")
}

// keptSums is a source that keeps a checksum of each object.
type keptSums struct {
	backends.Backend
	sum []byte
}

func (k keptSums) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r, err := k.Backend.Open(ctx, key, o)
	if err == nil {
		r.Object.Sums = map[backends.Sum][]byte{backends.SHA1: k.sum}
	}
	return r, err
}

func TestKeptSumsAreCompared(t *testing.T) {
	s := newSides(t)
	s.put(s.from, "data/a", "right")
	o := s.options()
	wrong, right := sha1.Sum([]byte("wrong")), sha1.Sum([]byte("right"))
	o.From.Store = keptSums{s.from, wrong[:]}
	s.run(o)
	s.wantTold("a: of other content")
	s.wantAt(map[string]string{})
	o = s.options()
	o.From.Store = keptSums{s.from, right[:]}
	s.run(o)
	s.wantTold("a: copied")
}

// corrupting is a store that keeps something else than it is given.
type corrupting struct{ *mem.Store }

type corrupted struct{ backends.Upload }

func (c corrupting) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := c.Store.Create(ctx, key, o)
	return corrupted{u}, err
}

func (c corrupted) Write(p []byte) (int, error) {
	return c.Upload.Write(bytes.ReplaceAll(p, []byte("right"), []byte("wrong")))
}

// TestFull reads all again, what is copied and what looks the same.
func TestFull(t *testing.T) {
	s := newSides(t)
	for _, name := range []string{"bad", "good"} {
		s.put(s.from, "data/"+name, "right "+name)
	}
	s.put(s.to, "home/bad", "wrong bad")
	s.put(s.to, "home/good", "right good")
	s.put(s.from, "data/new", "right new")
	o := s.options()
	o.Verify, o.To.Store = migrate.VerifyFull, corrupting{s.to}
	r := s.run(o)
	s.wantTold("bad: of other content", "new: of other content")
	want := map[string]string{"home/bad": "wrong bad", "home/good": "right good"}
	s.wantAt(want)
	if r.Complete() || r.Counts[migrate.Same].Files != 1 || len(r.Failures) != 2 {
		t.Errorf("report %+v", r)
	}
	o = s.options()
	o.Verify = migrate.VerifyFull
	if _, err := migrate.Diff(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	s.wantTold("bad: of other content", "new: missing at the target")
	o = s.options()
	o.Verify = migrate.VerifyFull
	s.run(o)
	s.wantTold("bad: of other content", "new: copied")
	want["home/new"] = "right new"
	s.wantAt(want)
}

// breaking is a store of which the first read breaks off after half of the content.
type breaking struct {
	backends.Backend
	broken bool
}

func (b *breaking) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r, err := b.Backend.Open(ctx, key, o)
	if err == nil && !b.broken {
		b.broken = true
		off := &backends.Error{Op: "read", Key: key, Kind: backends.ErrUnavailable, Err: io.ErrUnexpectedEOF}
		half := io.MultiReader(io.LimitReader(r, r.Object.Size/2), iotest.ErrReader(off))
		r = &backends.Reader{Object: r.Object, ReadCloser: struct {
			io.Reader
			io.Closer
		}{half, r}}
	}
	return r, err
}

// TestReadThatBreaksOffIsNoOtherContent, on either side.
func TestReadThatBreaksOffIsNoOtherContent(t *testing.T) {
	for name, breaks := range map[string]func(*migrate.Options){
		"source": func(o *migrate.Options) { o.From.Store = &breaking{Backend: o.From.Store} },
		"target": func(o *migrate.Options) { o.To.Store = &breaking{Backend: o.To.Store} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSides(t)
				s.put(s.from, "data/a", "the same")
				s.put(s.to, "home/a", "the same")
				o := s.options()
				o.Verify = migrate.VerifyFull
				breaks(&o)
				if r := s.run(o); !r.Complete() {
					t.Errorf("report %+v", r)
				}
				s.wantTold()
			})
		})
	}
}
