package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"causeway/auth"
)

// invoke runs the program to its end.
func invoke(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), console{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs}, args)
	return code, out.String(), errs.String()
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string // on standard error; of a code of 0 on standard output
	}{
		{nil, exitUsage, "usage: causeway COMMAND"},
		{[]string{"help"}, exitOK, "usage: causeway COMMAND"},
		{[]string{"--help"}, exitOK, "usage: causeway COMMAND"},
		{[]string{"sevre"}, exitUsage, `unknown command "sevre"`},
		{[]string{"serve"}, exitUsage, "-c FILE is required"},
		{[]string{"serve", "-x"}, exitUsage, "flag provided but not defined: -x"},
		{[]string{"serve", "-c", "x", "y"}, exitUsage, "unexpected argument"},
		{[]string{"passwd", "canary"}, exitUsage, "unexpected argument"},
	} {
		code, stdout, stderr := invoke(t, "", c.args...)
		text := stderr
		if c.code == exitOK {
			text = stdout
		}
		if code != c.code || !strings.Contains(text, c.want) {
			t.Errorf("%q: %d, %q, %q", c.args, code, stdout, stderr)
		}
		if strings.Contains(stdout+stderr, "canary") {
			t.Errorf("%q: an argument that may be a password is repeated", c.args)
		}
	}
}

func TestPasswd(t *testing.T) {
	for _, stdin := range []string{"s3cret pass#1\n", "s3cret pass#1\r\n", "s3cret pass#1"} {
		code, stdout, stderr := invoke(t, stdin, "passwd")
		if code != exitOK || stderr != "" {
			t.Fatalf("%d, %q", code, stderr)
		}
		users, err := auth.New([]auth.User{{Account: auth.Account{Name: "a"}, Hash: strings.TrimSpace(stdout)}}, nil, auth.Hashes{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := users.Login(t.Context(), auth.Attempt{Name: "a", Password: "s3cret pass#1"}); err != nil {
			t.Errorf("%q: %v", stdin, err)
		}
	}
	for _, stdin := range []string{"", "\n", "nul\x00\n", strings.Repeat("x", 600)} {
		if code, stdout, stderr := invoke(t, stdin, "passwd"); code != exitError || stdout != "" || !strings.Contains(stderr, "a password has") {
			t.Errorf("%.10q: %d, %q, %q", stdin, code, stdout, stderr)
		}
	}
}

func TestS52_WrongConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "causeway.yaml")
	text := "listeners: [{address: \":0\"}]\nusers:\n  - {name: a, password: canary-1, mounts: [{path: /, store: x, rights: [read]}]}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"serve", "check"} {
		code, stdout, stderr := invoke(t, "", command, "-c", path)
		if code != exitError || stdout != "" || !strings.Contains(stderr, path+":3: users[0].password: is not a password hash") {
			t.Errorf("%s: %d, %q, %q", command, code, stdout, stderr)
		}
		if strings.Contains(stderr, "canary") {
			t.Errorf("%s shows a password: %s", command, stderr)
		}
		if code, _, stderr := invoke(t, "", command, "-c", path+"x"); code != exitError || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s without the file: %d, %q", command, code, stderr)
		}
	}
}

func TestCheckOfADirectory(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "causeway.yaml")
	text := "listeners: [{address: \":0\"}]\nstores: {disk: {kind: localdir, path: data}}\nanonymous: {mounts: [{path: /, store: disk}]}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := invoke(t, "", "check", "-c", path)
	if code != exitOK || strings.Count(stdout, "  ok\n") != 4 || stderr != "" {
		t.Errorf("%d, %q, %q", code, stdout, stderr)
	}
}

// screen is what a program prints, with a way to wait for a line.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
	seen chan struct{} // closed when want has come
	want string
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := strings.Contains(s.text.String(), s.want)
	s.text.Write(p)
	if !before && strings.Contains(s.text.String(), s.want) {
		close(s.seen)
	}
	return len(p), nil
}

// await waits for another text, in what is printed from now on.
func (s *screen) await(want string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Reset()
	s.want, s.seen = want, make(chan struct{})
	return s.seen
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	ctx, stop := context.WithCancel(t.Context())
	out := &screen{seen: make(chan struct{}), want: "Ctrl-C stops the demo."}
	var errs bytes.Buffer
	result := make(chan int, 1)
	go func() {
		result <- run(ctx, console{stdout: out, stderr: &errs}, []string{"demo", "--ftp-address", "127.0.0.1:0", "--ftps-address", "127.0.0.1:0", "--dir", dir})
	}()
	select {
	case <-out.seen:
	case code := <-result:
		t.Fatalf("ended with %d: %s", code, &errs)
	}
	text := out.String()
	find := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("no %s in\n%s", pattern, text)
		}
		return found[1]
	}
	address := find(`explicit TLS +(127\.0\.0\.1:\d+)\n`)
	find(`implicit TLS +(127\.0\.0\.1:\d+)\n`)
	password := find(`password +([a-z2-7]{26})\n`)
	for _, line := range []string{
		`echo "my first object" | curl --ssl-reqd -k -u demo:` + password + ` -T - ftp://` + address + `/first.txt`,
		`curl --ssl-reqd -k -u demo:` + password + ` ftp://` + address + `/`,
		`curl --ssl-reqd -k -u demo:` + password + ` ftp://` + address + `/first.txt`,
	} {
		if !strings.Contains(text, "\n  "+line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	if hello, err := os.ReadFile(filepath.Join(dir, "public", "hello.txt")); err != nil || len(hello) == 0 {
		t.Errorf("no public files: %v", err)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	stop()
	if code := <-result; code != exitOK {
		t.Errorf("code %d: %s", code, &errs)
	}
	if !strings.HasSuffix(out.String(), "The files stay in "+dir+"\n") {
		t.Errorf("no goodbye: %s", out)
	}
	if strings.Contains(errs.String(), password) {
		t.Errorf("the password is in the log: %s", &errs)
	}
}

func TestDemoNamesTheFlagOfATakenPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	taken := ln.Addr().String()
	for flag, other := range map[string]string{"--ftp-address": "--ftps-address", "--ftps-address": "--ftp-address"} {
		code, stdout, stderr := invoke(t, "", "demo", flag, taken, other, "127.0.0.1:0", "--dir", t.TempDir())
		if code != exitError || stdout != "" || strings.Count(stderr, "\n") != 1 ||
			!strings.Contains(stderr, flag+":") || !strings.Contains(stderr, taken) {
			t.Errorf("%s: %d, %q, %q", flag, code, stdout, stderr)
		}
	}
}

func TestVersion(t *testing.T) {
	if code, stdout, _ := invoke(t, "", "version"); code != exitOK || !strings.HasPrefix(stdout, "causeway ") {
		t.Errorf("%d, %q", code, stdout)
	}
	info := &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}}
	if got := versionLine(info); got != "causeway v1.2.3 abc modified go1.26.8" {
		t.Errorf("got %q", got)
	}
}
