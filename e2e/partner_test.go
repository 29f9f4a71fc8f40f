//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// partnersFile is that of the README.
const partnersFile = `# what partners have in common; {user} is the partner's name
templates:
  partner:
    mounts: [{path: /, store: store0, prefix: "in/{user}/", rights: [list, write]}]
`

// TestNewPartner is the way of the README: a partner is added with one command while the
// gateway runs, uploads with lftp and in FileZilla's order, audit and metrics tell of it, and
// who guesses is banned.
func TestNewPartner(t *testing.T) {
	t.Parallel()
	bucket, err := newLocalBucket(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	users, audit := writeFile(t, "users.yaml", partnersFile), filepath.Join(t.TempDir(), "audit.log")
	s := setup{
		accounts: []account{{name: user, store: bucket, prefix: "own/"}},
		plain4:   true,
		extra: fmt.Sprintf("accounts: [{file: %s}]\naudit: {file: %s}\nadmin: {address: \"127.0.0.1:0\"}\n", quote(users), quote(audit)) +
			"guard: {ban_after: 5}\n",
	}
	g := start(t, s)
	config := s.config(t)
	made := causeway(t, "", "user", "add", "-c", config, "--template", "partner", "--generate", "acme")
	secret := strings.TrimSpace(made.stdout)
	if made.code != 0 || len(secret) < 20 {
		t.Fatalf("user add: %+v", made)
	}
	if o := causeway(t, password+"\n", "user", "add", "-c", config, "--template", "partner", "globex"); o.code != 0 {
		t.Fatalf("user add: %+v", o)
	}
	r, err := g.log.await(func(r record) bool { return r["msg"] == "accounts were read again" }, 0, g.exited)
	if err != nil {
		t.Fatalf("the new accounts are not read: %v", r)
	}
	awaitLogin(t, g, "globex", "230")

	c := connect(t, g.address(false, false))
	c.secure(shared.cert.clientTLS())
	c.do("USER acme", "331")
	c.do("PASS "+secret, "230")
	for _, line := range []string{"SYST", "FEAT", "OPTS UTF8 ON", "PWD", "TYPE I"} {
		c.do(line, "2")
	}
	if shown := c.fetch("MLSD"); len(shown) > 0 {
		t.Errorf("a new partner sees %q", shown)
	}
	data := content(50_000)
	c.store("STOR invoice.pdf", data)
	bucket.holds(t, "in/acme/invoice.pdf", data)

	local := filepath.Join(t.TempDir(), "order.xml")
	if err := os.WriteFile(local, data, 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := newSite(g.address(false, false), mode{tls: "explicit"}, "globex", t.TempDir())
	if err == nil {
		err = lftp{}.upload(at, local, "/order.xml")
	}
	if err != nil {
		t.Fatal(err)
	}
	bucket.holds(t, "in/globex/order.xml", data)

	const guesser = "127.0.77.1"
	var shut bool
	for n := 0; n < 20 && !shut; n++ {
		if _, shut, err = guess(g.address(false, false), guesser, "acme", fmt.Sprint("guess", n), time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if !shut || !g.banned(guesser) {
		t.Error("who guesses is not banned")
	}

	metrics := scrape(t, g)
	for _, line := range []string{`causeway_bans_total 1`, `causeway_transfers_total{end="stored",verb="STOR"} 2`} {
		if !strings.Contains(metrics, "\n"+line+"\n") {
			t.Errorf("no %s in\n%s", line, metrics)
		}
	}
	for _, want := range []string{"file acme STOR /invoice.pdf stored 50000", "file globex STOR /order.xml stored 50000"} {
		err := poll(t.Context(), patience, func() error {
			if lines := audited(t, audit); !slices.Contains(lines, want) {
				return fmt.Errorf("the audit has no %q but %q", want, lines)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// scrape returns the metrics.
func scrape(t *testing.T, g *gateway) string {
	t.Helper()
	r, err := g.log.await(func(r record) bool { return r["msg"] == "admin listening" }, 0, g.exited)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: patience}
	resp, err := client.Get("http://" + r.text("address") + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// audited are the records of files, in a word each.
func audited(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		var r struct {
			Event, User, Verb, Path, Done string
			Bytes                         int64
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		lines = append(lines, fmt.Sprint(r.Event, " ", r.User, " ", r.Verb, " ", r.Path, " ", r.Done, " ", r.Bytes))
	}
	return lines
}
