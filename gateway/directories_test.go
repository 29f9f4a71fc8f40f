package gateway

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/configs"
)

// directories is a configuration with one source of accounts. Secrets in it are canaries.
const directories = `
listeners: [{address: "127.0.0.1:0"}]
stores: {disk: {kind: localdir, path: data}}
templates: {partner: {mounts: [{path: /, store: disk, prefix: "in/{user}/", rights: [list, write]}]}}
accounts:
  - %s
`

// TestProblemsOfDirectoriesAndDatabases are told with their lines, and without secrets.
func TestProblemsOfDirectoriesAndDatabases(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`ldap: {url: "ldaps://l", search: {base: "people", filter: "(uid={user})"}, template: partner}`:                                       "ldap.search.base: ",
		`ldap: {url: "ldaps://l", search: {base: "", filter: "(uid={user}))"}, template: partner}`:                                            "ldap.search.base: is empty",
		`ldap: {url: "ldaps://l", search: {base: "dc=org", filter: "(&(uid={user})"}, template: partner}`:                                     "ldap.search.filter: ",
		`ldap: {url: "ldaps://l", search: {base: "dc=org", filter: "(uid=x{user})"}, template: partner}`:                                      "{user} alone",
		`ldap: {url: "ldaps://l", bind_dn_template: "{user}@example.org", template: partner}`:                                                 "ldap.bind_dn_template: ",
		`ldap: {url: "ldaps://l", bind_dn_template: "uid={user},dc=org", groups: {attribute: a, templates: [{group: g, template: partner}]}}`: "ldap.groups.templates[0].group: ",
		`sql: {driver: postgres, dsn: "postgres://canary:canary@h:port/d", query: "SELECT {user}", template: partner}`:                        "sql.dsn: ",
		`sql: {driver: mysql, dsn: "canary", query: "SELECT {user}", template: partner}`:                                                      "sql.dsn: ",
		`sql: {driver: mysql, dsn_file: dsn, query: "SELECT {user}", template: partner}`:                                                      "sql.dsn_file: ",
		`sql: {driver: mysql, dsn: "canary@/d", query: "SELECT name, password FROM t", template: partner}`:                                    "sql.query: ",
		`sql: {driver: mysql, dsn: "canary@/d", query: "SELECT name FROM t WHERE name='{user}'", template: partner}`:                          "without quotes",
	} {
		dir := t.TempDir()
		write(t, dir, "dsn", "canary")
		path := write(t, dir, "causeway.yaml", fmt.Sprintf(directories, source))
		cfg, err := configs.Load(path)
		if err == nil {
			_, err = newAccounts(t.Context(), cfg, slog.New(slog.DiscardHandler))
		}
		if err == nil || !strings.HasPrefix(err.Error(), path+":6: accounts[0].") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// TestS42_DirectoriesAndDatabasesKeepSecrets: what cannot be reached is told without what
// it would have been reached with.
func TestS42_DirectoriesAndDatabasesKeepSecrets(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`ldap: {url: "ldap://127.0.0.1:1", search: {base: "dc=org", filter: "(uid={user})", bind_dn: "cn=gateway,dc=org", bind_password: canary}, template: partner}`,
		`sql: {driver: postgres, dsn: "postgres://ftp:canary@127.0.0.1:1/d", query: "SELECT name, password FROM t WHERE name = {user}", template: partner}`,
		`sql: {driver: mysql, dsn: "ftp:canary@tcp(127.0.0.1:1)/d", query: "SELECT name, password FROM t WHERE name = {user}", template: partner}`,
	} {
		dir := t.TempDir()
		r := start(t, func(c *configs.Config) {
			cfg, err := configs.Load(write(t, dir, "causeway.yaml", fmt.Sprintf(directories, source)))
			if err != nil {
				t.Fatal(err)
			}
			c.Accounts, c.Templates = cfg.Accounts, cfg.Templates
		})
		c := dial(t, r.explicit, nil)
		c.do(331, "USER acme")
		c.do(421, "PASS canary of acme")
		if log := r.log.String(); !strings.Contains(log, "127.0.0.1:1") || strings.Contains(log, "canary") {
			t.Errorf("%s: the log says\n%s", source, log)
		}
	}
}

// TestS52_CheckAsksSourcesOfAccounts, one line each, without what they are reached with.
func TestS52_CheckAsksSourcesOfAccounts(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.NotFoundHandler())
	defer service.Close()
	dir := t.TempDir()
	cfg, err := configs.Load(write(t, dir, "causeway.yaml", fmt.Sprintf(directories, strings.Join([]string{
		`http: {url: "` + service.URL + `/", token: canary, template: partner}`,
		`http: {url: "http://127.0.0.1:1/", token: canary, template: partner}`,
		`ldap: {url: "ldap://127.0.0.1:1", search: {base: "dc=org", filter: "(uid={user})", bind_dn: "cn=gateway,dc=org", bind_password: canary}, template: partner}`,
		`sql: {driver: postgres, dsn: "postgres://ftp:canary@127.0.0.1:1/d", query: "SELECT name, password FROM t WHERE name = {user}", template: partner}`,
	}, "\n  - "))))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err = Check(t.Context(), cfg, &out)
	if !errors.Is(err, ErrSource) || errors.Is(err, ErrDenied) || strings.Contains(out.String()+err.Error(), "canary") {
		t.Errorf("%v\n%s", err, &out)
	}
	for _, want := range []string{"accounts[0]   http    ok\n", "accounts[1]   http    failed: ", "accounts[2]   ldap    failed: ", "accounts[3]   sql     failed: "} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	cfg.Accounts = cfg.Accounts[:1]
	if err := Check(t.Context(), cfg, io.Discard); err != nil {
		t.Errorf("with what answers: %v", err)
	}
}
