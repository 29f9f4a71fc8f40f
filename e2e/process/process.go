// Package process runs the servers that tests talk to: each a child process on a free
// loopback port, which is ready when Start returns and dies with the test. What the servers
// are is said by the packages that use it. Its central type is Server.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
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

// Program is how a server is started, and when it is ready. Both get what it listens on.
type Program struct {
	Command func(port string) *exec.Cmd
	Ready   func(ctx context.Context, address string) bool
}

// Server is one child process that listens on a loopback port.
type Server struct {
	Address string // host:port
	program Program
	cmd     *exec.Cmd
	output  tail
	exited  chan struct{} // closed when the process has ended
}

// Start runs a program until it is ready. ctx bounds the wait, not the server's life; who
// calls it must Stop the server.
func Start(ctx context.Context, p Program) (*Server, error) {
	var err error
	for range attempts {
		var s *Server
		if s, err = startOnce(ctx, p); err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

func startOnce(ctx context.Context, p Program) (*Server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &Server{Address: address, program: p}
	if err := s.Restart(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Restart starts a server that was stopped, where it was before.
func (s *Server) Restart(ctx context.Context) error {
	_, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return err
	}
	s.cmd, s.exited = s.program.Command(port), make(chan struct{})
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	dieWithParent(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func(exited chan struct{}) {
		_ = s.cmd.Wait() // why it ended shows in its output
		close(exited)
	}(s.exited)
	if err := s.ready(ctx); err != nil {
		s.Stop()
		return fmt.Errorf("%s: %w: %s", filepath.Base(s.cmd.Path), err, s.output.String())
	}
	return nil
}

// ready asks the server until it answers.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.program.Ready(ctx, s.Address) {
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

// Stop kills the process, which has nothing worth saving, and waits for its end.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill() // an error means that it has ended already
	<-s.exited
}

// Wait waits for the process to end by itself, and at most so long.
func (s *Server) Wait(atMost time.Duration) {
	select {
	case <-s.exited:
	case <-time.After(atMost):
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
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
