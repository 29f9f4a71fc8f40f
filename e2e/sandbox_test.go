//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestO12_BuiltBinaryIsConfined sees the sandbox of the built program from outside: all of
// its threads are in it, and it cannot read a file that it is told to read later on. With
// sandbox: off it can.
func TestO12_BuiltBinaryIsConfined(t *testing.T) {
	for _, c := range []struct{ sandbox, threads, refusal string }{
		{"on", "Seccomp:\t2", "permission denied"},
		{"off", "Seccomp:\t0", "failed to find any PEM data"},
	} {
		t.Run(c.sandbox, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "causeway.yaml")
			text := fmt.Sprintf("listeners: [{address: \"127.0.0.1:0\"}]\nstores: {disk: {kind: localdir, path: data}}\nanonymous: {mounts: [{path: /, store: disk}]}\n"+
				"tls: {certificate: %s, key: %s}\nsandbox: %s\n", quote(shared.cert.certFile), quote(shared.cert.keyFile), c.sandbox)
			write := func(text string) {
				t.Helper()
				if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(text)
			g := launch(t, "serve", "-c", config)
			if _, err := g.log.await(func(r record) bool { return r["msg"] == "listening" }, 0, g.exited); err != nil {
				t.Fatalf("%v\n%s", err, g.log)
			}
			for _, thread := range threads(t, g.cmd.Process.Pid) {
				if !strings.Contains(thread, c.threads) {
					t.Errorf("a thread has no %q:\n%s", c.threads, thread)
				}
			}
			write(strings.Replace(text, quote(shared.cert.certFile), "/etc/passwd", 1))
			if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			told, err := g.log.await(func(r record) bool { return strings.Contains(r.text("msg"), "the old one stays") }, 0, g.exited)
			if err != nil || !strings.Contains(told.text("err"), c.refusal) {
				t.Errorf("%v: %s", err, told.text("err"))
			}
		})
	}
}

// threads are what the system says of each thread of a process.
func threads(t *testing.T, pid int) []string {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("threads %q: %v", files, err)
	}
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}

// TestO12_NoProgramIsRun: a credential_process of the AWS SDK is a program, which the
// sandbox does not let run; with sandbox: off it runs.
func TestO12_NoProgramIsRun(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(server.Close)
	for sandbox, runs := range map[string]bool{"on": false, "off": true} {
		t.Run(sandbox, func(t *testing.T) {
			dir := t.TempDir()
			ran := filepath.Join(dir, "ran")
			profile := writeFile(t, "config", "[default]\ncredential_process = /usr/bin/touch "+ran+"\n")
			t.Setenv("AWS_CONFIG_FILE", profile)
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			config := writeFile(t, "causeway.yaml", fmt.Sprintf("listeners: [{address: \"127.0.0.1:0\"}]\nanonymous: {mounts: [{path: /, store: s3}]}\nsandbox: %s\n"+
				"stores: {s3: {kind: s3, bucket: bucket, region: us-east-1, endpoint: %q, path_style: true}}\nadmin: {address: \"127.0.0.1:0\"}\n", sandbox, server.URL))
			g := launch(t, "serve", "-c", config)
			admin, err := g.log.await(func(r record) bool { return r["msg"] == "admin listening" }, 0, g.exited)
			if err != nil {
				t.Fatalf("%v\n%s", err, g.log)
			}
			answer, err := http.Get("http://" + admin.text("address") + "/readyz") // asks the store
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if _, err := os.Stat(ran); (err == nil) != runs {
				t.Errorf("the program has run: %v\n%s", err == nil, g.log)
			}
		})
	}
}
