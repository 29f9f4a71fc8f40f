package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends/ftp/ftptest"
)

// TestMigrateKeepsToItsConnections: the old server has so many, whatever is to be copied at a
// time. The first files wait for each other, so that as many as may are read at once.
func TestMigrateKeepsToItsConnections(t *testing.T) {
	const connections = 3
	var reads atomic.Int32
	together := make(chan struct{})
	old := ftptest.Start(t, ftptest.Options{Answer: func(verb, _ string) (string, bool) {
		if verb == "RETR" {
			if reads.Add(1) == connections-1 {
				close(together)
			}
			<-together
		}
		return "", false
	}})
	for i := range 30 {
		old.Put(fmt.Sprintf("/in/%02d/x", i), "12345", time.Unix(1e9, 0))
	}
	config := filepath.Join(t.TempDir(), "causeway.yaml")
	text := fmt.Sprintf("listeners: [{address: \"127.0.0.1:0\"}]\nstores:\n  a: {kind: ftp, url: \"ftp://%s\", user: %s, password: %q, connections: %d}\n  b: {kind: localdir, path: %q}\nanonymous: {mounts: [{path: /, store: b}]}\n",
		old.Address, ftptest.User, ftptest.Password, connections, t.TempDir())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := invoke(t, "", "migrate", "--files", "20", "-c", config, "a:/", "b:/"); code != exitOK || reads.Load() != 30 {
		t.Fatalf("%d, %d files\n%s%s", code, reads.Load(), stdout, stderr)
	}
	logins := 0
	for _, command := range old.Commands() {
		if strings.HasPrefix(command, "USER ") {
			logins++
		}
	}
	if logins < connections-1 || logins > connections {
		t.Errorf("it had %d connections, of %d", logins, connections)
	}
}

// TestMigrateKeepsToItsRate: 100 KiB at 10 KiB a second, of which a tenth may come at once.
func TestMigrateKeepsToItsRate(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "causeway.yaml")
	text := "listeners: [{address: \"127.0.0.1:0\"}]\nstores: {a: {kind: localdir, path: a}, b: {kind: localdir, path: b}}\nanonymous: {mounts: [{path: /, store: a}]}\n"
	err := errors.Join(os.WriteFile(config, []byte(text), 0o600), os.Mkdir(filepath.Join(dir, "a"), 0o700), os.Mkdir(filepath.Join(dir, "b"), 0o700),
		os.WriteFile(filepath.Join(dir, "a", "x"), make([]byte, 100<<10), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		code, stdout, stderr := invoke(t, "", "migrate", "--rate", "10KiB", "-c", config, "a:/", "b:/")
		if took := time.Since(begun).Round(time.Millisecond); code != exitOK || took != 9900*time.Millisecond {
			t.Errorf("%d after %v\n%s%s", code, took, stdout, stderr)
		}
	})
}
