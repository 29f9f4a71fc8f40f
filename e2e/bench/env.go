package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"causeway/e2e/bench/ftpc"
	"causeway/e2e/bench/pattern"
)

// Env is what a case works with: it starts stores, gateways and clients, each a process.
// Whatever a case has not stopped ends with the program. Methods may be called by several
// goroutines.
type Env struct {
	Quick   bool   // fewer rounds, less to move
	Rounds  int    // of a case whose figures are compared
	Dir     string // for files of this run, removed with it
	Server  string // the kind of store: "null", "versitygw" or "minio"
	Profile string // folder for profiles of the gateways, "" for none
	Content *pattern.Pattern

	binary  string // the gateway
	mu      sync.Mutex
	running []*Process
}

// newEnv makes the run's folder and builds the gateway into it, as one that writes profiles
// if there is a folder for them. The caller must close.
func newEnv(ctx context.Context, profile string) (*Env, error) {
	dir, err := os.MkdirTemp("", "causeway-bench-")
	if err != nil {
		return nil, err
	}
	e := &Env{Rounds: 3, Dir: dir, Server: "null", Content: pattern.New(), binary: filepath.Join(dir, "causeway")}
	tags := ""
	if profile != "" {
		tags = "pprof"
		if e.Profile, err = filepath.Abs(profile); err != nil {
			return nil, err
		}
	}
	build := exec.CommandContext(ctx, "go", "build", "-tags", tags, "-o", e.binary, "causeway/cmd/causeway")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("build the gateway: %w: %s", err, out), os.RemoveAll(dir))
	}
	return e, nil
}

// caseTime bounds a case. The longest waits nine minutes for slow clients.
const caseTime = 14 * time.Minute

// alone runs a case in a folder of its own, and ends what it leaves behind.
func (e *Env) alone(ctx context.Context, c Case) ([]Row, error) {
	ctx, cancel := context.WithTimeout(ctx, caseTime)
	defer cancel()
	dir, err := os.MkdirTemp(e.Dir, c.Name+"-")
	if err != nil {
		return nil, err
	}
	own := &Env{Quick: e.Quick, Rounds: e.Rounds, Dir: dir, Server: e.Server, Content: e.Content, binary: e.binary}
	defer own.close()
	if e.Profile != "" {
		own.Profile = filepath.Join(e.Profile, c.Name)
		if err := os.MkdirAll(own.Profile, 0o755); err != nil {
			return nil, err
		}
	}
	return c.Run(ctx, own)
}

func (e *Env) children(p *Process) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running = append(e.running, p)
}

// close ends what runs and removes the folder.
func (e *Env) close() {
	e.mu.Lock()
	running := e.running
	e.mu.Unlock()
	for _, p := range running {
		p.kill()
		<-p.exited
	}
	_ = os.RemoveAll(e.Dir) // temporary
}

// Security says whether a client uses TLS.
type Security int

const (
	Plain Security = iota
	TLS            // explicit, TLS 1.3 at least, both connections
)

func (s Security) String() string { return map[Security]string{Plain: "plain", TLS: "TLS"}[s] }

// Options are those of a client of a gateway.
func (e *Env) Options(s Security) ftpc.Options {
	o := ftpc.Options{Content: e.Content}
	if s == TLS {
		o.TLS = &tls.Config{
			InsecureSkipVerify: true, // our own child, on loopback
			MinVersion:         tls.VersionTLS13,
			ClientSessionCache: tls.NewLRUClientSessionCache(8),
			ServerName:         "bench",
		}
	}
	return o
}

// Login connects to the gateway as its user.
func (e *Env) Login(ctx context.Context, g *Gateway, o ftpc.Options) (*ftpc.Client, error) {
	c, err := ftpc.Dial(ctx, g.Address, o)
	if err != nil {
		return nil, err
	}
	if err := c.Login(user, password); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}
