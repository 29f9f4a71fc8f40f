//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/e2e/oldservers"
)

// migration is a configuration with a store of each kind, all of which are shared but disk.
type migration struct {
	*testing.T
	config string
	disk   string // the folder of the store disk
	prefix string // of this test, in the shared stores
}

func newMigration(t *testing.T, old string) migration {
	t.Helper()
	m := migration{T: t, disk: t.TempDir(), prefix: "migrate-" + random(4)}
	text := fmt.Sprintf("listeners: [{address: \"127.0.0.1:0\"}]\nanonymous: {mounts: [{path: /, store: disk}]}\nstores:\n  disk: {kind: localdir, path: %s}\n%s", quote(m.disk), old)
	for _, b := range shared.buckets {
		text += fmt.Sprintf("  %s: %s\n", b.kind, b.config)
	}
	m.config = writeFile(t, "causeway.yaml", text)
	return m
}

// run is a run of `causeway migrate`, or of `causeway migrate diff` if it begins so.
func (m migration) run(code int, args ...string) outcome {
	m.Helper()
	o := causeway(m, "", append([]string{"migrate"}, append(args, "-c", m.config)...)...)
	if o.code != code {
		m.Fatalf("%q ends with %d, not %d\n%s%s", args, o.code, code, o.stdout, o.stderr)
	}
	return o
}

// pass waits for the next second: S3 and Azure tell no fractions, so that what is copied in the
// second of its change looks older than that, and is copied again.
func pass() {
	now := time.Now()
	time.Sleep(now.Truncate(time.Second).Add(time.Second).Sub(now))
}

// at is a place in a shared store.
func (m migration) at(store, path string) string { return store + ":" + m.prefix + "/" + path }

// file makes a file of the disk, with its time.
func (m migration) file(name, content string, mod time.Time) {
	m.Helper()
	path := filepath.Join(m.disk, name)
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644), os.Chtimes(path, mod, mod))
	if err != nil {
		m.Fatal(err)
	}
}

// tree is what is below a folder: of a file its content and time.
func (m migration) tree(folder string) map[string]string {
	m.Helper()
	all := map[string]string{}
	root := filepath.Join(m.disk, folder)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			all[strings.TrimPrefix(path, root)] = "directory"
			return err
		}
		info, err := d.Info()
		content, readErr := os.ReadFile(path)
		all[strings.TrimPrefix(path, root)] = info.ModTime().UTC().Format(time.RFC3339Nano) + " " + string(content)
		return errors.Join(err, readErr)
	})
	if err != nil {
		m.Fatal(err)
	}
	return all
}

// TestMigrateFromStoreToStore: from a directory through each kind of store and back, with
// contents, times, types and directories; the second run of each copies what changed.
func TestMigrateFromStoreToStore(t *testing.T) {
	t.Parallel()
	m := newMigration(t, "")
	mod := time.Date(2021, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	m.file("in/a.txt", "a", mod)
	m.file("in/d/ä b.csv", strings.Repeat("x,y\n", 40_000), mod.Add(time.Hour))
	m.file("in/none", "", mod)
	if err := os.MkdirAll(filepath.Join(m.disk, "in/e/mpty"), 0o755); err != nil {
		t.Fatal(err)
	}
	ways := [][2]string{
		{"disk:in", m.at("s3", "a")}, {m.at("s3", "a"), m.at("gcs", "b")}, {m.at("gcs", "b"), m.at("azure", "c")}, {m.at("azure", "c"), "disk:out"},
	}
	for _, way := range ways {
		m.run(1, "--dry-run", way[0], way[1]).says(t, "missing at the target: a.txt\n", "copied                        0 files")
		m.run(1, "diff", way[0], way[1]).says(t, "missing at the target: d/ä b.csv\n")
		pass()
		m.run(0, way[0], way[1]).says(t, "copied                        3 files    156.3 KiB\n", "directories                   3\n", "the target has all that the source has\n")
		m.run(0, "diff", "--verify", "full", way[0], way[1]).says(t, "same                          3 files")
	}
	if got, want := m.tree("out"), m.tree("in"); !maps.Equal(got, want) {
		t.Errorf("it is %v\nnot %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	m.file("in/a.txt", "changed", time.Now())
	for _, way := range ways {
		pass()
		m.run(0, way[0], way[1]).says(t, "copied                        1 files          7 B\n", "same                          2 files")
	}
	if got, want := m.tree("out"), m.tree("in"); !maps.Equal(got, want) {
		t.Errorf("it is %v\nnot %v", got, want)
	}
	m.types()
}

// types fails unless types of content were told by names, and are what a store has of them.
func (m migration) types() {
	m.Helper()
	s := bucketOf("s3").bucket.(s3Bucket)
	key := m.prefix + "/a/odd"
	_, err := s.client.PutObject(m.Context(), &s3.PutObjectInput{Bucket: &s.name, Key: &key, Body: strings.NewReader("odd"), ContentType: aws.String("application/x-odd")})
	if err != nil {
		m.Fatal(err)
	}
	m.run(0, m.at("s3", "a"), m.at("gcs", "b"))
	m.run(0, m.at("gcs", "b"), m.at("azure", "c"))
	for name, want := range map[string]string{"odd": "application/x-odd", "d/ä b.csv": "text/csv"} {
		google, err := bucketOf("gcs").bucket.(gcsBucket).Object(m.prefix + "/b/" + name).Attrs(m.Context())
		if err != nil || google.ContentType != want {
			m.Errorf("%s: %+v, %v", name, google, err)
		}
		azure, err := bucketOf("azure").bucket.(azureBucket).NewBlobClient(m.prefix+"/c/"+name).GetProperties(m.Context(), nil)
		if err != nil || *azure.ContentType != want {
			m.Errorf("%s: %v", name, err)
		}
	}
}

// TestMigrateFromAnOldServer: what is chosen is copied, and what cannot be read is told.
func TestMigrateFromAnOldServer(t *testing.T) {
	t.Parallel()
	old, err := oldservers.Start(t.Context(), oldservers.VSFTPD, oldservers.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(old.Kill)
	m := newMigration(t, fmt.Sprintf("  old: {kind: ftp, url: \"ftp://%s\", user: %s, password: %q, connections: 2, time_zone: UTC}\n", old.Address, old.Admin.Name, old.Admin.Password))
	m.disk = old.Homes
	mod := time.Date(2021, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, name := range []string{"in/a.txt", "in/b.log", "in/tmp/c.txt", "in/d/d.txt"} {
		m.file(name, name, mod)
	}
	m.file("in/new.txt", "new", mod.AddDate(3, 0, 0))
	to := m.at("s3", "old")
	m.run(0, "--since", "2024-01-01", "old:in", to).says(t, "copied                        1 files          3 B\n")
	m.run(0, "--include", "*.txt", "--exclude", "tmp", "--files", "3", "old:in", to).says(t, "copied                        2 files", "same                          1 files")
	m.run(1, "diff", "old:in", to).says(t, "missing at the target: b.log\nmissing at the target: d/\nmissing at the target: tmp/\nmissing at the target: tmp/c.txt\n")
	if err := os.Chmod(filepath.Join(m.disk, "in/b.log"), 0); err != nil {
		t.Fatal(err)
	}
	o := m.run(1, "--json", "old:in", to)
	if o.stderr != "causeway migrate: the target has not got all that the source has\n" {
		t.Errorf("standard error has %q", o.stderr)
	}
	m.wantJSON(o.stdout)
	m.run(1, "old:in", to).says(t, "what has failed:\n  failed: b.log: ", "same                          4 files")
	if err := os.Chmod(filepath.Join(m.disk, "in/b.log"), 0o644); err != nil {
		t.Fatal(err)
	}
	m.run(0, "old:in", to)
	m.run(0, "diff", "--verify", "full", "old:in", to).says(t, "same                          5 files")
	m.closedDirectory(to)
	m.file("in/not \xfc UTF-8", "", mod)
	if o := m.run(1, "old:in", to); strings.Contains(o.stdout, "has all") {
		t.Errorf("it has not:\n%s", o.stdout)
	} else {
		o.says(t, "the old server lists what cannot be shown", "undecodable=1", "left out                      1 names\n", "  1 not of the charset\n  in /in, such as ")
	}
}

// closedDirectory fails unless a directory that may not be entered has failed alone, and only
// where it is wanted.
func (m migration) closedDirectory(to string) {
	m.Helper()
	dir := filepath.Join(m.disk, "in/d")
	if err := os.Chmod(dir, 0); err != nil {
		m.Fatal(err)
	}
	m.run(1, "old:in", to).says(m.T, "failed                        1 files", "what has failed:\n  failed: d/: ", "same                          4 files")
	m.run(0, "--exclude", "/d", "old:in", to).says(m.T, "same                          4 files", "the target has all that the source has\n")
	m.run(0, "diff", "--exclude", "/d", "old:in", to)
	if err := os.Chmod(dir, 0o755); err != nil {
		m.Fatal(err)
	}
}

// wantJSON fails unless one file was copied and one has failed, and all is told by objects.
func (m migration) wantJSON(stdout string) {
	m.Helper()
	var events []string
	for line := range strings.Lines(stdout) {
		var e struct {
			Event, Name, Outcome, Error string
			Files                       int
			Complete                    bool
			Failures                    []struct{ Name, Error string }
			Counts                      map[string]struct{ Files int }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			m.Fatalf("%v of %q", err, line)
		}
		switch e.Event {
		case "file":
			events = append(events, e.Name+" "+e.Outcome)
			if (e.Error != "") != (e.Outcome == "failed") {
				m.Errorf("told %s", line)
			}
		case "report":
			if e.Complete || len(e.Failures) != 1 || e.Failures[0].Error == "" || e.Counts["same"].Files != 3 || e.Counts["copied"].Files != 1 {
				m.Errorf("told %s", line)
			}
		}
	}
	slices.Sort(events)
	if want := []string{"b.log failed", "d/ copied", "tmp/ copied", "tmp/c.txt copied"}; !slices.Equal(events, want) || !strings.Contains(stdout, `{"event":"progress","files":5,`) {
		m.Errorf("told %q\n%s", events, stdout)
	}
}
