package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/cache"
)

// begin starts an upload of so many octets and neither commits nor parks it.
func begin(t *testing.T, store backends.Backend, key string, size int) backends.Upload {
	t.Helper()
	u, err := store.Create(t.Context(), key, backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(u, strings.Repeat("x", size)); err != nil {
		t.Fatal(err)
	}
	return u
}

func park(t *testing.T, store backends.Backend, key string, size int) {
	t.Helper()
	if n, err := begin(t, store, key, size).Park(); err != nil || n != int64(size) {
		t.Fatalf("parked %d octets, %v", n, err)
	}
}

func commit(t *testing.T, store backends.Backend, key, content string) {
	t.Helper()
	u := begin(t, store, key, 0)
	if _, err := io.WriteString(u, content); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
}

// keys are those of all objects of a store.
func keys(t *testing.T, store backends.Backend) []string {
	t.Helper()
	var keys []string
	for q := (backends.Query{}); ; {
		page, err := store.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Objects {
			keys = append(keys, o.Key)
		}
		if q.Token = page.Next; q.Token == "" {
			return keys
		}
	}
}

// employ runs a janitor until the test ends, which waits for it.
func employ(t *testing.T, store backends.Backend, window time.Duration) *syncBuffer {
	t.Helper()
	log := new(syncBuffer)
	j := &janitor{stores: map[string]backends.Backend{"s3": store}, window: window, log: slog.New(slog.NewJSONHandler(log, nil))}
	ctx, dismiss := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		j.run(ctx)
	}()
	t.Cleanup(func() {
		dismiss()
		<-ended
	})
	synctest.Wait()
	return log
}

// later lets so much time pass, and what falls due in it happen.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestS17_X9_JanitorEndsWhatIsPastTheWindow: a parked upload, one whose gateway has died and
// the journal of a rename go; what is younger, finished or a client's own stays.
func TestS17_X9_JanitorEndsWhatIsPastTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{PageSize: 2, PartSize: 10})
		for i := range 5 {
			park(t, store, fmt.Sprintf("parked-%d", i), 15)
		}
		begin(t, store, "of the dead", 25)
		store.Crash()
		kept := []string{"file", "renames/x", "dir/.causeway/renames/y"}
		for _, key := range append(slices.Clone(kept), renames+"journal") {
			commit(t, store, key, "as it was")
		}
		log := employ(t, store, 24*time.Hour)
		later(12 * time.Hour)
		park(t, store, "young", 7)
		if n := len(store.Uploads()); n != 7 {
			t.Errorf("%d uploads within the window, want all 7", n)
		}
		later(13*time.Hour + time.Minute)
		if left := store.Uploads(); !slices.Equal(left, []string{"young"}) {
			t.Errorf("left are %q", left)
		}
		slices.Sort(kept)
		if left := keys(t, store); !slices.Equal(left, kept) {
			t.Errorf("objects: %q", left)
		}
		if n := strings.Count(log.String(), `"msg":"abandoned work was ended"`); n != 7 ||
			!strings.Contains(log.String(), `"what":"upload","key":"of the dead","bytes":20,"age":"24h0m10s"`) {
			t.Errorf("log:\n%s", log)
		}
		later(12 * time.Hour)
		if left := store.Uploads(); len(left) != 0 {
			t.Errorf("left are %q", left)
		}
	})
}

// TestS17_JanitorsOfTwoGateways: neither ends what the other is writing, or has gone on
// with, as long as it gets on.
func TestS17_JanitorsOfTwoGateways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := mem.New(mem.Options{PartSize: 10})
		two := one.Reopen()
		employ(t, one, time.Hour)
		employ(t, two, time.Hour)
		park(t, one, "resumed", 10)
		slow := begin(t, one, "slow", 10)
		later(50 * time.Minute)
		page, err := two.Parked(t.Context(), backends.ParkedQuery{Prefix: "resumed", Fresh: true})
		if err != nil || len(page.Uploads) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		resumed, err := two.Create(t.Context(), "resumed", backends.CreateOptions{Resume: page.Uploads[0].ID, At: 10})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			for _, u := range []backends.Upload{slow, resumed} {
				if _, err := io.WriteString(u, "0123456789"); err != nil {
					t.Fatal(err)
				}
			}
			later(50 * time.Minute)
		}
		for _, u := range []backends.Upload{slow, resumed} {
			if o, err := u.Commit(); err != nil || o.Size != 40 {
				t.Errorf("%+v, %v", o, err)
			}
		}
		if left := one.Uploads(); len(left) != 0 {
			t.Errorf("left are %q", left)
		}
	})
}

// stubborn is a store that ends no upload, or cannot be asked.
type stubborn struct {
	backends.Backend
	discard, list error
	asked         int
}

func (s *stubborn) Parked(context.Context, backends.ParkedQuery) (backends.ParkedPage, error) {
	s.asked++
	if s.list != nil {
		return backends.ParkedPage{}, s.list
	}
	page := backends.ParkedPage{Uploads: make([]backends.Parked, 100)}
	for i := range page.Uploads {
		page.Uploads[i] = backends.Parked{Key: fmt.Sprint(i), ModTime: time.Now().Add(-48 * time.Hour)}
	}
	return page, nil
}

func (s *stubborn) Discard(context.Context, backends.Parked) error { return s.discard }

// TestS17_JanitorOfAStoreThatRefuses: what fails is a warning, not a flood of them, and
// tried again in the next round.
func TestS17_JanitorOfAStoreThatRefuses(t *testing.T) {
	refused := &backends.Error{Op: "discard", Kind: fs.ErrPermission}
	silent := &backends.Error{Op: "discard", Kind: backends.ErrUnavailable}
	for _, c := range []struct {
		name          string
		discard, list error
		warnings      int // in two rounds
	}{
		{"nothing is refused", nil, nil, 0},
		{"refused", refused, nil, 2 * (maxComplaints + 1)},
		{"is being written", &backends.Error{Op: "discard", Kind: backends.ErrBusy}, nil, 0},
		{"no answer", silent, nil, 2},
		{"no answer to the question", nil, silent, 2},
		{"the question is refused", nil, refused, 1},
		{"cannot park", nil, &backends.Error{Op: "parked", Kind: errors.ErrUnsupported}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &stubborn{Backend: mem.New(mem.Options{}), discard: c.discard, list: c.list}
				log := employ(t, store, 24*time.Hour)
				later(time.Hour + time.Minute)
				if store.asked != 2 {
					t.Errorf("%d rounds, want 2", store.asked)
				}
				if n := strings.Count(log.String(), `"level":"WARN"`); n != c.warnings {
					t.Errorf("%d warnings, want %d:\n%s", n, c.warnings, log)
				}
			})
		})
	}
}

// TestS17_ForAtMostARoundMore: how often the janitor looks.
func TestS17_ForAtMostARoundMore(t *testing.T) {
	for window, want := range map[time.Duration]time.Duration{
		time.Millisecond:    time.Second,
		10 * time.Second:    10 * time.Second,
		10 * time.Minute:    time.Minute,
		time.Hour:           150 * time.Second,
		24 * time.Hour:      time.Hour,
		30 * 24 * time.Hour: time.Hour,
	} {
		if got := round(window); got != want {
			t.Errorf("window %v: every %v, want %v", window, got, want)
		}
	}
}

// littered is a store with what no record tells of. Its second sweep is not answered to
// the end.
type littered struct {
	backends.Backend
	before []time.Time // of each sweep
}

func (l *littered) Sweep(_ context.Context, before time.Time) (int, error) {
	l.before = append(l.before, before)
	if len(l.before) == 2 {
		return 3, &backends.Error{Op: "sweep", Kind: backends.ErrUnavailable}
	}
	return 3, nil
}

// TestS17_JanitorSweeps what has been there for the window, through the cache.
func TestS17_JanitorSweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &littered{Backend: mem.New(mem.Options{})}
		began := time.Now()
		log := employ(t, cache.New(cache.Options{TTL: time.Minute}).Backend(store), 24*time.Hour)
		later(90 * time.Minute)
		first := began.Add(firstRest - 24*time.Hour)
		want := []time.Time{first, first.Add(time.Hour)}
		if !slices.Equal(store.before, want) {
			t.Errorf("swept what was older than %v, want %v", store.before, want)
		}
		if n := strings.Count(log.String(), `"msg":"what ended uploads had left was removed","store":"s3","count":3`); n != 2 {
			t.Errorf("log:\n%s", log)
		}
		if n := strings.Count(log.String(), `"level":"WARN"`); n != 1 {
			t.Errorf("%d warnings, want 1:\n%s", n, log)
		}
	})
}

// veiled is one of which the uploads may not be listed.
type veiled struct{ littered }

func (*veiled) Parked(context.Context, backends.ParkedQuery) (backends.ParkedPage, error) {
	return backends.ParkedPage{}, &backends.Error{Op: "parked", Kind: fs.ErrPermission}
}

func (*veiled) Discard(context.Context, backends.Parked) error { return nil }

// TestS17_JanitorsTasksAreJudgedAlone: what may not be done is told of once, and silences no outage.
func TestS17_JanitorsTasksAreJudgedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := employ(t, &veiled{littered{Backend: mem.New(mem.Options{})}}, 24*time.Hour)
		later(90 * time.Minute)
		for _, text := range []string{"do not let the janitor look", "could not look for all"} {
			if n := strings.Count(log.String(), text); n != 1 {
				t.Errorf("%q: %d times, want 1:\n%s", text, n, log)
			}
		}
	})
}
