package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// importing runs user import on files of the old server with these texts, by name.
func runImport(t *testing.T, config string, args []string, files map[string]string) (code int, stderr string) {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{"user", "import", "-c", config}, args...)
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	code, stdout, stderr := invoke(t, "", args...)
	if stdout != "" || strings.Contains(stderr, "$1$") {
		t.Errorf("%q, %q", stdout, stderr)
	}
	return code, strings.ReplaceAll(stderr, dir+"/", "")
}

// TestImportAddsALineForEachAccount: one edit for all, which leaves the rest as it was.
func TestImportAddsALineForEachAccount(t *testing.T) {
	config, file := partners(t)
	text := "joe:" + oldHash + ":1:1::/srv/ftp/joe:/bin/false\nanna:" + oldHash + ":2:2::/srv/ftp/b/anna:/bin/false\n"
	code, stderr := runImport(t, config, []string{"--from", "proftpd", "--template", "partner"}, map[string]string{"p": text})
	if code != exitOK || !strings.Contains(stderr, "2 accounts were written to "+file+", 0 were not taken") {
		t.Errorf("%d: %s", code, stderr)
	}
	got, err := os.ReadFile(file)
	want := partnerFile + "  - {name: joe, password: '" + oldHash + "', template: partner}\n  - {name: anna, password: '" + oldHash + "', template: partner}\n"
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if !letsIn(t, config, "joe", "secret") || !letsIn(t, config, "acme", "secret") || letsIn(t, config, "joe", "Secret") {
		t.Error("the old passwords are not those of the accounts")
	}
}

// TestImportReportsWhatItCannotTake: by file and line, and the rest is taken all the same;
// the exit code tells.
func TestImportReportsWhatItCannotTake(t *testing.T) {
	config, file := partners(t)
	text := strings.Join([]string{
		"acme:" + oldHash, "globex:" + oldHash, "cam1:" + oldHash, "a/b:" + oldHash, "anonymous:" + oldHash, "joe:" + oldHash, "joe:" + oldHash,
		"des:abRy4/6THFs9U", "plain:canary words", "locked:!" + oldHash, "none",
	}, "\n")
	code, stderr := runImport(t, config, []string{"--from", "htpasswd", "--template", "partner"}, map[string]string{"h": text})
	for _, want := range []string{
		"h:1: acme: is an account already; --replace", "h:2: globex: is an account already, elsewhere", "h:3: cam1: is an account already, elsewhere",
		"h:4: a/b: cannot be put into the paths", "h:5: anonymous: is the name of the anonymous account", "h:7: joe: is in ", "h:8: des: has a des-crypt hash",
		"h:9: plain: the password's hash is of a kind", "h:10: locked: is locked", "h:11: is not NAME:HASH", "1 accounts were written to " + file + ", 10 were not taken",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("not told: %s", want)
		}
	}
	if code != exitError || strings.Contains(stderr, "canary") || !letsIn(t, config, "joe", "secret") || letsIn(t, config, "des", "secret") {
		t.Errorf("%d\n%s", code, stderr)
	}
}

// TestImportMapsHomes: what is behind the prefix stands for {home}, and leads nowhere else.
func TestImportMapsHomes(t *testing.T) {
	config, file := partners(t)
	moved := strings.Replace(partnerFile, "templates:\n", "templates:\n  moved: {mounts: [{path: /, store: disk, prefix: \"old/{home}/\", rights: [list, write]}]}\n", 1)
	if err := os.WriteFile(file, []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	line := func(name, home string) string { return name + ":" + oldHash + ":1:1::" + home + ":/bin/false\n" }
	code, stderr := runImport(t, config, []string{"--from", "passwd+shadow", "--template", "moved", "--home-strip", "/srv/ftp/"}, map[string]string{
		"p": line("joe", "/srv/ftp/north/joe/") + line("up", "/srv/ftp/../etc") + line("away", "/srv/ftpx/a") + line("top", "/srv/ftp"),
	})
	for _, want := range []string{"p:2: up: cannot be put into the paths", `p:3: away: its home "/srv/ftpx/a" is not below`, `p:4: top: its home "/srv/ftp" is not below`, "1 accounts were written"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("not told: %s", want)
		}
	}
	if stdout, _ := user(t, "", "show", "-c", config, "joe"); code != exitError || !strings.Contains(stdout, "/ is disk:old/north/joe/,") {
		t.Errorf("%d\n%s%s", code, stderr, stdout)
	}
}

// TestImportCarriesConditions: ends, networks and closed accounts, and --replace.
func TestImportCarriesConditions(t *testing.T) {
	config, file := partners(t)
	xml := `<filezilla><user name="acme" enabled="false"><mount_point tvfs_path="/" native_path="D:\ftp\acme"/><allowed_ips>192.0.2.0/24</allowed_ips><disallowed_ips>0.0.0.0/0</disallowed_ips>` +
		`<password index="1"><hash>VYOjkMUi75Y8EgGssCAOMk4npJHEuPcWMDVrN18EsHo</hash><salt>c2FsdHNhbHRzYWx0</salt><iterations>1000</iterations></password></user></filezilla>`
	if code, stderr := runImport(t, config, []string{"--from", "filezilla", "--template", "partner", "--replace"}, map[string]string{"u.xml": xml}); code != exitOK {
		t.Errorf("%d: %s", code, stderr)
	}
	shadow := "joe:" + oldHash + ":19700:0:99999:7::40000:\n"
	if code, stderr := runImport(t, config, []string{"--from", "passwd+shadow", "--template", "partner"}, map[string]string{"passwd": "joe:x:1:1::/srv/joe:/bin/sh\n", "shadow": shadow}); code != exitOK {
		t.Errorf("%d: %s", code, stderr)
	}
	got, err := os.ReadFile(file)
	for _, want := range []string{
		"template: partner, disabled: true, networks: [192.0.2.0/24]}\n", "  - {name: joe, password: '" + oldHash + "', template: partner, expires: 2079-07-07}\n",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s: %v\n%s", want, err, got)
		}
	}
}

// TestImportDryRun: the report is the same, and the file is as it was.
func TestImportDryRun(t *testing.T) {
	config, file := partners(t)
	code, stderr := runImport(t, config, []string{"--from", "htpasswd", "--template", "partner", "--dry-run", "--file", file}, map[string]string{"h": "joe:" + oldHash})
	if text, err := os.ReadFile(file); err != nil || string(text) != partnerFile || code != exitOK || !strings.Contains(stderr, "1 accounts would be written to") {
		t.Errorf("%d, %s, %v\n%s", code, stderr, err, text)
	}
	for _, args := range [][]string{
		{"--template", "partner"}, {"--from", "htpasswd"}, {"--from", "other", "--template", "partner"},
		{"--from", "htpasswd", "--template", "none"}, {"--from", "htpasswd", "--template", "partner", "--file", "none.yaml"},
	} {
		if code, stderr := runImport(t, config, args, map[string]string{"h": "joe:" + oldHash}); code == exitOK || stderr == "" {
			t.Errorf("%q: %d", args, code)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != partnerFile {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestImportIntoAStore: a users file in a store is written as one on the disk is.
func TestImportIntoAStore(t *testing.T) {
	config, file := partners(t)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	stored := filepath.Join(filepath.Dir(config), "data", ".causeway", "users.yaml")
	sources := strings.Replace(string(text), "{file: users.yaml}", "{store: disk, key: .causeway/users.yaml}, {file: users.yaml}", 1)
	if err := errors.Join(os.MkdirAll(filepath.Dir(stored), 0o700), os.WriteFile(stored, []byte(strings.ReplaceAll(partnerFile, "acme", "umbrella")), 0o600), os.WriteFile(config, []byte(sources), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{"first": nil, "named": {"--file", "disk:.causeway/users.yaml"}} {
		args = append([]string{"--from", "htpasswd", "--template", "partner"}, args...)
		code, stderr := runImport(t, config, args, map[string]string{"h": name + ":" + oldHash})
		if code != exitOK || !strings.Contains(stderr, "1 accounts were written to disk:.causeway/users.yaml,") {
			t.Errorf("%d: %s", code, stderr)
		}
		if got, err := os.ReadFile(stored); err != nil || !strings.Contains(string(got), "{name: "+name+",") {
			t.Errorf("%v\n%s", err, got)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != partnerFile {
		t.Errorf("the other users file is written: %v\n%s", err, text)
	}
}
