package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMigratePlan writes a configuration of a vsftpd.conf, once, and lists what it could not
// carry over.
func TestMigratePlan(t *testing.T) {
	dir := t.TempDir()
	old, out := filepath.Join(dir, "vsftpd.conf"), filepath.Join(dir, "causeway.yaml")
	if err := os.WriteFile(old, []byte("listen_port=2121\nlocal_enable=YES\nftpd_banner=hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"migrate", "plan", "--from", old, "--store", "{kind: s3, bucket: b-1-2, region: eu-central-1}", "-o", out}
	code, stdout, stderr := invoke(t, "", args...)
	text, err := os.ReadFile(out)
	if code != exitOK || err != nil || stdout != "" {
		t.Fatalf("%d, %v\n%s%s", code, err, stdout, stderr)
	}
	if want := old + ":3: ftpd_banner hello: "; !strings.Contains(stderr, "not carried over: "+want) || !strings.Contains(string(text), want) {
		t.Errorf("ftpd_banner is not listed:\n%s\n%s", stderr, text)
	}
	for _, want := range []string{`address: "0.0.0.0:2121"`, "  files: {kind: s3, bucket: b-1-2, region: eu-central-1}\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if code, _, stderr := invoke(t, "", args...); code != exitError || !strings.Contains(stderr, "exists") {
		t.Errorf("writes over what is there: %d %s", code, stderr)
	}
	if code, stdout, _ := invoke(t, "", "migrate", "plan", "--from", old); code != exitOK || !strings.HasPrefix(stdout, "# Made by causeway migrate plan of "+old) {
		t.Errorf("%d %s", code, stdout)
	}
}

func TestMigratePlanRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ftp.conf")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"--from FILE is required": {},
		"--server where its name": {"--from", file},
		"no map of a store":       {"--from", file, "--server", "vsftpd", "--store", "s3"},
		"no such file":            {"--from", file + "x", "--server", "proftpd"},
	} {
		if code, _, stderr := invoke(t, "", append([]string{"migrate", "plan"}, args...)...); code == exitOK || !strings.Contains(stderr, want) {
			t.Errorf("%v: %d %s", args, code, stderr)
		}
	}
}
