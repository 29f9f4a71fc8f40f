package gateway

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/configs"
	"causeway/gateway/ftp"
)

// TestLearnByTLS from a server whose certificate is known, and from none with another: here
// from another gateway.
func TestLearnByTLS(t *testing.T) {
	t.Parallel()
	old := start(t, func(c *configs.Config) {
		c.TLS.Required = true
		c.Users[0].Name = "cam9"
	})
	conn, err := tls.Dial("tcp", old.implicit, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)
	conn.Close()
	learning := func(from, pin string) error {
		r := start(t, func(c *configs.Config) {
			(&oldServer{Listener: listen(t)}).learning(t, c)
			c.Accounts[1].Learn.From, c.Accounts[1].Learn.CertificateSHA256 = from, pin
		})
		return r.try(loopback, "cam9", password)
	}
	pin := hex.EncodeToString(sum[:])
	if err := learning("ftps://"+old.explicit, pin); err != nil {
		t.Error(err)
	}
	sum[0]++
	for _, wrong := range []string{hex.EncodeToString(sum[:]), ""} {
		if err := learning("ftps://"+old.explicit, wrong); !errors.Is(err, ftp.ErrUnavailable) {
			t.Errorf("pinned to %q: %v", wrong, err)
		}
	}
	// In clear it hears that TLS is a must, as others say that they do not know the name.
	if err := learning("ftp://"+old.explicit, ""); !errors.Is(err, ftp.ErrLogin) {
		t.Errorf("in clear: %v", err)
	}
	if n := strings.Count(old.log.String(), "logged in"); n != 1 {
		t.Errorf("%d logins at the old server", n)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// TestLearnOnTwoGateways into one users file in a store: nobody is lost, or there twice, and
// all are let in.
func TestLearnOnTwoGateways(t *testing.T) {
	t.Parallel()
	accounts := map[string]string{}
	for i := range 4 {
		accounts[fmt.Sprint("cam", 10+i)] = password
	}
	o := startOld(t, accounts)
	shared := t.TempDir()
	if err := os.Mkdir(filepath.Join(shared, ".causeway"), 0o700); err != nil {
		t.Fatal(err)
	}
	users := write(t, shared, ".causeway/users.yaml", "users: []\n")
	var entering sync.WaitGroup
	for range 2 {
		r := start(t, func(c *configs.Config) {
			o.learning(t, c)
			c.Stores["shared"] = configs.Store{Kind: configs.LocalDir, Path: shared}
			c.Accounts = []configs.AccountSource{{Store: "shared", Key: ".causeway/users.yaml"}, o.source("shared:.causeway/users.yaml")}
		})
		for name := range accounts {
			entering.Go(func() {
				if err := r.try(loopback, name, password); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	entering.Wait()
	text, err := os.ReadFile(users)
	if err != nil || strings.Count(string(text), "$argon2id$") != len(accounts) {
		t.Errorf("%v, the users file is\n%s", err, text)
	}
	for name := range accounts {
		if strings.Count(string(text), "name: "+name+",") != 1 {
			t.Errorf("%s is not there once:\n%s", name, text)
		}
	}
}

// TestLearnGoesOnAfterReload: what was learnt before is, and what is counted goes on.
func TestLearnGoesOnAfterReload(t *testing.T) {
	t.Parallel()
	o := startOld(t, map[string]string{"cam8": password, "cam9": password})
	var next configs.Config
	r := start(t, func(c *configs.Config) {
		watched(c)
		o.learning(t, c)
		next = *c
		next.Templates = maps.Clone(c.Templates)
	})
	if err := r.try(loopback, "cam9", password); err != nil {
		t.Error(err)
	}
	if err := r.Reload(t.Context(), &next); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cam9", "cam8"} {
		if err := r.try(loopback, name, password); err != nil {
			t.Error(err)
		}
	}
	if asked := o.asked(); !slices.Equal(asked, []string{"cam9", "cam8"}) {
		t.Errorf("the old server was asked for %q", asked)
	}
	if _, metrics := r.ask(t, "GET", "/metrics"); !strings.Contains(metrics, `causeway_logins_learnt_total{result="learnt"} 2`) {
		t.Errorf("the metrics are\n%s", metrics)
	}
}

// TestCheckAsksTheOldServer for nobody.
func TestCheckAsksTheOldServer(t *testing.T) {
	t.Parallel()
	o := startOld(t, map[string]string{"cam9": password})
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"disk": {Kind: configs.LocalDir, Path: t.TempDir()}}
	o.learning(t, cfg)
	check := func() (string, error) {
		var out bytes.Buffer
		err := Check(t.Context(), cfg, &out)
		return out.String(), err
	}
	const ok = "accounts[1]   learn   ok\n"
	if out, err := check(); err != nil || !strings.Contains(out, ok) {
		t.Errorf("%v\n%s", err, out)
	}
	o.answers("530 not on my list", "")
	if out, err := check(); err != nil || !strings.Contains(out, "refused before the password was asked for: USER: 530 not on my list\n") {
		t.Errorf("%v\n%s", err, out)
	}
	o.answers("", "230 anybody")
	if out, err := check(); !errors.Is(err, ErrSource) || !strings.Contains(out, "lets in a made-up name") {
		t.Errorf("%v\n%s", err, out)
	}
	cfg.Accounts[1].Learn.Until = configs.Date{Year: 2020, Month: time.May, Day: 1}
	if out, err := check(); err != nil || !strings.Contains(out, "accounts[1]   learn   not asked: its date has passed\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if asked := o.asked(); len(asked) != 2 || slices.Contains(asked, "cam9") || cfg.Learns(time.Now()) != nil {
		t.Errorf("the old server was asked for %q", asked)
	}
}

// TestLearnUntil: after the date the old server is not asked, and the log says so once.
func TestLearnUntil(t *testing.T) {
	t.Parallel()
	o := startOld(t, map[string]string{"cam9": password})
	r := start(t, func(c *configs.Config) {
		o.learning(t, c)
		c.Accounts[1].Learn.Until = configs.Date{Year: 2020, Month: time.May, Day: 1}
		c.Guard.Exempt = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for range 2 {
		if err := r.try(loopback, "cam9", password); !errors.Is(err, ftp.ErrLogin) {
			t.Error(err)
		}
	}
	if n := strings.Count(r.log.String(), "its date has passed"); n != 1 || len(o.asked()) != 0 {
		t.Errorf("told %d times, and the old server was asked for %q", n, o.asked())
	}
}
