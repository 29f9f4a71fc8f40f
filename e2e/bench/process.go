package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Process is a child that is measured. Its standard error is a file in the Env's folder.
// Methods may be called by any goroutine, but Ask by one at a time.
type Process struct {
	Name string
	Log  string // path of its standard error

	cmd     *exec.Cmd
	stdin   io.WriteCloser
	answers *bufio.Reader
	exited  chan struct{}

	byInput bool // it ends when its input does
	byKill  bool // it may be killed
}

// stopTime is how long a process that was asked to end may take.
const stopTime = 40 * time.Second

// spawn starts a program, which dies with this one.
func (e *Env) spawn(name, program string, args ...string) (*Process, error) {
	return e.spawnWith(name, nil, program, args...)
}

// spawnWith is spawn with variables added to the environment.
func (e *Env) spawnWith(name string, env []string, program string, args ...string) (*Process, error) {
	log, err := os.CreateTemp(e.Dir, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	p := &Process{Name: name, Log: log.Name(), cmd: exec.Command(program, args...), exited: make(chan struct{})}
	p.cmd.Stderr = log
	p.cmd.Dir, p.cmd.Env = e.Dir, append(os.Environ(), env...)
	p.cmd.SysProcAttr = dieWithParent()
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, stdout, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout = stdout
	err = p.cmd.Start()
	_ = stdout.Close() // the child has its own
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), out.Close())
	}
	p.answers = bufio.NewReaderSize(out, 64<<10)
	go func() {
		_ = p.cmd.Wait() // why it ended shows in its log
		close(p.exited)
	}()
	e.children(p)
	return p, nil
}

// role starts this program as one of its parts, with options as JSON. Its first line is
// read into ready.
func (e *Env) role(ctx context.Context, name string, options, ready any) (*Process, error) {
	text, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := e.spawn(name, self, name, string(text))
	if err != nil {
		return nil, err
	}
	p.byInput = true
	return p, p.answer(ctx, ready)
}

// Ask sends a line of JSON and reads one. ctx bounds the wait by ending the process.
func (p *Process) Ask(ctx context.Context, question, answer any) error {
	if err := json.NewEncoder(p.stdin).Encode(question); err != nil {
		return fmt.Errorf("%s: %w: %s", p.Name, err, p.tail())
	}
	return p.answer(ctx, answer)
}

func (p *Process) answer(ctx context.Context, into any) error {
	defer context.AfterFunc(ctx, p.kill)()
	line, err := p.answers.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", p.Name, errors.Join(context.Cause(ctx), err), p.tail())
	}
	return nil
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop ends the process: by the end of its input or SIGTERM, and after a while SIGKILL. It returns an error unless
// the process ended by itself with code 0, or has been stopped before.
func (p *Process) Stop() error {
	select {
	case <-p.exited:
		return nil
	default:
	}
	if p.byKill {
		p.kill()
		<-p.exited
		return nil
	}
	_ = p.stdin.Close() // it may have ended
	if !p.byInput {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // as above
	}
	select {
	case <-p.exited:
	case <-time.After(stopTime):
		p.kill()
		<-p.exited
	}
	if p.cmd.ProcessState.ExitCode() != 0 {
		return fmt.Errorf("%s: %v: %s", p.Name, p.cmd.ProcessState, p.tail())
	}
	return nil
}

func (p *Process) kill() { _ = p.cmd.Process.Kill() } // an error means that it has ended

// tail is the last that the process wrote to its log.
func (p *Process) tail() string {
	b, _ := os.ReadFile(p.Log) // for people only
	return filepath.Base(p.Log) + ": " + string(b[max(0, len(b)-2000):])
}

// Usage is what work has cost a process.
type Usage struct {
	Wall  time.Duration   `json:"wall"`
	CPU   time.Duration   `json:"cpu"`             // user and system
	Peak  int64           `json:"peak"`            // of resident memory, octets
	First []time.Duration `json:"first,omitempty"` // to the first octet of each object that was read
	Count int             `json:"count,omitempty"` // of names listed
}

// Measure returns what the process spent while work ran.
func (p *Process) Measure(work func() error) (Usage, error) {
	if err := p.ResetPeak(); err != nil {
		return Usage{}, err
	}
	cpu, err := p.CPU()
	if err != nil {
		return Usage{}, err
	}
	start := time.Now()
	if err := work(); err != nil {
		return Usage{}, fmt.Errorf("%w\n%s", err, p.tail())
	}
	u := Usage{Wall: time.Since(start)}
	after, err := p.CPU()
	u.CPU = after - cpu
	if err != nil {
		return u, err
	}
	u.Peak, err = p.Peak()
	return u, err
}
