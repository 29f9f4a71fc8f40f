package gateway

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"causeway/backends/ftp/ftptest"
	"causeway/configs"
)

// token is what the canaries' issuer of tokens gives out.
const token = "canary-token"

// refusing is a server for all kinds of store that refuses every request: in the service's
// own words for keys with "denied" in them, else with a status that no store expects. It
// gives tokens away all the same.
func refusing(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // it is refused whatever it says
		switch {
		case r.URL.Path == "/token":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, token)
		case strings.Contains(r.URL.String(), "denied"):
			w.Header().Set("X-Ms-Error-Code", "AuthorizationFailure")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
		default:
			w.WriteHeader(http.StatusTeapot)
			fmt.Fprint(w, "cannot brew")
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// serviceAccount writes a credentials file and returns its path and a line of its key.
func serviceAccount(t *testing.T, dir, issuer string) (path, secret string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	content, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "gateway@example.com", "private_key_id": "1",
		"private_key": text, "token_uri": issuer + "/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	return write(t, dir, "sa.json", string(content)), strings.Split(text, "\n")[5]
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// everyStore is a configuration with a store of each kind, whose secrets are in the
// environment.
const everyStore = `
listeners: [{address: "127.0.0.1:0"}]
stores:
  disk:  {kind: localdir, path: data}
  s3:    {kind: s3, bucket: bucket, endpoint: %[1]q, path_style: true, access_key: key, secret_key: "${CANARY_SECRET}"}
  keys:  {kind: s3, bucket: keys, endpoint: %[1]q, path_style: true, access_key: key, secret_key: "${CANARY_SECRET}"}
  role:  {kind: s3, bucket: role, endpoint: %[1]q, path_style: true, access_key: key, secret_key: "${CANARY_SECRET}"}
  azure: {kind: azblob, account: a, container: bucket, account_key: "${CANARY_ACCOUNT}", endpoint: "%[1]s/a"}
  gcs:   {kind: gcs, bucket: bucket, credentials_file: sa.json, endpoint: %[1]q}
  old:   {kind: ftp, url: %[2]q, user: old, password: "${CANARY_OLD}"}
users:
  - name: cam1
    password: "${CANARY_HASH}"
    credentials:
      keys: {access_key: own, secret_key: "${CANARY_OWN}"}
      role: {assume_role: {role_arn: "arn:aws:iam::123456789012:role/r", external_id: "${CANARY_EXTERNAL}"}}
    mounts:
      - {path: /keys, store: keys, rights: [list, read, write, overwrite, delete, rename, mkdir]}
      - {path: /role, store: role, rights: [list, read, write, overwrite, delete, rename, mkdir]}
      - {path: /disk, store: disk, rights: [list, read, write]}
      - {path: /s3, store: s3, rights: [list, read, write, overwrite, delete, rename, mkdir]}
      - {path: /azure, store: azure, rights: [list, read, write, overwrite, delete, rename, mkdir]}
      - {path: /gcs, store: gcs, rights: [list, read, write, overwrite, delete, rename, mkdir]}
      - {path: /old, store: old, rights: [list, read, write, overwrite, delete, rename, mkdir]}
log: {level: debug}
audit: {file: audit.log}
admin: {address: "127.0.0.1:0"}
`

// TestA15_S42_NothingWrittenTellsASecret takes a gateway with a store of each kind through
// logins that are right and wrong and through stores that refuse, and looks for its
// secrets in all that is written: the log at its finest, the audit, the metrics, replies,
// and what check prints.
func TestA15_S42_NothingWrittenTellsASecret(t *testing.T) {
	server, dir := refusing(t), t.TempDir()
	_, key := serviceAccount(t, dir, server.URL)
	account := base64.StdEncoding.EncodeToString([]byte("canary of the account"))
	secrets := map[string]string{
		"password": password, "wrong password": "canary-wrong", "hash": hash, "secret key": "canary-secret",
		"account key": account, "private key": key, "token": token,
		"account's secret key": "canary-own", "external id": "canary-external", "old server's password": "canary-old",
	}
	old := ftptest.Start(t, ftptest.Options{Answer: func(verb, _ string) (string, bool) { return "530 Cannot pour", verb == "PASS" }})
	t.Setenv("CANARY_OLD", secrets["old server's password"])
	t.Setenv("CANARY_OWN", secrets["account's secret key"])
	t.Setenv("CANARY_EXTERNAL", secrets["external id"])
	t.Setenv("CANARY_SECRET", secrets["secret key"])
	t.Setenv("CANARY_ACCOUNT", account)
	t.Setenv("CANARY_HASH", hash)
	cfg, err := configs.Load(write(t, dir, "causeway.yaml", fmt.Sprintf(everyStore, server.URL, "ftp://"+old.Address)))
	if err != nil {
		t.Fatal(err)
	}
	var written syncBuffer
	fmt.Fprintln(&written, cfg)
	if err := Check(t.Context(), cfg, &written); err == nil {
		t.Error("the stores refuse, but the check is content")
	} else {
		fmt.Fprintln(&written, err)
	}
	log := new(syncBuffer)
	tourOfRefusals(t, serve(t, cfg, log), &written)
	for _, needed := range []string{`"verb":"PASS"`, "cannot brew", "Cannot pour", "s3", "azure", "gcs", "role cannot be taken on"} {
		if !strings.Contains(log.String(), needed) {
			t.Errorf("the log tells nothing of %s:\n%s", needed, log)
		}
	}
	fmt.Fprint(&written, log.String(), auditOf(t, dir), metricsOf(t, log.String()))
	for name, secret := range secrets {
		if strings.Contains(written.String(), secret) {
			t.Errorf("the %s is in:\n%s", name, &written)
		}
	}
}

// auditOf is the audit of a gateway that runs, once a file operation is in it.
func auditOf(t *testing.T, dir string) string {
	t.Helper()
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); runtime.Gosched() {
		text, err := os.ReadFile(filepath.Join(dir, "audit.log"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `"verb":"STOR"`) {
			return string(text)
		}
	}
	t.Fatal("the audit stays empty")
	return ""
}

// metricsOf are those of the gateway whose log tells where.
func metricsOf(t *testing.T, log string) string {
	t.Helper()
	address := regexp.MustCompile(`"admin listening","address":"([^"]+)"`).FindStringSubmatch(log)[1]
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(text), `store="azure"`) {
		t.Fatalf("%v in %s", err, text)
	}
	return string(text)
}

// serve runs a gateway for the time of the test and returns its address.
func serve(t *testing.T, cfg *configs.Config, log io.Writer) string {
	t.Helper()
	g, err := New(t.Context(), cfg, NewLog(log, cfg.Log))
	if err != nil {
		t.Fatal(err)
	}
	addrs, err := g.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return addrs[0].String()
}

// tourOfRefusals does on each store what fails, and writes down the replies.
func tourOfRefusals(t *testing.T, address string, replies io.Writer) {
	t.Helper()
	c := dial(t, address, nil)
	hear := func() {
		code, text, err := c.text.ReadResponse(0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(replies, code, text)
	}
	say := func(line string) {
		if err := c.text.PrintfLine("%s", line); err != nil {
			t.Fatal(err)
		}
		hear()
	}
	for _, line := range []string{"PASS canary-wrong", "USER cam1", "PASS canary-wrong"} {
		say(line)
	}
	c.login("cam1", password)
	for _, mount := range []string{"/s3", "/keys", "/role", "/azure", "/gcs", "/old"} {
		for _, name := range []string{mount + "/denied", mount + "/odd"} {
			for _, verb := range []string{"CWD ", "SIZE ", "MDTM ", "MLST ", "MKD ", "DELE ", "RMD ", "RNFR ", "HASH "} {
				say(verb + name)
			}
			say("EPSV")
			say("RETR " + name)
			conn := c.data("STOR " + name)
			if _, err := io.WriteString(conn, "content"); err != nil {
				t.Fatal(err)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			hear()
		}
	}
	say("QUIT")
}

// TestS42_ConfigurationErrorsTellNoSecret: what cannot be used is named, not quoted.
func TestS42_ConfigurationErrorsTellNoSecret(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"hash": func(text string) string {
			return strings.ReplaceAll(text, "${CANARY_HASH}", "$1$canary")
		},
		"kind of hash": func(text string) string {
			return strings.ReplaceAll(text, "${CANARY_HASH}", "canary in clear")
		},
		"account key": func(text string) string {
			return strings.ReplaceAll(text, "${CANARY_ACCOUNT}", "canary, which is not base64")
		},
		"credentials file": func(text string) string { return text },
		"half of a pair":   func(text string) string { return strings.ReplaceAll(text, "access_key: key, ", "") },
		"endpoint":         func(text string) string { return strings.ReplaceAll(text, "://", "://user:canary@") },
		"syntax":           func(text string) string { return strings.ReplaceAll(text, `"${CANARY_SECRET}"}`, `"canary`) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "sa.json", `{"type": "service_account", "private_key": "canary`)
			t.Setenv("CANARY_SECRET", "canary-secret")
			t.Setenv("CANARY_OWN", "canary-own")
			t.Setenv("CANARY_EXTERNAL", "canary-external")
			t.Setenv("CANARY_OLD", "canary-old")
			t.Setenv("CANARY_ACCOUNT", base64.StdEncoding.EncodeToString([]byte("key")))
			t.Setenv("CANARY_HASH", hash)
			text := change(fmt.Sprintf(everyStore, "http://127.0.0.1:1", "ftp://127.0.0.1:1"))
			cfg, err := configs.Load(write(t, dir, "causeway.yaml", text))
			var log bytes.Buffer
			if err == nil {
				_, err = New(t.Context(), cfg, NewLog(&log, cfg.Log))
			}
			if err == nil {
				t.Fatal("it is taken")
			}
			if said := strings.ReplaceAll(err.Error()+log.String(), dir, ""); strings.Contains(said, "canary") {
				t.Errorf("a secret shows: %s", said)
			}
		})
	}
}
