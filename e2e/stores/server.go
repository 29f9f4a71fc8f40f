package stores

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// startTimeout bounds one attempt to start a server. Azurite needs about two
// seconds on an idle machine; a loaded one is ten times slower.
const startTimeout = 60 * time.Second

// attempts is how often a server is started before giving up: its free port may
// be taken by someone else between choosing it and listening on it.
const attempts = 3

// server is one child process that listens on a loopback port.
type server struct {
	url    string
	cmd    *exec.Cmd
	output tail
	exited chan struct{} // closed when the process has ended
}

// startS3 starts versitygw over a folder of its own, with the accounts of S3Guests beside
// its owner. The sidecar keeps metadata in files, so that no user xattrs are needed.
func startS3(ctx context.Context, dir string) (*server, error) {
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
func startGCS(ctx context.Context, _ string) (*server, error) {
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
func startAzure(ctx context.Context, dir string) (*server, error) {
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
func start(ctx context.Context, path string, command func(port string) *exec.Cmd) (*server, error) {
	var err error
	for range attempts {
		var s *server
		if s, err = startOnce(ctx, path, command); err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

func startOnce(ctx context.Context, path string, command func(port string) *exec.Cmd) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{url: "http://127.0.0.1:" + port, cmd: command(port), exited: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.SysProcAttr = dieWithParent()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // why it ended shows in its output
		close(s.exited)
	}()
	if err := s.ready(ctx, path); err != nil {
		s.stop()
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(s.cmd.Path), err, s.output.String())
	}
	return s, nil
}

// ready polls the server until it answers path with anything but a 5xx.
func (s *server) ready(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if answers(ctx, s.url+path) {
			return nil
		}
		select {
		case <-s.exited:
			return errors.New("ended before it answered")
		case <-ctx.Done():
			return errors.New("does not answer")
		case <-tick.C:
		}
	}
}

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

// stop kills the process, which has nothing worth saving, and waits for its end.
func (s *server) stop() {
	_ = s.cmd.Process.Kill() // an error means that it has ended already
	<-s.exited
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// tail keeps the last octets that a process wrote, for error messages.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// tailLimit is enough for a stack trace's head.
const tailLimit = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if over := t.buf.Len() - tailLimit; over > 0 {
		t.buf.Next(over)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
