package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/migrate"
)

// told is what a migration of one file of 1 MiB, read in half a minute, tells, and what it
// has failed with.
func told(t *testing.T, to func(io.Writer) teller) string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		o := migrate.Options{}
		w := newWatch(t.Context(), to(&out), &o)
		for range 32 {
			time.Sleep(time.Second - time.Millisecond)
			o.Progress(32 << 10)
		}
		failed := migrate.Event{Name: "b\x1b", Outcome: migrate.Failed, Err: errors.New("no")}
		o.Tell(migrate.Event{Name: "a", Outcome: migrate.Copied, Size: 1 << 20})
		o.Tell(failed)
		w.finish(migrate.Report{Lacking: 1, Failures: []migrate.Event{failed}}, nil)
	})
	return out.String()
}

// TestProgressInLines: each ten seconds, and at the end.
func TestProgressInLines(t *testing.T) {
	got := told(t, func(w io.Writer) teller { return &plainLines{out: w, notes: w} })
	for _, want := range []string{
		"after 10s: 0 files, 320.0 KiB, 32.0 KiB/s\n", "after 20s: 0 files, 640.0 KiB, ", "after 30s: 0 files, 960.0 KiB, ",
		"failed: \"b\\x1b: no\"\nafter 32s: 2 files, 1.0 MiB, ", ", 1 failed\n", "what has failed:\n  failed: \"b\\x1b: no\"\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "the target has all") {
		t.Errorf("it has not:\n%s", got)
	}
}

func TestProgressInJSON(t *testing.T) {
	got := told(t, func(w io.Writer) teller { return &jsonLines{json.NewEncoder(w)} })
	var events []string
	for line := range strings.Lines(got) {
		var e struct {
			Event    string
			Octets   int64
			Failures []struct{ Name, Error string }
			Complete bool
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v of %q", err, line)
		}
		events = append(events, e.Event)
		if e.Event == "report" && (e.Complete || len(e.Failures) != 1 || e.Failures[0].Error != "no") {
			t.Errorf("reported %s", line)
		}
	}
	if got := strings.Join(events, " "); got != "progress progress progress file file progress report" {
		t.Errorf("told %s", got)
	}
}

// TestLeftOutIsTold, with reasons and examples, in lines and in JSON.
func TestLeftOutIsTold(t *testing.T) {
	var r migrate.Report
	r.LeftOut.Add(map[migrate.Reason]int64{migrate.Undecodable: 2, migrate.Unsafe: 0}, migrate.Example{Directory: "/in/\x1b", Line: `"x \xfc"`})
	var lines, objects bytes.Buffer
	(&plainLines{out: &lines}).report(r, nil)
	if want := "left out                      2 names\nwhat is left out:\n  2 not of the charset\n  in \"/in/\\x1b\", such as \"x \\xfc\"\n"; !strings.HasSuffix(lines.String(), want) {
		t.Errorf("told\n%s, want\n%s", lines.String(), want)
	}
	(&jsonLines{json.NewEncoder(&objects)}).report(r, nil)
	if want := `"left_out":{"names":2,"reasons":{"not_of_the_charset":2},"examples":[{"directory":"/in/\u001b","line":"\"x \\xfc\""}]},"complete":false}`; !strings.HasSuffix(objects.String(), want+"\n") {
		t.Errorf("told %s, want %s", objects.String(), want)
	}
	objects.Reset()
	if (&jsonLines{json.NewEncoder(&objects)}).report(migrate.Report{}, nil); !strings.HasSuffix(objects.String(), `,"complete":true}`+"\n") || strings.Contains(objects.String(), "left_out") {
		t.Errorf("told %s", objects.String())
	}
}

// TestTotalIsTold as soon as the listing that counts has ended.
func TestTotalIsTold(t *testing.T) {
	from := mem.New(mem.Options{})
	for _, key := range []string{"a", "b", "c", "d"} {
		u, err := from.Create(t.Context(), key, backends.CreateOptions{})
		if err == nil {
			_, err = u.Write(make([]byte, 1<<20))
		}
		if err == nil {
			_, err = u.Commit()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		o := migrate.Options{From: migrate.Tree{Store: from}}
		status := &statusLine{to: &out, columns: func() int { return 120 }}
		w := newWatch(t.Context(), &barLines{plainLines{out: &out, notes: &out}, status}, &o)
		synctest.Wait()
		for range 5 {
			time.Sleep(199 * time.Millisecond)
			o.Progress(1 << 20 / 5)
		}
		o.Tell(migrate.Event{Name: "a", Outcome: migrate.Copied, Size: 1 << 20})
		time.Sleep(10 * time.Millisecond)
		w.finish(migrate.Report{}, nil)
		if want := "[##########..............................]  25% 1/4 files, 1.0 MiB/4.0 MiB, "; !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %q", want, out.String())
		}
		if !regexp.MustCompile(`/s, ETA \ds\nc`).MatchString(strings.TrimRight(out.String(), " ")) {
			t.Errorf("the last bar is not left, with an ETA: %q", out.String())
		}
	})
}

// TestResumedOctetsAreDone: what is gone on with begins where it was, and ends at 100 %.
func TestResumedOctetsAreDone(t *testing.T) {
	const size = 1 << 30
	begun := time.Now()
	m := meter{begun: begun, seen: begun, total: migrate.Count{Files: 2, Octets: 2 * size}}
	check := func(seconds int, octets int64, left time.Duration) {
		t.Helper()
		if s := m.stand(begun.Add(time.Duration(seconds) * time.Second)); s.octets != octets || s.left != left {
			t.Errorf("after %d s: %d octets, %v left; want %d, %v", seconds, s.octets, s.left, octets, left)
		}
	}
	m.resume("a", size*3/4)
	m.came += size / 8
	check(1, size*7/8, 9*time.Second)
	m.resume("a", size*7/8) // after a failure
	m.came += size / 8
	check(2, size, 8*time.Second)
	m.settle(migrate.Event{Name: "a", Outcome: migrate.Copied, Size: size})
	m.resume("b", 0)
	m.came += size / 2
	check(6, size*3/2, 4*time.Second)
	m.came += size / 2
	m.settle(migrate.Event{Name: "b", Outcome: migrate.Copied, Size: size})
	check(10, 2*size, 0)
	if line := bar(m.stand(begun.Add(11*time.Second)), 120); !strings.Contains(line, "] 100% 2/2 files, 2.0 GiB/2.0 GiB") || len(m.large) != 0 {
		t.Errorf("it ends with %s, %d are under way", line, len(m.large))
	}
}

// TestBarFitsTheTerminal, however narrow.
func TestBarFitsTheTerminal(t *testing.T) {
	s := standing{files: 12, octets: 5 << 30, total: migrate.Count{Files: 100, Octets: 50 << 30}, rate: 1e7, left: time.Hour, failed: 3}
	for columns := range 200 {
		if line := bar(s, columns); len(line) > max(columns-1, 0) || columns > 100 && !strings.HasPrefix(line, "[") {
			t.Errorf("%d columns: %q", columns, line)
		}
	}
}

// TestLinesGoAboveTheBar, which is there again below them.
func TestLinesGoAboveTheBar(t *testing.T) {
	var out bytes.Buffer
	s := &statusLine{to: &out}
	s.show("12345")
	s.show("123")
	_, _ = io.WriteString(s, "line\n")
	s.leave()
	if want := "\r12345\r     \r123\r   \rline\n\r123\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// TestMigrateEndsWithACode that tells whether all is there.
func TestMigrateEndsWithACode(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "causeway.yaml")
	text := "listeners: [{address: \"127.0.0.1:0\"}]\nstores: {a: {kind: localdir, path: a}, b: {kind: localdir, path: b}}\nanonymous: {mounts: [{path: /, store: a}]}\n"
	err := errors.Join(os.WriteFile(config, []byte(text), 0o600), os.MkdirAll(filepath.Join(dir, "a", "d"), 0o700),
		os.MkdirAll(filepath.Join(dir, "b"), 0o700), os.WriteFile(filepath.Join(dir, "a", "d", "x"), []byte("12345"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "--files is a number", []string{"migrate", "--files", "0"}},
		{exitUsage, "--verify \"all\" is not known", []string{"migrate", "--verify", "all"}},
		{exitError, "missing at the target: d/x\n", []string{"migrate", "diff"}},
		{exitError, "missing at the target: d/x\n", []string{"migrate", "--dry-run"}},
		{exitOK, "copied                        1 files          5 B\n", []string{"migrate"}},
		{exitOK, "same                          1 files          5 B\nthe target has all that the source has\n", []string{"migrate", "diff"}},
	} {
		code, stdout, stderr := invoke(t, "", append(c.args, "-c", config, "a:/", "b:in")...)
		if code != c.code || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("%q: %d\n%s%s", c.args, code, stdout, stderr)
		}
	}
	if code, _, stderr := invoke(t, "", "migrate", "-c", config, "a:d", "a:/"); code != exitUsage || !strings.Contains(stderr, "is in the other") {
		t.Errorf("%d %s", code, stderr)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var out bytes.Buffer
	if code := run(ctx, console{stdout: &out, stderr: &out}, []string{"migrate", "-c", config, "a:/", "b:in"}); code != exitError || !strings.Contains(out.String(), "it has ended before all was looked at\ncauseway migrate: interrupted") {
		t.Errorf("%d %s", code, out.String())
	}
}
