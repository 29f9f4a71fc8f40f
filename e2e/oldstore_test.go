//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"causeway/e2e/oldservers"
)

// TestO12_OldServerIsServedFromTheSandbox: the built program, confined, shows an old server's
// files by TLS, and a directory that is too large for memory, which takes temporary files.
func TestO12_OldServerIsServedFromTheSandbox(t *testing.T) {
	old, err := oldservers.Start(t.Context(), oldservers.ProFTPD, oldservers.Options{Dir: t.TempDir(), TLS: true, RequireReuse: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(old.Kill)
	const many = 20_000
	large := filepath.Join(old.Homes, "large")
	if err := os.Mkdir(large, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range many {
		if err := os.WriteFile(filepath.Join(large, fmt.Sprintf("%08d.dat", i)), []byte(strconv.Itoa(i)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, port, err := net.SplitHostPort(old.Address)
	if err != nil {
		t.Fatal(err)
	}
	config := writeFile(t, "causeway.yaml", fmt.Sprintf(`listeners: [{address: "127.0.0.1:0"}]
stores: {old: {kind: ftp, url: "ftps://localhost:%s", user: %s, password: %q, ca: %s}}
anonymous: {mounts: [{path: /, store: old}]}
sandbox: on
`, port, old.Admin.Name, old.Admin.Password, quote(old.Certificate)))
	if o := causeway(t, "", "check", "-c", config); o.code != 0 || strings.Contains(o.stdout, old.Admin.Password) {
		t.Errorf("check: %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	g := launch(t, "serve", "-c", config)
	listening, err := g.log.await(func(r record) bool { return r["msg"] == "listening" }, 0, g.exited)
	if err != nil {
		t.Fatalf("%v\n%s", err, g.log)
	}
	if _, err := g.log.await(func(r record) bool { return r["msg"] == "sandbox is closed" }, 0, g.exited); err != nil {
		t.Fatalf("%v\n%s", err, g.log)
	}
	fetch := func(path string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "curl", "-sS", "ftp://"+listening.text("address")+path).Output()
		if err != nil {
			t.Fatalf("curl %s: %v\n%s", path, err, g.log)
		}
		return string(out)
	}
	if n := strings.Count(fetch("/large/"), ".dat"); n != many {
		t.Errorf("%d files are listed", n)
	}
	if got := fetch("/large/00012345.dat"); got != "12345" {
		t.Errorf("read %q", got)
	}
}
