//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"causeway/e2e/process"
)

// hookToken is what the service knows the gateway by.
const hookToken = "canary-token"

// service is testdata/hook_server.py, which names the accounts.
type service struct {
	*process.Server
	asked string // file of its questions
}

func startService(t *testing.T) service {
	t.Helper()
	asked := filepath.Join(t.TempDir(), "asked")
	server, err := process.Start(t.Context(), process.Program{
		Command: func(port string) *exec.Cmd {
			return exec.Command("python3", filepath.Join("testdata", "hook_server.py"), port, password, asked)
		},
		Ready: func(ctx context.Context, address string) bool {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
			if err != nil {
				return false
			}
			response, err := http.DefaultClient.Do(request)
			return err == nil && response.Body.Close() == nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return service{server, asked}
}

// hookQuestion is what the service wrote down of a question.
type hookQuestion struct {
	User, Remote, Host, Authorization string
	TLS                               bool
}

// questions are those that were asked about an account.
func (s service) questions(t *testing.T, user string) []hookQuestion {
	t.Helper()
	f, err := os.Open(s.asked)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []hookQuestion
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var q hookQuestion
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			t.Fatal(err)
		}
		if q.User == user {
			list = append(list, q)
		}
	}
	return list
}

// openHook starts a gateway that asks the service, and then a users file, in which there are
// accounts that the service fails on, too.
func (s service) openHook(t *testing.T, more string) door {
	t.Helper()
	users := "users:\n"
	for _, name := range []string{"later", "broken", "hangs", "moved", "babble"} {
		users += "  - {name: " + name + ", password: " + quote(shared.hash) + ", template: partner}\n"
	}
	return openDoor(t, doorTemplates+`  grouped: {mounts: [{path: /, store: store0, prefix: "in/{group}/{user}/", rights: [list, read, write]}]}
accounts:
  - http: {url: "http://`+s.Address+`/ftp", token: `+hookToken+`, template: partner, `+more+`}
  - {file: `+quote(writeFile(t, "users.yaml", users))+`}
`)
}

// TestHook asks a service for accounts by HTTP.
func TestHook(t *testing.T) {
	t.Parallel()
	s := startService(t)
	d := s.openHook(t, "timeout: 30s")
	d.attempts(t, []attempt{
		{user, password, "230", "own"},
		{"acme", password, "230", "in/emea/acme"},
		{"globex", password, "230", "srv/globex"},
		{"plain", password, "230", "partners/plain"},
		{"until", password, "230", "partners/until"},
		{"later", password, "230", "partners/later"}, // unknown to the service
		{"acme", "wr0ng guess", "530", ""},
		{"later", "wr0ng guess", "530", ""},
		{"stranger", password, "530", ""},
		{"closed", password, "530", ""},
		{"past", password, "530", ""},
		{"elsewhere", password, "530", ""},
		{"groupless", password, "530", ""}, // its template needs what it does not have
		{"up", password, "530", ""},        // what it has leads out of its place
	})
	t.Run("TestA12", func(t *testing.T) { s.proveFailures(t, d) })
	for _, q := range append(s.questions(t, "acme"), s.questions(t, "later")...) {
		if q.Authorization != "Bearer "+hookToken || q.Remote != "127.0.0.1" || !q.TLS {
			t.Errorf("asked %+v", q)
		}
	}
	if asked := s.questions(t, user); len(asked) > 0 {
		t.Errorf("the service is told of a user of the configuration: %+v", asked)
	}
	for _, secret := range []string{password, "wr0ng guess", hookToken} {
		if strings.Contains(d.log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	for _, reason := range []string{"the answer has status 500", "the answer is not one object of JSON", "connection refused"} {
		d.tells(t, reason)
	}
}

// proveFailures: a service that does not answer, or not as it should, lets nobody in, whoever
// would know the account behind it.
func (s service) proveFailures(t *testing.T, d door) {
	d.attempts(t, []attempt{
		{"broken", password, "421", ""},
		{"moved", password, "421", ""},
		{"babble", password, "421", ""},
		{"other", password, "421", ""},   // it answers for another account
		{"further", password, "421", ""}, // with a key that nobody knows
		{"untold", password, "421", ""},  // there is no such template
	})
	hasty := s.openHook(t, "timeout: 500ms")
	hasty.attempts(t, []attempt{{"hangs", password, "421", ""}})
	hasty.tells(t, "deadline exceeded")
	s.Stop()
	d.attempts(t, []attempt{{"acme", password, "421", ""}, {"later", password, "421", ""}, {user, password, "230", "own"}})
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.attempts(t, []attempt{{"acme", password, "230", "in/emea/acme"}, {"acme", "wrong", "530", ""}})
}

// TestHookCache: an account is asked for once in a while, and a wrong password each time.
func TestHookCache(t *testing.T) {
	t.Parallel()
	s := startService(t)
	d := s.openHook(t, "timeout: 30s, cache: 5m")
	for range 3 {
		d.attempts(t, []attempt{{"acme", password, "230", "in/emea/acme"}})
	}
	if n := len(s.questions(t, "acme")); n != 1 {
		t.Errorf("the service was asked %d times for 3 logins", n)
	}
	d.attempts(t, []attempt{{"acme", "wrong", "530", ""}})
	if n := len(s.questions(t, "acme")); n != 2 {
		t.Errorf("the service was asked %d times, with a wrong password", n)
	}
}
