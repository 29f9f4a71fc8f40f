//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/e2e/oldservers"
)

// front is a gateway on S3 with an old server behind the account's mount.
type front struct {
	*gateway
	old    *oldservers.Server
	config string
	bucket *namedBucket
	prefix string
	admin  string // address
}

func startFront(t *testing.T, kind oldservers.Kind) *front {
	t.Helper()
	old, err := oldservers.Start(t.Context(), kind, oldservers.Options{Dir: t.TempDir(), TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(old.Kill)
	bucket, err := newS3Bucket(t.Context(), shared.servers.S3)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{old: old, bucket: bucket, prefix: "home/"}
	for name, content := range map[string]string{"f": "old f", "d/a": "old a", "gone": "old", "g": "old g", "e/x": "old x"} {
		f.lay(t, name, content)
	}
	if err := oldservers.Give(old.Homes); err != nil {
		t.Fatal(err)
	}
	server := &namedBucket{kind: "ftp", config: fmt.Sprintf("{kind: ftp, url: %s, user: %s, password: %s, ca: %s}",
		quote("ftps://"+old.Address), quote(old.Admin.Name), quote(old.Admin.Password), quote(old.Certificate))}
	rights := ", rights: [list, read, write, overwrite, delete, rename, mkdir]"
	f.config = setup{plain4: true, extra: "admin: {address: \"127.0.0.1:0\"}\n", accounts: []account{
		{name: user, store: f.bucket, prefix: f.prefix, mount: rights + ", behind: {store: store1, path: /cam1, until: 9999-12-31, copy: on_read}, mirror_writes: true"},
		{name: "direct", store: server, mount: ", rights: [list, read]"},
	}}.config(t)
	f.serve(t)
	return f
}

// lay writes a file of the old server's, of 2020.
func (f *front) lay(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(f.old.Homes, "cam1", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// serve starts the gateway, also after its end.
func (f *front) serve(t *testing.T) {
	t.Helper()
	f.gateway = launch(t, "serve", "-c", f.config)
	await := func(msg string) string {
		record, err := f.log.await(func(r record) bool { return r["msg"] == msg }, 0, f.exited)
		if err != nil {
			t.Fatalf("gateway does not listen: %v\n%s", err, f.log)
		}
		return record.text("address")
	}
	f.listeners = []listener{{address: await("listening")}}
	f.admin = await("admin listening")
}

// measures is what the gateway tells of itself.
func (f *front) measures(t *testing.T, path string) string {
	t.Helper()
	answer, err := http.Get("http://" + f.admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// becomes waits until the old server's files are these.
func (f *front) becomes(t *testing.T, when string, want map[string]string) {
	t.Helper()
	var got map[string]string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if got = f.oldFiles(t); fmt.Sprint(got) == fmt.Sprint(want) {
			return
		}
	}
	t.Fatalf("%s: the old server has %v, not %v", when, got, want)
}

// oldFiles are the old server's, and its directories with a slash.
func (f *front) oldFiles(t *testing.T) map[string]string {
	t.Helper()
	files, root := map[string]string{}, filepath.Join(f.old.Homes, "cam1")
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // it is being moved
		}
		name := strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
		switch {
		case err != nil || name == "":
			return err
		case d.IsDir():
			files[name+"/"] = ""
			return nil
		}
		content, _ := os.ReadFile(path)
		files[name] = string(content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestReadThroughToOldServers with those that people leave, which are stopped and started, and
// a gateway that is killed: what is here goes on, the rest hears 450, what was deleted does not
// come back, and what has changed meanwhile is made there once they are up again.
func TestReadThroughToOldServers(t *testing.T) {
	for _, kind := range oldservers.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f := startFront(t, kind)
			s := entered(t, f.gateway)
			f.together(t, s)
			f.old.Stop()
			f.alone(t, s)
			_ = f.interrupt(t, syscall.SIGKILL)
			f.serve(t)
			s = entered(t, f.gateway)
			if got := string(s.fetch("RETR w")); got != "new w" {
				t.Errorf("a file that is here reads as %q", got)
			}
			if err := f.old.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.becomes(t, "up again", map[string]string{"n": "new n", "d/": "", "d/b": "old a", "g": "old g", "e/": "", "e/x": "old x", "m/": "", "w": "new w"})
			f.listed(t, s, "d", "e", "g", "m", "n", "w")
			if got := string(s.fetch("RETR g")); got != "old g" {
				t.Errorf("g reads as %q", got)
			}
		})
	}
}

// together uses what is here and behind.
func (f *front) together(t *testing.T, s *session) {
	t.Helper()
	f.listed(t, s, "d", "e", "f", "g", "gone")
	if r := s.do("MDTM f", "213"); !strings.HasSuffix(r.String(), "20200203040506") {
		t.Errorf("MDTM: %s", r)
	}
	if got := string(s.fetch("RETR f")); got != "old f" {
		t.Errorf("f reads as %q", got)
	}
	f.bucket.holds(t, f.prefix+"f", []byte("old f"))
	if r := s.do("MDTM f", "213"); !strings.HasSuffix(r.String(), "20200203040506") {
		t.Errorf("MDTM of the copy: %s", r)
	}
	s.store("STOR n", []byte("new n"))
	s.do("RNFR d/a", "350")
	s.do("RNTO d/b", "250")
	s.do("DELE gone", "250")
	s.do("MKD m", "257")
	f.listed(t, s, "d", "e", "f", "g", "m", "n")
	f.becomes(t, "mirrored", map[string]string{"f": "old f", "n": "new n", "d/": "", "d/b": "old a", "g": "old g", "e/": "", "e/x": "old x", "m/": ""})
}

// alone goes on while the old server is down.
func (f *front) alone(t *testing.T, s *session) {
	t.Helper()
	if got := string(s.fetch("RETR f")) + string(s.fetch("RETR n")); got != "old fnew n" {
		t.Errorf("what is here reads as %q", got)
	}
	s.store("STOR w", []byte("new w"))
	s.do("DELE f", "250")
	s.do("SIZE e/x", "450")
	if _, r := s.begin("RETR g", "450"); r.code != "450" {
		t.Errorf("RETR of what is only there: %s", r)
	}
	if conn, r := s.begin("NLST", "451"); conn != nil {
		t.Errorf("a listing begins: %s", r)
	}
	if _, err := f.log.await(func(r record) bool { return r["msg"] == "what is behind does not answer" }, 0, f.exited); err != nil {
		t.Errorf("the log does not say so: %v", err)
	}
	text := f.measures(t, "/metrics")
	for _, series := range []string{`causeway_behind_unavailable_total{behind="store1",store="store0"} `, `causeway_behind_mirror_queue{store="store0"} 2`} {
		if !strings.Contains(text, series) {
			t.Errorf("the metrics do not have %s:\n%s", series, text)
		}
	}
}

// listed fails the test unless the root lists so.
func (f *front) listed(t *testing.T, s *session, want ...string) {
	t.Helper()
	if got := s.names("NLST"); !slices.Equal(got, want) {
		t.Errorf("listed are %q, not %q", got, want)
	}
}
