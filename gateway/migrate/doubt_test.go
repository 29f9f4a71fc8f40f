package migrate_test

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/migrate"
)

// losing is a store whose first commit is told to have failed, whatever has become of it.
type losing struct {
	backends.Backend
	refuses       bool   // it has failed
	before, after func() // what else happens then; nil for nothing
	lost          bool
}

func (l *losing) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := l.Backend.Create(ctx, key, o)
	if err == nil && !l.lost {
		u = &lostCommit{u, l}
	}
	return u, err
}

type lostCommit struct {
	backends.Upload
	of *losing
}

func (u *lostCommit) Commit() (backends.Object, error) {
	u.of.lost = true
	if u.of.before != nil {
		u.of.before()
	}
	if !u.of.refuses {
		if _, err := u.Upload.Commit(); err != nil {
			return backends.Object{}, err
		}
	}
	if u.of.after != nil {
		u.of.after()
	}
	return backends.Object{}, &backends.Error{Op: "commit", Kind: backends.ErrUnavailable}
}

// atHome is what the target has there.
func (s *sides) atHome() map[string]string {
	objects := contents(s.T, s.to)
	maps.DeleteFunc(objects, func(key, _ string) bool { return !strings.HasPrefix(key, "home/") })
	return objects
}

// TestS67_CommitInDoubt: a copy that was made though the store has not said so is kept, compared and
// taken away as any other, and what a client has written meanwhile stays, whatever it looks like.
func TestS67_CommitInDoubt(t *testing.T) {
	again := func(s *sides, clients backends.Backend) { // DELE, STOR and MFMT, as a client replaces a file
		from, err := s.from.Stat(s.Context(), "data/a", backends.StatOptions{})
		if err != nil {
			s.Fatal(err)
		}
		s.remove(clients, "home/a")
		u, err := clients.Create(s.Context(), "home/a", backends.CreateOptions{Metadata: map[string]string{backends.MetaModTime: backends.FormatModTime(from.Time())}})
		if err != nil {
			s.Fatal(err)
		}
		if _, err = u.Write([]byte("FIRST")); err == nil {
			_, err = u.Commit()
		}
		if err != nil {
			s.Fatal(err)
		}
	}
	appended := func(s *sides, clients backends.Backend) {
		there, err := s.to.Stat(s.Context(), "home/a", backends.StatOptions{Complete: true})
		if err != nil || there.Metadata[backends.MetaCopyOf] == "" {
			s.Fatalf("%+v, %v", there, err)
		}
		s.pass(time.Minute)
		u, err := clients.Create(s.Context(), "home/a", backends.CreateOptions{Metadata: there.Metadata})
		if err != nil {
			s.Fatal(err)
		}
		if _, err = u.Write([]byte("first and more")); err == nil {
			_, err = u.Commit()
		}
		if err != nil {
			s.Fatal(err)
		}
	}
	remove := func(s *sides, clients backends.Backend) { s.remove(clients, "home/a") }
	for name, c := range map[string]struct {
		refuses, unsigned, full, rough bool

		before, after func(s *sides, clients backends.Backend)
		told          string
		want          map[string]string
	}{
		"made":                           {told: "copied", want: map[string]string{"home/a": "first"}},
		"made, not signed":               {unsigned: true, told: "copied", want: map[string]string{"home/a": "first"}},
		"not made":                       {refuses: true, told: "copied", want: map[string]string{"home/a": "first"}},
		"deleted before":                 {before: remove, told: "deleted at the target", want: map[string]string{}},
		"deleted, not signed":            {before: remove, unsigned: true, told: "failed", want: map[string]string{"home/a": "first"}},
		"deleted after":                  {after: remove, told: "deleted at the target", want: map[string]string{}},
		"appended to":                    {after: appended, full: true, told: "newer at the target", want: map[string]string{"home/a": "first and more"}},
		"deleted before, roughly listed": {before: remove, rough: true, told: "deleted at the target", want: map[string]string{}},
		"gone at the source": {
			before: func(s *sides, _ backends.Backend) { s.remove(s.from, "data/a") },
			told:   "deleted at the source", want: map[string]string{"home/a": "first"},
		},
		"replaced":             {after: again, told: "deleted at the target", want: map[string]string{"home/a": "FIRST"}},
		"replaced, not made":   {after: again, refuses: true, told: "deleted at the target", want: map[string]string{"home/a": "FIRST"}},
		"replaced, not signed": {after: again, unsigned: true, told: "failed", want: map[string]string{"home/a": "FIRST"}},
		"deleted, also at the source": {
			before: func(s *sides, clients backends.Backend) { remove(s, clients); s.remove(s.from, "data/a") },
			told:   "deleted at the source", want: map[string]string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSides(t)
				s.put(s.from, "data/a", "first")
				o := s.options()
				o.Signs = !c.unsigned
				if c.full {
					o.Verify = migrate.VerifyFull
				}
				if c.rough {
					o.From.Store = roughly{s.from}
				}
				clients := s.gateway(&o)
				store := &losing{Backend: s.to, refuses: c.refuses}
				if c.before != nil {
					store.before = func() { c.before(s, clients) }
				}
				if c.after != nil {
					store.after = func() { c.after(s, clients) }
				}
				o.To.Store = store
				if r := s.run(o); r.Complete() != (c.told != "failed") {
					t.Errorf("report %+v", r)
				}
				s.wantTold("a: " + c.told)
				if got := s.atHome(); !maps.Equal(got, c.want) {
					t.Errorf("the target has %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestS67_ResumedCopyInDoubtIsCompared, since the checksum is not of what another run has sent.
func TestS67_ResumedCopyInDoubtIsCompared(t *testing.T) {
	for _, verify := range []migrate.Verify{migrate.VerifySums, migrate.VerifyFull} {
		synctest.Test(t, func(t *testing.T) {
			s := newLargeSides(t)
			s.put(s.from, "data/a", large("0"))
			s.stopped(3 * part)
			o := s.options()
			o.Verify = verify
			o.From.Store = other{s.from, large("1")}
			o.To.Store = parker{s.to, &losing{Backend: s.to}}
			if r := s.run(o); r.Complete() {
				t.Errorf("%s: report %+v", verify, r)
			}
			s.wantTold("a: of other content")
			s.wantAt(map[string]string{})
		})
	}
}

// roughly is a store whose listings tell less of a version than a look does, as those of an FTP
// server without MLSD.
type roughly struct{ backends.Backend }

func (r roughly) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	page, err := r.Backend.List(ctx, q)
	page.Objects = slices.Clone(page.Objects)
	for i := range page.Objects {
		page.Objects[i].ETag += "~"
	}
	return page, err
}

func (r roughly) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	o.IfMatch = strings.TrimSuffix(o.IfMatch, "~")
	return r.Backend.Open(ctx, key, o)
}

// parker is a losing store that parks.
type parker struct {
	*mem.Store
	losing *losing
}

func (p parker) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	return p.losing.Create(ctx, key, o)
}

// other is a store whose objects have another content than when they were read before.
type other struct {
	backends.Backend
	content string
}

func (o other) Open(ctx context.Context, key string, options backends.OpenOptions) (*backends.Reader, error) {
	r, err := o.Backend.Open(ctx, key, options)
	if err == nil {
		r = &backends.Reader{Object: r.Object, ReadCloser: io.NopCloser(strings.NewReader(o.content[options.Offset:]))}
		r.Object.Sums = nil
	}
	return r, err
}
