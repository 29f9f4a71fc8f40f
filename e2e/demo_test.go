//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDemo does what a newcomer does: start the demo, paste the three lines that it
// prints, and end it with Ctrl-C.
func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	g := launch(t, "demo", "--ftp-address", "127.0.0.1:0", "--ftps-address", "127.0.0.1:0", "--dir", dir)
	lines := demoLines(t, g)
	work := t.TempDir()
	for _, file := range []string{"README.md", "hello.txt"} {
		if err := os.WriteFile(filepath.Join(work, file), []byte("hello\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range lines {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, "sh", "-ec", line)
		cmd.Dir = work
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s\n%v\n%s", line, err, out)
		} else {
			t.Logf("%s\n%s", line, out)
		}
	}
	if code := g.interrupt(t, syscall.SIGINT); code != 0 {
		t.Errorf("Ctrl-C ends it with %d", code)
	}
	files := 0
	_ = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.Contains(path, "/public/") {
			files++
		}
		return nil
	})
	if files == 0 {
		t.Error("the upload is not in the directory")
	}
}

// demoLines waits for the demo's three curl lines.
func demoLines(t *testing.T, g *gateway) []string {
	t.Helper()
	var lines []string
	err := poll(t.Context(), patience, func() error {
		lines = nil
		for _, line := range strings.Split(g.stdout(), "\n") {
			if strings.Contains(line, "curl ") && strings.Contains(line, "://") {
				lines = append(lines, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "$ ")))
			}
		}
		if len(lines) != 3 {
			return fmt.Errorf("%d curl lines printed:\n%s\n%s", len(lines), g.stdout(), g.log)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// TestS41_DemoIsPublic reads the demo's /public without a password, and cannot write it.
func TestS41_DemoIsPublic(t *testing.T) {
	g := launch(t, "demo", "--ftp-address", "127.0.0.1:0", "--ftps-address", "127.0.0.1:0", "--dir", filepath.Join(t.TempDir(), "bucket"))
	line := demoLines(t, g)[0]
	_, after, _ := strings.Cut(line, "ftp://")
	address, _, _ := strings.Cut(after, "/")
	s := connect(t, address)
	s.do("USER anonymous", "331", "230")
	s.do("PASS guest@example.org", "230")
	s.do("TYPE I", "200")
	s.do("CWD /public", "250")
	names := s.names("NLST")
	if len(names) == 0 {
		t.Fatal("/public is empty")
	}
	s.fetch("RETR " + names[0])
	_ = s.passive()
	s.do("STOR "+names[0], "553", "550")
	s.do("DELE "+names[0], "550")
	s.do("MKD /public/x", "550")
	s.do("QUIT", "221")
}

// Ctrl-C and SIGTERM end serve cleanly.
func TestSignalsEndServe(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		g := start(t, setup{plain4: true, accounts: []account{{name: user, store: bucketOf("localdir")}}})
		s := connect(t, g.address(false, false))
		s.login(user)
		if code := g.interrupt(t, signal); code != 0 {
			t.Errorf("%v ends it with %d", signal, code)
		}
	}
}
