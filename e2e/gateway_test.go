//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. It is long because the machine may be loaded;
// nothing that works ever waits for it.
const patience = 60 * time.Second

// canary is part of every bucket's name. A client must never see it.
const canary = "canary-bucket"

// gateway is one running binary.
type gateway struct {
	cmd       *exec.Cmd
	log       *journal
	exited    chan struct{}
	listeners []listener
}

// listener is one address that the gateway logged as listening.
type listener struct {
	address  string
	implicit bool
}

// account is a user of a test's configuration.
type account struct {
	name  string
	store *namedBucket
	// mount is the rest of the mount's flow map, for example `, rights: [write]`.
	mount string
	// path and prefix of the mount; "/" and "" by default.
	path, prefix string
	hash         string // shared.hash by default
	more         string // further keys of the account, each a line of four blanks and more
}

// setup is what a test varies in a configuration.
type setup struct {
	accounts []account
	tls      string // the whole tls section's flow map; the shared certificate by default
	extra    string // further top-level sections
	limits   string // further limits, each after a comma
	mount    string // of the accounts that say nothing of it
	plain4   bool   // only one listener, 127.0.0.1
}

// config writes the configuration in the documented form and returns its path.
func (s setup) config(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("listeners:\n  - {address: \"127.0.0.1:0\"}\n")
	if !s.plain4 {
		b.WriteString("  - {address: \"127.0.0.1:0\", tls: implicit}\n  - {address: \"[::1]:0\"}\n  - {address: \"[::1]:0\", tls: implicit}\n")
	}
	if s.tls == "" {
		s.tls = fmt.Sprintf("{certificate: %s, key: %s}", quote(shared.cert.certFile), quote(shared.cert.keyFile))
	}
	fmt.Fprintf(&b, "tls: %s\n", s.tls)
	names := map[*namedBucket]string{}
	b.WriteString("stores:\n")
	for _, a := range s.accounts {
		if names[a.store] == "" {
			names[a.store] = fmt.Sprintf("store%d", len(names))
			fmt.Fprintf(&b, "  %s: %s\n", names[a.store], a.store.config)
		}
	}
	b.WriteString("users:\n")
	for _, a := range s.accounts {
		if a.path == "" {
			a.path = "/"
		}
		if a.hash == "" {
			a.hash = shared.hash
		}
		if a.mount == "" {
			a.mount = s.mount + ", rights: [list, read, write, overwrite, delete, rename, mkdir]"
		}
		fmt.Fprintf(&b, "  - name: %s\n    password: %s\n    mounts:\n      - {path: %s, store: %s, prefix: %s%s}\n%s",
			quote(a.name), quote(a.hash), quote(a.path), names[a.store], quote(a.prefix), a.mount, a.more)
	}
	fmt.Fprintf(&b, "limits: {sessions_per_address: 1000%s}\nlog: {format: json, level: debug}\n", s.limits)
	b.WriteString(s.extra)
	return writeFile(t, "causeway.yaml", b.String())
}

// quote returns a YAML double-quoted scalar, of which JSON is a subset.
func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// writeFile writes into a temporary folder of the test and returns the path.
func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// start runs `causeway serve` with the set-up until all listeners are up, and
// ends it with the test.
func start(t testing.TB, s setup) *gateway {
	t.Helper()
	want := 4
	if s.plain4 {
		want = 1
	}
	g := launch(t, "serve", "-c", s.config(t))
	for range want {
		record, err := g.log.await(func(r record) bool { return r["msg"] == "listening" }, len(g.listeners), g.exited)
		if err != nil {
			t.Fatalf("gateway does not listen: %v\n%s", err, g.log)
		}
		g.listeners = append(g.listeners, listener{record.text("address"), record.text("tls") == "implicit"})
	}
	return g
}

// launch runs the binary; the test's end kills it if it still runs.
func launch(t testing.TB, args ...string) *gateway {
	t.Helper()
	g := &gateway{cmd: exec.Command(shared.binary, args...), exited: make(chan struct{}), log: newJournal()}
	g.cmd.Dir = t.TempDir()
	out, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	g.cmd.Stdout = out
	stderr, err := g.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(g.exited)
		g.log.read(stderr)
		_ = g.cmd.Wait() // the code is read from ProcessState
	}()
	t.Cleanup(func() {
		_ = g.cmd.Process.Kill() // an error means that it has ended
		<-g.exited
		_ = out.Close()
		if text := g.log.String(); strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic:") {
			t.Errorf("the gateway raced or panicked:\n%s", text)
		} else if t.Failed() {
			t.Logf("gateway's log:\n%s", tailOf(text, 20))
		}
	})
	return g
}

// interrupt sends the signal and returns the exit code.
func (g *gateway) interrupt(t testing.TB, signal syscall.Signal) int {
	t.Helper()
	if err := g.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	select {
	case <-g.exited:
	case <-time.After(patience):
		t.Fatalf("does not end after %v\n%s", signal, g.log)
	}
	return g.cmd.ProcessState.ExitCode()
}

// stdout returns what the program printed so far.
func (g *gateway) stdout() string {
	b, _ := os.ReadFile(g.cmd.Stdout.(*os.File).Name())
	return string(b)
}

// address returns the address of the listener with these properties.
func (g *gateway) address(ipv6, implicit bool) string {
	for _, l := range g.listeners {
		host, _, _ := net.SplitHostPort(l.address)
		if strings.Contains(host, ":") == ipv6 && l.implicit == implicit {
			return l.address
		}
	}
	return ""
}

// record is one line of the gateway's log.
type record map[string]any

func (r record) text(key string) string {
	s, _ := r[key].(string)
	return s
}

// journal collects the log and lets tests wait for lines.
type journal struct {
	mu      sync.Mutex
	lines   []string
	records []record
	changed chan struct{} // closed and replaced at every line
}

func newJournal() *journal { return &journal{changed: make(chan struct{})} }

func (j *journal) read(r io.Reader) {
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadString('\n')
		if line != "" {
			j.add(strings.TrimRight(line, "\n"))
		}
		if err != nil {
			return
		}
	}
}

func (j *journal) add(line string) {
	var r record
	_ = json.Unmarshal([]byte(line), &r) // what is not JSON is kept as text only
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
	j.records = append(j.records, r)
	close(j.changed)
	j.changed = make(chan struct{})
}

// await returns the record number skip (from 0) that matches.
func (j *journal) await(matches func(record) bool, skip int, exited <-chan struct{}) (record, error) {
	deadline := time.After(patience)
	for {
		j.mu.Lock()
		changed, found := j.changed, 0
		for _, r := range j.records {
			if r != nil && matches(r) {
				if found == skip {
					j.mu.Unlock()
					return r, nil
				}
				found++
			}
		}
		j.mu.Unlock()
		select {
		case <-changed:
		case <-exited:
			return nil, errors.New("the process has ended")
		case <-deadline:
			return nil, errors.New("no such line in the log")
		}
	}
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, "\n")
}

// tailOf returns the last n lines of text.
func tailOf(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
