package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"causeway/auth"
	"causeway/configs"
	"causeway/gateway"
)

// oldHash is one of "secret".
const oldHash = "$1$salt$ez2vlPGdaLYkJam5pWs/Y1"

const partnerConfig = `
listeners: [{address: ":0"}]
stores: {disk: {kind: localdir, path: data}}
users:
  - {name: cam1, password: '` + oldHash + `', mounts: [{path: /, store: disk, rights: [read]}]}
accounts: [{file: users.yaml}, {file: more.yaml}]
`

const partnerFile = `# partners
templates:
  partner: {mounts: [{path: /, store: disk, prefix: "in/{user}/", rights: [list, write]}]}

users:
  # the first
  - {name: acme, password: '` + oldHash + `', template: partner}
`

// partners writes a configuration with users files, and returns its path and that of the
// first users file.
func partners(t *testing.T) (config, users string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"causeway.yaml": partnerConfig, "users.yaml": partnerFile,
		"more.yaml": strings.ReplaceAll(partnerFile, "acme", "globex"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "causeway.yaml"), filepath.Join(dir, "users.yaml")
}

// user runs a subcommand of user that must work, and tells if it shows a hash.
func user(t *testing.T, stdin string, args ...string) (stdout, stderr string) {
	t.Helper()
	code, stdout, stderr := invoke(t, stdin, append([]string{"user"}, args...)...)
	if code != exitOK || strings.Contains(stdout+stderr, "$") {
		t.Fatalf("%q: %d, %q, %q", args, code, stdout, stderr)
	}
	return stdout, stderr
}

// letsIn tells whether a gateway with the configuration would let in.
func letsIn(t *testing.T, config, name, password string) bool {
	t.Helper()
	cfg, err := configs.Load(config)
	if err != nil {
		t.Fatal(err)
	}
	all, err := gateway.Accounts(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var known []auth.User
	for _, a := range all {
		known = append(known, auth.User{Account: auth.Account{Name: a.Name}, Hash: a.Password.Reveal(), Disabled: a.Disabled})
	}
	accounts, err := auth.New(known, nil, auth.Hashes{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = accounts.Login(t.Context(), auth.Attempt{Name: name, Password: password})
	return err == nil
}

func TestUserAdd(t *testing.T) {
	config, file := partners(t)
	stdout, stderr := user(t, "", "add", "-c", config, "--template", "partner", "--generate", "initech")
	password := strings.TrimSuffix(stdout, "\n")
	if !regexp.MustCompile(`^[a-z2-7]{26}$`).MatchString(password) || strings.Contains(stderr, password) || !strings.Contains(stderr, "initech was added") {
		t.Errorf("%q, %q", stdout, stderr)
	}
	// Flags behind the name, as people write them.
	if stdout, _ := user(t, "hooli's own\n", "add", "hooli", "-c", config, "--template", "partner"); stdout != "" {
		t.Errorf("a password that was read is printed: %q", stdout)
	}
	if !letsIn(t, config, "initech", password) || !letsIn(t, config, "hooli", "hooli's own") || letsIn(t, config, "hooli", password) {
		t.Error("the passwords are not those of the accounts")
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(text), partnerFile) || strings.Contains(string(text), password) {
		t.Errorf("%v\n%s", err, text)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestUserChanges(t *testing.T) {
	config, file := partners(t)
	user(t, "", "disable", "-c", config, "acme")
	if letsIn(t, config, "acme", "secret") {
		t.Error("a disabled account")
	}
	if stdout, _ := user(t, "", "list", "-c", config); !regexp.MustCompile(`(?m)^acme +disabled +partner +/.*users\.yaml$`).MatchString(stdout) {
		t.Errorf("list:\n%s", stdout)
	}
	user(t, "", "enable", "-c", config, "acme")
	if !letsIn(t, config, "acme", "secret") {
		t.Error("an enabled account")
	}
	user(t, "another\n", "passwd", "-c", config, "globex")
	if !letsIn(t, config, "globex", "another") || letsIn(t, config, "globex", "secret") {
		t.Error("another password, in the second file")
	}
	user(t, "", "remove", "-c", config, "acme")
	if letsIn(t, config, "acme", "secret") {
		t.Error("a removed account")
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "# partners") || !strings.Contains(string(text), "# the first") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestUserRemoveWhoMayBeLearntAgain: as long as an old server is asked, its removed accounts
// may come back.
func TestUserRemoveWhoMayBeLearntAgain(t *testing.T) {
	config, _ := partners(t)
	for _, c := range []struct {
		until string
		told  bool
	}{{"9999-12-31", true}, {"2020-12-31", false}} {
		text := strings.Replace(partnerConfig, "{file: more.yaml}]", `{file: more.yaml}, {learn: {from: "ftps://old.example", into: users.yaml, template: device, until: `+c.until+`}}]
templates: {device: {mounts: [{path: /, store: disk, prefix: "in/{user}/", rights: [write]}]}}`, 1)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		name := map[bool]string{true: "acme", false: "globex"}[c.told]
		_, stderr := user(t, "", "remove", "-c", config, name)
		if told := strings.Contains(stderr, "ftps://old.example") && strings.Contains(stderr, c.until) && strings.Contains(stderr, "user disable"); told != c.told || !strings.Contains(stderr, name+" was removed") {
			t.Errorf("until %s: %q", c.until, stderr)
		}
	}
}

// TestUserNeedsNoEnvironment: variables of the service are not those of a shell.
func TestUserNeedsNoEnvironment(t *testing.T) {
	config, _ := partners(t)
	text := strings.Replace(partnerConfig, "'"+oldHash+"'", "'${CAUSEWAY_UNSET}'", 1)
	if err := os.WriteFile(config, []byte("tls: {certificate: none.pem, key: none.pem}"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	user(t, "secret\n", "add", "-c", config, "--template", "partner", "initech")
	if stdout, _ := user(t, "", "list", "-c", config); strings.Count(stdout, " active ") != 4 {
		t.Errorf("list:\n%s", stdout)
	}
}

func TestUserShow(t *testing.T) {
	config, _ := partners(t)
	stdout, _ := user(t, "", "show", "-c", config, "acme")
	for _, want := range []string{`name +acme`, `status +active`, `template +partner`, `mount +/ is disk:in/acme/, rights list write, incomplete: park`} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(stdout) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
	if stdout, _ := user(t, "", "list", "-c", config); strings.Count(stdout, "\n") != 4 || !strings.Contains(stdout, "the configuration") {
		t.Errorf("list:\n%s", stdout)
	}
}

func TestUserRefuses(t *testing.T) {
	config, file := partners(t)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"add", "-c", config, "--template", "partner", "acme"}, exitError, "is an account of " + file + " already; user passwd"},
		{[]string{"add", "-c", config, "--template", "partner", "cam1"}, exitError, "is an account of the configuration already"},
		{[]string{"add", "-c", config, "--template", "partner", "--generate", "../x"}, exitError, "users[1].name: cannot be put into the paths"},
		{[]string{"add", "-c", config, "--template", "partner", "--generate", "anonymous"}, exitError, "choose another name"},
		{[]string{"add", "-c", config, "--template", "partners", "--generate", "x"}, exitError, "did you mean partner?"},
		{[]string{"add", "-c", config, "x"}, exitUsage, "--template TEMPLATE is required"},
		{[]string{"add", "--template", "partner", "x"}, exitUsage, "-c FILE is required"},
		{[]string{"add", "-c", config}, exitUsage, "NAME is required"},
		{[]string{"add", "-c", config, "--template", "partner", "x", "canary"}, exitUsage, "unexpected argument"},
		{[]string{"add", "-c", config, "--template", "partner", "--", "-x", "canary"}, exitUsage, "unexpected argument"},
		{[]string{"add", "-c", config, "--template", "partner", "x"}, exitError, "a password has"},
		{[]string{"passwd", "-c", config, "x"}, exitError, "there is no account of this name; user list"},
		{[]string{"disable", "-c", config, "cam1"}, exitError, "is in the configuration itself"},
		{[]string{"remove", "-c", config + "x", "acme"}, exitError, "no such file"},
		{[]string{"rename"}, exitUsage, "unknown command"},
		{nil, exitUsage, "unknown command"},
	} {
		code, stdout, stderr := invoke(t, "", append([]string{"user"}, c.args...)...)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.want) || strings.Contains(stderr, "canary") {
			t.Errorf("%q: %d, %q, %q", c.args, code, stdout, stderr)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != partnerFile {
		t.Errorf("%v\n%s", err, text)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := invoke(t, "", "user", "list", "-c", config); code != exitError || !strings.Contains(stderr, "chmod o= "+file) {
		t.Errorf("a file that is open to all: %d, %q", code, stderr)
	}
	if err := os.WriteFile(config, []byte("stores: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := invoke(t, "", "user", "add", "-c", config, "x"); code != exitError || !strings.Contains(stderr, "names no users file") {
		t.Errorf("without a users file: %d, %q", code, stderr)
	}
}
