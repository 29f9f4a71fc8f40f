//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"causeway/e2e/oldservers"
)

const learnConfig = `listeners: [{address: "127.0.0.1:0"}]
tls: {certificate: %s, key: %s}
stores: {disk: {kind: localdir, path: %s}}
templates: {device: {mounts: [{path: /, store: disk, prefix: "in/{user}/", rights: [list, read, write]}]}}
accounts:
  - {file: users.yaml}
  - learn: {from: "ftps://%s", into: users.yaml, template: device, until: 9999-12-31, ca: %s}
guard: {exempt: [127.0.0.0/8]}
log: {format: json, level: debug}
audit: {file: audit.log}
`

// learnUsers is the users file before anybody has come.
const learnUsers = `# who has moved
users:
  - {name: closed, password: %s, disabled: true, mounts: [{path: /, store: disk, rights: [read]}]}  # for good
  # the end
`

// learner is a gateway in front of an old server, with its users file.
type learner struct {
	*gateway
	old           *oldservers.Server
	config, users string
	address       string
}

func startLearner(t *testing.T, kind oldservers.Kind, users []oldservers.User) *learner {
	t.Helper()
	old, err := oldservers.Start(t.Context(), kind, oldservers.Options{Dir: t.TempDir(), Users: users, TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(old.Kill)
	dir := t.TempDir()
	l := &learner{old: old, config: filepath.Join(dir, "causeway.yaml"), users: filepath.Join(dir, "users.yaml")}
	config := fmt.Sprintf(learnConfig, quote(shared.cert.certFile), quote(shared.cert.keyFile), quote(t.TempDir()), old.Address, quote(old.Certificate))
	err = errors.Join(os.WriteFile(l.config, []byte(config), 0o600), os.WriteFile(l.users, fmt.Appendf(nil, learnUsers, quote(shared.hash)), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	l.serve(t)
	return l
}

// serve starts the gateway, also after its end.
func (l *learner) serve(t *testing.T) {
	t.Helper()
	l.gateway = launch(t, "serve", "-c", l.config)
	record, err := l.log.await(func(r record) bool { return r["msg"] == "listening" }, 0, l.exited)
	if err != nil {
		t.Fatalf("gateway does not listen: %v\n%s", err, l.log)
	}
	l.address = record.text("address")
}

// Exit codes of curl.
const (
	curlOK     = 0
	curlDenied = 67
)

// enter logs in with curl and uploads a file, and returns curl's exit code and the reply to
// PASS.
func (l *learner) enter(t *testing.T, name, password string) (code int, reply string) {
	t.Helper()
	file := writeFile(t, "secret.netrc", fmt.Sprintf("user = %s\n", quote(name+":"+password)))
	cmd := exec.CommandContext(t.Context(), "curl", "-sS", "-v", "--ssl-reqd", "-k", "--max-time", "50", "-K", file, "-T", file, "ftp://"+l.address+"/"+filepath.Base(t.TempDir()))
	out, _ := cmd.CombinedOutput() // the code is read from ProcessState
	_, answered, _ := strings.Cut(string(out), "\n> PASS ")
	_, answered, _ = strings.Cut(answered, "\n< ")
	reply, _, _ = strings.Cut(answered, " ")
	return cmd.ProcessState.ExitCode(), reply
}

// is fails the test if a login does not end with a reply.
func (l *learner) is(t *testing.T, name, password, want string) {
	t.Helper()
	code, reply := l.enter(t, name, password)
	if reply != want || (code == curlOK) != (want == "230") || want == "530" && code != curlDenied {
		t.Errorf("%s: reply %q, not %s, and curl ends with %d", name, reply, want, code)
	}
}

// known tells whether the users file has an account with an argon2id hash, how often.
func (l *learner) known(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(l.users)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "name: "+name+", password: '$argon2id$")
}

// TestLearnThenLeaveTheOldServer with the servers that people leave: whoever comes while
// they run gets in with the old password, and also when they are shut down for good, whoever
// has killed the gateway meanwhile. Who has never come does not get in then.
func TestLearnThenLeaveTheOldServer(t *testing.T) {
	for _, kind := range oldservers.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			users := []oldservers.User{
				{Name: "cam1", Password: "cam1's canary pässword"}, {Name: "cam2", Password: `canary "\#: of 2`},
				{Name: "late", Password: "canary of late"}, {Name: "closed", Password: "canary of closed"},
			}
			l := startLearner(t, kind, users)
			l.prove(t, users)
			l.old.Stop()
			_ = l.interrupt(t, syscall.SIGKILL)
			l.serve(t)
			l.is(t, "cam1", users[0].Password, "230")
			l.is(t, "cam2", users[1].Password, "230")
			l.is(t, "cam1", "canary guess", "530")
			l.is(t, "late", users[2].Password, "421")
			l.is(t, "closed", users[3].Password, "530")
			l.hides(t)
		})
	}
}

// prove has the users come while the old server runs.
func (l *learner) prove(t *testing.T, users []oldservers.User) {
	t.Helper()
	l.is(t, "cam1", "canary guess", "530")
	l.is(t, "nobody", "canary guess", "530")
	if l.known(t, "cam1")+l.known(t, "nobody") > 0 {
		t.Error("who was refused is in the users file")
	}
	var entering sync.WaitGroup
	for range 4 { // a device with many connections, and one with another password
		entering.Go(func() { l.is(t, "cam1", users[0].Password, "230") })
	}
	entering.Go(func() { l.is(t, "cam1", "canary guess", "530") })
	entering.Go(func() { l.is(t, "cam2", users[1].Password, "230") })
	entering.Wait()
	if one, two := l.known(t, "cam1"), l.known(t, "cam2"); one != 1 || two != 1 {
		t.Errorf("cam1 is in the users file %d times, cam2 %d times", one, two)
	}
	l.is(t, "closed", users[3].Password, "530")
	l.is(t, "CAM1", users[0].Password, "530")
	text, err := os.ReadFile(l.users)
	if err != nil || !strings.HasPrefix(string(text), strings.TrimSuffix(fmt.Sprintf(learnUsers, quote(shared.hash)), "  # the end\n")) || !strings.HasSuffix(string(text), "  # the end\n") {
		t.Errorf("%v, the users file is\n%s", err, text)
	}
	l.hides(t)
}

// hides fails the test if a password is where it must not be.
func (l *learner) hides(t *testing.T) {
	t.Helper()
	audit, err := os.ReadFile(filepath.Join(filepath.Dir(l.config), "audit.log"))
	users, unread := os.ReadFile(l.users)
	if err := errors.Join(err, unread); err != nil {
		t.Fatal(err)
	}
	if text := l.log.String() + string(audit) + string(users); strings.Contains(text, "canary") || !strings.Contains(string(audit), "cam1") {
		t.Errorf("a password is in what the gateway has written, or nothing is:\n%s", text)
	}
}
