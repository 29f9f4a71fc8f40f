//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// prefix is where the matrix's mounts begin in each bucket.
const prefix = "cams/cam 1/"

// TestClientsHere fails early when a client is not installed: an absent one
// would otherwise show as many failures.
func TestClientsHere(t *testing.T) {
	for _, program := range []string{"curl", "lftp", "ncftp", "ncftpput", "ncftpget", "ncftpls", "wget", "tnftp", "inetutils-ftp", "busybox", "python3", "node", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Errorf("run e2e/install.sh: %v", err)
		}
	}
}

// TestMatrix has every client do everything it can, over every way to connect
// that it knows, on every store. What a pass means is judged in the store.
func TestMatrix(t *testing.T) {
	t.Parallel()
	var accounts []account
	for _, b := range shared.buckets {
		accounts = append(accounts, account{name: b.kind, store: b, prefix: prefix})
	}
	g := start(t, setup{accounts: accounts})
	t.Run("cells", func(t *testing.T) {
		for _, c := range clients() {
			for _, b := range shared.buckets {
				for _, m := range modes() {
					if reason := c.unable(m); reason != "" {
						board.record(row{c.name(), b.kind}, m.String(), "n/a")
						board.explain(c.name(), reason)
						continue
					}
					t.Run(c.name()+"/"+b.kind+"/"+m.String(), func(t *testing.T) {
						t.Parallel()
						cell{client: c, bucket: b, mode: m, gateway: g}.run(t)
					})
				}
				t.Run(c.name()+"/"+b.kind+"/odd names", func(t *testing.T) {
					t.Parallel()
					cell{client: c, bucket: b, mode: mode{tls: "plain"}, gateway: g}.oddNames(t)
				})
			}
		}
	})
}

// cell is one client in one mode on one store.
type cell struct {
	client  client
	bucket  *namedBucket
	mode    mode
	gateway *gateway
	site    site
	dir     string // the cell's own directory, as the client names it
}

func (c cell) run(t *testing.T) {
	result := "FAIL"
	defer func() { board.record(row{c.client.name(), c.bucket.kind}, c.mode.String(), result) }()
	c.begin(t)
	name, renamed := c.dir+"/first.bin", c.dir+"/second.bin"
	c.mkdir(t)
	data := c.upload(t, name)
	c.list(t, path.Base(name))
	c.download(t, name, data)
	if c.does(t, "rename", c.client.rename(c.site, name, renamed)) {
		c.absent(t, name)
		c.holds(t, renamed, data)
		name = renamed
	}
	if c.does(t, "delete", c.client.remove(c.site, name)) {
		c.absent(t, name)
		c.rmdir(t)
	}
	result = "pass"
}

// begin gives the cell a folder and a remote directory that no other cell uses,
// so that nothing it sees can come from another.
func (c *cell) begin(t *testing.T) {
	t.Helper()
	c.dir = "/" + strings.NewReplacer("/", "-", " ", "-").Replace(c.client.name()+"-"+c.mode.String()) + "-" + random(3)
	var err error
	c.site, err = newSite(c.gateway.address(c.mode.ipv6, c.mode.tls == "implicit"), c.mode, c.bucket.kind, filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
}

// does reports whether the client has the operation; it must then have worked.
func (c *cell) does(t *testing.T, operation string, err error) bool {
	t.Helper()
	if reason := lack(""); errors.As(err, &reason) {
		board.explain(c.client.name(), string(reason)+": no "+operation)
		return false
	}
	if err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	return true
}

// mkdir makes the cell's directory, with the client if it can; it must get a marker.
func (c *cell) mkdir(t *testing.T) {
	t.Helper()
	if !c.does(t, "mkdir", c.client.mkdir(c.site, c.dir)) {
		c.seed(t, c.dir+"/", nil)
	} else if _, err := c.bucket.read(t.Context(), c.key(c.dir)+"/"); err != nil {
		t.Fatalf("after mkdir: %v", err)
	}
}

func (c *cell) rmdir(t *testing.T) {
	t.Helper()
	if c.does(t, "rmdir", c.client.rmdir(c.site, c.dir)) {
		c.absent(t, c.dir+"/")
	}
}

// upload puts fresh random content under the name, with the client if it can.
func (c *cell) upload(t *testing.T, remote string) []byte {
	t.Helper()
	data := content(100_000)
	local := c.local(t, "up", data)
	if !c.does(t, "upload", c.client.upload(c.site, local, remote)) {
		c.seed(t, remote, data)
		return data
	}
	c.holds(t, remote, data)
	return data
}

// seed writes straight into the store for a client that only reads.
func (c *cell) seed(t *testing.T, remote string, data []byte) {
	t.Helper()
	if err := c.bucket.write(t.Context(), c.key(remote), data); err != nil {
		t.Fatal(err)
	}
}

func (c *cell) list(t *testing.T, want ...string) {
	t.Helper()
	names, err := c.client.list(c.site, c.dir)
	if !c.does(t, "list", err) {
		return
	}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Fatalf("lists %q, want %q", names, want)
	}
}

func (c *cell) download(t *testing.T, remote string, want []byte) {
	t.Helper()
	local := filepath.Join(c.site.home, "down-"+random(8))
	if !c.does(t, "download", c.client.download(c.site, remote, local)) {
		return
	}
	got, err := os.ReadFile(local)
	if err != nil {
		t.Fatal(err)
	}
	if err := same(got, want); err != nil {
		t.Fatalf("download of %q: %v", remote, err)
	}
}

// holds checks the object in the store itself.
func (c *cell) holds(t *testing.T, remote string, want []byte) {
	t.Helper()
	c.bucket.holds(t, c.key(remote), want)
}

func (c *cell) absent(t *testing.T, remote string) {
	t.Helper()
	c.bucket.lacks(t, c.key(remote))
}

func (c *cell) key(remote string) string { return prefix + strings.TrimPrefix(remote, "/") }

// local writes a file for the client to send.
func (c *cell) local(t *testing.T, name string, data []byte) string {
	t.Helper()
	local := filepath.Join(c.site.home, name+"-"+random(2))
	if err := os.WriteFile(local, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return local
}

// content returns random octets, which no error can forge.
func content(size int) []byte {
	data := make([]byte, size)
	rand.Read(data)
	return data
}

// same compares by SHA-256 and says both sizes, which often tell what is wrong.
func same(got, want []byte) error {
	g, w := sha256.Sum256(got), sha256.Sum256(want)
	if !bytes.Equal(g[:], w[:]) {
		return fmt.Errorf("%d octets with SHA-256 %x, want %d with %x", len(got), g[:6], len(want), w[:6])
	}
	return nil
}

// poll runs check every few milliseconds until it returns nil or time is up,
// and returns its last error.
func poll(ctx context.Context, limit time.Duration, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
