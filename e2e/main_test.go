//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"causeway/e2e/stores"
)

// fixture is what all tests share: the built binary, the store servers with one
// bucket each, and a certificate. It is written by TestMain only.
type fixture struct {
	dir     string // everything temporary is below it
	binary  string
	servers *stores.Set
	buckets []*namedBucket
	cert    certificate
	hash    string // of password, cheap to verify: the matrix logs in thousands of times
}

const (
	user     = "cam1"
	password = "s3cret pass#1"
)

var shared fixture

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run sets up the fixture, runs the tests, and prints the tables of results.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "causeway-e2e-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	shared.dir = dir
	if err := shared.setUp(); err != nil {
		fmt.Println("e2e set-up:", err)
		return 1
	}
	defer shared.servers.Stop()
	code := m.Run()
	board.print(os.Stdout)
	return code
}

func (f *fixture) setUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if err := f.build(ctx); err != nil {
		return err
	}
	var err error
	if f.cert, err = newCertificate(f.dir); err != nil {
		return err
	}
	if f.hash, err = hash(ctx, password); err != nil {
		return err
	}
	if f.servers, err = stores.Start(ctx); err != nil {
		return err
	}
	f.buckets, err = newBuckets(ctx, f.servers, f.dir)
	if err != nil {
		f.servers.Stop()
	}
	return err
}

// build compiles the binary with the race detector. CAUSEWAY_E2E_BINARY names
// one that is already built.
func (f *fixture) build(ctx context.Context) error {
	if f.binary = os.Getenv("CAUSEWAY_E2E_BINARY"); f.binary != "" {
		return nil
	}
	f.binary = filepath.Join(f.dir, "causeway")
	cmd := exec.CommandContext(ctx, "go", "build", "-race", "-o", f.binary, "./cmd/causeway")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}
