package stores

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"causeway/e2e/process"
)

// startS3 starts versitygw over a folder of its own, with the accounts of S3Guests beside
// its owner. The sidecar keeps metadata in files, so that no user xattrs are needed.
func startS3(ctx context.Context, dir string) (*process.Server, error) {
	binary, err := Path("versitygw", "versitygw")
	if err != nil {
		return nil, err
	}
	data, meta, accounts := filepath.Join(dir, "s3-data"), filepath.Join(dir, "s3-meta"), filepath.Join(dir, "s3-iam")
	if err := errors.Join(os.Mkdir(data, 0o700), os.Mkdir(meta, 0o700), writeGuests(accounts)); err != nil {
		return nil, err
	}
	return start(ctx, "/healthz", func(port string) *exec.Cmd {
		cmd := exec.Command(binary, "--quiet", "--keep-alive", "--port", "127.0.0.1:"+port,
			"--health", "/healthz", "--iam-dir", accounts, "posix", "--sidecar", meta, data)
		cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+S3Key, "ROOT_SECRET_KEY="+S3Secret)
		return cmd
	})
}

// startGCS starts fake-gcs-server on its memory backend: the filesystem one
// loses odd keys and directory markers.
func startGCS(ctx context.Context, _ string) (*process.Server, error) {
	binary, err := Path("fake-gcs-server", "fake-gcs-server")
	if err != nil {
		return nil, err
	}
	return start(ctx, "/_internal/healthcheck", func(port string) *exec.Cmd {
		host := "127.0.0.1:" + port
		return exec.Command(binary, "-scheme", "http", "-host", "127.0.0.1", "-port", port,
			"-backend", "memory", "-public-host", host, "-external-url", "http://"+host)
	})
}

// startAzure starts Azurite's blob service. It has no health page: any HTTP
// answer means that it listens.
func startAzure(ctx context.Context, dir string) (*process.Server, error) {
	script, err := Path("azurite", "node_modules", "azurite", "dist", "src", "blob", "main.js")
	if err != nil {
		return nil, err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "azure")
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, err
	}
	return start(ctx, "/", func(port string) *exec.Cmd {
		return exec.Command(node, script, "--silent", "--disableTelemetry", "--skipApiVersionCheck",
			"--disableProductStyleUrl", "--blobHost", "127.0.0.1", "--blobPort", port, "-l", data)
	})
}

// start runs the command made for a free port until it answers on path.
func start(ctx context.Context, path string, command func(port string) *exec.Cmd) (*process.Server, error) {
	return process.Start(ctx, process.Program{
		Command: command,
		Ready:   func(ctx context.Context, address string) bool { return answers(ctx, "http://"+address+path) },
	})
}

// answers tells whether anything but a 5xx comes back.
func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode < http.StatusInternalServerError
}
