// Package stores starts object store servers for tests: versitygw (S3),
// fake-gcs-server and Azurite, each on a free loopback port with its data in a
// temporary folder. It does not install them: see e2e/install.sh. Its central
// type is Set, the servers that run together.
package stores

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"causeway/e2e/process"
)

// Credentials of the test servers. They protect nothing: the servers listen on
// loopback and hold test data only. The Azure ones are Azurite's well-known pair.
const (
	S3Key        = "causeway-test"
	S3Secret     = "causeway-test-secret"
	S3Region     = "us-east-1"
	AzureAccount = "devstoreaccount1"
	AzureKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// versions holds one "name version" per line; install.sh reads the same file.
//
//go:embed versions.txt
var versions string

// Set is a running server of each kind. Its fields are read-only after Start.
type Set struct {
	S3    string // base URL of the S3 endpoint
	GCS   string // base URL; the JSON API is below /storage/v1/
	Azure string // base URL with the account: http://127.0.0.1:port/devstoreaccount1

	servers []*process.Server
	dir     string
}

// Start starts all servers side by side and returns when each answers. The
// caller must Stop the set. ctx bounds the wait, not the servers' life.
func Start(ctx context.Context) (*Set, error) {
	dir, err := os.MkdirTemp("", "causeway-stores-")
	if err != nil {
		return nil, err
	}
	s := &Set{dir: dir}
	type started struct {
		server *process.Server
		err    error
	}
	kinds := []func(context.Context, string) (*process.Server, error){startS3, startGCS, startAzure}
	results := make([]chan started, len(kinds))
	for i, start := range kinds {
		results[i] = make(chan started, 1)
		go func() {
			server, err := start(ctx, dir)
			results[i] <- started{server, err}
		}()
	}
	urls := []*string{&s.S3, &s.GCS, &s.Azure}
	var errs []error
	for i := range kinds {
		r := <-results[i]
		if r.err != nil {
			errs = append(errs, r.err)
			continue
		}
		s.servers = append(s.servers, r.server)
		*urls[i] = "http://" + r.server.Address
	}
	if len(errs) > 0 {
		s.Stop()
		return nil, errors.Join(errs...)
	}
	s.Azure += "/" + AzureAccount
	return s, nil
}

// Env returns the variables that tell the stores' conformance tests where the
// servers are, in the form of os.Environ.
func (s *Set) Env() []string {
	return []string{
		"CAUSEWAY_TEST_S3=" + s.S3,
		"CAUSEWAY_TEST_S3_KEY=" + S3Key,
		"CAUSEWAY_TEST_S3_SECRET=" + S3Secret,
		"CAUSEWAY_TEST_GCS=" + s.GCS,
		"CAUSEWAY_TEST_AZURE=" + s.Azure,
	}
}

// Stop ends the servers and removes their data.
func (s *Set) Stop() {
	for _, server := range s.servers {
		server.Stop()
	}
	_ = os.RemoveAll(s.dir)
}

// Path returns where install.sh put the named tool: the folder of its version,
// joined with elem. It is an error if the tool is not there.
func Path(name string, elem ...string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	version, ok := Version(name)
	if !ok {
		return "", fmt.Errorf("%s is not in versions.txt", name)
	}
	path := filepath.Join(append([]string{cache, "causeway-e2e", name + "-" + version}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s %s is not installed (run e2e/install.sh): %w", name, version, err)
	}
	return path, nil
}

// Version returns the pinned version of the named tool.
func Version(name string) (string, bool) {
	for line := range strings.Lines(versions) {
		if tool, version, _ := strings.Cut(strings.TrimSpace(line), " "); tool == name {
			return version, true
		}
	}
	return "", false
}
