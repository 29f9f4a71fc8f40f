package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/e2e/stores"
)

// nullServer is the kind of store that counts and forgets.
const nullServer = "null"

// realServer is a program that keeps what it is given, on disk.
type realServer struct {
	program string // path
	args    []string
	env     []string
	health  string // path of a URL that answers once it is ready
}

// realAttempts is how often one is started: somebody else may take its free port.
const realAttempts = 3

// realServerOf is the program of a kind, for a port and a folder.
func realServerOf(kind, address, dir string) (realServer, error) {
	switch kind {
	case "versitygw":
		path, err := stores.Path("versitygw", "versitygw")
		data, meta := filepath.Join(dir, "data"), filepath.Join(dir, "meta")
		return realServer{
			program: path, health: "/healthz",
			args: []string{"--quiet", "--keep-alive", "--port", address, "--health", "/healthz", "posix", "--sidecar", meta, data},
			env:  []string{"ROOT_ACCESS_KEY=" + stores.S3Key, "ROOT_SECRET_KEY=" + stores.S3Secret},
		}, errors.Join(err, os.Mkdir(data, 0o700), os.Mkdir(meta, 0o700))
	case "minio":
		path, err := exec.LookPath("minio")
		return realServer{
			program: path, health: "/minio/health/ready",
			args: []string{"--no-compat", "server", "--quiet", "--address", address, dir}, // ETags that are not MD5
			env: []string{"MINIO_ROOT_USER=" + stores.S3Key, "MINIO_ROOT_PASSWORD=" + stores.S3Secret,
				"MINIO_CI_CD=1", "MINIO_BROWSER=off", "MINIO_UPDATE=off"},
		}, err
	}
	return realServer{}, fmt.Errorf("no such kind of store: %q", kind)
}

// realStore starts a server of the Env's kind with an empty bucket. It counts nothing.
func (e *Env) realStore(ctx context.Context) (*Store, error) {
	var errs []error
	for range realAttempts {
		s, err := e.tryRealStore(ctx)
		if err == nil {
			return s, nil
		}
		if errs = append(errs, err); ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

func (e *Env) tryRealStore(ctx context.Context) (*Store, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	dir, err := os.MkdirTemp(e.Dir, e.Server)
	if err := errors.Join(err, l.Close()); err != nil {
		return nil, err
	}
	server, err := realServerOf(e.Server, address, dir)
	if err != nil {
		return nil, err
	}
	p, err := e.spawnWith(e.Server, server.env, server.program, server.args...)
	if err != nil {
		return nil, err
	}
	p.byKill = true // what it keeps goes with the folder
	s := &Store{Process: p, URL: "http://" + address, Bucket: "bench", key: stores.S3Key, secret: stores.S3Secret}
	if err := p.answersOn(ctx, s.URL+server.health); err != nil {
		return nil, err
	}
	client := newClient(directOptions{s.URL, s.Bucket, s.key, s.secret})
	_, err = client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &s.Bucket})
	return s, err
}

// answersOn waits until the URL gives an answer that is no error.
func (p *Process) answersOn(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if res, err := http.DefaultClient.Do(r); err == nil {
			_ = res.Body.Close() // its status is enough
			if res.StatusCode < http.StatusBadRequest {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return fmt.Errorf("%s has ended: %s", p.Name, strings.TrimSpace(p.tail()))
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %s", p.Name, p.tail())
		}
	}
}
