package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/backends"
	"causeway/configs"
)

// password of the account in these tests, and its cheap hash.
const (
	password = "canary-password"
	hash     = "$1$salt$gm0fEy.pF7XiYyZv9GQID/"
)

// running is a gateway on a directory, with plain, explicit and implicit listeners.
type running struct {
	*Gateway
	dir                string
	explicit, implicit string // addresses
	log                *syncBuffer
	stop               context.CancelFunc
	result             chan error // of Run
}

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func start(t *testing.T, change func(*configs.Config)) *running {
	t.Helper()
	r := prepare(t, change)
	r.run(t)
	return r
}

// startOn is start with another store in place of the directory.
func startOn(t *testing.T, store backends.Backend) *running {
	t.Helper()
	r := prepare(t, nil)
	r.stores["disk"] = store
	r.run(t)
	return r
}

// prepare makes the gateway that run serves.
func prepare(t *testing.T, change func(*configs.Config)) *running {
	t.Helper()
	r := &running{dir: t.TempDir(), log: new(syncBuffer), result: make(chan error, 1)}
	every := []configs.Right{configs.List, configs.Read, configs.Write, configs.Overwrite, configs.Delete, configs.Rename, configs.Mkdir}
	cfg := configs.Default()
	cfg.Listeners = []configs.Listener{{Address: "127.0.0.1:0"}, {Address: "127.0.0.1:0", TLS: configs.ImplicitTLS}}
	cfg.TLS.SelfSigned = true
	cfg.Stores = map[string]configs.Store{"disk": {Kind: configs.LocalDir, Path: r.dir}}
	cfg.Users = []configs.User{{Name: "cam1", Password: hash, Mounts: []configs.Mount{
		{Path: "/", Store: "disk", Prefix: "cams/", Rights: every},
		{Path: "/public", Store: "disk", Prefix: "public/", Rights: every},
	}}}
	cfg.Anonymous.Mounts = []configs.AnonymousMount{{Path: "/public", Store: "disk", Prefix: "public/"}}
	cfg.Limits.DrainTimeout = 5 * time.Second
	if change != nil {
		change(cfg)
	}
	g, err := New(t.Context(), cfg, slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	r.Gateway = g
	return r
}

func (r *running) run(t *testing.T) {
	t.Helper()
	addrs, err := r.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.explicit, r.implicit = addrs[0].String(), addrs[1].String()
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.result <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err, open := <-r.result; open && err != nil {
			t.Errorf("Run: %v", err)
		}
		if strings.Contains(r.log.String(), "canary") {
			t.Errorf("a secret is in the log:\n%s", r.log)
		}
		if t.Failed() {
			t.Logf("log:\n%s", r.log)
		}
	})
}

// tour does with a session what people do.
func tour(t *testing.T, r *running, c *client) {
	t.Helper()
	c.login("cam1", password)
	content := strings.Repeat("twelve bytes", 50_000)
	c.upload("/x.tmp", content)
	if on, err := os.ReadFile(filepath.Join(r.dir, "cams/x.tmp")); err != nil || string(on) != content {
		t.Errorf("on disk: %d octets, %v", len(on), err)
	}
	c.do(257, "MKD in")
	c.do(350, "RNFR x.tmp")
	c.do(250, "RNTO in/ü.bin")
	c.do(250, "CWD in")
	if got := c.download("MLSD"); !strings.Contains(got, " ü.bin\r\n") || strings.Contains(got, "x.tmp") {
		t.Errorf("MLSD: %q", got)
	}
	if got := c.do(213, "SIZE ü.bin"); got != "600000" {
		t.Errorf("SIZE: %s", got)
	}
	if got := c.download("RETR ü.bin"); got != content {
		t.Errorf("RETR: %d octets", len(got))
	}
	c.do(250, "DELE ü.bin")
	c.do(550, "SIZE ü.bin")
	c.do(250, "CDUP")
	c.do(250, "RMD in")
	if got := c.download("NLST"); got != "public\r\n" {
		t.Errorf("NLST: %q", got)
	}
	c.do(221, "QUIT")
}

func TestPlainSession(t *testing.T) {
	t.Parallel()
	r := start(t, func(cfg *configs.Config) { cfg.Cache.TTL = 0 })
	tour(t, r, dial(t, r.explicit, nil))
}

func TestExplicitTLSSession(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	c := dial(t, r.explicit, nil)
	c.upgrade(clientTLS())
	tour(t, r, c)
}

func TestImplicitTLSSessionWithReuse(t *testing.T) {
	t.Parallel()
	r := start(t, func(cfg *configs.Config) {
		cfg.TLS.SessionReuse = configs.ReuseRequired
		cfg.TLS.Required = true
	})
	tour(t, r, dial(t, r.implicit, clientTLS()))

}

// TestD7_SessionReuseIsRequired: a data connection with a session of its own carries nothing.
func TestD7_SessionReuseIsRequired(t *testing.T) {
	t.Parallel()
	r := start(t, func(cfg *configs.Config) { cfg.TLS.SessionReuse = configs.ReuseRequired })
	c := dial(t, r.implicit, clientTLS())
	c.login("cam1", password)
	c.tls = clientTLS() // no sessions
	conn := c.data("STOR stolen")
	defer conn.Close()
	_, _ = io.WriteString(conn, "stolen") // may or may not fail; the reply tells
	c.expect(522)
	if _, err := os.Stat(filepath.Join(r.dir, "cams/stolen")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stored: %v", err)
	}
}

// TestT7_NoPasswordInClear: where TLS is required, USER is refused before PASS is asked for.
func TestT7_NoPasswordInClear(t *testing.T) {
	t.Parallel()
	r := start(t, func(cfg *configs.Config) { cfg.TLS.Required = true })
	c := dial(t, r.explicit, nil)
	if err := c.text.PrintfLine("USER cam1"); err != nil {
		t.Fatal(err)
	}
	if code, text, _ := c.text.ReadResponse(5); code != 530 && code != 534 {
		t.Errorf("USER in clear: %d %s", code, text)
	}
}

func TestS41_AnonymousListsAndReads(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	owner := dial(t, r.explicit, nil)
	owner.login("cam1", password)
	owner.upload("/public/hello.txt", "hello")

	c := dial(t, r.explicit, nil)
	c.login("anonymous", "me@example.com")
	if got := c.download("NLST /"); !strings.Contains(got, "public") || strings.Contains(got, "cams") {
		t.Errorf("the root: %q", got)
	}
	if got := c.download("RETR /public/hello.txt"); got != "hello" {
		t.Errorf("RETR: %q", got)
	}
	c.do(550, "DELE /public/hello.txt")
	c.do(550, "RNFR /public/hello.txt")
	c.do(550, "MKD /public/new")
	for _, line := range []string{"STOR /public/hello.txt", "STOR /public/new.txt", "STOR /new.txt"} {
		c.do(229, "EPSV")
		c.do(553, line)
	}
	if on, err := os.ReadFile(filepath.Join(r.dir, "public/hello.txt")); err != nil || string(on) != "hello" {
		t.Errorf("on disk: %q, %v", on, err)
	}
}

// TestA1_S42_RefusalsAreAlike compares what a stranger and a user with a wrong password see.
func TestA1_S42_RefusalsAreAlike(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	var replies []string
	for _, user := range []string{"cam1", "nobody"} {
		c := dial(t, r.explicit, nil)
		asked := c.do(331, "USER "+user)
		replies = append(replies, asked+c.do(530, "PASS wrong canary"))
	}
	if strings.ReplaceAll(replies[0], "cam1", "nobody") != replies[1] {
		t.Errorf("%q", replies)
	}
}

// TestS50_RunningTransferFinishes: at the end of Run's context a listener is gone, an
// upload that runs is not.
func TestS50_RunningTransferFinishes(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	c := dial(t, r.explicit, nil)
	c.login("cam1", password)
	conn := c.data("STOR late.bin")
	if _, err := io.WriteString(conn, "first "); err != nil {
		t.Fatal(err)
	}
	r.stop()
	for _, address := range []string{r.explicit, r.implicit} {
		awaitRefusal(t, address)
	}
	if _, err := io.WriteString(conn, "last"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	c.expect(226)
	if on, err := os.ReadFile(filepath.Join(r.dir, "cams/late.bin")); err != nil || string(on) != "first last" {
		t.Errorf("on disk: %q, %v", on, err)
	}
	if err := <-r.result; err != nil {
		t.Errorf("Run: %v", err)
	}
	close(r.result)
}

// awaitRefusal dials until nobody listens.
func awaitRefusal(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		conn.Close()
	}
	t.Fatalf("%s is still listened on", address)
}

func TestListenNamesTheListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	cfg := configs.Default()
	cfg.Listeners = []configs.Listener{{Address: "127.0.0.1:0"}, {Address: ln.Addr().String()}}
	cfg.Stores = map[string]configs.Store{"disk": {Kind: configs.LocalDir, Path: t.TempDir()}}
	g, err := New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	err = g.Run(t.Context())
	var at *ListenError
	if !errors.As(err, &at) || at.Field != "listeners[1]" || len(g.bound) != 0 {
		t.Errorf("got %v", err)
	}
}
