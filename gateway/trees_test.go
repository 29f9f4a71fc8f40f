package gateway

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/ftp"
	"causeway/backends/ftp/ftptest"
	"causeway/configs"
	"causeway/gateway/migrate"
)

// treesOf are from an old server with some directories to an empty folder.
func treesOf(t *testing.T, o ftptest.Options) (*ftptest.Server, migrate.Options, *Trees) {
	t.Helper()
	s := ftptest.Start(t, o)
	mod := time.Date(2021, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, name := range []string{"/in/a/1", "/in/a/deep/er/2", "/in/b/3", "/in/b!", "/in/c/"} {
		s.Put(name, "x", mod)
	}
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"old": storeOf(s), "files": {Kind: configs.LocalDir, Path: t.TempDir()}}
	trees, err := OpenTrees(t.Context(), cfg, "old:in", "files:in", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := trees.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, migrate.Options{From: trees.From, To: trees.To, Directories: trees.Directories, Gone: trees.Gone}, trees
}

// TestListingByDirectoriesAsksForNoMore than one of all below does.
func TestListingByDirectoriesAsksForNoMore(t *testing.T) {
	for _, lean := range []bool{true, false} {
		var asked [2][]string
		for i, directories := range []bool{false, true} {
			s, o, _ := treesOf(t, ftptest.Options{Lean: lean})
			o.Directories = directories
			if total, err := migrate.Total(t.Context(), o); err != nil || total.Files != 4 {
				t.Errorf("%+v, %v", total, err)
			}
			asked[i] = s.Commands()
		}
		if !slices.Equal(asked[0], asked[1]) {
			t.Errorf("sent %q\ninstead of %q", asked[1], asked[0])
		}
	}
}

// TestDirectoryThatMayNotBeEntered has failed; what is beside it is copied. A server that is
// only read does not even tell that it is there.
func TestDirectoryThatMayNotBeEntered(t *testing.T) {
	for _, why := range []string{"Permission denied", "Failed to change directory."} {
		_, o, trees := treesOf(t, ftptest.Options{Lean: true, Answer: func(verb, arg string) (string, bool) {
			return "550 " + why, verb == "CWD" && strings.HasPrefix(arg, "/in/a") || verb == "RNFR"
		}})
		if !trees.Directories {
			t.Error("an FTP server has directories")
		}
		r, err := migrate.Run(t.Context(), o)
		if err != nil || r.Complete() || len(r.Failures) != 1 || r.Failures[0].Name != "a/" || r.Counts[migrate.Copied].Files != 2 || r.Directories != 2 {
			t.Errorf("%s: %+v, %v", why, r, err)
		}
	}
}

// TestFilesAtATimeLeaveAConnection of an FTP server for listings, if it has more than one.
func TestFilesAtATimeLeaveAConnection(t *testing.T) {
	for connections, want := range map[int]int{0: configs.DefaultConnections - 1, 1: 1, 2: 1, 5: 4} {
		old := configs.Store{Kind: configs.FTP, URL: "ftp://127.0.0.1", User: "u", Connections: connections}
		cfg := configs.Default()
		cfg.Stores = map[string]configs.Store{"old": old, "files": {Kind: configs.LocalDir, Path: t.TempDir()}}
		for _, way := range [][2]string{{"old:", "files:"}, {"files:", "old:"}} {
			trees, err := OpenTrees(t.Context(), cfg, way[0], way[1], slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if err := trees.Close(); err != nil || trees.Files != want {
				t.Errorf("%d files over %d connections, %v", trees.Files, connections, err)
			}
		}
	}
}

// TestWhatIsLeftOutCountsOnce, however often it is listed, and keeps it from being complete.
func TestWhatIsLeftOutCountsOnce(t *testing.T) {
	var log strings.Builder
	s := ftptest.Start(t, ftptest.Options{})
	for _, name := range []string{"/in/a", "/in/not \xfc UTF-8", "/in/d/not \xfd", "/in/d/" + strings.Repeat("n", backends.MaxKey), "/out/\xfe"} {
		s.Put(name, "x", time.Now())
	}
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"old": storeOf(s), "new": storeOf(s)}
	trees, err := OpenTrees(t.Context(), cfg, "old:in", "new:out", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := trees.Close(); err != nil {
			t.Error(err)
		}
	})
	o := migrate.Options{From: trees.From, To: trees.To, Directories: true}
	for range 2 {
		if total, err := migrate.Total(t.Context(), o); err != nil || total.Files != 1 {
			t.Errorf("%+v, %v", total, err)
		}
	}
	r, err := migrate.Diff(t.Context(), o)
	if err != nil || r.LeftOut.Names != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	r = migrate.Report{LeftOut: trees.LeftOut()}
	want := map[migrate.Reason]int64{migrate.Undecodable: 2, migrate.TooLong: 1, migrate.Unsafe: 0, migrate.Unparsed: 0, migrate.Linked: 0, migrate.Closed: 0}
	if r.LeftOut.Names != 3 || !maps.Equal(r.LeftOut.Reasons, want) || r.Complete() {
		t.Errorf("left out %+v", r.LeftOut)
	}
	if e := r.LeftOut.Examples; len(e) != 2 || e[0].Directory != "/in" || !strings.Contains(e[0].Line, `not \xfc UTF-8"`) || e[1].Directory != "/in/d" {
		t.Errorf("examples are %+v", e)
	}
	if n := strings.Count(log.String(), "cannot be shown"); n != 3 {
		t.Errorf("logged %d times, of three directories:\n%s", n, log.String())
	}
}

// TestEachLinkIsHeardOfOnce, beside what else its directory leaves out.
func TestEachLinkIsHeardOfOnce(t *testing.T) {
	var l leftOut
	for range 2 {
		l.hear("/in", ftp.LeftOut{TooLong: 1})
		for name, lines := range map[string]ftp.LeftOut{`"a"`: {Closed: 1}, `"b"`: {Links: 1}} {
			lines.Example = name
			l.hear("/in", lines)
		}
	}
	if all := l.all(); all.Names != 3 || all.Reasons[migrate.Closed] != 1 || all.Reasons[migrate.Linked] != 1 || len(all.Examples) != 3 {
		t.Errorf("heard of %+v", all)
	}
}
