//go:build e2e

package e2e

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"causeway/e2e/oldservers"
)

// original is a server as Debian installs it, and what its owner has added, if anything.
type original struct {
	name  string
	kind  oldservers.Kind
	lines []string
}

// writing is the vsftpd whose owner has let in the line without which nobody can write.
const writing = "vsftpd-writing"

var joe = oldservers.User{Name: "joe", Password: "joe's old pass"}

// TestPlannedLikeTheOriginal plans what Debian's packages install, serves it, and has one
// client do the same to the original and to the gateway, on trees that begin alike. Each
// reply that differs is in the table, with the reason.
func TestPlannedLikeTheOriginal(t *testing.T) {
	for _, c := range []original{{"vsftpd", oldservers.VSFTPD, nil}, {writing, oldservers.VSFTPD, []string{"write_enable=YES"}}, {"proftpd", oldservers.ProFTPD, nil}, {"pure-ftpd", oldservers.PureFTPd, nil}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			old, err := oldservers.StartDebian(t.Context(), c.kind, oldservers.Options{Dir: t.TempDir(), Users: []oldservers.User{joe}, Lines: c.lines})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(old.Kill)
			plantTree(t, filepath.Join(old.Homes, joe.Name))
			if err := old.Own(); err != nil {
				t.Fatal(err)
			}
			files := t.TempDir()
			plantTree(t, filepath.Join(files, joe.Name))
			address := servePlanned(t, c, old, files)
			theirs, ours := tell(t, old.Address), tell(t, address)
			differ(t, c.name, theirs, ours)
			if a, b := treeOf(t, filepath.Join(old.Homes, joe.Name)), treeOf(t, filepath.Join(files, joe.Name)); !maps.Equal(a, b) {
				t.Errorf("the same commands left\n%v\nthere and\n%v\nhere", a, b)
			}
		})
	}
}

// plantTree makes what the client finds.
func plantTree(t *testing.T, home string) {
	t.Helper()
	err := errors.Join(os.MkdirAll(filepath.Join(home, "d"), 0o755), os.MkdirAll(filepath.Join(home, "e"), 0o755))
	for name, text := range map[string]string{"a.txt": "hello world\n", "d/b.txt": "below\n", "with space.txt": "x", ".hidden": "h"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(home, name), []byte(text), 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// treeOf are the files and directories of a home, without what is the gateway's own.
func treeOf(t *testing.T, home string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	err := fs.WalkDir(os.DirFS(home), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		text := "directory"
		if !d.IsDir() {
			content, err := os.ReadFile(filepath.Join(home, path))
			if err != nil {
				return err
			}
			text = string(content)
		}
		tree[unique.ReplaceAllString(path, "unique")] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// unique are the names that STOU makes: vsftpd's, ProFTPD's, Pure-FTPd's and ours.
var unique = regexp.MustCompile(`^(STOU\.\d+|ftp[A-Za-z0-9]{6}|pureftpd\..*|upload-[a-z0-9]{26})$`)

// servePlanned plans with the command, where /etc is the old server's, does what the plan
// says is to be done, and serves files. Only where it listens and where it writes its audit
// are others.
func servePlanned(t *testing.T, c original, old *oldservers.Debian, files string) string {
	t.Helper()
	dir := t.TempDir()
	from := map[oldservers.Kind]string{oldservers.VSFTPD: "/etc/vsftpd.conf", oldservers.ProFTPD: "/etc/proftpd/proftpd.conf", oldservers.PureFTPd: "/etc/pure-ftpd"}[c.kind]
	inside := func(name string, args ...string) string {
		cmd := old.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(shared.binary)+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out)
	}
	out := inside(shared.binary, "migrate", "plan", "--from", from, "--root", old.Homes, "--store", "{kind: localdir, path: "+files+"}", "-o", "causeway.yaml")
	config := filepath.Join(dir, "causeway.yaml")
	text, err := os.ReadFile(config)
	if err != nil || !strings.Contains(out, "were not carried over") {
		t.Fatalf("plan: %v\n%s", err, out)
	}
	golden(t, "plan_"+c.name+".yaml", strings.ReplaceAll(strings.ReplaceAll(string(text), old.Homes, "/home"), files, "/data"))
	planned := strings.NewReplacer(`address: ":21"`, `address: "127.0.0.1:0"`, "/var/log/causeway/", "").Replace(string(text))
	if err := os.WriteFile(config, []byte(planned), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range regexp.MustCompile(`(?m)^#   (echo|causeway) .*`).FindAllString(planned, -1) {
		said := inside("/bin/sh", "-c", strings.TrimPrefix(command, "#   "))
		if strings.Contains(command, "user import") && !strings.Contains(said, "1 accounts were written") ||
			strings.Contains(command, "causeway check") && strings.Contains(said, "causeway check:") {
			t.Fatalf("%s\n%s", command, said)
		}
	}
	g := launch(t, "serve", "-c", config)
	record, err := g.log.await(func(r record) bool { return r["msg"] == "listening" }, 0, g.exited)
	if err != nil {
		t.Fatalf("gateway does not listen: %v\n%s", err, g.log)
	}
	return record.text("address")
}

// differ compares what was heard, and fails on what the table does not say, and on what it
// says and is not so.
func differ(t *testing.T, name string, theirs, ours []heard) {
	t.Helper()
	known := map[string]difference{}
	for _, d := range differences() {
		if slices.Contains(d.of, name) {
			known[d.command] = d
		}
	}
	if len(theirs) != len(ours) {
		t.Fatalf("%d replies there, %d here", len(theirs), len(ours))
	}
	for i, a := range theirs {
		b := ours[i]
		d, is := known[a.command]
		delete(known, a.command)
		switch {
		case a.what == b.what && is:
			t.Errorf("%s: the table has it and it does not differ: %s", a.command, a.what)
		case a.what != b.what && !is:
			t.Errorf("%s: %s there (%s), %s here (%s)", a.command, a.what, a.text, b.what, b.text)
		case is && (a.what != d.there || b.what != d.here):
			t.Errorf("%s: %s there (%s), %s here (%s), and the table has %s and %s", a.command, a.what, a.text, b.what, b.text, d.there, d.here)
		}
	}
	for _, command := range slices.SortedFunc(maps.Keys(known), cmp.Compare) {
		t.Errorf("%s: the table has it, and nobody says it", command)
	}
}

// golden compares a text with a file of testdata; CAUSEWAY_E2E_UPDATE=1 writes it.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("CAUSEWAY_E2E_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s is not\n%s\nbut\n%s", name, want, text)
	}
}

// heard is what a server answered to a command: the codes of its replies, and what came by
// the data connection where servers must send the same.
type heard struct{ command, what, text string }
