package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/configs"
)

// hook is a service that lets in whom it knows with the test's password.
func hook(t *testing.T, answers map[string]string) *configs.HTTPAccounts {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ User, Password string }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		answer, known := answers[asked.User]
		switch {
		case !known:
			w.WriteHeader(404)
		case asked.Password != password:
			w.WriteHeader(403)
		case answer == "":
			w.WriteHeader(500)
		default:
			fmt.Fprint(w, answer)
		}
	}))
	t.Cleanup(server.Close)
	return &configs.HTTPAccounts{URL: server.URL, Template: "partner"}
}

// TestS40_AccountsOfAService are what their templates say, in the order of the sources; who
// is told nowhere hears what a wrong password hears.
func TestS40_AccountsOfAService(t *testing.T) {
	t.Parallel()
	files := withFiles(t, partners)
	r := start(t, func(c *configs.Config) {
		c.Guard.Exempt = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		c.Templates = map[string]configs.Template{
			"partner": {Mounts: []configs.Mount{{Path: "/", Store: "disk", Prefix: "http/{user}/", Rights: []configs.Right{configs.Read, configs.Write}}}},
			"home":    {Mounts: []configs.Mount{{Path: "/", Store: "disk", Prefix: "{home}/", Rights: []configs.Right{configs.Write}}}},
		}
		c.Accounts = append(files.Accounts, configs.AccountSource{HTTP: hook(t, map[string]string{
			"hooli": `{"user": "hooli"}`, "homed": `{"user": "homed", "template": "home", "values": {"home": "/srv/homed"}}`,
			"acme": `{"user": "acme"}`, "down": "", "lost": `{"user": "lost", "template": "gone"}`,
			"up": `{"user": "up", "template": "home", "values": {"home": "a/../b"}}`, "../up": `{"user": "../up"}`,
			"closed": `{"user": "closed", "disabled": true}`, "CAM1": `{"user": "cam1"}`,
		})})
	})
	for user, place := range map[string]string{"hooli": "http/hooli", "homed": "srv/homed", "acme": "in/acme"} {
		c := dial(t, r.explicit, nil)
		c.login(user, password)
		c.upload("/new.txt", "for "+user)
		if on, err := os.ReadFile(filepath.Join(r.dir, place, "new.txt")); err != nil || string(on) != "for "+user {
			t.Errorf("%s, on disk: %q, %v", user, on, err)
		}
	}
	var clients []*client
	for _, attempt := range [][2]string{
		{"hooli", "wrong canary"}, {"down", "wrong canary"}, {"nobody", password},
		{"up", password}, {"../up", password}, {"closed", password}, {"CAM1", password},
	} {
		c := dial(t, r.explicit, nil)
		c.text.PrintfLine("USER %s\r\nPASS %s", attempt[0], attempt[1])
		clients = append(clients, c)
	}
	answers := map[string]bool{}
	for _, c := range clients {
		answers[c.expect(331)+c.expect(530)] = true
	}
	if len(answers) != 1 {
		t.Errorf("the answers differ: %v", answers)
	}
	for _, why := range []string{"disabled", "home: cannot be put", "user: cannot be put", "another account has this name"} {
		if !strings.Contains(r.log.String(), why) {
			t.Errorf("%q is not in the log:\n%s", why, r.log)
		}
	}
}

// TestA12_ServicesThatFailLetNobodyIn: not by the next source either, but the accounts
// before them still log in.
func TestA12_ServicesThatFailLetNobodyIn(t *testing.T) {
	t.Parallel()
	files := withFiles(t, partners, strings.NewReplacer("acme", "down", "globex", "lost").Replace(partners))
	r := start(t, func(c *configs.Config) {
		service := configs.AccountSource{HTTP: hook(t, map[string]string{"down": "", "lost": `{"user": "lost", "template": "gone"}`})}
		c.Accounts = []configs.AccountSource{files.Accounts[0], service, files.Accounts[1]}
	})
	for _, user := range []string{"down", "lost"} {
		c := dial(t, r.explicit, nil)
		c.do(331, "USER "+user)
		c.do(421, "PASS "+password)
	}
	for _, want := range []string{"status 500", `template \"gone\"`} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("no %q in the log:\n%s", want, r.log)
		}
	}
	dial(t, r.explicit, nil).login("acme", password)
}
